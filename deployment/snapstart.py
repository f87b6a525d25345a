"""SnapStart: Lambda restores instances of a published version from a snapshot of its memory.

Everything that calls the function has to call the version, by its alias:
https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html
"""

from __future__ import annotations

import json
from typing import Any

from deployment.errors import PackagingError

ALIAS = "live"
_FUNCTION = "APIHandler"
_ALIAS_RESOURCE = f"{_FUNCTION}Alias{ALIAS}"  # as SAM names it; a reference to it is its ARN


def check_command(command: str) -> None:
    """Raise `PackagingError` for a command that cannot set up an alias."""
    if command != "package":
        raise PackagingError("SNAPSTART=yes needs make package, then sam deploy.")


def add(template: dict[str, Any]) -> None:
    """Publish a version with each change of the function, and let the front door call its alias.

    SAM itself points an HTTP API and a function URL to the alias.
    """
    resources = template["Resources"]
    resources[_FUNCTION]["Properties"].update(
        SnapStart={"ApplyOn": "PublishedVersions"},
        AutoPublishAlias=ALIAS,
        AutoPublishAliasAllProperties=True,  # such as the variables, not the code alone
    )
    if "RestAPI" in resources:
        api = resources["RestAPI"]["Properties"]
        body = json.dumps(api["DefinitionBody"])
        called = f"${{{_FUNCTION}.Arn}}/invocations"
        api["DefinitionBody"] = json.loads(
            body.replace(called, f"${{{_ALIAS_RESOURCE}}}/invocations")
        )
        permission = resources[f"{_FUNCTION}InvokePermission"]["Properties"]
        permission["FunctionName"] = {"Ref": _ALIAS_RESOURCE}
