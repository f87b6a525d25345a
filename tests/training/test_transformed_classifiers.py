"""Classifiers after transformers become ONNX as a whole."""

from __future__ import annotations

import warnings
from array import array
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import PCA, KernelPCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomTreesEmbedding, StackingClassifier, VotingClassifier
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.feature_selection import SelectKBest
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier

from chalicelib.inputs.samples import Samples
from chalicelib.inputs.signature import Signature
from chalicelib.runtimes.onnx_classifier import OnnxClassifier
from tests.support.transformer_cases import CONTINUOUS, GAPS, NUMBERS, POSITIVE, Y, name_of
from tests.support.transforming import Matrix
from training.artifact import build_artifact
from training.data.signature import infer_signature
from training.data.table import Table
from training.errors import NotExportable
from training.export.onnx_export import Strategy, write_onnx

BINS = KBinsDiscretizer(4, encode="onehot-dense", quantile_method="linear")
NORMAL = QuantileTransformer(n_quantiles=9, output_distribution="normal")
TREE = DecisionTreeClassifier(max_depth=4, random_state=0)
LINEAR = make_pipeline(StandardScaler(), LogisticRegression())


SCALED = make_union(StandardScaler(), MinMaxScaler(clip=True), Binarizer())
EXPANDED = make_union(PolynomialFeatures(3), SplineTransformer())
BINNED = make_union(BINS, QuantileTransformer(n_quantiles=9))
IMPUTED = make_pipeline(SimpleImputer(add_indicator=True), SelectKBest(k=3))
PROJECTED = make_union(
    KernelPCA(2, kernel="rbf"),
    Nystroem(n_components=9, random_state=0),
    RandomTreesEmbedding(4, random_state=0, sparse_output=False),
    LinearDiscriminantAnalysis(),
    FunctionTransformer(np.tanh),
)


@pytest.mark.parametrize(
    ("transformer", "X"),
    [(SCALED, NUMBERS), (EXPANDED, NUMBERS), (BINNED, NUMBERS), (IMPUTED, GAPS)],
    ids=["scaled", "expanded", "binned", "imputed"],
)
def test_trees_of_transformed_features_go_to_onnx(transformer: Any, X: Matrix) -> None:
    """A tree tells numbers apart that differ in the last bit."""
    assert_onnx(make_pipeline(transformer, TREE), X)


@pytest.mark.parametrize(
    ("transformer", "X"),
    [
        (make_union(SCALED, EXPANDED, BINNED, Normalizer()), NUMBERS),
        (make_union(PowerTransformer(), NORMAL), NUMBERS),
        (PowerTransformer(method="box-cox"), POSITIVE),
        (make_pipeline(IMPUTED, PCA(2)), GAPS),
        (IterativeImputer(max_iter=2), GAPS),
        (make_pipeline(StandardScaler(), PROJECTED), NUMBERS),
    ],
    ids=["scaled", "normal", "box-cox", "imputed", "iterative", "projected"],
)
def test_linear_classifiers_of_transformed_features_go_to_onnx(transformer: Any, X: Matrix) -> None:
    """Where the last digits differ, labels and probabilities are still equal."""
    assert_onnx(make_pipeline(transformer, LINEAR), X)


def test_neighbours_of_continuous_features_go_to_onnx() -> None:
    """Where no distances are equal, KNNImputer is exact."""
    y = np.where(np.nan_to_num(CONTINUOUS).sum(axis=1) > 0, "yes", "no")
    assert_onnx(make_pipeline(KNNImputer(), LINEAR), CONTINUOUS, y)


def make_frame() -> pd.DataFrame:
    """A frame with floats of both sizes, integers, booleans and texts, with gaps."""
    random = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "age": GAPS[:, 0],
            "size": NUMBERS[:, 4].astype(np.float32),
            "count": NUMBERS[:, 1].astype(np.int64),
            "member": NUMBERS[:, 5] > 0,
            "city": random.choice(["a", "b", "?", "é"], len(NUMBERS)).astype(object),
        }
    )
    frame.loc[random.random(len(frame)) < 0.1, "city"] = np.nan
    return frame


FRAME = make_frame()
FRAME_COLUMNS = ColumnTransformer(
    [
        ("scaled", make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), ["age"]),
        ("binned", KBinsDiscretizer(3, encode="onehot-dense", quantile_method="linear"), [2]),
        ("size", RobustScaler(), make_column_selector("size")),
        ("city", OneHotEncoder(handle_unknown="ignore"), np.array([False] * 4 + [True])),
    ],
    remainder=MinMaxScaler(),
    transformer_weights={"scaled": 0.5, "remainder": 2.0},
)
FRAME_TREE = make_pipeline(FRAME_COLUMNS, TREE)
FRAME_PIPELINE = make_pipeline(FRAME_COLUMNS, LogisticRegression())


