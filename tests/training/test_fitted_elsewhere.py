"""An estimator that another release of scikit-learn fitted is recognized, or served exactly.

The files hold estimators that the release in their names fitted on iris and wrote with skops, in an
environment of `training.environments.create_environment`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sklearn
import skops.io
from sklearn.base import ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils import all_estimators

from chalicelib.runtimes.sklearn_classifier import TRUSTED_TYPES
from training.artifact import build_artifact
from training.errors import FittedElsewhere
from training.export.coverage import unfitted_classifiers
from training.export.other_release import check_attribute, check_release

FOLDER = Path(__file__).parent / "fitted_elsewhere"
RECOGNIZED = {
    "AdaBoostClassifier-1.5.2": "algorithm",  # it would predict other classes
    "LogisticRegression-1.5.2": "multi_class",
    "NearestCentroid-1.5.2": "priors",
    "QuadraticDiscriminantAnalysis-1.6.1": "solver",
    "RidgeClassifier-1.6.1": "classes_",
    "Pipeline-1.7.2": "_fill_dtype",  # of its SimpleImputer
}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")


def load(name: str) -> Any:
    """Load an estimator that was fitted elsewhere, as a user does."""
    return skops.io.load(FOLDER / f"{name}.skops", trusted=list(TRUSTED_TYPES))


@pytest.mark.parametrize("name", RECOGNIZED)
def test_it_is_rejected_with_what_to_do(name: str) -> None:
    """Whether it would raise somewhere, or predict something else."""
    X, y = load_iris(return_X_y=True)
    with pytest.raises(FittedElsewhere) as raised:
        build_artifact(load(name), X, y, name="model")
    message = str(raised.value)
    assert f"another release than scikit-learn {sklearn.__version__}" in message
    assert f"as its {RECOGNIZED[name]} shows" in message
    assert "publish its file with python -m training publish --model" in message


def test_a_part_of_another_estimator_is_recognized() -> None:
    """At any depth."""
    X, y = load_iris(return_X_y=True)
    pipeline = make_pipeline(load("LogisticRegression-1.5.2"))
    with pytest.raises(FittedElsewhere, match="multi_class"):
        build_artifact(pipeline, X, y, name="model")


def test_one_whose_attributes_did_not_change_is_served_exactly() -> None:
    """The export is compared with what it predicts here."""
    X, y = load_iris(return_X_y=True)
    assert build_artifact(load("GaussianNB-1.5.2"), X, y, name="model").runtime == "onnx"


@pytest.mark.parametrize("estimator", list(unfitted_classifiers()), ids=lambda e: type(e).__name__)
def test_a_classifier_of_the_installed_release_is_accepted(estimator: ClassifierMixin) -> None:
    """With attributes of the user's own."""
    estimator.note = "mine"
    check_release(estimator)


@pytest.mark.filterwarnings("ignore::FutureWarning")  # some are deprecated
def test_every_class_of_the_installed_release_is_accepted() -> None:
    """If nothing but its parameters is set."""
    made = []
    for _, kind in all_estimators():
        try:
            made.append(kind())
        except TypeError:  # it needs other estimators
            continue
    check_release(made)
    assert len(made) > 150


def test_an_attribute_that_no_release_has_is_not_a_sign_of_another_one() -> None:
    """Nor one of an estimator that is not fitted, or of a class that is not scikit-learn's."""
    parts: list[Any] = [LogisticRegression(), object()]
    for part in parts:
        with pytest.raises(AttributeError) as raised:
            part.coef_  # noqa: B018
        check_attribute(raised.value)
    with pytest.raises(AttributeError) as raised:
        raise AttributeError("by a library")
    check_attribute(raised.value)
