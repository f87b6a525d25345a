"""Compare verdicts on drift with Evidently's: `python -m benchmarks.drift` writes docs/drift.md."""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from tabulate import tabulate

from benchmarks.drifting import (
    compare_rows,
    draw_rows,
    draw_shifted,
    fit_and_build,
    predict,
    shift_mean,
)
from benchmarks.packages import ROOT
from chalicelib.inputs.signature import Feature, Signature
from chalicelib.models.model import Model, load_model
from chalicelib.monitoring.drift_index import drift_index, stability_index
from training.data.table import Table
from training.distribution import FALSE_ALARM_RATE, critical_values, describe_distribution
from training.drift.comparison import PREDICTIONS

PAGE = ROOT / "docs" / "drift.md"
EVIDENTLY = Path(__file__).parent / "evidently"

TRAINING_ROWS = [178, 2_000]
UNSHIFTED = [(178, 2_000), (2_000, 2_000), (2_000, 200)]  # rows of training, and served
SHIFTED_ROWS = 1_000
UNCERTAIN_ROWS = [60, 100, 178, 300, 500, 1_000]  # of training
PSI_RULE = 0.25
WIDTH = 14  # of wine's features and the predictions

INDEX, RULE, COLUMNS, DATASET = (
    "drift index",
    f"PSI above {PSI_RULE}",
    "Evidently, columns",
    "Evidently, dataset",
)

_PAGE = """\
# Drift, measured

Written by `python -m benchmarks.drift`. A model is fitted on rows of a known distribution: four
numbers, a boolean and a text, and three classes. Other rows are drawn from it, with and without a
shift, and [compared](how-to/drift.md) with the training data, in three ways on the same rows:

- {index}: this project's, above 1, which happens without drift with a probability of 1 in {rate:,}.
- {rule}: the usual rule of thumb, on the same bins.
- Evidently {evidently}, `DataDriftPreset` as it is: columns are those that its tests call drifted,
  the dataset is drifted if half of the columns are.

## Without drift

False alarms in {draws} draws, in any feature or the predictions.

{without}

## With a shift

In how many of {shifted_draws} draws of {shifted:,} rows the shift is found where it is.

{with_shift}

## Rows of training

A small table says little about the distribution that it was drawn from. In how many of
{uncertain_draws} cases, each with another table, a mean that moves by half a standard deviation is
found within {shifted:,} rows: by the drift index, and by PSI with the same rate of false alarms.

{uncertain}

The mean of PSI without drift, which a rule of thumb does not allow for, is in the last columns: for
{shifted:,} and for 100 served rows.
"""


class Verdict(NamedTuple):
    """What each way calls drifted."""

    by_index: list[str]
    by_rule: list[str]
    columns: list[str]
    dataset: bool


def judge(model: Model, training: pd.DataFrame, served: Sequence[pd.DataFrame]) -> list[Verdict]:
    """Compare each of the served tables with the training data."""
    verdicts = []
    for frame, evidently in zip(served, ask_evidently(model, training, served), strict=True):
        compared = compare_rows(model, frame)
        verdicts.append(
            Verdict(
                [each.name for each in compared if each.verdict == "drift"],
                [each.name for each in compared if each.psi > PSI_RULE],
                evidently["columns"],
                evidently["dataset"],
            )
        )
    return verdicts


