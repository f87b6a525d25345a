"""Converted classifiers predict exactly as scikit-learn does."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from sklearn.base import ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    Perceptron,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, GaussianNB
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid, RadiusNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.semi_supervised import LabelPropagation
from sklearn.svm import SVC, LinearSVC, NuSVC
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from chalicelib.inputs.signature import Signature
from chalicelib.runtimes.onnx_classifier import (
    CLASS_INDEX_OUTPUT,
    PROBABILITIES_OUTPUT,
    SAMPLES_INPUT,
    OnnxClassifier,
)
from training.data.signature import infer_signature
from training.data.table import Table
from training.errors import NotExportable
from training.export.comparison import compare, compute_reference
from training.export.onnx_export import Strategy, write_onnx
from training.export.search import export
from training.wine.dataset import wine

X, Y, _ = wine()


def fit(estimator: ClassifierMixin, y: npt.NDArray[Any]) -> ClassifierMixin:
    """Fit a copy, without warnings that it does not converge."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return clone(estimator).fit(X, y)


def assert_exact(
    estimator: ClassifierMixin, samples: npt.NDArray[np.float64] = X, *, missing: bool = False
) -> None:
    """Assert that labels are equal and probabilities within the tolerance."""
    table = Table(samples)
    signature = infer_signature(estimator, table)
    if not missing:
        required = tuple(feature._replace(required=True) for feature in signature.features)
        signature = Signature(required, signature.classes, signature.has_probabilities)
    model = write_onnx(estimator, signature, Strategy.CONVERTERS, {})
    classifier = OnnxClassifier(model.data, signature, model.text_encoders)
    comparison = compare(classifier, compute_reference(estimator, table, signature))
    assert comparison.is_exact(), comparison


def infer_wine_signature(estimator: ClassifierMixin) -> Signature:
    """Infer the signature of an estimator that was fitted on the wine data."""
    return infer_signature(estimator, Table(X))


def class_name(value: object) -> str | None:
    """Return the test id of an estimator."""
    return type(value).__name__ if isinstance(value, ClassifierMixin) else None


LOGISTIC = make_pipeline(StandardScaler(), LogisticRegression())
TREE = DecisionTreeClassifier(max_depth=2, random_state=0)
FOREST = RandomForestClassifier(5, min_samples_leaf=9, random_state=0)
VARIANTS = [
    AdaBoostClassifier(GaussianNB(), n_estimators=3, random_state=0),
    AdaBoostClassifier(n_estimators=6, random_state=0),
    BaggingClassifier(LOGISTIC, n_estimators=3, max_features=0.5, random_state=0),
    BaggingClassifier(LinearSVC(), n_estimators=3, random_state=0),
    BaggingClassifier(TREE, max_samples=4, max_features=0.5, random_state=0),
    BernoulliNB(binarize=5.0),
    CalibratedClassifierCV(FOREST, method="isotonic", cv=3),
    CalibratedClassifierCV(KNeighborsClassifier(1), cv=3),
    CategoricalNB(),
    DecisionTreeClassifier(min_samples_leaf=178),
    DummyClassifier(strategy="most_frequent"),
    ExtraTreeClassifier(max_depth=3, random_state=0),
    FOREST,
    GaussianProcessClassifier(),
    GradientBoostingClassifier(n_estimators=3, random_state=0),
    GradientBoostingClassifier(n_estimators=3, init="zero", random_state=0),
    GradientBoostingClassifier(n_estimators=3, init=GaussianNB(), random_state=0),
    GridSearchCV(TREE, {"max_depth": [1, 3]}),
    HistGradientBoostingClassifier(max_iter=3),
    KNeighborsClassifier(),
    KNeighborsClassifier(6, metric="cosine"),
    KNeighborsClassifier(7, weights="distance"),
    make_pipeline(StandardScaler(), LabelPropagation(gamma=0.5)),
    LabelPropagation(kernel="knn"),
    LOGISTIC,
    MLPClassifier((5,), activation="tanh", max_iter=20, random_state=0),
    NearestCentroid(priors="empirical", shrink_threshold=0.5),
    NearestCentroid(metric="manhattan"),
    NearestCentroid(metric="manhattan", priors="empirical"),
    NuSVC(nu=0.3),
    OneVsOneClassifier(TREE),
    OneVsOneClassifier(LOGISTIC),
    OneVsRestClassifier(TREE),
    OneVsRestClassifier(SVC()),
    OutputCodeClassifier(TREE, code_size=3, random_state=0),
    Perceptron(),
    QuadraticDiscriminantAnalysis(reg_param=0.1),
    make_pipeline(StandardScaler(), RadiusNeighborsClassifier(9.0, weights="distance")),
    make_pipeline(StandardScaler(), RadiusNeighborsClassifier(3.0, outlier_label="most_frequent")),
    SGDClassifier(loss="log_loss", random_state=0),
    SGDClassifier(loss="modified_huber", random_state=0),
    StackingClassifier([("a", LOGISTIC), ("b", LinearSVC()), ("c", Perceptron())], cv=3),
    StackingClassifier([("a", TREE)], final_estimator=RidgeClassifier(), passthrough=True, cv=3),
    SVC(kernel="poly"),
    SVC(break_ties=True),
    SVC(probability=True, random_state=0),
    NuSVC(nu=0.1, probability=True, decision_function_shape="ovo", random_state=0),
    VotingClassifier([("a", LOGISTIC), ("b", TREE)], voting="soft", weights=[1, 2]),
    VotingClassifier([("a", LOGISTIC), ("b", TREE), ("c", LinearSVC())], weights=[1, 2, 1.5]),
]
LABELS = {
    "negative": np.array([-5, 0, 7]),
    "strings": np.array(["red", "rosé", "white"]),
    "booleans": np.array([False, True, True]),
    "two": np.array([8, 3, 3]),
}


