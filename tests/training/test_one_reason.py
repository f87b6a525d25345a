"""What cannot be published ends in one `TrainingError` that says what to change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier, RadiusNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from training.artifact import build_artifact
from training.errors import MAX_CHARACTERS, NotExportable, TrainingError
from training.publish import publish

ROWS = 60
random = np.random.default_rng(0)
X = random.normal(size=(ROWS, 2))
FRAME = pd.DataFrame(X, columns=["a", "b"])
Y = (X[:, 0] > 0).astype(np.int64)

Case = Callable[[], tuple[Any, ...]]  # the arguments of publish


class Doubled(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A transformer of the user's own."""

    def fit(self, X: Any, y: Any = None) -> Doubled:
        """Remember the width."""
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: Any) -> Any:
        """Multiply by two."""
        return np.asarray(X) * 2


class Broken(LogisticRegression):  # type: ignore[misc]
    """A classifier that fails, with a long message of several lines."""

    def predict(self, X: Any) -> Any:
        """Raise an error."""
        raise RuntimeError("the first line\n" + "and many others\n" * 1000)


def fitted(estimator: Any = None, samples: Any = X) -> Any:
    """Fit an estimator, by default a logistic regression, on the labels."""
    return (LogisticRegression() if estimator is None else estimator).fit(samples, Y)


def unfitted_part() -> Any:
    """Make a pipeline whose last step alone has been fitted."""
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    pipeline[-1].fit(X, Y)
    return pipeline


def encoded(values: Any) -> tuple[Any, ...]:
    """Encode a column of values."""
    samples = pd.DataFrame({"column": pd.Series(values, dtype=object), "number": X[:, 0]})
    encoder = OneHotEncoder(handle_unknown="ignore")
    transformer = make_column_transformer((encoder, ["column"]), remainder="passthrough")
    return fitted(make_pipeline(transformer, LogisticRegression()), samples), samples, Y


