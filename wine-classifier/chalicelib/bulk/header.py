"""The begin of a file: its header, checked, and where its rows begin."""

from __future__ import annotations

import csv
import io

from chalicelib.bulk.errors import FileProblem
from chalicelib.bulk.inbox import InputFile, find_format
from chalicelib.bulk.rows import Kind, row_ends, whole_rows
from chalicelib.errors import InvalidRequest, MalformedBody, Problem, TooManySamples
from chalicelib.inputs.columns import order_columns
from chalicelib.inputs.problems import Problems, locate_in_rows
from chalicelib.inputs.samples import read_samples
from chalicelib.inputs.signature import Signature
from chalicelib.inputs.suggestions import shorten_name
from chalicelib.named_tuple import NamedTuple
from chalicelib.protocols.invocations.csv_format import is_header, read_csv, write_csv
from chalicelib.rest.body import parse_json

_CHUNK_BYTES = 256 * 1024


class Beginning(NamedTuple):
    """The begin of a file."""

    header: str  # of CSV, with its line end; the features' names if the file has none
    start: int  # the byte where the rows begin, in the text after a byte order mark
    mark: int  # bytes of the byte order mark
    line: int  # the number of the first row's line
    row_bytes: float  # of a row, on average of the first ones


def read_beginning(file: InputFile, signature: Signature) -> Beginning:
    """Read the begin of a file.

    Raises `FileProblem` for a file that is no table of this model, with the problems that a request
    would get.
    """
    kind = find_format(file.name).kind
    if not file.size:
        raise FileProblem("The file is empty.")
    text = file.read_text(0, file.size, _CHUNK_BYTES)
    mark = next(text)
    blocks = whole_rows(text, kind)
    block, _ = next(blocks, (b"", 1))
    try:
        block.decode("utf-8")
    except UnicodeDecodeError:
        raise FileProblem("The file is not UTF-8.") from None
    row_bytes = len(block) / max(1, block.count(b"\n"))
    start, end = _find_first_row(block, kind)
    row = block[start:end].decode()
    try:
        if kind == "jsonl":
            _check_record(row, signature)
            return Beginning("", 0, len(mark), 1, row_bytes)
        header, has_header = _check_header(row, signature)
    except (InvalidRequest, MalformedBody, TooManySamples) as error:
        message = str(error).replace("The request", "The file").replace("The body", "The file")
        raise FileProblem(message, getattr(error, "problems", ())) from None
    if not has_header:
        return Beginning(header, 0, len(mark), 1, row_bytes)
    if not block[end:].strip() and not any(more.strip() for more, _ in blocks):
        raise _no_rows()
    return Beginning(header, end, len(mark), 1 + block.count(b"\n", 0, end), row_bytes)


def _find_first_row(block: bytes, kind: Kind) -> tuple[int, int]:
    """Return begin and end of the first row that is not blank."""
    start = 0
    for end in row_ends(block, kind):
        if block[start:end].strip():
            return start, end
        start = end
    if block[start:].strip():
        return start, len(block)
    raise _no_rows()


def _no_rows() -> FileProblem:
    return FileProblem("The file has no rows.", [Problem("rows", "has no samples")])


def _check_header(row: str, signature: Signature) -> tuple[str, bool]:
    """Return the header of a file with this first row, and whether the row is that."""
    try:
        [cells] = csv.reader(io.StringIO(row, newline=""), strict=True)
    except (csv.Error, ValueError):
        raise MalformedBody("The file is not CSV: see line 1.") from None
    if is_header([cell.strip() for cell in cells], signature):
        header = row.rstrip("\r\n") + "\n"
        read_csv(header, signature, max_rows=1, ignores_others=True)
        return header, True
    samples = read_csv(row, signature, max_rows=1)
    read_samples(samples, signature, locate_in_rows("rows"), max_rows=1)
    return write_csv([signature.names]), False


def _check_record(row: str, signature: Signature) -> None:
    """Check the form of the first record; its values are checked with those of the others."""
    record = parse_json(row)
    problems = Problems()
    if isinstance(record, dict):
        names = list(record)
        order_columns(
            names,
            signature,
            problems,
            path="rows[0]",
            name_path=lambda index: f"rows[0].{shorten_name(names[index])}",
            ignores_others=True,
        )
    elif not isinstance(record, list):
        problems.add("rows[0]", "must be a list or an object")
    elif len(record) != len(signature.names):
        width = len(signature.names)
        problems.add("rows[0]", f"has {len(record)} values; the model takes {width}")
    problems.raise_if_any()