def test_temperature_scaling_is_exact() -> None:
    """Of labels that count from 0: scikit-learn takes them for indices into its memory."""
    assert_exact(fit(CalibratedClassifierCV(LOGISTIC, method="temperature", cv=3), Y))


@pytest.mark.parametrize("labels", list(LABELS.values()), ids=list(LABELS))
@pytest.mark.parametrize("estimator", VARIANTS, ids=class_name)
def test_variants_are_exact_for_any_labels(
    estimator: ClassifierMixin, labels: npt.NDArray[Any]
) -> None:
    """Negative numbers, strings, booleans; two classes or three."""
    assert_exact(fit(estimator, labels[Y]))


@pytest.mark.parametrize("positive", ["a", "b"])
@pytest.mark.parametrize("estimator", [LOGISTIC, FOREST, SVC()], ids=class_name)
def test_a_threshold_is_exact_for_either_positive_class(
    estimator: ClassifierMixin, positive: str
) -> None:
    """It applies to probabilities, or to scores if there are none."""
    with_threshold = FixedThresholdClassifier(estimator, threshold=0.3, pos_label=positive)
    assert_exact(fit(with_threshold, np.array(["a", "b", "b"])[Y]))


@pytest.mark.parametrize("estimator", [FOREST, HistGradientBoostingClassifier(max_iter=3)])
def test_trees_route_missing_values_as_scikit_learn_does(estimator: ClassifierMixin) -> None:
    """Fitted with or without missing values."""
    fitted = fit(estimator, Y)
    assert not any(feature.required for feature in infer_wine_signature(fitted).features)
    assert_exact(fitted, missing=True)
    with_missing = np.where(np.random.default_rng(0).random(X.shape) < 0.1, np.nan, X)
    assert_exact(clone(estimator).fit(with_missing, Y), with_missing, missing=True)


