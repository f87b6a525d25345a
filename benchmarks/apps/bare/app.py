"""A handler without a framework."""

import json
from typing import Any

from model import classify


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Classify one sample by its first feature."""
    prediction = classify(float(json.loads(event["body"])["data"]))
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps({"prediction": prediction}),
    }
