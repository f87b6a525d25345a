"""An exported model is compared on samples like those that a request may have."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from chalicelib.inputs.samples import Samples
from chalicelib.models.model import load_model
from chalicelib.runtimes.base import Prediction
from tests.support.customers import customers, prepared
from tests.support.models import WineModel
from training.data.signature import UNSEEN_CATEGORY, infer_signature
from training.data.table import Table
from training.export import comparison as comparing
from training.export.comparison import (
    Comparison,
    Reference,
    compare,
    compute_reference,
    find_largest_number,
)
from training.export.comparison_samples import (
    Sizes,
    choose_rows,
    comparison_samples,
    comparison_sizes,
    extreme_samples,
)


class WrongClassifier:
    """A classifier with one wrong label and shifted probabilities."""

    runtime = "none"

    def __init__(self, trained: WineModel) -> None:
        self._estimator = trained.estimator

    def check_cost(self, samples: Samples) -> None:
        """Accept all samples."""

    def predict(self, samples: Samples) -> Prediction:
        """Predict as the estimator does, except for the first label."""
        X = np.array(samples.numbers).reshape(samples.rows, -1)
        labels = [str(label) for label in self._estimator.predict(X)]
        probabilities = self._estimator.predict_proba(X) + 0.25
        return Prediction(["9", *labels[1:]], array("d", probabilities.tobytes()))


def reference_of(
    trained: WineModel, labels: list[str], probabilities: Any, slice_rows: int = 1_000
) -> Reference:
    """Return predictions for the wines, of which 150 are said to be of a table of 170."""
    return Reference(Table(trained.dataset.X).samples, labels, probabilities, 150, 170, slice_rows)


def test_counts_label_mismatches_and_measures_the_largest_difference(trained: WineModel) -> None:
    """A comparison with any mismatch is not exact."""
    X = trained.dataset.X
    labels = [str(label) for label in trained.estimator.predict(X)]
    reference = reference_of(trained, labels, trained.estimator.predict_proba(X))
    comparison = compare(WrongClassifier(trained), reference)
    assert comparison == Comparison(178, 1, comparison.max_difference, 150, 170)
    assert comparison.max_difference == pytest.approx(0.25)
    assert not comparison.is_exact()


@pytest.mark.parametrize("classes", [2, 4])
def test_another_number_of_probabilities_is_no_difference_in_the_last_digits(
    trained: WineModel, classes: int
) -> None:
    """An exported model may have a class less or more."""
    X = trained.dataset.X
    labels = [str(label) for label in trained.estimator.predict(X)]
    reference = reference_of(trained, labels, np.full((len(X), classes), 0.25))
    assert compare(WrongClassifier(trained), reference).max_difference == np.inf


def test_missing_values_and_unseen_categories_are_compared_only_if_accepted() -> None:
    """A required feature is never missing, and an unseen category is only in an open one."""
    X, y = customers()
    X = X.astype({"age": float})
    estimator = prepared(LogisticRegression(), impute=True).fit(X, y)
    table = Table(X)
    signature = infer_signature(estimator, table)
    required = {feature.name for feature in signature.features if feature.required}
    assert required == {"member", "size"}
    rows = list(range(len(X)))
    samples, _ = comparison_samples(table, signature, rows, Sizes(300, 5_000, 1_000))
    assert np.isnan(samples.numbers).any(axis=0).tolist() == [True, True, False]
    missing = np.array([[value is None for value in row] for row in samples.texts])
    assert missing.any(axis=0).tolist() == [True, False]
    colours = set(samples.texts[:, 0])
    assert {"red", "RED", UNSEEN_CATEGORY, "", None} <= colours  # known, respelt, unseen, missing
    assert len(set(samples.texts[:, 1])) == 3


def test_random_samples_have_every_value_that_a_feature_may_have() -> None:
    """Both booleans, each category, and whole numbers from the smallest to the largest."""
    X, y = customers()
    X = X.assign(age=X["age"] % 4 + 1, zone=np.resize([2, 5, 9], len(X)))
    encoder = make_column_transformer((OneHotEncoder(), ["zone", "size"]), remainder="passthrough")
    columns = X[["size", "member", "age", "income", "zone"]]
    estimator = make_pipeline(encoder, LogisticRegression(max_iter=5_000)).fit(columns, y)
    table = Table(columns)
    signature = infer_signature(estimator, table)
    [*_, zone] = signature.features
    assert zone.kind == "integer"
    assert sorted(zone.categories or ()) == [2.0, 5.0, 9.0]
    made, of_table = comparison_samples(table, signature, [0, 1], Sizes(2, 500, 4))
    member, age, income, zones = made.numbers[:500].T
    assert set(member) == {0.0, 1.0}
    assert set(age) == {1.0, 2.0, 3.0, 4.0}
    assert set(zones) == {2.0, 5.0, 9.0}
    assert columns["income"].min() <= income.min() < income.max() <= columns["income"].max()
    assert len(set(income)) == 500
    assert set(made.texts[:500, 0]) == {"s", "m", "l"}
    assert of_table.numbers[:, 1].tolist() == columns["age"].head(2).tolist()


def test_extreme_numbers_are_in_each_feature_alone_and_in_all(trained: WineModel) -> None:
    """Up to the largest, of either sign; the other features are those of the first sample."""
    table = Table(trained.dataset.X)
    signature = infer_signature(trained.estimator, table)
    numbers = extreme_samples(table, signature, 1e100).numbers
    alone, both = numbers[:-2], numbers[-2:]
    assert (alone != table.samples.numbers[0]).sum(axis=1).max() == 1
    for column in alone.T:
        assert {1e100, -1e100, 0.0, 2.0**53, -(2.0**53), 3.5e38} <= set(column)
    assert set(both.ravel()) == {1e100, -1e100}
    assert np.abs(extreme_samples(table, signature, 1e9).numbers).max() == 1e9


class LimitedClassifier(WrongClassifier):
    """A classifier that is wrong for samples with a number above a limit."""

    def __init__(self, trained: WineModel, limit: float) -> None:
        super().__init__(trained)
        self._limit = limit

    def predict(self, samples: Samples) -> Prediction:
        """Predict as the estimator does up to the limit."""
        X = np.array(samples.numbers).reshape(samples.rows, -1)
        with np.errstate(all="ignore"):
            labels = self._estimator.predict(X)
        is_within = (np.abs(X) <= self._limit).all(axis=1)
        pairs = zip(labels, is_within, strict=True)
        return Prediction([str(label) if within else "9" for label, within in pairs], None)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("limit", "largest"), [(1e300, 1e300), (1e120, 1e100), (1e16, 1e15), (1e4, None)]
)
def test_the_largest_number_is_one_up_to_which_every_label_is_right(
    trained: WineModel, limit: float, largest: float | None
) -> None:
    """None if there is no such number."""
    table = Table(trained.dataset.X)
    signature = infer_signature(trained.estimator, table)
    classifier = LimitedClassifier(trained, limit)
    actual = find_largest_number(classifier, trained.estimator, table, signature)
    assert actual == largest


def test_samples_of_each_class_of_a_large_table_are_compared() -> None:
    """Ten of each class, if it has as many, and the others at random."""
    labels = np.array(["usual"] * 9_000 + ["rare"] * 25 + ["single"])
    rows = choose_rows(labels, 100)
    assert len(set(rows)) == 100
    chosen = labels[rows].tolist()
    assert chosen.count("single") == 1
    assert 10 <= chosen.count("rare") < 25
    assert choose_rows(labels, 100) == rows


def test_more_classes_than_compared_samples_are_each_compared() -> None:
    """One sample of each."""
    labels = np.repeat(np.arange(50), 3)
    assert sorted(labels[choose_rows(labels, 10)]) == list(range(50))


def test_all_samples_of_a_small_table_are_compared() -> None:
    """In their order."""
    assert choose_rows(np.array([1, 0, 0, 2]), 1_000) == [0, 1, 2, 3]


def test_fewer_samples_are_compared_where_each_takes_long() -> None:
    """The more numbers an estimator works with, or the wider the table, the fewer."""
    plain, reference_samples, wide = (
        comparison_sizes(*each) for each in [(30, 60), (20, 1_000_000), (5_000, 10_000)]
    )
    assert sum(plain) == 56_000
    assert sum(reference_samples) + reference_samples.tied == 2_000
    assert sum(wide) + wide.tied == 4_000


@pytest.mark.parametrize("rows", [50, 10_000])
def test_labels_of_the_table_that_are_known_are_not_predicted_again(
    trained: WineModel, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    """They are those of the samples of the table, which come last, however many are at once."""
    table = Table(trained.dataset.X)
    signature = infer_signature(trained.estimator, table)
    expected = compute_reference(trained.estimator, table, signature)
    labels = [f"known {row}" for row in range(len(table))]
    monkeypatch.setattr(comparing, "REFERENCE_ROWS", rows)
    reference = compute_reference(trained.estimator, table, signature, predicted=labels)
    assert reference.labels[-len(table) :] == labels
    assert reference.labels[: -len(table)] == expected.labels[: -len(table)]
    assert reference.probabilities is not None
    assert expected.probabilities is not None
    assert np.allclose(reference.probabilities, expected.probabilities, rtol=0, atol=1e-12)
    assert (reference.table_rows, reference.table_size) == (178, 178)


def test_fewer_rows_are_in_a_slice_of_a_wide_table(
    trained: WineModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slice has a number of values at most, and a row at least."""
    table = Table(trained.dataset.X)
    signature = infer_signature(trained.estimator, table)
    for values, rows in ((5, 1), (130, 11)):
        monkeypatch.setattr(comparing, "MAX_SLICE_VALUES", values)
        reference = compute_reference(trained.estimator, table, signature)
        assert 1 <= reference.slice_rows <= rows


def test_predictions_are_the_same_in_slices(trained: WineModel) -> None:
    """A wrong label in a later slice is found."""
    X, labels = trained.dataset.X, trained.estimator.predict(trained.dataset.X).astype(str)
    labels[-1] = "9"
    probabilities = trained.estimator.predict_proba(X)
    reference = reference_of(trained, labels.tolist(), probabilities, slice_rows=50)
    comparison = compare(load_model(trained.built.artifact).classifier, reference)
    assert comparison[:2] == (178, 1)
    assert comparison.max_difference < 1e-6
