"""Transformers: all of scikit-learn's, and the important ones with other parameters."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, KernelPCA, TruncatedSVD
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.feature_selection import (
    SelectFromModel,
    SelectKBest,
    SelectPercentile,
    VarianceThreshold,
)
from sklearn.impute import KNNImputer, MissingIndicator, SimpleImputer
from sklearn.kernel_approximation import Nystroem, RBFSampler
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.utils import all_estimators

# Of text, of labels, of pictures, or without a transform of new samples.
NOT_OF_NUMBERS = (
    "ColumnTransformer",
    "DictVectorizer",
    "FeatureHasher",
    "FeatureUnion",
    "HashingVectorizer",
    "LabelBinarizer",
    "LabelEncoder",
    "MultiLabelBinarizer",
    "PatchExtractor",
    "StackingRegressor",
    "TSNE",
    "VotingRegressor",
)
# Their predictions are compared as classifiers.
_ALSO_CLASSIFIERS = ("StackingClassifier", "VotingClassifier")
# Made in `variants_of_categories`, `variants_of_text` and `variants`.
MADE_ELSEWHERE = ("ColumnTransformer", "FeatureUnion", "HashingVectorizer")
_OF_AN_ESTIMATOR = ("RFE", "RFECV", "SelectFromModel", "SequentialFeatureSelector")
_PARAMETERS: dict[str, dict[str, Any]] = {
    "BernoulliRBM": {"n_components": 4, "n_iter": 3},
    "DictionaryLearning": {"n_components": 4, "max_iter": 20},
    "KMeans": {"n_clusters": 4, "n_init": 1},
    "LatentDirichletAllocation": {"n_components": 3, "max_iter": 3},
    "MiniBatchDictionaryLearning": {"n_components": 4, "max_iter": 5},
    "MiniBatchSparsePCA": {"n_components": 3, "max_iter": 5},
    "PolynomialCountSketch": {"n_components": 20},
    "QuantileTransformer": {"n_quantiles": 30},
    "RadiusNeighborsTransformer": {"radius": 1000},
    "RandomTreesEmbedding": {"n_estimators": 5, "max_depth": 3},
    "SequentialFeatureSelector": {"n_features_to_select": 2, "cv": 2},
    "SparsePCA": {"n_components": 3, "max_iter": 20},
}


def names() -> list[str]:
    """Return the names of scikit-learn's transformers of numbers."""
    excluded = (*NOT_OF_NUMBERS, *_ALSO_CLASSIFIERS)
    return [name for name in _every() if name not in excluded]


@functools.cache
def _every() -> dict[str, Any]:
    return dict(all_estimators("transformer"))


def unfitted(name: str) -> Any:
    """Return a transformer by name, small, or raise if it cannot be made without arguments."""
    transformer = _every()[name]
    parameters = dict(_PARAMETERS.get(name, {}))
    estimator = (
        transformer(LogisticRegression(max_iter=1000))
        if name in _OF_AN_ESTIMATOR
        else transformer(np.eye(13))
        if name == "SparseCoder"
        else transformer()
    )
    known = estimator.get_params(deep=False)
    if "random_state" in known:
        parameters["random_state"] = 0
    if "n_components" in known and "Random" in name:
        parameters["n_components"] = 4
    return estimator.set_params(**parameters)


