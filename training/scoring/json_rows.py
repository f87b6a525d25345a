"""Rows of JSON Lines: typed by PyArrow; else parsed line by line as a request's body is."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from chalicelib.errors import MalformedBody, Problem, ServingError
from chalicelib.inputs.signature import Signature
from chalicelib.inputs.suggestions import did_you_mean, shorten_name
from chalicelib.rest.body import parse_json
from training.scoring.columns import NOT_A_FEATURE
from training.scoring.parsed import Parsed, to_array
from training.scoring.splitting import Block, Miscounted, lines_of

NOT_JSON = "is not JSON"
NOT_UTF_8 = "is not UTF-8"

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_OBJECT, _END = ord("{"), ord("}")


class JsonReader:
    """Reads the rows of blocks.

    Parameters
    ----------
    signature : Signature
    keep : sequence of str
        The names that are passed through.
    """

    def __init__(self, signature: Signature, keep: Sequence[str]) -> None:
        self._signature = signature
        self._keep = keep
        self._harmless = {*signature.names, *keep}  # names that are no misspelt feature
        types = {"categorical": pa.string(), "boolean": pa.bool_()}
        self._schema = pa.schema(
            [(f.name, types.get(f.kind, pa.float64())) for f in signature.features]
        )

    def read(self, block: Block) -> Parsed:
        """Return the rows of a block."""
        lines = lines_of(block)
        if len(lines) != block.rows:
            raise Miscounted
        table = self._read_typed(block, lines) if not self._keep else None
        if table is None:
            return self._read_lines(lines)
        names, signature = self._signature.names, self._signature
        columns = [to_array(table.column(name)) for name in names]

        def values(rows: Sequence[int]) -> list[Any]:
            return [self._select(json.loads(lines[row])) for row in rows]

        return Parsed(
            np.arange(len(lines)),
            [pc.cast(columns[i], pa.float64()) for i in signature.number_indices],
            [columns[i] for i in signature.text_indices],
            np.zeros(len(lines), np.bool_),
            values,
            pa.table({}),
            {},
        )

    def _read_typed(self, block: Block, lines: list[bytes]) -> Any:
        """Return a table, or None if PyArrow reads something that a request may not hold."""
        data = block.data
        if b"NaN" in data or b"Infinity" in data:
            return None
        # So that each object is in one line: PyArrow reads others as well, and PyArrow 26 crashes
        # where the first is null.
        if not all(line[0] == _OBJECT and line.rstrip(b"\r")[-1] == _END for line in lines):
            return None
        try:
            if not data.isascii():
                data.decode()
            table = pyarrow.json.read_json(
                pa.BufferReader(data),
                pyarrow.json.ReadOptions(use_threads=False, block_size=len(data) + 1),
                pyarrow.json.ParseOptions(
                    explicit_schema=self._schema, unexpected_field_behavior="infer"
                ),
            )
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError):
            return None
        if table.num_rows != len(lines) or not all(map(self._is_harmless, table.column_names)):
            return None
        return table

    def _is_harmless(self, name: str) -> bool:
        """Return whether a name is a feature's, or unlike all of them."""
        if name not in self._harmless and not did_you_mean(name, self._signature.names):
            self._harmless.add(name)
        return name in self._harmless

    def _read_lines(self, lines: list[bytes]) -> Parsed:
        objects: list[dict[str, Any]] = []
        rows, rejected = [], {}
        for row, line in enumerate(lines):
            parsed = self._parse_line(line)
            if isinstance(parsed, dict):
                rows.append(row)
                objects.append(parsed)
            else:
                rejected[row] = parsed

        def values(chosen: Sequence[int]) -> list[Any]:
            return [self._select(objects[index]) for index in chosen]

        signature = self._signature
        return Parsed(
            np.array(rows, np.int64),
            [pa.nulls(len(rows), pa.float64()) for _ in signature.number_indices],
            [None for _ in signature.text_indices],
            np.ones(len(rows), np.bool_),
            values,
            self._kept(objects),
            rejected,
        )

    def _parse_line(self, line: bytes) -> dict[str, Any] | list[Problem]:
        try:
            parsed = parse_json(line.decode())
        except UnicodeDecodeError:
            return [Problem("", NOT_UTF_8)]
        except MalformedBody as error:
            is_duplicate = "same name twice" in str(error)
            return [Problem("", "has the same name twice" if is_duplicate else NOT_JSON)]
        except ServingError as error:
            return [Problem("", str(error))]
        if not isinstance(parsed, dict):
            return [Problem("", "must be an object")]
        problems = []
        unknown = parsed.keys() - self._harmless
        if unknown:
            absent = [name for name in self._signature.names if name not in parsed]
            for name in parsed:
                hint = did_you_mean(name, absent) if name in unknown else ""
                if hint:
                    problems.append(Problem(shorten_name(name), NOT_A_FEATURE + hint))
        return problems or parsed

    def _select(self, members: dict[str, Any]) -> dict[str, Any]:
        """Return the members that are features."""
        known = self._signature.known_names
        return {name: value for name, value in members.items() if name in known}

    def _kept(self, objects: list[dict[str, Any]]) -> Any:
        """Return the kept values as JSON."""
        return pa.table(
            {
                name: pa.array([_to_json(o.get(name)) for o in objects], pa.string())
                for name in self._keep
            }
        )


def first_names(data: bytes) -> list[str]:
    """Return the names in the first object of a file; none if the first line is no object."""
    line = next((line for line in data.split(b"\n") if line.strip()), b"")
    try:
        parsed = parse_json(line.decode())
    except (UnicodeDecodeError, ServingError):
        return []
    return list(parsed) if isinstance(parsed, dict) else []


def _to_json(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    is_utf_8 = text.isascii() or not _LONE_SURROGATE.search(text)
    return text if is_utf_8 else json.dumps(value, separators=(",", ":"))