@pytest.mark.parametrize(
    "classifier",
    [
        make_pipeline(ColumnTransformer([("nested", FRAME_COLUMNS, slice(0, 5))]), TREE),
        CalibratedClassifierCV(FRAME_PIPELINE, cv=2),
        VotingClassifier([("a", FRAME_PIPELINE), ("b", FRAME_TREE)], voting="soft"),
        StackingClassifier([("a", FRAME_PIPELINE)], cv=2),
        OneVsRestClassifier(GridSearchCV(FRAME_PIPELINE, {"logisticregression__C": [1.0]}, cv=2)),
    ],
    ids=name_of,
)
def test_columns_of_a_frame_go_to_onnx_at_any_depth(classifier: Any) -> None:
    """Columns are selected by name, number, slice, mask and selector."""
    assert_onnx(classifier, FRAME)


@pytest.mark.parametrize(
    "imputer",
    [
        SimpleImputer(strategy="most_frequent"),
        SimpleImputer(strategy="constant", fill_value="none", add_indicator=True),
        make_pipeline(
            SimpleImputer(strategy="constant", fill_value="?"),
            SimpleImputer(missing_values="?", strategy="most_frequent"),
        ),
    ],
    ids=name_of,
)
def test_missing_texts_are_imputed(imputer: Any) -> None:
    """Texts are replaced before they are encoded."""
    encoder = make_pipeline(imputer, OneHotEncoder(handle_unknown="ignore"))
    columns = ColumnTransformer([("city", encoder, ["city"])], remainder=SimpleImputer())
    assert_onnx(make_pipeline(columns, LogisticRegression()), FRAME)


def test_integers_and_booleans_of_a_frame_go_to_onnx() -> None:
    """They become float64, as in scikit-learn."""
    frame = FRAME[["count", "member"]]
    assert_onnx(make_pipeline(PolynomialFeatures(), LogisticRegression()), frame)
    assert_onnx(make_pipeline(FunctionTransformer(np.abs), TREE), frame)


def test_a_float32_column_rounds_a_number_before_it_is_compared_with_an_edge() -> None:
    """0.1 is the float32 number that a training row had, and the lower edge of a bin."""
    frame = pd.DataFrame({"x": np.tile(np.arange(4, dtype=np.float32) / 10, 10)})
    bins = KBinsDiscretizer(3, encode="onehot-dense", quantile_method="linear")
    estimator = make_pipeline(bins, LogisticRegression()).fit(frame, np.tile(list("abca"), 10))
    table = Table(frame)
    signature = infer_signature(estimator, table)
    model = write_onnx(
        estimator, signature, Strategy.CONVERTERS, {}, float32_features=table.float32_features
    )
    numbers = np.array([[0.1], [0.2], [0.3]])
    prediction = OnnxClassifier(model.data, signature).predict(to_samples(numbers))
    expected = estimator.predict(pd.DataFrame({"x": numbers[:, 0].astype(np.float32)}))
    assert prediction.labels == expected.tolist()


def test_values_that_scikit_learn_rejects_have_no_probabilities() -> None:
    """A server reports NaN probabilities as an invalid sample."""
    estimator = make_pipeline(FunctionTransformer(np.log), LogisticRegression())
    classifier, _ = export_onnx(estimator.fit(POSITIVE, Y), POSITIVE)
    prediction = classifier.predict(to_samples(np.zeros((1, 6))))
    assert np.isnan(np.array(prediction.probabilities)).all()


def test_a_rejection_needs_probabilities() -> None:
    """Without them there is no way to reject a sample."""
    estimator = make_pipeline(FunctionTransformer(np.log), Perceptron()).fit(POSITIVE, Y)
    with pytest.raises(NotExportable, match="rejects"):
        export_onnx(estimator, POSITIVE)


def export_onnx(estimator: Any, X: Any) -> tuple[OnnxClassifier, Signature]:
    """Convert with this package."""
    table = Table(X)
    signature = infer_signature(estimator, table)
    model = write_onnx(estimator, signature, Strategy.CONVERTERS, table.missing_texts)
    return OnnxClassifier(model.data, signature, model.text_encoders), signature


def to_samples(X: Matrix) -> Samples:
    """Return rows as serving reads them."""
    return Samples(len(X), array("d", np.ascontiguousarray(X).tobytes()), [])


def assert_onnx(estimator: Any, X: Any, y: Any = Y) -> None:
    """Check that the estimator is converted by this package, exactly."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        built = build_artifact(clone(estimator).fit(X, y), X, y, name="m")
    used = built.attempts[-1]
    assert (built.runtime, used.strategy) == ("onnx", "onnx float64"), built.attempts[0].rejection
    assert built.comparison.label_mismatches == 0
    assert built.comparison.max_difference < 1e-6
