"""Write the body of a request from its recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from typing import NamedTuple

from chalicelib.protocols.open_inference import BINARY_DATA_SIZE, JSON_LENGTH_HEADER
from chalicelib.settings import MAX_ROWS
from tests.fuzz.recipes import CELLS, Recipe

MAX_HEADER_CHARACTERS = 60_000
VALUE_BYTES = {"INT8": 1, "FP64": 8, "BYTES": 4}  # of zeros, and of texts of no length

ROUTES = {
    "classify": "/classify",
    "invocations": "/invocations",
    "infer": "/v2/models/{model_name}/infer",
}


class Inputs(NamedTuple):
    """What a client knows of a model.

    Parameters
    ----------
    names : sequence of str
        Of the features.
    text : str
        A text that the model knows, such as a category.
    max_rows : int
        How many samples a request may hold.
    """

    names: Sequence[str]
    text: str = ""
    max_rows: int = MAX_ROWS

    @property
    def cell(self) -> str:
        """The name, among `CELLS`, of a value that the model accepts."""
        return "known text" if self.text else "integer"


class Request(NamedTuple):
    """A request; its path is the route if that has no parameters but the model's name."""

    route: str
    headers: dict[str, str]
    body: bytes
    method: str = "POST"
    path: str = ""
    query: Mapping[str, list[str]] = {}


