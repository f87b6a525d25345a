"""JSON as its standard has it; for what is refused, see the hostile requests."""

from __future__ import annotations

import json

import pytest

from chalicelib.errors import MalformedBody
from chalicelib.json_body import parse_json


@pytest.mark.parametrize(
    "text", ['{"a":":"}', '{"a":1,"b":{"a":2}}', '[{"a":"x:y"},{"a":":"}]', '":"', '{"a:b":1}']
)
def test_a_colon_in_a_string_is_no_duplicate(text: str) -> None:
    """Nor is the same name in two objects."""
    assert parse_json(text) == json.loads(text)


@pytest.mark.parametrize("text", ['{"a":1,"a":1}', '[{"b":{"":":","":2}}]', '{"a":{},"\\u0061":1}'])
def test_a_name_that_is_there_twice_is_malformed(text: str) -> None:
    """However deep, however it is written."""
    with pytest.raises(MalformedBody, match="twice"):
        parse_json(text)
