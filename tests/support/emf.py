"""The rules of CloudWatch's embedded metric format, for a line of the log.

They are those of the specification:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
and, for the text of dimensions, of the API's Dimension:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html
"""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator

MAX_EVENT_BYTES = 256 * 1024

_UNIT_NAMES = ["Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes"]
_UNIT_NAMES += ["Bits", "Kilobits", "Megabits", "Gigabits", "Terabits", "Count"]
_UNITS = ["Seconds", "Microseconds", "Milliseconds", "Percent", "None", *_UNIT_NAMES]
_UNITS += [f"{name}/Second" for name in _UNIT_NAMES]

_NAME = {"type": "string", "minLength": 1, "maxLength": 1024}
_METRIC = {
    "type": "object",
    "required": ["Name"],
    "properties": {
        "Name": _NAME,
        "Unit": {"enum": _UNITS},
        "StorageResolution": {"enum": [1, 60]},
    },
    "additionalProperties": False,
}
_DIMENSION_SET = {
    "type": "array",
    "minItems": 1,
    "maxItems": 30,
    "uniqueItems": True,
    "items": {"type": "string", "minLength": 1, "maxLength": 250},
}
_DIRECTIVE = {
    "type": "object",
    "required": ["Namespace", "Dimensions", "Metrics"],
    "properties": {
        "Namespace": _NAME,
        "Dimensions": {"type": "array", "minItems": 1, "items": _DIMENSION_SET},
        "Metrics": {"type": "array", "minItems": 1, "maxItems": 100, "items": _METRIC},
    },
    "additionalProperties": False,
}
_METADATA = {
    "type": "object",
    "required": ["Timestamp", "CloudWatchMetrics"],
    "properties": {
        "Timestamp": {"type": "integer", "minimum": 0},
        "CloudWatchMetrics": {"type": "array", "minItems": 1, "items": _DIRECTIVE},
    },
    "additionalProperties": False,
}
_LINE = Draft202012Validator(
    {"type": "object", "required": ["_aws"], "properties": {"_aws": _METADATA}}
)
_VALUE = Draft202012Validator(
    {
        "anyOf": [
            {"type": "number"},
            {"type": "array", "minItems": 1, "maxItems": 100, "items": {"type": "number"}},
        ]
    }
)
_DIMENSION_VALUE = Draft202012Validator(
    {"type": "string", "maxLength": 1024, "pattern": "^[\\x20-\\x7e]*[\\x21-\\x7e][\\x20-\\x7e]*$"}
)


def check_line(line: str) -> dict[str, Any]:
    """Check a line of the log against the format, and return it parsed."""
    assert len(line.encode()) < MAX_EVENT_BYTES
    document: dict[str, Any] = json.loads(line)
    _LINE.validate(document)
    for directive in document["_aws"]["CloudWatchMetrics"]:
        for metric in directive["Metrics"]:
            _VALUE.validate(document[metric["Name"]])
        for dimensions in directive["Dimensions"]:
            for name in dimensions:
                _DIMENSION_VALUE.validate(document[name])
    return document


def check_lines(output: str) -> list[dict[str, Any]]:
    """Check the lines of an output that have metrics, and return them parsed."""
    return [check_line(line) for line in output.splitlines() if '"_aws"' in line]


def total(documents: list[dict[str, Any]], metric: str, **dimensions: str) -> float:
    """Add up a metric as CloudWatch does, of all lines that have it with these dimensions."""
    added = 0.0
    for document in documents:
        for directive in document["_aws"]["CloudWatchMetrics"]:
            has_metric = metric in {definition["Name"] for definition in directive["Metrics"]}
            names = [{*names} for names in directive["Dimensions"]]
            if (
                has_metric
                and {"Model", *dimensions} in names
                and dimensions.items() <= document.items()
            ):
                values = document[metric]
                added += sum(values) if isinstance(values, list) else values
    return added