def make_request(recipe: Recipe, inputs: Inputs) -> Request:
    """Return the request of a recipe, with a body of at most its size."""
    body = _Body(recipe, inputs).write()
    headers = {"Content-Type": "text/csv" if "CSV" in recipe.format else "application/json"}
    if recipe.format.startswith("infer bytes"):
        headers[JSON_LENGTH_HEADER] = str(body.index("\0"))
    if recipe.extra == "long header":
        headers["Accept"] = "text/csv;q=0.1," * (MAX_HEADER_CHARACTERS // 15)
        headers["Content-Type"] += ";charset=utf-8" * (MAX_HEADER_CHARACTERS // 14)
    elif recipe.extra == "CSV response":
        headers["Accept"] = "text/csv"
    elif recipe.extra == "cut off":
        body = body[:-1]
    return Request(ROUTES[recipe.route], headers, body.encode())


class _Body:
    """Writes the body of a recipe: rows or columns of equal cells, as many as fit."""

    def __init__(self, recipe: Recipe, inputs: Inputs) -> None:
        self._recipe = recipe
        self._size = recipe.size - 500  # for what is around the samples
        self._features = len(inputs.names)
        known = {
            "known text": f'"{inputs.text}"',
            "near text": f'"{inputs.text}x"',
        }
        cells = [{**CELLS, **known}[name] for name in recipe.cells]
        self._cells = [_to_csv(cell) for cell in cells] if "CSV" in recipe.format else cells
        self._names = self._make_names(list(inputs.names))
        self._max_rows = {
            "allowed": inputs.max_rows,
            "very many": self._size,
            "100": 100,
            "one": 1,
        }[recipe.rows]

    def write(self) -> str:
        """Return the body."""
        route, _, format_name = self._recipe.format.partition(" ")
        if route == "classify":
            end = ',"probabilities":true}' if self._recipe.extra == "probabilities" else "}"
            return f'{{"data":{self._data(format_name)}{end}'
        if format_name.startswith("bytes"):
            return self._bytes(format_name.removeprefix("bytes "))
        if route == "infer":
            return f'{{"inputs":{self._tensors(format_name)}}}'
        return self._invocation(format_name)

    def _data(self, format_name: str) -> str:
        match format_name:
            case "lists":
                return self._lists()
            case "objects":
                return self._objects()
            case "object":
                return self._object()
            case "value":
                return self._cells[0]
            case _:
                return f"{self._objects()[:-1]},{self._list()}]"

    def _invocation(self, format_name: str) -> str:
        match format_name:
            case "list of lists":
                return self._lists()
            case "list of objects":
                return self._objects()
            case "dataframe_split":
                names = ",".join(f'"{name}"' for name in self._names)
                rows = self._repeat(self._list(), reserved=len(names))
                return f'{{"dataframe_split":{{"columns":[{names}],"data":[{rows}]}}}}'
            case "columns":
                column = ",".join(self._column())
                return '{"inputs":' + self._object([f"[{column}]"]) + "}"
            case "CSV" | "CSV with a header":
                header = ",".join(self._names) + "\n" if format_name != "CSV" else ""
                row = ",".join(self._row()) or '""'
                return header + self._repeat(row, separator="\n", reserved=len(header))
            case "dataframe_records":
                return f'{{"{format_name}":{self._objects()}}}'
            case _:
                return f'{{"{format_name}":{self._lists()}}}'

    def _bytes(self, datatype: str) -> str:
        """Return a tensor whose values are bytes of zero, after the JSON."""
        width, value_bytes = max(1, len(self._names)), VALUE_BYTES[datatype]
        rows = max(1, min(self._max_rows, self._size // width // value_bytes))
        size = rows * width * value_bytes
        name = self._names[0] if self._names else "x"
        start = f'"name":"{name}","shape":[{rows},{width}],"datatype":"{datatype}"'
        document = f'{{"inputs":[{{{start},"parameters":{{"{BINARY_DATA_SIZE}":{size}}}}}]}}'
        return document + "\0" * size

    def _tensors(self, format_name: str) -> str:
        if format_name == "columns":
            column = self._column()
            end = self._tensor_end([len(column)], ",".join(column))
            return "[" + ",".join(f'{{"name":"{name}",{end}' for name in self._names) + "]"
        row = self._list() if format_name == "nested matrix" else ",".join(self._row())
        values = self._repeat(row)
        rows = (len(values) + 1) // (len(row) + 1)
        return f'[{{"name":"x",{self._tensor_end([rows, len(self._row())], values)}]'

    def _tensor_end(self, shape: list[int], values: str) -> str:
        datatype = "BYTES" if self._cells[0].startswith('"') else "FP64"
        return f'"shape":{shape},"datatype":"{datatype}","data":[{values}]}}'

    def _lists(self) -> str:
        return f"[{self._repeat(self._list())}]"

    def _objects(self) -> str:
        if self._recipe.names != "distinct":
            return f"[{self._repeat(self._object())}]"
        # Each row has other names; so the objects of a body have no name in common.
        row = self._object()
        rows, written = [row], len(row)
        while len(rows) < self._max_rows and written + len(row) + 10 < self._size:
            rows.append(row.replace('"distinct', f'"distinct{len(rows)}-'))
            written += len(rows[-1]) + 1
        return f"[{','.join(rows)}]"

    def _list(self) -> str:
        return f"[{','.join(self._row())}]"

    def _row(self) -> list[str]:
        """Return a cell for each name, as many as fit."""
        per_cell = max(map(len, self._cells)) + 1
        return list(islice(cycle(self._cells), min(len(self._names), self._size // per_cell)))

    def _object(self, cells: Sequence[str] = ()) -> str:
        members, free = [], self._size
        for name, cell in zip(self._names, cycle(cells or self._cells), strict=False):
            members.append(f'"{name}":{cell}')
            free -= len(members[-1]) + 1
            if free < 0:
                break
        return "{" + ",".join(members) + "}"

    def _column(self) -> list[str]:
        """Return the cells of a column, as many as fit if each name has one."""
        free = self._size // max(1, len(self._names)) - 150  # for what is around a tensor
        count = max(1, free // (sum(map(len, self._cells)) // 2 + 1))
        return list(islice(cycle(self._cells), min(count, self._max_rows)))

    def _repeat(self, row: str, *, separator: str = ",", reserved: int = 0) -> str:
        """Return a row as often as it fits."""
        count = max(1, min(self._max_rows, (self._size - reserved) // (len(row) + 1)))
        return (row + separator) * (count - 1) + row

    def _make_names(self, known: list[str]) -> list[str]:
        count = {
            "all": self._features,
            "none": 0,
            "one": 1,
            "twenty more": self._features + 20,
            "double": 2 * self._features,
            "very many": self._size // 16,
        }[self._recipe.width]
        more = [f"more{index}" for index in range(count - self._features)]
        names = {
            "known": lambda: known + more,
            "reversed": lambda: known[::-1] + more,
            "near": lambda: [f"{name}{i:x}" for i, name in zip(range(count), cycle(known))],
            "unknown": lambda: [f"x{i}" for i in range(count)],
            "distinct": lambda: [f"distinct{i}" for i in range(count)],
            "duplicate": lambda: known[:1] * count,
            "long": lambda: [f"{i}{'n' * 20_000}" for i in range(min(count, self._size // 20_000))],
            "escaped": lambda: [f"{i}" + "\\u0041" * 10 for i in range(min(count, 80_000))],
        }[self._recipe.names]()
        return names[: min(count, self._size // (len(max(names, key=len, default="")) + 4))]


def _to_csv(cell: str) -> str:
    """Return a cell of JSON as one of CSV."""
    text = cell.strip('"').replace('\\"', '"')
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if cell.startswith('"') else text