@pytest.mark.parametrize("estimator", [MLPClassifier((4,), max_iter=5), GaussianNB()])
def test_parameters_in_float32_are_widened(estimator: ClassifierMixin) -> None:
    """As NumPy widens them when it computes with samples in float64."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert_exact(clone(estimator).fit(X.astype(np.float32), Y))


def test_a_hundred_classes_are_exact() -> None:
    """Trees, linear models, one against the rest and neighbours."""
    random = np.random.default_rng(0)
    samples, y = random.normal(size=(1_000, 4)), np.arange(1_000) % 100
    for estimator in (FOREST, LOGISTIC, OneVsRestClassifier(TREE), KNeighborsClassifier()):
        fitted = clone(estimator).fit(samples, y)
        assert_exact(fitted, samples)


@pytest.mark.parametrize("estimator", [LinearSVC(), LOGISTIC, FOREST], ids=class_name)
def test_the_graph_has_one_input_and_only_the_outputs_that_scikit_learn_has(
    estimator: ClassifierMixin,
) -> None:
    """The input is float64; there are no probabilities without `predict_proba`."""
    fitted = fit(estimator, Y)
    signature = infer_wine_signature(fitted)
    for strategy in (Strategy.CONVERTERS, Strategy.SKL2ONNX_FLOAT32):
        model = onnx.load_from_string(write_onnx(fitted, signature, strategy, {}).data)
        onnx.checker.check_model(model, full_check=True)
        (source,) = model.graph.input
        assert source.name == SAMPLES_INPUT
        assert source.type.tensor_type.elem_type == onnx.TensorProto.DOUBLE
        expected = (
            [CLASS_INDEX_OUTPUT, PROBABILITIES_OUTPUT]
            if hasattr(estimator, "predict_proba")
            else [CLASS_INDEX_OUTPUT]
        )
        assert [output.name for output in model.graph.output] == expected


def test_the_same_estimator_gives_the_same_bytes() -> None:
    """The names in a graph contain no memory addresses."""
    stacked = fit(StackingClassifier([("a", LOGISTIC), ("b", TREE)], cv=3), Y)
    signature = infer_wine_signature(stacked)
    first, second = (write_onnx(stacked, signature, Strategy.CONVERTERS, {}) for _ in range(2))
    assert first == second


def test_float32_is_used_if_float64_is_not_possible() -> None:
    """skl2onnx converts PolynomialFeatures in float32 only."""
    estimator = fit(make_pipeline(PolynomialFeatures(2), *(step for _, step in LOGISTIC.steps)), Y)
    exported = export(estimator, Table(X), infer_wine_signature(estimator))
    assert exported.attempts[-1].rejection is None


@pytest.mark.filterwarnings("ignore")  # skl2onnx's conversion of SVC warns
@pytest.mark.parametrize(
    ("estimator", "reason"),
    [(OneVsRestClassifier(LinearRegression()), "LinearRegression is not supported")],
    ids=["OneVsRestClassifier"],
)
def test_skl2onnx_converts_parameters_that_the_converters_do_not_support(
    estimator: ClassifierMixin, reason: str
) -> None:
    """Its conversion is compared, too."""
    estimator = fit(estimator, Y)
    exported = export(estimator, Table(X), infer_wine_signature(estimator), runtime="onnx")
    assert reason in (exported.attempts[0].rejection or "")
    assert exported.attempts[-1].strategy.endswith(", skl2onnx")


def test_neighbours_that_tie_in_another_order_are_rejected() -> None:
    """A matrix product rounds distances, which then do not tie in scikit-learn."""
    estimator = fit(KNeighborsClassifier(algorithm="brute"), Y)
    with pytest.raises(NotExportable, match="differ"):
        export(estimator, Table(X), infer_wine_signature(estimator), runtime="onnx")


def test_one_vs_one_gaussian_processes_have_no_probabilities() -> None:
    """scikit-learn has the method, but it raises."""
    estimator = fit(GaussianProcessClassifier(multi_class="one_vs_one"), Y)
    assert hasattr(estimator, "predict_proba")
    assert not infer_wine_signature(estimator).has_probabilities


@pytest.mark.parametrize(
    "estimator", [DummyClassifier(strategy="stratified"), DummyClassifier(strategy="uniform")]
)
def test_random_predictions_are_rejected(estimator: ClassifierMixin) -> None:
    """No graph can reproduce them."""
    fitted = fit(estimator, Y)
    with pytest.raises(NotExportable, match="random predictions"):
        export(fitted, Table(X), infer_wine_signature(fitted))
