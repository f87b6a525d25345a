"""JSON as its standard has it; for what is refused, see the hostile requests."""

from __future__ import annotations

import json

import pytest

from chalicelib.errors import BodyTooLarge, MalformedBody
from chalicelib.rest.body import MAX_CONTAINERS, parse_json


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


@pytest.mark.parametrize("one", ["[]", "{}", '"["', '{"a":[]}'])
def test_lists_and_objects_are_counted_before_they_take_memory(one: str) -> None:
    """Wherever they are; in a text too, as who sends half a million brackets need not be read."""
    each = one.count("[") + one.count("{")
    most = (MAX_CONTAINERS - 1) // each
    assert len(parse_json(f"[{','.join([one] * most)}]")) == most
    with pytest.raises(BodyTooLarge, match="500,000 lists and objects"):
        parse_json(f"[{','.join([one] * (most + each))}]")


@pytest.mark.parametrize("one", ["[", '{"a":'])
def test_what_is_nested_too_deep_is_malformed_however_many_there_are(one: str) -> None:
    """It is not too large: no one could make it smaller and mean the same."""
    with pytest.raises(MalformedBody, match="nested too deep"):
        parse_json(one * (MAX_CONTAINERS + 1))
