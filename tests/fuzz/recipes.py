"""The parameters of large requests, which a search varies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

MAX_BODY_BYTES = 6 * 1024 * 1024

# Values as JSON writes them. A body has two of them in turns.
CELLS = {
    "null": "null",
    "integer": "1",
    "decimal": "0.12345678901234567",
    "exponent": "-1.5e-300",
    "too large": "1e301",
    "digits": "9" * 4_299,
    "more digits": "9" * 4_301,
    "boolean": "true",
    "number as text": '"1.5"',
    "character": '"x"',
    "spaces": '"' + " " * 200 + '1"',
    "text": '"' + "x" * 5_000 + '"',
    "colons": '"' + ":" * 50 + '"',
    "escapes": '"' + "\\u0041" * 50 + '"',
    "surrogates": '"' + "\\ud83d\\ude00" * 20 + '"',
    "lone surrogate": '"\\ud83d"',
    "quotes": '"' + '\\"' * 50 + '"',
    "letters": '"' + "ab " * 300 + '"',
    "accents": '"' + "\u0130\ufdfa " * 100 + '"',
    "list": "[]",
    "object": "{}",
    "lists": "[" * 20 + "]" * 20,
    "deep": "[" * 900 + "]" * 900,
    "objects": '{"a":' * 10 + "1" + "}" * 10,
}
MODEL_CELLS = ("known text", "near text")  # those of the model; else the letters
NAMES = ("known", "reversed", "near", "unknown", "distinct", "duplicate", "long", "escaped")
WIDTHS = ("all", "none", "one", "twenty more", "double", "very many")
ROWS = ("allowed", "very many", "100", "one")
SIZES = (MAX_BODY_BYTES, 4_000_000, 2_000_000, 500_000, 50_000)
FORMATS = (
    "classify lists",
    "classify objects",
    "classify object",
    "classify value",
    "classify lists and objects",
    "invocations list of lists",
    "invocations list of objects",
    "invocations dataframe_records",
    "invocations instances",
    "invocations inputs",
    "invocations columns",
    "invocations dataframe_split",
    "invocations CSV",
    "invocations CSV with a header",
    "infer matrix",
    "infer nested matrix",
    "infer columns",
    "infer bytes INT8",
    "infer bytes FP64",
    "infer bytes BYTES",
)
EXTRAS = ("none", "probabilities", "long header", "cut off", "CSV response")


class Recipe(NamedTuple):
    """The parameters of a request, each one of the constants above."""

    format: str
    size: int = MAX_BODY_BYTES
    rows: str = "allowed"
    width: str = "all"
    names: str = "known"
    cells: tuple[str, str] = ("integer", "integer")
    extra: str = "none"

    @property
    def route(self) -> str:
        """A key of `ROUTES`."""
        return self.format.partition(" ")[0]


# The values of each parameter.
CHOICES: dict[str, Sequence[Any]] = {
    "format": FORMATS,
    "size": SIZES,
    "rows": ROWS,
    "width": WIDTHS,
    "names": NAMES,
    "cells": [(cell, cell) for cell in (*CELLS, *MODEL_CELLS)],
    "extra": EXTRAS,
}
