"""Score one block: read, check, predict and encode; in a thread, or in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from chalicelib.background import Background
from chalicelib.errors import Problem
from chalicelib.models.manifest import Manifest
from chalicelib.models.model import load_verified, verify
from training.scoring.checks import Checker
from training.scoring.columns import Columns
from training.scoring.csv_rows import CsvReader
from training.scoring.files import Format, Kind
from training.scoring.json_rows import JsonReader
from training.scoring.output import Encoder, Scored, encode_rejected
from training.scoring.parquet_rows import ParquetReader
from training.scoring.parsed import Rejected, integers
from training.scoring.predictor import Predictor
from training.scoring.splitting import Block, Position, row_lines


class Batch(NamedTuple):
    """Rows of a Parquet file: a record batch, and the number of its first row."""

    data: Any
    row: int


class Plan(NamedTuple):
    """What a worker needs to score blocks.

    Parameters
    ----------
    artifact : bytes
    signing_keys : tuple of str
    input : {"csv", "jsonl", "parquet"}
    output : Format
    columns : Columns
    probabilities : bool
        Whether the output has them.
    table_bytes : int, default=0
        The size of the table.
    """

    artifact: bytes
    signing_keys: tuple[str, ...]
    input: Kind
    output: Format
    columns: Columns
    probabilities: bool
    table_bytes: int = 0


class Result(NamedTuple):
    """The bytes of a scored block, and where the next one begins."""

    output: bytes
    rejects: bytes
    scored: int
    rejected: int
    next: Position
    first_rejected: Rejected | None


class Worker:
    """Scores blocks; threads may share it."""

    def __init__(self, plan: Plan) -> None:
        manifest = verify(plan.artifact, *plan.signing_keys)
        signature = manifest.signature
        # The first blocks are read meanwhile.
        self._predictor = Background(partial(_load_predictor, plan, manifest))
        self._checker = Checker(signature)
        self._kind = plan.input
        self._reader: Any
        if plan.input == "csv":
            self._reader = CsvReader(plan.columns, signature)
        elif plan.input == "jsonl":
            self._reader = JsonReader(signature, kept_names(plan.columns))
        else:
            self._reader = ParquetReader(plan.columns, signature)
        self._encoder = make_encoder(plan, signature.classes)
        self._has_probabilities = plan.probabilities

    def score(self, block: Block | Batch) -> Result:
        """Return a block's rows with their labels, and its rejected rows."""
        parsed = self._reader.read(block.data if isinstance(block, Batch) else block)
        checked = self._checker.check(parsed)
        predictor: Predictor = self._predictor.wait()
        predicted = predictor.predict(checked.numbers, checked.texts)
        positions, rejected = checked.positions, dict(checked.rejected)
        rows, labels, probabilities = checked.rows, predicted.indices, predicted.probabilities
        if predicted.failed:
            rejected |= {int(rows[i]): [problem] for i, problem in predicted.failed.items()}
            is_scored = np.ones(len(rows), np.bool_)
            is_scored[list(predicted.failed)] = False
            scored = np.flatnonzero(is_scored)
            positions = scored if positions is None else positions[scored]
            rows, labels = rows[scored], labels[scored]
            probabilities = None if probabilities is None else probabilities[scored]
        kept = parsed.kept if positions is None else _take(parsed.kept, positions)
        if not self._has_probabilities:
            probabilities = None
        output = b""
        if len(rows):
            output = self._encoder.encode(Scored(rows + block.row, kept, labels, probabilities))
        listed = self._list_rejected(block, rejected)
        return Result(
            output,
            encode_rejected(listed),
            len(rows),
            len(listed),
            _position_after(block),
            listed[0] if listed else None,
        )

    def _list_rejected(
        self, block: Block | Batch, problems: dict[int, list[Problem]]
    ) -> list[Rejected]:
        if not problems:
            return []
        lines: Sequence[int | None] = [None] * (max(problems) + 1)
        if isinstance(block, Block) and self._kind != "parquet":
            lines = row_lines(block, self._kind)
        return [
            Rejected(block.row + row, lines[row], row_problems)
            for row, row_problems in sorted(problems.items())
        ]


def _load_predictor(plan: Plan, manifest: Manifest) -> Predictor:
    model = load_verified(manifest, plan.artifact, is_trusted=bool(plan.signing_keys))
    return Predictor(model, plan.artifact, plan.table_bytes)


def kept_names(columns: Columns) -> list[str]:
    """Return the names of the columns that are passed through."""
    return [columns.names[index] for index in columns.kept]


def make_encoder(plan: Plan, classes: Sequence[str]) -> Encoder:
    """Return the encoder of a plan's output."""
    return Encoder(
        plan.output,
        classes,
        kept_names(plan.columns),
        probabilities=plan.probabilities,
        kept_is_json=plan.input == "jsonl",
    )


def start_process(plan: Plan) -> None:
    """Make the worker of this process, which ends with the one that started it."""
    global _worker  # a process pool has no other place for it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker = Worker(plan)


def score_in_process(block: Block | Batch) -> Result:
    """Score a block with the worker of this process."""
    assert _worker is not None  # made by `start_process`
    return _worker.score(block)


_worker: Worker | None = None


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None  # a process pool has started this process
    parent.join()
    os._exit(1)


def _take(table: Any, positions: Any) -> Any:
    return table.take(integers(positions)) if table.num_columns else table


def _position_after(block: Block | Batch) -> Position:
    if isinstance(block, Batch):
        row = block.row + block.data.num_rows
        return Position(0, row, 0)
    return Position(block.end, block.row + block.rows, block.next_line)
