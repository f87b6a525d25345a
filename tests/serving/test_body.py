"""JSON bodies; `tests/hostile_requests` has those that are rejected."""

from __future__ import annotations

import json

import pytest

from chalicelib.errors import BodyTooLarge, MalformedBody
from chalicelib.rest.body import LAMBDA_PAYLOAD_BYTES, MAX_CONTAINERS, parse_json, read_text


@pytest.mark.parametrize(
    "text", ['{"a":":"}', '{"a":1,"b":{"a":2}}', '[{"a":"x:y"},{"a":":"}]', '":"', '{"a:b":1}']
)
def test_a_colon_in_a_string_is_not_a_duplicate_name(text: str) -> None:
    """The same name in two objects is not a duplicate either."""
    assert parse_json(text) == json.loads(text)


@pytest.mark.parametrize("text", ['{"a":1,"a":1}', '[{"b":{"":":","":2}}]', '{"a":{},"\\u0061":1}'])
def test_a_duplicate_name_is_malformed(text: str) -> None:
    """At any depth, also when it is escaped."""
    with pytest.raises(MalformedBody, match="twice"):
        parse_json(text)


@pytest.mark.parametrize("one", ["a", b"a"])
def test_a_body_is_as_long_as_the_limit_at_most(one: str | bytes) -> None:
    """Lambda's limit; one more is too long."""
    assert len(read_text(one * LAMBDA_PAYLOAD_BYTES)) == LAMBDA_PAYLOAD_BYTES
    with pytest.raises(BodyTooLarge, match=f"{LAMBDA_PAYLOAD_BYTES:,} bytes"):
        read_text(one * (LAMBDA_PAYLOAD_BYTES + 1))


@pytest.mark.parametrize("one", ["[]", "{}", '"["', '{"a":[]}'])
def test_too_many_lists_and_objects_are_rejected(one: str) -> None:
    """The limit counts brackets before parsing, those in strings too."""
    each = one.count("[") + one.count("{")
    most = (MAX_CONTAINERS - 1) // each
    assert len(parse_json(f"[{','.join([one] * most)}]")) == most
    with pytest.raises(BodyTooLarge, match=f"{MAX_CONTAINERS:,} lists and objects"):
        parse_json(f"[{','.join([one] * (most + each))}]")


@pytest.mark.parametrize("one", ["[", '{"a":'])
def test_deep_nesting_is_malformed_rather_than_too_large(one: str) -> None:
    """A client cannot split such a body into smaller ones."""
    with pytest.raises(MalformedBody, match="nested too deep"):
        parse_json(one * (MAX_CONTAINERS + 1))
