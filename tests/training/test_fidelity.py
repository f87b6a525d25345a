"""A share of the pipelines that `make fidelity` compares with scikit-learn, and its page."""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.base import clone

from tests.fidelity import classifiers, outcome
from tests.fidelity.configurations import Configuration, Missing, configurations, missing
from tests.fidelity.data import KINDS, load
from tests.fidelity.outcome import FAULTS, Outcome, measure
from tests.fidelity.page import format_matrix
from tests.fidelity.rows import TRAINING_ROWS, changed_rows, to_json
from training.artifact import build_artifact
from training.errors import NotServable

_SHARE = 25
_PARTS = 5


@pytest.fixture(scope="module")
def matrix() -> list[Configuration]:
    """All configurations."""
    return configurations()


def test_the_matrix_has_hundreds_of_different_pipelines(matrix: list[Configuration]) -> None:
    """No two have the same name."""
    assert len({configuration.name for configuration in matrix}) == len(matrix) >= 600


@pytest.mark.parametrize("part", range(_PARTS))
def test_a_share_of_the_pipelines_is_served_exactly(matrix: list[Configuration], part: int) -> None:
    """Every n-th of the matrix; `make fidelity` runs all."""
    share = matrix[:: len(matrix) // _SHARE][part::_PARTS]
    outcomes = [measure(configuration) for configuration in share]
    assert [item for item in outcomes if item.result in FAULTS] == []
    assert any(item.result == "onnx" for item in outcomes)


def test_a_published_model_that_differs_is_wrong(
    matrix: list[Configuration], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here one that was fitted on half of the data is published in its place."""

    def build_another(estimator: Any, X: Any, y: Any, *, name: str) -> Any:
        return build_artifact(clone(estimator).fit(X[::2], y[::2]), X, y, name=name)

    monkeypatch.setattr(outcome, "build_artifact", build_another)
    measured = measure(matrix[0])
    assert measured.result == "wrong"
    assert "differ" in measured.detail


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (NotServable("X has a column of dates: leave it out."), "rejected"),
        (NotServable("Pipeline cannot be published: KeyError: 0"), "error"),
        (NotServable("a reason " * 100), "rejected"),  # which cuts it
        (KeyError(0), "error"),
    ],
)
def test_a_rejection_has_one_clear_reason(
    matrix: list[Configuration], monkeypatch: pytest.MonkeyPatch, error: Exception, result: str
) -> None:
    """Any other exception, and a reason that hides one, is an error."""

    def fail(*arguments: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(outcome, "build_artifact", fail)
    assert measure(matrix[0]).result == result


def test_every_class_of_scikit_learn_can_be_made() -> None:
    """A new release's class that needs arguments fails here until the matrix has a rule for it."""
    assert missing() == []


def test_a_class_that_needs_arguments_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not an error of the whole matrix."""

    class NewClassifier:
        def __init__(self, estimator: object) -> None:
            pass

    monkeypatch.setattr(classifiers, "_every", lambda: {"NewClassifier": NewClassifier})
    [found] = missing.__wrapped__()  # without its cache
    assert found.name == "NewClassifier"
    assert found.reason.startswith("TypeError")


def test_the_page_counts_by_data_and_by_class(matrix: list[Configuration]) -> None:
    """It names what ONNX does not serve, and what the matrix lacks."""
    first = matrix[0]
    outcomes = [Outcome(first, "onnx"), Outcome(first, "sklearn", "a | reason")]
    page = format_matrix(outcomes, [Missing("NewClassifier", "")])
    assert "ONNX serves 1 of 2 (50%) of all pipelines" in page
    assert f"| {first.data} | 1 | 1 | 0 | 0 | 0 |" in page
    assert f"| {first.classifier} | 1 | 1 | 0 | 0 | 0 |" in page
    assert f"| `{first.name}` | sklearn | a \\| reason |" in page
    assert "NewClassifier" in page[page.index("without a pipeline: ") :]


@pytest.mark.parametrize("kind", list(KINDS))
def test_rows_made_to_differ_begin_with_training_rows(kind: str) -> None:
    """Then come others, each a JSON value."""
    X = load(kind).X
    names = [*X.columns] if load(kind).is_frame else [f"x{i}" for i in range(X.shape[1])]
    known = to_json(X, names)
    rows = to_json(changed_rows(X), names)
    assert all(row in known for row in rows[:TRAINING_ROWS])
    assert sum(row not in known for row in rows) > TRAINING_ROWS
