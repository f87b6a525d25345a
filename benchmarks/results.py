"""What one run of the benchmark has measured, and how ratios are made of it."""

from __future__ import annotations

from typing import NamedTuple

from benchmarks.packages import Package, Packages

ONE_ROW = "this project, 13 features by name"


class Run(NamedTuple):
    """One run on the emulator: every function was started, then all were asked in turns.

    Parameters
    ----------
    cold : dict of str to float
        Seconds until the first answer, by the name of the package.
    warm : dict of str to float
        Seconds of a later request (their median), by the name of the request.
    memory : dict of str to int
        Bytes: the most that the function's process had resident.
    """

    cold: dict[str, float]
    warm: dict[str, float]
    memory: dict[str, int]


class Compared(NamedTuple):
    """The times of one thing beside those of another, one value for each run.

    Parameters
    ----------
    measured, baseline : list of float
        Seconds.
    """

    measured: list[float]
    baseline: list[float]

    @property
    def ratios(self) -> list[float]:
        """How many times the baseline's time, in each run: what slowed both down cancels out."""
        return [a / b for a, b in zip(self.measured, self.baseline, strict=True)]


class Results(NamedTuple):
    """All that the benchmark has measured.

    Parameters
    ----------
    packages : Packages
        What was compared.
    runs : list of Run
        On the emulator.
    by_model_size : dict of int to Compared
        Our cold start beside hello world's, by the model's size in bytes.
    throughput : dict of int to list of float
        Samples in a second, by the size of the batch; one value for each run.
    one_in_process, batch_in_process : Compared
        Our handler called without the emulator, beside a route that only parses and beside the
        bare work.
    memory_mb : int
        The memory that our function is given on Lambda.
    machine : str
        What it was measured on.
    """

    packages: Packages
    runs: list[Run]
    by_model_size: dict[int, Compared]
    throughput: dict[int, list[float]]
    one_in_process: Compared
    batch_in_process: Compared
    memory_mb: int
    machine: str

    def cold(self, package: Package) -> Compared:
        """Give a function's first request, beside hello world's.

        Parameters
        ----------
        package : Package

        Returns
        -------
        Compared
        """
        return compare_cold(self.runs, package.name, self.packages.hello.name)

    def warm(self, package: Package) -> Compared:
        """Give a function's later requests, beside hello world's.

        Parameters
        ----------
        package : Package

        Returns
        -------
        Compared
        """
        return _compare_warm(self.runs, package.name, self.packages.hello.name)

    @property
    def faster_than_tutorial(self) -> list[float]:
        """How many times our first request the tutorial's takes, in each run."""
        packages = self.packages
        return compare_cold(self.runs, packages.tutorial.name, packages.ours.name).ratios

    @property
    def one_row(self) -> Compared:
        """One sample, all features by name, beside a route that only parses it."""
        return _compare_warm(self.runs, ONE_ROW, self.packages.json_only.name)

    def peak_memory(self, package: Package) -> int:
        """Give the most memory that a function had resident in any run.

        Parameters
        ----------
        package : Package

        Returns
        -------
        int
            Bytes.
        """
        return max(run.memory[package.name] for run in self.runs)


def compare_cold(runs: list[Run], name: str, baseline: str) -> Compared:
    """Put the first requests of two functions side by side.

    Parameters
    ----------
    runs : list of Run
    name, baseline : str
        Of the packages.

    Returns
    -------
    Compared
    """
    return Compared([run.cold[name] for run in runs], [run.cold[baseline] for run in runs])


def _compare_warm(runs: list[Run], name: str, baseline: str) -> Compared:
    return Compared([run.warm[name] for run in runs], [run.warm[baseline] for run in runs])
