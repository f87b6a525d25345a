"""An exported model is compared on samples like those that a request may have."""

from __future__ import annotations

from array import array

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from chalicelib.inputs.samples import Samples
from chalicelib.runtimes.base import Prediction
from tests.support.customers import customers, prepared
from tests.support.models import WineModel
from training.data.signature import UNSEEN_CATEGORY, infer_signature
from training.data.table import Table
from training.export.comparison import Reference, compare
from training.export.comparison_samples import comparison_samples


class WrongClassifier:
    """A classifier with one wrong label and shifted probabilities."""

    runtime = "none"

    def __init__(self, trained: WineModel) -> None:
        self._estimator = trained.estimator

    def predict(self, samples: Samples) -> Prediction:
        """Predict as the estimator does, except for the first label."""
        X = np.array(samples.numbers).reshape(samples.rows, -1)
        labels = [str(label) for label in self._estimator.predict(X)]
        probabilities = self._estimator.predict_proba(X) + 0.25
        return Prediction(["9", *labels[1:]], array("d", probabilities.tobytes()))


def test_counts_label_mismatches_and_measures_the_largest_difference(trained: WineModel) -> None:
    """A comparison with any mismatch is not exact."""
    X = trained.dataset.X
    labels = [str(label) for label in trained.estimator.predict(X)]
    reference = Reference(Table(X).samples, labels, trained.estimator.predict_proba(X))
    comparison = compare(WrongClassifier(trained), reference)
    assert comparison[:2] == (178, 1)
    assert comparison.max_difference == pytest.approx(0.25)
    assert not comparison.is_exact()


def test_missing_values_and_unseen_categories_are_compared_only_if_accepted() -> None:
    """A required feature is never missing, and an unseen category is only in an open one."""
    X, y = customers()
    X = X.astype({"age": float})
    estimator = prepared(LogisticRegression(), impute=True).fit(X, y)
    table = Table(X)
    signature = infer_signature(estimator, table)
    required = {feature.name for feature in signature.features if feature.required}
    assert required == {"member", "size"}
    samples = comparison_samples(table, signature)
    assert np.isnan(samples.numbers).any(axis=0).tolist() == [True, True, False]
    missing = np.array([[value is None for value in row] for row in samples.texts])
    assert missing.any(axis=0).tolist() == [True, False]
    colours = set(samples.texts[:, 0])
    assert {"red", "RED", UNSEEN_CATEGORY, "", None} <= colours  # known, respelt, unseen, missing
    assert len(set(samples.texts[:, 1])) == 3
