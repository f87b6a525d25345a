"""From the rows of a file to the lines of its parts."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from chalicelib.bulk.rows import Kind, split_rows, whole_rows
from chalicelib.errors import BodyTooLarge, InvalidRequest, MalformedBody, Problem
from chalicelib.inputs.columns import find_others
from chalicelib.inputs.samples import Samples, read_samples
from chalicelib.inputs.signature import Signature
from chalicelib.models.manifest import Manifest
from chalicelib.models.model import Model
from chalicelib.models.predict import predict, probability_rows
from chalicelib.protocols.invocations.csv_format import read_csv, write_csv
from chalicelib.rest.body import parse_json
from chalicelib.runtimes.base import Prediction

MAX_BATCH_ROWS = 100_000
BATCH_SECONDS = 1.0

PREDICTION, PROBLEM = "prediction", "problem"
_NAMES: dict[Kind, str] = {"csv": "CSV", "jsonl": "JSON"}


def columns(classes: Iterable[str], *, probabilities: bool) -> list[str]:
    """Return the names of the columns of a part, which has no header."""
    scores = [f"probability_{label}" for label in classes] if probabilities else []
    return [PREDICTION, *scores, PROBLEM]


class Scorer:
    """Scores rows with one model.

    Parameters
    ----------
    model : Model
    kind : {"csv", "jsonl"}
    header : str
        The first row of CSV, with its line end.
    check : callable
        Is called before each chunk, and before each batch of a slow model, which takes about
        `BATCH_SECONDS`. Raises an error to stop.
    probabilities : bool
        Whether they are written, if the model has them.

    Attributes
    ----------
    rows, rejected : int
        Those that were scored or rejected, and those that were rejected.
    """

    def __init__(
        self,
        model: Model,
        kind: Kind,
        header: str,
        check: Callable[[], None],
        *,
        probabilities: bool,
    ) -> None:
        self.rows = self.rejected = 0
        self._model = model
        self._kind = kind
        self._header = header
        self._check = check
        self._max_rows = _rows_of_a_batch(model.manifest)
        signature = model.manifest.signature
        self._has_probabilities = probabilities and signature.has_probabilities
        width = len(signature.classes) if self._has_probabilities else 0
        self._rejected = "," * (width + 1) + "%s\n"
        self._cells = {label: write_csv([[label]]).rstrip("\n") for label in signature.classes}
        self._width = width

    def score(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the lines of a part: one for each row, in order."""
        for rows, _ in whole_rows(chunks, self._kind):
            self._check()
            yield "".join(self._score_rows(rows)).encode()

    def _score_rows(self, rows: bytes) -> Iterator[str]:
        """Score rows at once; if some are invalid, halves of them, down to one."""
        try:
            yield self._score_valid(rows)
        except (InvalidRequest, MalformedBody, BodyTooLarge, UnicodeDecodeError):
            yield from self._score_parts(_split(rows, self._kind))

    def _score_parts(self, rows: list[bytes]) -> Iterator[str]:
        """Score rows of which one is invalid at least."""
        if not rows:  # blank lines
            return
        if len(rows) == 1:
            yield self._score_one(rows[0])
            return
        middle = len(rows) // 2
        for part in (rows[:middle], rows[middle:]):
            try:
                yield self._score_valid(b"".join(part))
            except (InvalidRequest, MalformedBody, BodyTooLarge, UnicodeDecodeError):
                yield from self._score_parts(part)

    def _score_one(self, row: bytes) -> str:
        try:
            return self._score_valid(row)
        except UnicodeDecodeError:
            problem = "is not UTF-8"
        except MalformedBody:
            problem = f"is not {_NAMES[self._kind]}"
        except InvalidRequest as error:
            problem = "; ".join(_describe(item) for item in error.problems)
        except BodyTooLarge as error:
            problem = str(error).rstrip(".")
        self.rows += 1
        self.rejected += 1
        return self._rejected % write_csv([[problem]]).rstrip("\n")

    def _score_valid(self, rows: bytes) -> str:
        """Return the lines of rows that are all valid; raise what a request of them would."""
        values = read_rows(rows, self._kind, self._header, self._model)
        if not values:
            return ""
        signature = self._model.manifest.signature
        samples = read_samples(values, signature, _locate, max_rows=len(values))
        starts = range(0, samples.rows, self._max_rows)
        lines = [self._predict(samples.part(start, self._max_rows)) for start in starts]
        self.rows += samples.rows
        return "".join(lines)

    def _predict(self, samples: Samples) -> str:
        self._check()
        prediction, _ = predict(samples, self._model, _locate, max_rows=samples.rows)
        return self._write(prediction)

    def _write(self, prediction: Prediction) -> str:
        labels = map(self._cells.__getitem__, prediction.labels)
        if not self._has_probabilities:
            return "".join([f"{label},\n" for label in labels])
        assert prediction.probabilities is not None  # the model has them
        # All digits that tell a float32 or a float64 from the next one.
        number = "%.9g" if prediction.probabilities.typecode == "f" else "%.17g"
        line = "%s," + f"{number}," * self._width + "\n"
        values = probability_rows(prediction, self._model.manifest.signature)
        lines = [line % (label, *row) for label, row in zip(labels, _numbers(values), strict=True)]
        return "".join(lines)


def _rows_of_a_batch(manifest: Manifest) -> int:
    if not manifest.row_seconds:
        return MAX_BATCH_ROWS
    return max(1, int(min(MAX_BATCH_ROWS, BATCH_SECONDS / manifest.row_seconds)))


def read_rows(rows: bytes, kind: Kind, header: str, model: Model) -> list[Any]:
    """Parse whole rows; raise what a request of them would, but ignore what is no feature."""
    text, signature = rows.decode("utf-8"), model.manifest.signature
    if kind == "csv":
        return read_csv(header + text, signature, max_rows=len(rows), ignores_others=True)
    records = [parse_json(line) for line in text.split("\n") if line.strip()]
    if not all(isinstance(record, dict | list) for record in records):
        raise InvalidRequest([Problem("", "must be a list or an object")], count=1)
    return [_drop_others(record, signature) for record in records]


def _drop_others(record: Any, signature: Signature) -> Any:
    """Drop what is no feature of a record, unless a feature that it lacks is meant."""
    if isinstance(record, list) or record.keys() <= signature.known_names:
        return record
    others = find_others(tuple(record), signature)
    return {name: value for name, value in record.items() if name not in others}


def _split(rows: bytes, kind: Kind) -> list[bytes]:
    try:
        return split_rows(rows, kind)
    except csv.Error:  # a cell that is too long; the rows before it end at lines
        return [line for line in rows.splitlines(keepends=True) if line.strip()]


def _numbers(rows: list[list[float | None]]) -> Iterator[list[float]]:
    return ([float("nan") if p is None else p for p in row] for row in rows)


def _describe(problem: Problem) -> str:
    """Return a problem of a single row, without the row's own path."""
    return str(problem._replace(at=problem.at.removeprefix("rows[0]"))).rstrip(".")


def _locate(_row: int | None, feature: str | None) -> str:
    """Return the path of a value within its row."""
    return feature or ""
