"""Transformers of numbers become ONNX that returns what scikit-learn's `transform` returns."""

from __future__ import annotations

import re
import warnings
from array import array
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.special
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import Birch, BisectingKMeans, FeatureAgglomeration, KMeans, MiniBatchKMeans
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.cross_decomposition import CCA, PLSSVD, PLSCanonical, PLSRegression
from sklearn.decomposition import (
    NMF,
    PCA,
    FactorAnalysis,
    FastICA,
    IncrementalPCA,
    KernelPCA,
    MiniBatchSparsePCA,
    SparsePCA,
    TruncatedSVD,
)
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomTreesEmbedding,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.feature_selection import (
    RFE,
    RFECV,
    GenericUnivariateSelect,
    SelectFdr,
    SelectFpr,
    SelectFromModel,
    SelectFwe,
    SelectKBest,
    SelectPercentile,
    SequentialFeatureSelector,
    VarianceThreshold,
)
from sklearn.impute import IterativeImputer, KNNImputer, MissingIndicator, SimpleImputer
from sklearn.kernel_approximation import (
    AdditiveChi2Sampler,
    Nystroem,
    PolynomialCountSketch,
    RBFSampler,
    SkewedChi2Sampler,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Perceptron
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsRegressor, NeighborhoodComponentsAnalysis
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import FeatureUnion, make_pipeline, make_union
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
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
from sklearn.random_projection import GaussianRandomProjection, SparseRandomProjection
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import all_estimators

from chalicelib.inputs.samples import Samples
from chalicelib.inputs.signature import Signature
from chalicelib.runtimes.onnx_classifier import OnnxClassifier
from tests.support.transforming import Matrix, run_transformer
from training.artifact import build_artifact
from training.data.signature import infer_signature
from training.data.table import Table
from training.errors import NotExportable
from training.export.converters.registry import TRANSFORMS
from training.export.onnx_export import Strategy, write_onnx


def make_numbers() -> Matrix:
    """Numbers with ties, a constant column, negative zeros and large and small values."""
    random = np.random.default_rng(0)
    columns = [
        random.normal(40, 10, 120),
        random.integers(-3, 9, 120).astype(float),  # many ties
        random.exponential(1000, 120),
        np.full(120, 7.5),
        np.round(random.normal(0, 1, 120), 1) * 1e-3,
        random.choice([0.0, -0.0, 1.0], 120),
    ]
    return np.column_stack(columns)


NUMBERS = make_numbers()
POSITIVE = np.abs(NUMBERS) + 0.25
POSITIVE[:, 3] = POSITIVE[:, 0] / POSITIVE[:, 1]
Y = np.where(NUMBERS[:, 0] + NUMBERS[:, 1] > 43, "yes", "no")
CODES = (Y == "yes").astype(float)
GAPS = np.where(np.random.default_rng(1).random(NUMBERS.shape) < 0.2, np.nan, NUMBERS)
CONTINUOUS = np.random.default_rng(2).normal(size=(150, 4))  # no two distances are equal
CONTINUOUS[np.random.default_rng(3).random(CONTINUOUS.shape) < 0.2] = np.nan


def edge_rows(X: Matrix) -> Matrix:
    """The training rows, rows beyond their range, halfway between them, and next to them."""
    low, high = np.nanmin(X, axis=0), np.nanmax(X, axis=0)
    span = high - low
    beyond = np.array([low - span, high + 2 * span, low - 1e-9, high + 1e-9])
    return np.vstack(
        [
            X,
            (X[1:] + X[:-1]) / 2,
            np.nextafter(X, np.inf),
            np.nextafter(X, -np.inf),
            beyond,
            (beyond[:2] + high) / 2,
        ]
    )


def dense(X: Any) -> Matrix:
    """Return a matrix of float64."""
    result: Matrix = np.asarray(X.toarray() if hasattr(X, "toarray") else X, dtype=np.float64)
    return result


def fit(transformer: Any, X: Any, y: Any = Y) -> Any:
    """Fit a copy, without warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return clone(transformer).fit(X, y)


def expect(transformer: Any, X: Any) -> Matrix:
    """Return scikit-learn's result."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dense(transformer.transform(X))


# What is computed by the same operations in the same order is equal to the last bit.
EXACT = [
    StandardScaler(),
    StandardScaler(with_mean=False),
    StandardScaler(with_std=False),
    StandardScaler(with_mean=False, with_std=False),
    MinMaxScaler(),
    MinMaxScaler(feature_range=(-2, 5), clip=True),
    MaxAbsScaler(),
    RobustScaler(),
    RobustScaler(with_centering=False, quantile_range=(5, 95), unit_variance=True),
    RobustScaler(with_scaling=False),
    Normalizer(norm="max"),
    Binarizer(),
    Binarizer(threshold=0.001),
    Binarizer(threshold=-1.0),
    PolynomialFeatures(),
    PolynomialFeatures(3, include_bias=False),
    PolynomialFeatures(3, interaction_only=True),
    PolynomialFeatures((2, 3)),
    PolynomialFeatures((0, 1)),
    PolynomialFeatures((2, 2), include_bias=False, interaction_only=True, order="F"),
    PolynomialFeatures(0),
    *[
        KBinsDiscretizer(4, encode=encode, strategy=strategy, quantile_method="linear")
        for encode in ("onehot", "onehot-dense", "ordinal")
        for strategy in ("uniform", "quantile", "kmeans")
    ],
    KBinsDiscretizer(
        [2, 3, 4, 5, 6, 7], encode="ordinal", dtype=np.float32, quantile_method="linear"
    ),
    QuantileTransformer(n_quantiles=50),
    QuantileTransformer(n_quantiles=7),
    SplineTransformer(),
    SplineTransformer(n_knots=4, degree=0, extrapolation="continue"),
    SplineTransformer(n_knots=4, degree=1),
    SplineTransformer(n_knots=7, degree=2, include_bias=False, order="F"),
    SplineTransformer(sparse_output=True),
    SplineTransformer(extrapolation="continue"),
    SplineTransformer(extrapolation="periodic"),
    SelectKBest(k=2),
    SelectKBest(k="all"),
    SelectPercentile(percentile=50),
    SelectFpr(alpha=0.5),
    SelectFdr(alpha=0.5),
    SelectFwe(alpha=0.5),
    GenericUnivariateSelect(mode="k_best", param=2),
    VarianceThreshold(),
    VarianceThreshold(threshold=1.0),
    SelectFromModel(DecisionTreeClassifier(random_state=0)),
    RFE(DecisionTreeClassifier(random_state=0), n_features_to_select=2),
    RFECV(DecisionTreeClassifier(random_state=0), cv=3),
    SequentialFeatureSelector(DecisionTreeClassifier(random_state=0), n_features_to_select=2, cv=2),
    FunctionTransformer(),
    FunctionTransformer(validate=True),
    FunctionTransformer(np.abs),
    FunctionTransformer(np.square, validate=True),
    FunctionTransformer(np.sign),
    FunctionTransformer(np.negative),
    FunctionTransformer(np.floor),
    FunctionTransformer(np.ceil),
    FunctionTransformer(np.rint),
    FunctionTransformer(np.isnan),
    FunctionTransformer(np.clip, kw_args={"a_min": -1, "a_max": 40}),
    FunctionTransformer(np.clip, kw_args={"a_min": 0, "a_max": None}),
    FunctionTransformer(np.nan_to_num),
    RandomTreesEmbedding(5, random_state=0),
    RandomTreesEmbedding(5, max_leaf_nodes=6, sparse_output=False, random_state=0),
    FeatureUnion([("a", StandardScaler()), ("b", "passthrough"), ("c", "drop")]),
    FeatureUnion([("a", StandardScaler()), ("b", MinMaxScaler())], transformer_weights={"b": 0.3}),
    ColumnTransformer(
        [("a", StandardScaler(), [0, 2]), ("b", "passthrough", slice(3, 5)), ("c", "drop", [5])],
        remainder=MinMaxScaler(),
        transformer_weights={"a": 2.5, "b": 0.1},
    ),
    ColumnTransformer(
        [
            ("a", make_pipeline(RobustScaler(), PolynomialFeatures()), [-1, 0]),
            ("b", "passthrough", np.array([False, True, False, False, True, False])),
            ("none", StandardScaler(), []),
        ],
        sparse_threshold=0,
    ),
    ColumnTransformer(
        [("nested", ColumnTransformer([("x", MinMaxScaler(), [1])], remainder="drop"), [2, 3])],
        remainder="passthrough",
    ),
]

# What needs matrix products, sums or functions such as the logarithm is rounded differently.
CLOSE = [
    Normalizer(),
    Normalizer(norm="l1"),
    PowerTransformer(),
    PowerTransformer(standardize=False),
    QuantileTransformer(n_quantiles=50, output_distribution="normal"),
    SplineTransformer(extrapolation="linear"),
    SplineTransformer(degree=2, extrapolation="linear", sparse_output=True),
    SplineTransformer(knots="quantile", extrapolation="linear", include_bias=False),
    PCA(),
    PCA(2, whiten=True),
    IncrementalPCA(3),
    TruncatedSVD(2),
    FastICA(3, random_state=0, whiten="unit-variance"),
    FactorAnalysis(2, random_state=0),
    SparsePCA(2, random_state=0, max_iter=10),
    MiniBatchSparsePCA(2, random_state=0, max_iter=10),
    LinearDiscriminantAnalysis(),
    LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto"),
    NeighborhoodComponentsAnalysis(2, max_iter=5, random_state=0),
    GaussianRandomProjection(3, random_state=0),
    SparseRandomProjection(3, random_state=0),
    FeatureAgglomeration(3),
    make_pipeline(MaxAbsScaler(), FunctionTransformer(np.expm1)),
    FunctionTransformer(np.sin),
    FunctionTransformer(np.cos),
    FunctionTransformer(np.tanh),
    FunctionTransformer(np.cbrt),
    FunctionTransformer(scipy.special.expit),
    make_pipeline(StandardScaler(), KernelPCA(3)),
    make_pipeline(StandardScaler(), KernelPCA(3, kernel="rbf", gamma=0.1)),
    make_pipeline(StandardScaler(), KernelPCA(3, kernel="poly", degree=2)),
    make_pipeline(StandardScaler(), KernelPCA(3, kernel="sigmoid", gamma=0.01)),
    make_pipeline(StandardScaler(), KernelPCA(3, kernel="cosine")),
    make_pipeline(StandardScaler(), Nystroem(n_components=20, random_state=0)),
    make_pipeline(StandardScaler(), Nystroem(kernel="laplacian", n_components=9, random_state=0)),
    make_pipeline(
        StandardScaler(),
        Nystroem(kernel="polynomial", degree=2, coef0=1, n_components=9, random_state=0),
    ),
    make_pipeline(StandardScaler(), RBFSampler(n_components=20, random_state=0)),
    make_pipeline(StandardScaler(), RBFSampler(gamma="scale", random_state=0)),
    make_pipeline(StandardScaler(), PolynomialCountSketch(n_components=12, random_state=0)),
    make_pipeline(
        MinMaxScaler(), PolynomialCountSketch(degree=3, coef0=1, gamma=2.0, random_state=0)
    ),
    make_pipeline(StandardScaler(), KMeans(3, random_state=0, n_init=1)),
    make_pipeline(StandardScaler(), MiniBatchKMeans(3, random_state=0, n_init=1)),
    make_pipeline(StandardScaler(), BisectingKMeans(3, random_state=0)),
    make_pipeline(StandardScaler(), Birch(threshold=2.0, n_clusters=3)),
    make_pipeline(MinMaxScaler(clip=True), BernoulliRBM(4, n_iter=2, random_state=0)),
    StackingClassifier(
        [
            ("a", DecisionTreeClassifier(max_depth=2)),
            ("b", make_pipeline(StandardScaler(), PCA(2), LogisticRegression())),
        ],
        cv=2,
        passthrough=True,
    ),
    VotingClassifier(
        [
            ("a", DecisionTreeClassifier(max_depth=2)),
            ("b", ExtraTreesClassifier(3, random_state=0)),
        ],
        voting="soft",
    ),
    VotingClassifier(
        [("a", DecisionTreeClassifier(max_depth=2)), ("b", LinearDiscriminantAnalysis())]
    ),
]

CLOSE_FOR_POSITIVE_NUMBERS = [
    PowerTransformer(method="box-cox"),
    PowerTransformer(method="box-cox", standardize=False),
    AdditiveChi2Sampler(),
    AdditiveChi2Sampler(sample_steps=3, sample_interval=0.3),
    AdditiveChi2Sampler(sample_steps=1),
    SkewedChi2Sampler(skewedness=0.01, n_components=9, random_state=0),
    make_pipeline(MaxAbsScaler(), Nystroem(kernel="chi2", n_components=9, random_state=0)),
    make_pipeline(MaxAbsScaler(), Nystroem(kernel="additive_chi2", n_components=9, random_state=0)),
    FunctionTransformer(np.log),
    FunctionTransformer(np.log1p, validate=True),
    FunctionTransformer(np.log2),
    FunctionTransformer(np.log10),
    FunctionTransformer(np.sqrt),
    FunctionTransformer(np.reciprocal),
    make_pipeline(MaxAbsScaler(), FunctionTransformer(np.exp)),
    make_pipeline(MaxAbsScaler(), FunctionTransformer(np.exp2)),
]

EXACT_WITH_GAPS = [
    StandardScaler(),
    MinMaxScaler(clip=True),
    MaxAbsScaler(),
    RobustScaler(),
    QuantileTransformer(n_quantiles=30),
    FunctionTransformer(np.abs),
    FunctionTransformer(np.sign),
    FunctionTransformer(np.clip, kw_args={"a_min": 0, "a_max": 4}),
    FunctionTransformer(np.nan_to_num, kw_args={"nan": -1.0}),
    SplineTransformer(handle_missing="zeros"),
    SplineTransformer(handle_missing="zeros", extrapolation="periodic", include_bias=False),
    SimpleImputer(),
    SimpleImputer(strategy="median", add_indicator=True),
    SimpleImputer(strategy="most_frequent"),
    SimpleImputer(strategy="constant", fill_value=-1),
    make_pipeline(
        SimpleImputer(strategy="constant", fill_value=-9), SimpleImputer(missing_values=-9)
    ),
    MissingIndicator(features="all"),
    MissingIndicator(error_on_new=False),
    make_union(SimpleImputer(), MissingIndicator(error_on_new=False)),
    VarianceThreshold(),
]

CLOSE_WITH_GAPS = [
    PowerTransformer(),
    QuantileTransformer(n_quantiles=30, output_distribution="normal"),
    IterativeImputer(max_iter=4, random_state=0),
    IterativeImputer(LinearRegression(), max_iter=3, add_indicator=True, imputation_order="roman"),
    IterativeImputer(max_iter=3, min_value=0, max_value=50, skip_complete=True),
    IterativeImputer(max_iter=3, n_nearest_features=2, random_state=0),
    IterativeImputer(ExtraTreesRegressor(3, random_state=0), max_iter=2),
    IterativeImputer(max_iter=0),
]


def name_of(transformer: Any) -> str:
    """Name a test after its transformer, alike in each process: without addresses."""
    return re.sub(r" at 0x\w+", "", " ".join(str(transformer).split()))[:90]


@pytest.mark.parametrize("transformer", EXACT, ids=name_of)
def test_is_equal_to_the_last_bit(transformer: Any) -> None:
    """The same operations in the same order round in the same way."""
    fitted, rows = fit(transformer, NUMBERS), edge_rows(NUMBERS)
    np.testing.assert_array_equal(run_transformer(fitted, rows), expect(fitted, rows))


@pytest.mark.parametrize("transformer", CLOSE, ids=name_of)
def test_is_equal_up_to_rounding(transformer: Any) -> None:
    """Sums and functions differ in the last digits only."""
    y: Any = Y
    fitted, rows = fit(transformer, NUMBERS, y), edge_rows(NUMBERS)
    assert_close(run_transformer(fitted, rows), expect(fitted, rows))


@pytest.mark.parametrize("transformer", CLOSE_FOR_POSITIVE_NUMBERS, ids=name_of)
def test_is_equal_up_to_rounding_for_positive_numbers(transformer: Any) -> None:
    """So do those that are defined for positive numbers."""
    fitted, rows = fit(transformer, POSITIVE), edge_rows(POSITIVE)
    rows = rows[(rows > 0).all(axis=1)]
    assert_close(run_transformer(fitted, rows), expect(fitted, rows))


@pytest.mark.parametrize(
    "transformer", [PLSRegression(), PLSCanonical(1), CCA(1), PLSSVD(1)], ids=name_of
)
def test_is_equal_up_to_rounding_for_regression_targets(transformer: Any) -> None:
    """So do those that are fitted on numbers as targets."""
    fitted, rows = fit(transformer, NUMBERS, CODES), edge_rows(NUMBERS)
    assert_close(run_transformer(fitted, rows), expect(fitted, rows))


@pytest.mark.parametrize("transformer", EXACT_WITH_GAPS, ids=name_of)
def test_missing_values_are_treated_as_scikit_learn_does(transformer: Any) -> None:
    """NaN passes through, or is replaced or marked."""
    fitted, rows = fit(transformer, GAPS), edge_rows(GAPS)
    np.testing.assert_array_equal(run_transformer(fitted, rows), expect(fitted, rows))


@pytest.mark.parametrize("transformer", CLOSE_WITH_GAPS, ids=name_of)
def test_missing_values_are_imputed_as_scikit_learn_does(transformer: Any) -> None:
    """Imputed values differ in the last digits only."""
    fitted, rows = fit(transformer, GAPS), edge_rows(GAPS)[: len(GAPS) * 2 - 1]
    assert_close(run_transformer(fitted, rows), expect(fitted, rows))


@pytest.mark.parametrize(
    "transformer",
    [
        KNNImputer(),
        KNNImputer(n_neighbors=3, add_indicator=True),
        KNNImputer(weights="distance"),
        KNNImputer(n_neighbors=500),
    ],
    ids=name_of,
)
def test_missing_values_are_imputed_from_the_same_neighbours(transformer: Any) -> None:
    """Neighbours without ties are the same."""
    fitted = fit(transformer, CONTINUOUS, CONTINUOUS[:, 0])
    rows = CONTINUOUS[:-1] * 0.9 + np.nan_to_num(CONTINUOUS[1:]) * 0.1
    rows[0] = np.nan
    assert_close(run_transformer(fitted, rows), expect(fitted, rows))


def test_many_samples_are_compared_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The distances of all samples at once would need too much memory."""
    imputer = fit(KNNImputer(keep_empty_features=True), CONTINUOUS, CONTINUOUS[:, 0])
    at_once = run_transformer(imputer, CONTINUOUS)
    monkeypatch.setattr("training.export.converters.impute._MAX_SAMPLES_AT_ONCE", 10)
    np.testing.assert_allclose(run_transformer(imputer, CONTINUOUS), at_once, rtol=1e-12)


def assert_close(actual: Matrix, expected: Matrix) -> None:
    """Check that results are equal, relative to each column's largest value."""
    scale = np.nanmax(np.abs(expected), axis=0, initial=1.0)
    np.testing.assert_allclose(actual / scale, expected / scale, rtol=1e-9, atol=1e-9)


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


def test_columns_that_were_empty_when_fitted_are_dropped_or_kept() -> None:
    """As `keep_empty_features` says."""
    X = GAPS.copy()
    X[:, 1] = np.nan
    for imputer in (
        SimpleImputer(),
        SimpleImputer(keep_empty_features=True, add_indicator=True),
        KNNImputer(n_neighbors=500),
        KNNImputer(n_neighbors=500, keep_empty_features=True),
        IterativeImputer(max_iter=2),
        IterativeImputer(max_iter=2, keep_empty_features=True, add_indicator=True),
    ):
        fitted = fit(imputer, X)
        assert_close(run_transformer(fitted, X), expect(fitted, X))


@pytest.mark.parametrize(
    "transformer",
    [
        FunctionTransformer(np.spacing),
        FunctionTransformer(np.clip, kw_args={"a_min": 0, "a_max": 1, "dtype": float}),
        SplineTransformer(extrapolation="error"),
        SplineTransformer(degree=1, extrapolation="linear"),
        SplineTransformer(degree=0),
        Nystroem(kernel=lambda a, b: float(a @ b), n_components=4),
        FeatureAgglomeration(2, pooling_func=np.max),
        IterativeImputer(sample_posterior=True, max_iter=2),
        IterativeImputer(KNeighborsRegressor(), max_iter=2),
        KNNImputer(weights=lambda distances: 1 / (1 + distances)),
    ],
    ids=name_of,
)
def test_what_is_not_supported_is_not_converted(transformer: Any) -> None:
    """It falls back to scikit-learn."""
    fitted = fit(transformer, NUMBERS)
    with pytest.raises(NotImplementedError, match=type(transformer).__name__):
        run_transformer(fitted, NUMBERS)


@pytest.mark.parametrize(
    "transformer",
    [NMF(2, max_iter=500), SplineTransformer(degree=1, extrapolation="linear")],
    ids=name_of,
)
def test_what_is_not_converted_is_served_by_scikit_learn(transformer: Any) -> None:
    """From a .skops file, exactly."""
    X = NUMBERS[:, :2]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator = make_pipeline(MinMaxScaler(clip=True), transformer, LogisticRegression())
        built = build_artifact(estimator.fit(X, Y), X, Y, name="m")
    assert (built.runtime, built.comparison.label_mismatches) == ("sklearn", 0)
    assert "not supported" in str(built.attempts[0].rejection)


def test_every_transformer_of_scikit_learn_is_converted_or_known_not_to_be() -> None:
    """A new one in a later release shows up here."""
    names = {name for name, _ in all_estimators("transformer")}
    converted = {getattr(cls, "__name__", cls) for cls in TRANSFORMS}
    assert names - converted <= NOT_CONVERTED
    assert not NOT_CONVERTED & converted


NOT_CONVERTED = {
    # They solve a problem for each sample, or embed only what they were fitted on.
    *("DictionaryLearning", "MiniBatchDictionaryLearning", "SparseCoder", "NMF", "MiniBatchNMF"),
    *("LatentDirichletAllocation", "Isomap", "LocallyLinearEmbedding", "TSNE"),
    # They do not transform columns of numbers or texts, or not to columns.
    *("DictVectorizer", "FeatureHasher", "LabelBinarizer", "LabelEncoder", "MultiLabelBinarizer"),
    "PatchExtractor",
    # Regressors.
    *("IsotonicRegression", "StackingRegressor", "VotingRegressor"),
}


def test_values_that_scikit_learn_rejects_have_no_probabilities() -> None:
    """A server reports NaN probabilities as an invalid sample."""
    estimator = make_pipeline(FunctionTransformer(np.log), LogisticRegression())
    classifier, _ = export_onnx(estimator.fit(POSITIVE, Y), POSITIVE)
    prediction = classifier.predict(to_samples(np.zeros((1, 6))))
    assert np.isnan(np.array(prediction.probabilities)).all()


def test_a_factor_of_a_matrix_product_is_not_rounded() -> None:
    """ONNX Runtime would merge both into an operator whose factor is float32."""
    fitted = fit(FeatureUnion([("a", PCA(1))], transformer_weights={"a": 1 / 3}), NUMBERS)
    expected = expect(fitted, NUMBERS)
    np.testing.assert_allclose(run_transformer(fitted, NUMBERS), expected, rtol=1e-12, atol=1e-12)


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
