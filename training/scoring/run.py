"""Score a table: read blocks, score them on all cores, write them in order.

At most a few blocks are in memory, however long the table is.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from chalicelib.models.manifest import Manifest
from training.errors import CannotScore, UnreadableTable
from training.progress import RowsBar
from training.scoring.columns import PREDICTION, ROW, check_kept
from training.scoring.files import check_output, find_format, move, partial_path, remove
from training.scoring.journal import Journal, Progress, cut
from training.scoring.output import rejected_header, write_parquet
from training.scoring.parsed import Rejected
from training.scoring.predictor import holds_interpreter
from training.scoring.splitting import Miscounted, Position
from training.scoring.table import Table
from training.scoring.worker import (
    Plan,
    Result,
    Worker,
    kept_names,
    make_encoder,
    score_in_process,
    start_process,
)

BLOCKS_PER_CORE = 3  # read ahead, or waiting to be written
REJECTED_SUFFIX = ".rejected.csv"


class Options(NamedTuple):
    """What is scored, and how.

    Parameters
    ----------
    table, out : str
        A path, or ``s3://bucket/key``.
    keep : list of str or None
        The columns to pass through; None for all.
    probabilities : bool
    strict : bool
        Whether the first row that is rejected ends the run.
    """

    table: str
    out: str
    keep: list[str] | None = []  # noqa: RUF012
    probabilities: bool = False
    strict: bool = False


class Summary(NamedTuple):
    """What a run did."""

    scored: int
    rejected: int
    rejected_file: str | None
    ignored: list[str]
    absent: list[str]


class Run:
    """One run, from where a killed one has stopped.

    Parameters
    ----------
    options : Options
    restart : bool, default=False
        Whether to forget what a killed run has finished.
    cores : int, optional
        Default: all that this process may use.
    """

    def __init__(
        self, options: Options, *, restart: bool = False, cores: int | None = None
    ) -> None:
        if options.table == options.out:
            raise CannotScore("--out is the table itself.")
        self._options = options
        self._cores = cores or len(os.sched_getaffinity(0))
        self._output_format = find_format(options.out)
        self._table = Table(options.table)
        check_output(options.out)
        self._output_path = partial_path(options.out, ".partial")
        self._rejects_path = partial_path(options.out, f"{REJECTED_SUFFIX}.partial")
        self._journal = Journal(partial_path(options.out, ".journal"))
        self._found = None if restart else self._journal.read()
        if not (self._output_path.exists() and self._rejects_path.exists()):
            self._found = None  # killed while it moved the files to their places

    @property
    def version(self) -> str | None:
        """The version that scored the finished part of the table, if there is one."""
        return None if self._found is None else str(self._found[0]["version"])

    def score(self, artifact: bytes, signing_keys: tuple[str, ...], manifest: Manifest) -> Summary:
        """Score the table with a model; raise `TrainingError` if it cannot be."""
        signature = manifest.signature
        if self._options.probabilities and not signature.has_probabilities:
            raise CannotScore("--probabilities: the model has none.")
        columns = self._table.find_columns(signature, self._options.keep)
        plan = Plan(
            artifact,
            signing_keys,
            self._table.kind,
            self._output_format,
            columns,
            self._options.probabilities,
            self._table.size,
        )
        encoder = make_encoder(plan, signature.classes)
        outputs = {ROW, PREDICTION, "probabilities", *encoder.columns[1 + len(columns.kept) :]}
        check_kept(kept_names(columns), sorted(outputs))
        progress = self._begin(manifest.version, encoder.header())
        progress = self._score_blocks(plan, progress, holds_interpreter(manifest))
        rejected_file = self._finish(progress, encoder.columns)
        absent = [
            name
            for name, index in zip(signature.names, columns.of_features, strict=True)
            if index is None
        ]
        return Summary(progress.scored, progress.rejected, rejected_file, columns.ignored, absent)

    def close(self) -> None:
        """Let another run go on."""
        self._journal.close()
        self._table.close()

    def _begin(self, version: str, header: bytes) -> Progress:
        """Return where to go on, with the partial files as they were then."""
        options = self._options
        run = {
            "table": options.table,
            "input": self._table.identity,
            "version": version,
            "keep": options.keep,
            "probabilities": options.probabilities,
            "strict": options.strict,
        }
        if self._found is None:
            self._output_path.write_bytes(header)
            self._rejects_path.write_bytes(rejected_header())
            progress = Progress(Position(), len(header), len(rejected_header()), 0, 0)
        else:
            before, progress = self._found
            changed = [name for name, value in run.items() if before.get(name) != value]
            if changed:
                raise CannotScore(
                    f"A run that was stopped had another {', '.join(changed)}: run it as before, "
                    "or add --restart to score the whole table again."
                )
            cut(self._output_path, progress.output)
            cut(self._rejects_path, progress.rejects)
        self._journal.begin(run, progress)
        return progress

    def _score_blocks(self, plan: Plan, progress: Progress, needs_processes: bool) -> Progress:
        with ExitStack() as stack:
            output = stack.enter_context(open(self._output_path, "ab"))
            rejects = stack.enter_context(open(self._rejects_path, "ab"))
            bar = stack.enter_context(RowsBar(self._table.size, progress.scored))
            score = stack.enter_context(_scoring(plan, self._cores, needs_processes))
            has_blank_lines = False
            while True:
                blocks = self._table.blocks(
                    plan.columns, progress.position, has_blank_lines=has_blank_lines
                )
                try:
                    for result in score(blocks):
                        self._check_strict(result)
                        output.write(result.output)
                        rejects.write(result.rejects)
                        output.flush()
                        rejects.flush()
                        progress = _add(progress, result)
                        self._journal.add(progress)
                        bar.update(progress.scored + progress.rejected, self._table.bytes_read())
                    return progress
                except Miscounted:
                    has_blank_lines = True

    def _check_strict(self, result: Result) -> None:
        if result.first_rejected and self._options.strict:
            for path in (self._output_path, self._rejects_path):
                path.unlink(missing_ok=True)
            self._journal.delete()
            raise UnreadableTable(_describe(result.first_rejected))

    def _finish(self, progress: Progress, columns: list[str]) -> str | None:
        """Move the files to their places; return the name of the rejected rows' file, if any."""
        out = self._options.out
        rejected_file = out + REJECTED_SUFFIX
        if progress.rejected:
            move(self._rejects_path, rejected_file)
        else:
            self._rejects_path.unlink()
            remove(rejected_file)
        if self._output_format.kind == "parquet":
            table = partial_path(out, ".partial.parquet")
            write_parquet(self._output_path, table, columns)
            move(table, out)
            self._output_path.unlink()
        else:
            move(self._output_path, out)
        self._journal.delete()
        return rejected_file if progress.rejected else None


