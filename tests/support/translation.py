"""SAM templates as CloudFormation sees them: translated, with the defaults of the parameters."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

from samtranslator.translator.transform import transform

Template = dict[str, Any]
_NO_VALUE = {"Ref": "AWS::NoValue"}


class _NoManagedPolicies:
    def load(self) -> dict[str, str]:
        """Return none: the templates name no policy of AWS by its short name."""
        return {}


def translate(sam_template: Path, **parameters: str) -> Template:
    """Translate a SAM template and resolve its conditions.

    `parameters` override the defaults of the template's parameters.
    """
    template: Template = json.loads(sam_template.read_text())
    for resource in template["Resources"].values():
        if resource.get("Type") == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/deployment.zip"
    for name, value in parameters.items():
        template["Parameters"][name]["Default"] = value
    with patch.dict(os.environ, AWS_DEFAULT_REGION="us-east-1"):
        translated: Template = transform(template, {}, _NoManagedPolicies())
    conditions = {
        name: _evaluate(condition, template["Parameters"])
        for name, condition in translated.pop("Conditions", {}).items()
    }
    translated["Resources"] = {
        name: resource
        for name, resource in translated["Resources"].items()
        if conditions.get(resource.pop("Condition", None), True)
    }
    resolved: Template = _resolve(translated, conditions)
    return resolved


def _evaluate(condition: dict[str, Any], parameters: dict[str, Any]) -> bool:
    [(function, arguments)] = condition.items()
    if function == "Fn::And":
        return all(_evaluate(argument, parameters) for argument in arguments)
    if function == "Fn::Not":
        return not _evaluate(arguments[0], parameters)
    assert function == "Fn::Equals", function
    [reference, text] = arguments
    return bool(parameters[reference["Ref"]]["Default"] == text)


def _resolve(value: Any, conditions: dict[str, bool]) -> Any:
    """Replace every `Fn::If` by the branch that applies."""
    if isinstance(value, list):
        return [_resolve(item, conditions) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"Fn::If"}:
        condition, if_true, if_false = value["Fn::If"]
        return _resolve(if_true if conditions[condition] else if_false, conditions)
    resolved = {key: _resolve(item, conditions) for key, item in value.items()}
    return {key: item for key, item in resolved.items() if item != _NO_VALUE}


if __name__ == "__main__":
    json.dump(translate(Path(sys.argv[1])), sys.stdout, indent=2)