def ask_evidently(
    model: Model, training: pd.DataFrame, served: Sequence[pd.DataFrame]
) -> list[dict[str, Any]]:
    """Return Evidently's verdicts, from a process in an environment of its own."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, frame in enumerate([training, *served]):
            paths.append(Path(folder) / f"{number}.csv")
            frame.assign(**{PREDICTIONS: predict(model, frame)}).to_csv(paths[-1], index=False)
        command: list[str | Path] = [create_environment() / "python", EVIDENTLY / "verdicts.py"]
        result = subprocess.run([*command, *paths], check=True, capture_output=True, text=True)
    verdicts: list[dict[str, Any]] = json.loads(result.stdout)
    return verdicts


def create_environment() -> Path:
    """Create Evidently's environment with pinned packages, or reuse it; return its bin folder."""
    requirements = EVIDENTLY / "requirements.txt"
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    folder = ROOT / ".tools" / f"evidently-{digest}"
    complete = folder / ".done"
    if not complete.exists():
        uv = shutil.which("uv") or str(ROOT / ".tools" / "bin" / "uv")  # where make puts it
        python = f"{sys.version_info[0]}.{sys.version_info[1]}"
        make = [uv, "venv", "--quiet", "--allow-existing", "--python", python, str(folder)]
        sync = [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", str(folder)]
        for command in (make, [*sync, str(requirements)]):
            subprocess.run(command, check=True, cwd=ROOT)
        complete.touch()
    return folder / "bin"


def count_false_alarms(draws: int) -> str:
    """Return the table of draws without drift."""
    rows = []
    for training_rows, served_rows in UNSHIFTED:
        model, training = fit(training_rows)
        random = np.random.default_rng(1)
        served = [draw_rows(served_rows, random)[0] for _ in range(draws)]
        verdicts = judge(model, training, served)
        rows.append(
            [
                f"{training_rows:,}",
                f"{served_rows:,}",
                sum(bool(verdict.by_index) for verdict in verdicts),
                sum(bool(verdict.by_rule) for verdict in verdicts),
                sum(bool(verdict.columns) for verdict in verdicts),
                sum(verdict.dataset for verdict in verdicts),
            ]
        )
    return write_table(rows, ["training rows", "served rows", INDEX, RULE, COLUMNS, DATASET])


def count_found(draws: int) -> str:
    """Return the table of draws with a shift."""
    rows = []
    for training_rows in TRAINING_ROWS:
        model, training = fit(training_rows)
        random = np.random.default_rng(2)
        drawn = [draw_shifted(SHIFTED_ROWS, random) for _ in range(draws)]
        served = [frame for shifts in drawn for _, frame in shifts.values()]
        judged = judge(model, training, served)
        for number, (shift, (where, _)) in enumerate(drawn[0].items()):
            verdicts = judged[number :: len(drawn[0])]
            rows.append(
                [
                    f"{training_rows:,}",
                    shift,
                    sum(where in verdict.by_index for verdict in verdicts),
                    sum(where in verdict.by_rule for verdict in verdicts),
                    sum(where in verdict.columns for verdict in verdicts),
                    sum(verdict.dataset for verdict in verdicts),
                ]
            )
    return write_table(rows, ["training rows", "shift", INDEX, RULE, COLUMNS, DATASET])


def measure_uncertainty(draws: int) -> str:
    """Return the table of what is found by the rows of training."""
    rows = []
    for training_rows in UNCERTAIN_ROWS:
        random = np.random.default_rng(3)
        by_index = by_psi = 0
        means: tuple[list[float], list[float]] = ([], [])
        for _ in range(draws):
            distribution = describe(draw_rows(training_rows, random)[0])
            [trained] = [each for each in distribution["features"] if each]
            critical, counts = distribution["critical"], trained["counts"]
            shifted = shift_mean(draw_rows(SHIFTED_ROWS, random)[0])
            served = count(shifted, trained["edges"])
            by_index += drift_index(served, counts, critical, rows=SHIFTED_ROWS, has_order=True) > 1
            scaled = stability_index(served, counts) / (1 / SHIFTED_ROWS + 1 / training_rows)
            by_psi += scaled > critical[str(len(counts) - 1)]
            for size, values in zip((SHIFTED_ROWS, 100), means, strict=True):
                usual = count(draw_rows(size, random)[0], trained["edges"])
                values.append(stability_index(usual, counts))
        shares = [f"{100 * found / draws:.0f} %" for found in (by_index, by_psi)]
        rows.append([f"{training_rows:,}", *shares, *(f"{np.mean(each):.2f}" for each in means)])
    headers = ["training rows", INDEX, "PSI alone", f"PSI, {SHIFTED_ROWS:,} rows", "PSI, 100 rows"]
    return write_table(rows, headers)


def describe(frame: pd.DataFrame) -> dict[str, Any]:
    """Describe one number, with the critical values of a table as wide as wine's."""
    table = Table(frame[["normal"]])
    signature = Signature((Feature("normal", "numeric", required=True),), ("a",))
    distribution = describe_distribution(table, signature, predicted=["a"] * len(frame))
    sizes = [len(distribution["features"][0]["counts"])] * WIDTH
    return distribution | {"critical": critical_values(sizes)}


def count(frame: pd.DataFrame, edges: list[float]) -> list[int]:
    """Count a number in bins; none is missing."""
    bins = np.searchsorted(edges, frame["normal"], side="right")
    return [*np.bincount(bins, minlength=len(edges) + 1).tolist(), 0]


def fit(rows: int) -> tuple[Model, pd.DataFrame]:
    """Return a model and its training data."""
    training, _ = draw_rows(rows, np.random.default_rng(0))
    return load_model(fit_and_build(rows).artifact), training


def write_table(rows: list[list[Any]], headers: list[str]) -> str:
    """Return a table in Markdown."""
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description="Compare verdicts on drift with Evidently's.")
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--out", type=Path, default=PAGE, metavar="FILE")
    options = parser.parse_args()
    shifted_draws = max(1, options.draws // 5)
    page = _PAGE.format(
        index=INDEX,
        rule=RULE,
        rate=round(1 / FALSE_ALARM_RATE),
        evidently=evidently_version(),
        draws=options.draws,
        without=count_false_alarms(options.draws),
        shifted_draws=shifted_draws,
        shifted=SHIFTED_ROWS,
        with_shift=count_found(shifted_draws),
        uncertain_draws=3 * options.draws,
        uncertain=measure_uncertainty(3 * options.draws),
    )
    options.out.write_text(page)
    print(page)


def evidently_version() -> str:
    """Return the pinned version."""
    pins = (EVIDENTLY / "requirements.txt").read_text()
    [version] = [
        line.split("==")[1] for line in pins.splitlines() if line.startswith("evidently==")
    ]
    return version.rstrip(" \\")


if __name__ == "__main__":
    main()
