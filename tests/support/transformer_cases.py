"""Transformers of numbers, and the samples that they are fitted on and tried with."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import scipy.special
from sklearn.base import clone
from sklearn.cluster import Birch, BisectingKMeans, FeatureAgglomeration, KMeans, MiniBatchKMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import (
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
from sklearn.impute import IterativeImputer, MissingIndicator, SimpleImputer
from sklearn.kernel_approximation import (
    AdditiveChi2Sampler,
    Nystroem,
    PolynomialCountSketch,
    RBFSampler,
    SkewedChi2Sampler,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import NeighborhoodComponentsAnalysis
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import FeatureUnion, make_pipeline, make_union
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
)
from sklearn.random_projection import GaussianRandomProjection, SparseRandomProjection
from sklearn.tree import DecisionTreeClassifier

from tests.support.transforming import Matrix


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


def assert_close(actual: Matrix, expected: Matrix) -> None:
    """Check that results are equal, relative to each column's largest value."""
    scale = np.nanmax(np.abs(expected), axis=0, initial=1.0)
    np.testing.assert_allclose(actual / scale, expected / scale, rtol=1e-9, atol=1e-9)
