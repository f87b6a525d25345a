"""The forms of JSON Schema that the OpenAPI document uses.

The format: https://json-schema.org/draft/2020-12
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}


def ref(name: str) -> Schema:
    """Refer to a schema in the document's components."""
    return {"$ref": f"#/components/schemas/{name}"}


def object_schema(
    properties: dict[str, Schema],
    required: Iterable[str] | None = None,
    *,
    additional_properties: bool = False,
) -> Schema:
    """Describe an object; all its properties are required unless `required` lists them."""
    schema: Schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties if required is None else required),
    }
    return schema if additional_properties else schema | {"additionalProperties": False}


def array_schema(items: Schema, **limits: int) -> Schema:
    """Describe an array whose items share a schema; `limits` are minItems and maxItems."""
    return {"type": "array", "items": items, **limits}


def tuple_schema(items: list[Schema]) -> Schema:
    """Describe an array of a fixed length, with a schema for each item."""
    return {
        "type": "array",
        "prefixItems": items,
        "minItems": len(items),
        "maxItems": len(items),
    }


def nullable(schema: Schema) -> Schema:
    """Accept null as well as the schema's type."""
    return schema | {"type": [schema["type"], "null"]}
