"""Variables of the function that scores files."""

from __future__ import annotations

import pytest

from chalicelib.bulk.settings import BulkSettings
from chalicelib.errors import InvalidSetting

QUEUE = {"BULK_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/bulk"}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, "BULK_QUEUE_URL is not set; it must be the URL of a queue of SQS"),
        ({"BULK_QUEUE_URL": "bulk"}, "BULK_QUEUE_URL is 'bulk'"),
        ({**QUEUE, "BULK_RANGE_BYTES": "0"}, "BULK_RANGE_BYTES is '0'"),
        ({**QUEUE, "BULK_PROBABILITIES": "yes"}, "it must be on or off"),
    ],
)
def test_an_invalid_variable_is_named(variables: dict[str, str], message: str) -> None:
    """With what it holds and what it may hold."""
    with pytest.raises(InvalidSetting, match=message):
        BulkSettings.from_environ(variables)