def variants() -> Iterator[Any]:
    """Yield transformers of numbers with other parameters than by default."""
    yield StandardScaler(with_mean=False)
    yield StandardScaler(with_std=False)
    yield MinMaxScaler((-1, 1), clip=True)
    yield RobustScaler(quantile_range=(10, 90), unit_variance=True)
    yield Normalizer("l1")
    yield Normalizer("max")
    yield Binarizer(threshold=2.0)
    for encode in ("onehot", "onehot-dense", "ordinal"):
        yield KBinsDiscretizer(4, encode=encode, quantile_method="averaged_inverted_cdf")
    yield KBinsDiscretizer(3, strategy="uniform", encode="ordinal")
    yield KBinsDiscretizer(3, strategy="kmeans", encode="onehot-dense", random_state=0)
    yield PowerTransformer("box-cox")
    yield PowerTransformer(standardize=False)
    yield QuantileTransformer(n_quantiles=20, output_distribution="normal")
    yield SplineTransformer(3, degree=2, extrapolation="linear")
    yield SplineTransformer(4, extrapolation="periodic")
    yield SplineTransformer(4, knots="quantile", extrapolation="constant", include_bias=False)
    yield PolynomialFeatures(2, interaction_only=True, include_bias=False)
    yield PolynomialFeatures(3)
    yield PCA(3, whiten=True)
    yield PCA(0.9)
    yield TruncatedSVD(3, random_state=0)
    for kernel in ("poly", "rbf", "sigmoid", "cosine"):
        yield KernelPCA(3, kernel=kernel, gamma=0.001, random_state=0)
    yield Nystroem(gamma=0.001, n_components=20, random_state=0)
    yield Nystroem(kernel="poly", degree=2, n_components=10, random_state=0)
    yield RBFSampler(gamma=0.001, n_components=20, random_state=0)
    yield SelectKBest(k=3)
    yield SelectPercentile(percentile=40)
    yield VarianceThreshold(0.5)
    yield SelectFromModel(RandomForestClassifier(5, random_state=0))
    yield FunctionTransformer()
    for function in (np.log1p, np.sqrt, np.arctan, np.tanh, np.abs):
        yield FunctionTransformer(function)
    yield FunctionTransformer(np.log1p, inverse_func=np.expm1)
    yield FeatureUnion([("scaled", StandardScaler()), ("components", PCA(2))])
    yield FeatureUnion([("scaled", MinMaxScaler()), ("rest", "passthrough")])
    yield ColumnTransformer([("a", StandardScaler(), [0, 2])], remainder="passthrough")
    yield ColumnTransformer(
        [("a", PCA(1), slice(0, 2)), ("b", "drop", [2])], remainder=Normalizer()
    )
    yield KMeans(4, n_init=1, random_state=0)


def variants_of_gaps() -> Iterator[Any]:
    """Yield imputers of numbers; the number of columns may grow."""
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    for strategy in ("mean", "median", "most_frequent"):
        yield SimpleImputer(strategy=strategy)
    yield SimpleImputer(strategy="constant", fill_value=-1)
    yield SimpleImputer(add_indicator=True)
    yield SimpleImputer(strategy="median", keep_empty_features=True, add_indicator=True)
    yield KNNImputer(n_neighbors=2)
    yield KNNImputer(n_neighbors=3, weights="distance", add_indicator=True)
    yield IterativeImputer(max_iter=2, random_state=0)
    yield IterativeImputer(max_iter=2, initial_strategy="median", random_state=0)
    yield MissingIndicator(features="all")
    yield FeatureUnion([("filled", SimpleImputer()), ("gaps", MissingIndicator(features="all"))])


def variants_of_categories() -> Iterator[Any]:
    """Yield encoders of text."""
    for unknown in ("ignore", "error", "infrequent_if_exist", "warn"):
        yield OneHotEncoder(handle_unknown=unknown)
    for drop in ("first", "if_binary"):
        yield OneHotEncoder(drop=drop, handle_unknown="ignore", sparse_output=False)
        yield OneHotEncoder(drop=drop)
    yield OneHotEncoder(min_frequency=0.2, handle_unknown="infrequent_if_exist")
    yield OneHotEncoder(min_frequency=10, handle_unknown="ignore")
    yield OneHotEncoder(max_categories=3, handle_unknown="infrequent_if_exist")
    yield OrdinalEncoder()
    yield OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    yield OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2
    )
    yield OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=99, max_categories=3, min_frequency=5
    )
    yield OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    yield TargetEncoder(random_state=0)
    yield TargetEncoder(smooth=5.0, random_state=0)


def variants_of_text() -> Iterator[Any]:
    """Yield vectorizers of free text."""
    yield CountVectorizer()
    yield CountVectorizer(binary=True, lowercase=False)
    yield CountVectorizer(ngram_range=(1, 2), min_df=2)
    yield CountVectorizer(analyzer="char", ngram_range=(2, 3), max_features=100)
    yield CountVectorizer(strip_accents="unicode", stop_words="english")
    yield CountVectorizer(token_pattern=r"\S+", max_df=0.8)
    yield CountVectorizer(vocabulary=["oak", "sweet", "café"])
    yield TfidfVectorizer()
    yield TfidfVectorizer(sublinear_tf=True, norm="l1", strip_accents="ascii")
    yield TfidfVectorizer(use_idf=False, smooth_idf=False, ngram_range=(1, 3))
    yield TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), max_features=200)
    yield TfidfVectorizer(norm=None, token_pattern=r"[a-z]+")
    yield HashingVectorizer(n_features=64)
    yield HashingVectorizer(n_features=32, alternate_sign=False, norm="l1", ngram_range=(1, 2))