CASES: dict[str, tuple[Case, str]] = {
    "a class": (lambda: (LogisticRegression, X, Y), "is a class: pass an instance"),
    "no estimator": (lambda: ({"a": 1}, X, Y), "dict is not a classifier"),
    "None": (lambda: (None, X, Y), "not a classifier"),
    "a regressor": (lambda: (fitted(LinearRegression()), X, Y), "not a classifier"),
    "unfitted": (lambda: (LogisticRegression(), X, Y), "has not been fitted"),
    "an unfitted part": (lambda: (unfitted_part(), X, Y), "StandardScaler instance is not fitted"),
    "refit=False": (
        lambda: (fitted(GridSearchCV(LogisticRegression(), {"C": [1.0]}, refit=False)), X, Y),
        "fit it with refit=True",
    ),
    "no neighbors": (
        lambda: (fitted(RadiusNeighborsClassifier(0.1)), X, Y),
        "set outlier_label, or a larger radius",
    ),
    "several outputs": (
        lambda: (KNeighborsClassifier().fit(X, np.c_[Y, Y]), X, np.c_[Y, Y]),
        "has more than one output",
    ),
    "a failing estimator": (lambda: (fitted(Broken()), X, Y), "the first line"),
    "an own transformer": (
        lambda: (fitted(make_pipeline(Doubled(), LogisticRegression())), X, Y),
        "Doubled is not supported",
    ),
    "a lambda": (
        lambda: (
            fitted(make_pipeline(FunctionTransformer(lambda X: X), LogisticRegression())),
            X,
            Y,
        ),
        "<lambda>",
    ),
    "no rows": (lambda: (fitted(None, FRAME), FRAME[:0], Y[:0]), "has no rows"),
    "no columns": (lambda: (fitted(), pd.DataFrame(index=range(ROWS)), Y), "has no columns"),
    "no samples": (lambda: (fitted(), X[:0], Y[:0]), "not empty"),
    "no data": (lambda: (fitted(), None, Y), "must be samples by features"),
    "one dimension": (lambda: (fitted(), X[:, 0], Y), "must be samples by features"),
    "missing texts": (lambda: (fitted(), ["x", None], [0, 1]), "replace missing texts"),
    "ragged samples": (lambda: (fitted(), [[1.0, 2.0], [3.0]], [0, 1]), "different lengths"),
    "sparse": (lambda: (fitted(), sparse.csr_matrix(X), Y), "sparse"),
    "infinite": (
        lambda: (fitted(DecisionTreeClassifier()), np.full((ROWS, 2), np.inf), Y),
        "infinite",
    ),
    "too few columns": (lambda: (fitted(), X[:, :1], Y), "was fitted on 2"),
    "no such column": (lambda: (fitted(None, FRAME), FRAME[["a"]], Y), "on: b"),
    "a column twice": (
        lambda: (fitted(None, FRAME), pd.DataFrame(X, columns=["a", "a"]), Y),
        "more than one column named 'a'",
    ),
    "dates": (
        lambda: (fitted(None, FRAME), FRAME.assign(b=pd.Timestamp(0)), Y),
        "'b' holds datetime64",
    ),
    "durations": (
        lambda: (fitted(None, FRAME), FRAME.assign(b=pd.Timedelta(1)), Y),
        "'b' holds timedelta64",
    ),
    "complex": (lambda: (fitted(None, FRAME), FRAME.assign(b=1j), Y), "'b' holds complex"),
    "bytes": (lambda: (fitted(None, FRAME), FRAME.assign(b=b"x"), Y), "'b' holds bytes"),
    "lists": (
        lambda: (fitted(None, FRAME), FRAME.assign(b=pd.Series([[1]] * ROWS)), Y),
        "'b' holds list",
    ),
    "nothing": (
        lambda: (fitted(None, FRAME), FRAME.assign(b=pd.Series([None] * ROWS, dtype=object)), Y),
        "'b' holds no value",
    ),
    "large integers": (
        lambda: (fitted(None, FRAME), FRAME.assign(b=2**53), Y),
        "make it text",
    ),
    "large integers as objects": (
        lambda: (fitted(None, FRAME), FRAME.assign(b=pd.Series([2**70] * ROWS, dtype=object)), Y),
        "make it text",
    ),
    "None and NaN": (lambda: encoded(["x", None, float("nan")] * (ROWS // 3)), "None and NaN"),
    "text and numbers": (
        lambda: (fitted(None, FRAME), FRAME.assign(b=["x", 1] * 30), Y),
        "int and",
    ),
    "names as text": (lambda: (fitted(), X, Y, ["a"]), "1 feature names for 2 columns"),
    "too few names": (lambda: (fitted(), X, Y, "ab"), "must be a list of names"),
    "the same names": (lambda: (fitted(), X, Y, ["a", "a"]), "more than one column named 'a'"),
    "too few labels": (lambda: (fitted(), X, Y[:5]), "but y has 5 labels"),
    "no labels": (lambda: (fitted(), X, None), "a label for each sample"),
    "missing labels": (lambda: (fitted(), X, [None] * ROWS), "missing values among the labels"),
    "other labels": (lambda: (fitted(), X, ["cat"] * ROWS), "whose classes are [0, 1]"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CASES)
def test_the_error_is_one_line_that_says_what_to_change(name: str, tmp_path: Path) -> None:
    """Of at most `MAX_CHARACTERS`; nothing is written."""
    make_arguments, reason = CASES[name]
    estimator, samples, labels, *names = make_arguments()
    options = {"feature_names": names[0]} if names else {}
    with pytest.raises(TrainingError) as raised:
        publish(estimator, samples, labels, to=str(tmp_path / "store"), **options)
    message = str(raised.value)
    assert reason in message
    assert len(message) <= MAX_CHARACTERS
    assert "\n" not in message
    assert not (tmp_path / "store").exists()


def test_all_that_was_tried_is_in_attempts() -> None:
    """With the whole reasons; the message has the best of them."""
    estimator = fitted(make_pipeline(Doubled(), LogisticRegression()))
    with pytest.raises(NotExportable) as raised:
        build_artifact(estimator, X, Y, name="own")
    strategies = [attempt.strategy for attempt in raised.value.attempts]
    assert strategies[0] == "onnx float64"
    assert strategies[-1] == "sklearn"
    assert all(attempt.rejection for attempt in raised.value.attempts)


def test_an_unexpected_error_is_the_cause_of_a_training_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever a library raises."""

    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("training.artifact.build_manifest", fail)
    with pytest.raises(TrainingError, match="MemoryError") as raised:
        build_artifact(fitted(), X, Y, name="model")
    assert isinstance(raised.value.__cause__, MemoryError)


def test_a_model_that_is_too_large_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers would not load it; the setting is theirs."""
    forest = fitted(RandomForestClassifier(50, random_state=0))
    monkeypatch.setenv("MODEL_MAX_BYTES", "10000")
    with pytest.raises(TrainingError, match="a server loads at most 10,000: fit a smaller model"):
        build_artifact(forest, X, Y, name="forest")
    monkeypatch.delenv("MODEL_MAX_BYTES")
    assert len(build_artifact(forest, X, Y, name="forest").artifact) > 10_000
