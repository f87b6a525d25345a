"""The few forms of JSON Schema that the API's description is made of.

The format: https://json-schema.org/draft/2020-12
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    """Refer to a schema of the description by its name.

    Parameters
    ----------
    name : str

    Returns
    -------
    dict
    """
    return {"$ref": f"#/components/schemas/{name}"}


def closed(properties: dict[str, Any], optional: tuple[str, ...] = ()) -> Schema:
    """Describe an object that has these members and no others.

    Parameters
    ----------
    properties : dict
        A schema for each member.
    optional : tuple of str, optional
        The members that may be absent.

    Returns
    -------
    dict
    """
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def fixed_list(items: list[Schema]) -> Schema:
    """Describe a list of a given length, each of its items by itself.

    Parameters
    ----------
    items : list of dict

    Returns
    -------
    dict
    """
    length = {"minItems": len(items), "maxItems": len(items)}
    return {"type": "array", "prefixItems": items, **length}