def _add(progress: Progress, result: Result) -> Progress:
    return Progress(
        result.next,
        progress.output + len(result.output),
        progress.rejects + len(result.rejects),
        progress.scored + result.scored,
        progress.rejected + result.rejected,
    )


@contextmanager
def _scoring(
    plan: Plan, cores: int, needs_processes: bool
) -> Iterator[Callable[[Iterable[Any]], Iterator[Result]]]:
    """Start threads or processes; yield a function that scores blocks with them, in order."""
    score: Callable[[Any], Result]
    with ExitStack() as stack:
        pool: Executor
        if needs_processes:
            os.environ.setdefault("OMP_NUM_THREADS", "1")  # each core has a process already
            context = multiprocessing.get_context("spawn")
            pool = ProcessPoolExecutor(cores, context, start_process, (plan,))
            score = score_in_process
        else:
            pool, score = ThreadPoolExecutor(cores), Worker(plan).score
        stack.callback(pool.shutdown, cancel_futures=True)

        def score_blocks(blocks: Iterable[Any]) -> Iterator[Result]:
            waiting: deque[Future[Result]] = deque()
            for block in blocks:
                waiting.append(pool.submit(score, block))
                if len(waiting) > BLOCKS_PER_CORE * cores:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

        yield score_blocks


def _describe(rejected: Rejected) -> str:
    """Return where the first rejected row is, and its first problem."""
    place = f"Row {rejected.row:,}" if rejected.line is None else f"Line {rejected.line:,}"
    return f"{place}: {rejected.problems[0]}"
