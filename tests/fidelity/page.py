"""The page docs/coverage.md: each classifier, then the matrix by family."""

from __future__ import annotations

import textwrap
import warnings
from collections import Counter
from collections.abc import Callable, Iterable

from tests.fidelity.classifiers import SEVERAL_OUTPUTS
from tests.fidelity.configurations import Configuration, Missing
from tests.fidelity.data import KINDS, load
from tests.fidelity.outcome import FAULTS, SERVED, Outcome
from tests.fidelity.transformers import MADE_ELSEWHERE, NOT_OF_NUMBERS
from training.export.coverage import fitted_classifiers, measure_coverage
from training.export.coverage import format_page as format_classifiers

_REASON_LENGTH = 160
_WIDTH = 100
_RESULTS = (*SERVED, "rejected", *FAULTS)
_INTRODUCTION = """
## Pipelines

{total} pipelines of scikit-learn's classifiers and transformers, on {kinds} kinds of data. Each is
fitted, published, and asked rows made to differ: rows of its training data, rounded, halfway
between two, random, out of range, with missing values, with unseen and respelt text. `onnx`
and `sklearn` are the runtimes; every label is scikit-learn's, and every probability within 1e-5.
`rejected` models cannot be published. `wrong` and `error` are faults.

ONNX serves {all} of all pipelines that can be fitted, and {frames} of those of data frames.

"""


def format_page(outcomes: list[Outcome], missing: list[Missing]) -> str:
    """Return the whole page."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        classifiers = [measure_coverage(fitted) for fitted in fitted_classifiers()]
    return f"{format_classifiers(classifiers)}\n{format_matrix(outcomes, missing)}"


def format_matrix(outcomes: list[Outcome], missing: list[Missing]) -> str:
    """Return the tables of the matrix."""
    fitted = [outcome for outcome in outcomes if outcome.result in _RESULTS]
    frames = [outcome for outcome in fitted if load(outcome.configuration.data).is_frame]
    introduction = _INTRODUCTION.format(
        total=len(fitted), kinds=len(KINDS), all=_share(fitted), frames=_share(frames)
    )
    tables = [
        _table("kind of data", fitted, lambda configuration: configuration.data),
        _table("classifier", fitted, lambda configuration: configuration.classifier),
        _table("transformer", fitted, lambda configuration: configuration.transformer),
        _reasons(fitted),
        _left_out(outcomes, missing),
    ]
    return introduction + "\n\n".join(tables) + "\n"


def _share(outcomes: list[Outcome]) -> str:
    by_onnx = sum(outcome.result == "onnx" for outcome in outcomes)
    return f"{by_onnx} of {len(outcomes)} ({by_onnx / max(1, len(outcomes)):.0%})"


def _table(title: str, outcomes: list[Outcome], family: Callable[[Configuration], str]) -> str:
    """Return how many configurations of each family have each result."""
    counts: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        counts.setdefault(family(outcome.configuration), Counter())[outcome.result] += 1
    counts.pop("", None)
    names = [name for name in KINDS if name in counts] or sorted(counts)
    total: Counter[str] = sum(counts.values(), Counter())
    rows = [_row(title, _RESULTS), _row("---", ["---:"] * len(_RESULTS))]
    for name in names:
        rows.append(_row(name, [counts[name][result] for result in _RESULTS]))
    rows.append(_row("all", [total[result] for result in _RESULTS]))
    return "\n".join(rows)


def _row(name: str, cells: Iterable[object]) -> str:
    return f"| {name} | {' | '.join(map(str, cells))} |"


def _reasons(outcomes: list[Outcome]) -> str:
    """List what is not served by ONNX, with the reason."""
    lines = ["## Not by ONNX", "", "| pipeline | result | reason |", "| --- | --- | --- |"]
    for outcome in sorted(outcomes, key=lambda outcome: outcome.configuration.name):
        if outcome.result != "onnx":
            name, reason = outcome.configuration.name, outcome.detail[:_REASON_LENGTH]
            cells = (f"`{name}`", outcome.result, reason.replace("<", "&lt;"))
            lines.append(f"| {' | '.join(cell.replace('|', '\\|') for cell in cells)} |")
    return "\n".join(lines)


def _left_out(outcomes: list[Outcome], missing: list[Missing]) -> str:
    """List the classes without a configuration that can be fitted."""
    fitted = {
        name
        for outcome in outcomes
        if outcome.result in _RESULTS
        for name in (outcome.configuration.classifier, outcome.configuration.transformer)
    }
    tried = {
        name
        for outcome in outcomes
        for name in (outcome.configuration.classifier, outcome.configuration.transformer)
    }
    others = {*SEVERAL_OUTPUTS, *NOT_OF_NUMBERS} - {*MADE_ELSEWHERE}
    names = sorted(others | tried - fitted - {""} | {item.name for item in missing})
    listed = ", ".join(names)
    sentence = f"Classes of scikit-learn without a pipeline: {listed}."
    return textwrap.fill(sentence, _WIDTH, break_on_hyphens=False)
