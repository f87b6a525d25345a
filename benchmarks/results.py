"""The measurements of one benchmark, and the ratios between them."""

from __future__ import annotations

from typing import NamedTuple

from benchmarks.packages import Package, Packages

ONE_ROW = "this project, 13 features by name"


class Run(NamedTuple):
    """One run on the emulator, which starts every function and then sends requests in turns."""

    cold: dict[str, float]  # seconds of the first request, by package name
    warm: dict[str, float]  # median seconds of a later request, as reported, by request name
    wall_clock: dict[str, float]  # the same to the client of the emulator
    memory: dict[str, int]  # peak resident bytes of the process, by package name


class Compared(NamedTuple):
    """The times of a measurement and its baseline in seconds, one value for each run."""

    measured: list[float]
    baseline: list[float]

    @property
    def ratios(self) -> list[float]:
        """Measured / baseline in each run, which cancels a slow machine out."""
        return [a / b for a, b in zip(self.measured, self.baseline, strict=True)]


class InProcess(NamedTuple):
    """What requests take in one process, without the emulator."""

    one: Compared  # one sample and a parse-only route
    batch: Compared  # a batch and the minimal work for it
    columns: dict[str, Compared]  # a batch by column and the minimal work for it, by format
    bytes_and_json: Compared  # a batch as bytes and in JSON
    bytes_and_baseline: Compared  # a batch as bytes and the minimal work for it


class LogCost(NamedTuple):
    """What the log of requests takes, in one process."""

    one: dict[str, list[float]]  # seconds of one sample in each run, by the settings of the log
    batch: dict[str, list[float]]  # seconds of a batch
    bytes_by_request: dict[str, float]  # by the kind of the request
    metrics: int  # that CloudWatch has of a model with three classes, at most

    @property
    def compare_batch(self) -> Compared:
        """A batch with all that is logged, and one without."""
        return Compared(self.batch["lines, metrics and drift"], self.batch["no log"])


class FileScoring(NamedTuple):
    """What it takes to score a file, compared with pandas and scikit-learn."""

    rows: int
    seconds: Compared  # without imports
    process_seconds: Compared  # of the whole processes
    memory: int  # peak resident bytes
    memory_of_half: int  # with half of the rows
    pandas_memory: int

    @property
    def speedups(self) -> list[float]:
        """Rows a second / those of pandas, in each run."""
        return [1 / ratio for ratio in self.seconds.ratios]

    @property
    def process_speedups(self) -> list[float]:
        """As `speedups`, of the whole processes."""
        return [1 / ratio for ratio in self.process_seconds.ratios]


class ModelSize(NamedTuple):
    """A model of one size on the emulator."""

    cold: Compared  # cold starts and hello world's
    warm: list[float]  # seconds of a warm request with one sample, in each run


class BulkScoring(NamedTuple):
    """How fast the function that scores files is, on one processor."""

    row_bytes: float
    rows_a_second: list[float]  # in each run


class BulkResults(NamedTuple):
    """What the function that scores files takes of a processor."""

    scoring: dict[str, BulkScoring]  # by model
    splitting: list[float]  # bytes a second in each run
    splitting_quoted: list[float]  # of a file whose rows have quotes


class Results(NamedTuple):
    """All measurements of the benchmark."""

    packages: Packages
    runs: list[Run]
    by_model_size: dict[int, ModelSize]  # by the model's bytes
    throughput: dict[int, list[float]]  # samples a second in each run, by batch size
    in_process: InProcess
    log: LogCost
    log_on_emulator: Compared  # one sample with and without log, on the emulator
    scoring: dict[str, FileScoring]  # by model
    bulk: BulkResults
    memory_mb: int  # the function's memory on Lambda
    machine: str

    def cold(self, package: Package) -> Compared:
        """Return a function's cold starts, compared with hello world's."""
        return compare_cold(self.runs, package.name, self.packages.hello.name)

    def warm(self, package: Package) -> Compared:
        """Return a function's warm requests, compared with hello world's."""
        return _compare_warm(self.runs, package.name, self.packages.hello.name)

    @property
    def faster_than_tutorial(self) -> list[float]:
        """The tutorial's cold start / this project's, in each run."""
        packages = self.packages
        return compare_cold(self.runs, packages.tutorial.name, packages.this_project.name).ratios

    @property
    def cold_and_bare(self) -> Compared:
        """Cold starts, compared with those of the handler without a framework."""
        return compare_cold(self.runs, self.packages.this_project.name, self.packages.bare.name)

    @property
    def warm_and_bare(self) -> Compared:
        """Warm requests, compared with those of the handler without a framework."""
        return _compare_warm(self.runs, self.packages.this_project.name, self.packages.bare.name)

    @property
    def unreported(self) -> list[float]:
        """What a client waits for hello world beyond the reported seconds, in each run."""
        name = self.packages.hello.name
        return [run.wall_clock[name] - run.warm[name] for run in self.runs]

    @property
    def one_row(self) -> Compared:
        """One sample with all features by name, compared with a parse-only route."""
        return _compare_warm(self.runs, ONE_ROW, self.packages.json_only.name)

    def peak_memory(self, package: Package) -> int:
        """Return a function's peak resident memory of all runs, in bytes."""
        return max(run.memory[package.name] for run in self.runs)


def compare_cold(runs: list[Run], name: str, baseline: str) -> Compared:
    """Compare the cold starts of two packages."""
    return Compared([run.cold[name] for run in runs], [run.cold[baseline] for run in runs])


def _compare_warm(runs: list[Run], name: str, baseline: str) -> Compared:
    return Compared([run.warm[name] for run in runs], [run.warm[baseline] for run in runs])
