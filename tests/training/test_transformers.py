"""Transformers of numbers become ONNX that returns what scikit-learn's `transform` returns."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import FeatureAgglomeration
from sklearn.cross_decomposition import CCA, PLSSVD, PLSCanonical, PLSRegression
from sklearn.decomposition import NMF, PCA
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, SplineTransformer
from sklearn.utils import all_estimators

from tests.support.transformer_cases import (
    CLOSE,
    CLOSE_FOR_POSITIVE_NUMBERS,
    CLOSE_WITH_GAPS,
    CODES,
    CONTINUOUS,
    EXACT,
    EXACT_WITH_GAPS,
    GAPS,
    NUMBERS,
    POSITIVE,
    Y,
    assert_close,
    edge_rows,
    expect,
    fit,
    name_of,
)
from tests.support.transforming import run_transformer
from training.artifact import build_artifact
from training.export.converters.registry import TRANSFORMS


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


def test_a_factor_of_a_matrix_product_is_not_rounded() -> None:
    """ONNX Runtime would merge both into an operator whose factor is float32."""
    fitted = fit(FeatureUnion([("a", PCA(1))], transformer_weights={"a": 1 / 3}), NUMBERS)
    expected = expect(fitted, NUMBERS)
    np.testing.assert_allclose(run_transformer(fitted, NUMBERS), expected, rtol=1e-12, atol=1e-12)


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
