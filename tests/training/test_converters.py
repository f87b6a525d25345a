"""Classifiers become ONNX that answers as scikit-learn does."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from scipy.special import erf as scipy_erf
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
from sklearn.linear_model import LogisticRegression, Perceptron, RidgeClassifier, SGDClassifier
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
    LABEL_OUTPUT,
    NUMBERS_INPUT,
    PROBABILITIES_OUTPUT,
    OnnxClassifier,
)
from training.data.signature import infer_signature
from training.data.table import Table, call_estimator
from training.errors import NotExportable
from training.export.comparison import Answers, compare, comparison_samples
from training.export.coverage import Fitted, as_markdown, cover
from training.export.onnx_export import Form, Precision, Way, Writer, write_onnx
from training.export.search import export
from training.wine.dataset import wine

FLOAT64 = Way(Precision.FLOAT64, Form.MATRIX, Writer.OURS)
FLOAT32 = Way(Precision.FLOAT32, Form.MATRIX, Writer.OURS)
X, Y, _ = wine()


def fit(estimator: ClassifierMixin, y: npt.NDArray[Any]) -> ClassifierMixin:
    """Fit a copy, whether it converges or not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return clone(estimator).fit(X, y)


def assert_exact(
    estimator: ClassifierMixin, samples: npt.NDArray[np.float64] = X, *, gaps: bool = False
) -> None:
    """Assert that no label differs, and no probability by more than is allowed."""
    table = Table(samples)
    signature = infer_signature(estimator, table)
    if not gaps:
        required = tuple(feature._replace(required=True) for feature in signature.features)
        signature = Signature(required, signature.classes, signature.has_probabilities)
    asked = comparison_samples(table, signature)
    with_probabilities = signature.has_probabilities
    labels, probabilities = call_estimator(
        estimator, asked.numbers, probabilities=with_probabilities
    )
    classifier = OnnxClassifier(write_onnx(estimator, signature, FLOAT64))
    comparison = compare(classifier, Answers(asked, labels, probabilities))
    assert comparison.is_exact(), comparison


def signature_of(estimator: ClassifierMixin) -> Signature:
    """Find out what an estimator takes that was fitted on the wine data."""
    return infer_signature(estimator, Table(X))


def name_of(value: object) -> str | None:
    """Name a parameter of a test after its class."""
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
    CalibratedClassifierCV(LOGISTIC, method="temperature", cv=3),
    CalibratedClassifierCV(KNeighborsClassifier(), cv=3),
    CategoricalNB(),
    DecisionTreeClassifier(min_samples_leaf=178),
    DummyClassifier(strategy="most_frequent"),
    ExtraTreeClassifier(max_depth=3, random_state=0),
    FOREST,
    GaussianProcessClassifier(),
    GradientBoostingClassifier(n_estimators=3, random_state=0),
    GradientBoostingClassifier(n_estimators=3, init="zero", random_state=0),
    GridSearchCV(TREE, {"max_depth": [1, 3]}),
    HistGradientBoostingClassifier(max_iter=3),
    KNeighborsClassifier(6),
    KNeighborsClassifier(7, weights="distance"),
    make_pipeline(StandardScaler(), LabelPropagation(gamma=0.5)),
    LabelPropagation(kernel="knn"),
    LOGISTIC,
    MLPClassifier((5,), activation="tanh", max_iter=20, random_state=0),
    NearestCentroid(priors="empirical", shrink_threshold=0.5),
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
    SGDClassifier(loss="modified_huber", random_state=0),
    StackingClassifier([("a", LOGISTIC), ("b", LinearSVC()), ("c", Perceptron())], cv=3),
    StackingClassifier([("a", TREE)], final_estimator=RidgeClassifier(), passthrough=True, cv=3),
    SVC(kernel="poly"),
    SVC(break_ties=True),
    VotingClassifier([("a", LOGISTIC), ("b", TREE)], voting="soft", weights=[1, 2]),
    VotingClassifier([("a", LOGISTIC), ("b", TREE), ("c", LinearSVC())], weights=[1, 2, 1.5]),
]
LABELS = {
    "negative": np.array([-5, 0, 7]),
    "strings": np.array(["red", "rosé", "white"]),
    "booleans": np.array([False, True, True]),
    "two": np.array([8, 3, 3]),
}


@pytest.mark.parametrize("labels", list(LABELS.values()), ids=list(LABELS))
@pytest.mark.parametrize("estimator", VARIANTS, ids=name_of)
def test_any_classes_and_parameters_are_exact(
    estimator: ClassifierMixin, labels: npt.NDArray[Any]
) -> None:
    """Negative, strings, booleans; two classes or three."""
    assert_exact(fit(estimator, labels[Y]))


@pytest.mark.parametrize("positive", ["a", "b"])
@pytest.mark.parametrize("estimator", [LOGISTIC, FOREST, SVC()], ids=name_of)
def test_a_threshold_is_kept_for_either_positive_class(
    estimator: ClassifierMixin, positive: str
) -> None:
    """On probabilities, or on scores where there are none."""
    moved = FixedThresholdClassifier(estimator, threshold=0.3, pos_label=positive)
    assert_exact(fit(moved, np.array(["a", "b", "b"])[Y]))


@pytest.mark.parametrize("estimator", [FOREST, HistGradientBoostingClassifier(max_iter=3)])
def test_trees_send_missing_values_where_scikit_learn_does(estimator: ClassifierMixin) -> None:
    """Whether or not a value was missing when they were fitted."""
    fitted = fit(estimator, Y)
    assert not any(feature.required for feature in signature_of(fitted).features)
    assert_exact(fitted, gaps=True)
    with_gaps = np.where(np.random.default_rng(0).random(X.shape) < 0.1, np.nan, X)
    assert_exact(clone(estimator).fit(with_gaps, Y), with_gaps, gaps=True)


def test_a_hundred_classes_are_exact() -> None:
    """As exact as two."""
    random = np.random.default_rng(0)
    samples, y = random.normal(size=(1_000, 4)), np.arange(1_000) % 100
    for estimator in (FOREST, LOGISTIC, OneVsRestClassifier(TREE), KNeighborsClassifier()):
        fitted = clone(estimator).fit(samples, y)
        assert_exact(fitted, samples)


@pytest.mark.parametrize("estimator", [LinearSVC(), LOGISTIC, FOREST], ids=name_of)
def test_the_graph_has_one_input_and_only_the_outputs_that_scikit_learn_has(
    estimator: ClassifierMixin,
) -> None:
    """The samples in float64; no probabilities without `predict_proba`; nothing unused."""
    fitted = fit(estimator, Y)
    for way in (FLOAT64, FLOAT32):
        model = onnx.load_from_string(write_onnx(fitted, signature_of(fitted), way))
        onnx.checker.check_model(model, full_check=True)
        (source,) = model.graph.input
        assert source.name == NUMBERS_INPUT
        assert source.type.tensor_type.elem_type == onnx.TensorProto.DOUBLE
        expected = (
            [LABEL_OUTPUT, PROBABILITIES_OUTPUT]
            if hasattr(estimator, "predict_proba")
            else [LABEL_OUTPUT]
        )
        assert [output.name for output in model.graph.output] == expected


def test_the_same_estimator_gives_the_same_bytes() -> None:
    """Names hold no memory addresses."""
    stacked = fit(StackingClassifier([("a", LOGISTIC), ("b", TREE)], cv=3), Y)
    signature = signature_of(stacked)
    assert write_onnx(stacked, signature, FLOAT64) == write_onnx(stacked, signature, FLOAT64)


def test_float32_is_tried_when_float64_cannot_be_had() -> None:
    """A transformer that skl2onnx writes for float32 only does not stand in the way."""
    estimator = fit(make_pipeline(PolynomialFeatures(2), *(step for _, step in LOGISTIC.steps)), Y)
    exported = export(estimator, Table(X), signature_of(estimator))
    refused = {attempt.strategy: attempt.rejection for attempt in exported.attempts}
    assert "Type Error" in (refused[str(FLOAT64)] or "")
    assert refused[str(FLOAT32)] is None


@pytest.mark.filterwarnings("ignore")  # skl2onnx's conversion of SVC warns
@pytest.mark.parametrize(
    ("estimator", "says"),
    [
        (KNeighborsClassifier(p=1), "another metric"),
        (SVC(probability=True, random_state=0), "probability=True"),
    ],
    ids=["KNeighborsClassifier", "SVC"],
)
def test_skl2onnx_writes_what_ours_do_not_know(estimator: ClassifierMixin, says: str) -> None:
    """Other parameters are its own to convert, and are compared all the same."""
    estimator = fit(estimator, Y)
    exported = export(estimator, Table(X), signature_of(estimator), runtime="onnx")
    assert says in (exported.attempts[0].rejection or "")
    assert exported.attempts[-1].strategy.endswith("by skl2onnx")


def test_one_vs_one_gaussian_processes_have_no_probabilities() -> None:
    """scikit-learn has the method for them, which raises."""
    estimator = fit(GaussianProcessClassifier(multi_class="one_vs_one"), Y)
    assert hasattr(estimator, "predict_proba")
    assert not signature_of(estimator).has_probabilities


@pytest.mark.parametrize(
    "estimator", [DummyClassifier(strategy="stratified"), DummyClassifier(strategy="uniform")]
)
def test_answers_at_random_are_refused(estimator: ClassifierMixin) -> None:
    """No graph can give them."""
    fitted = fit(estimator, Y)
    with pytest.raises(NotExportable, match="at random"):
        export(fitted, Table(X), signature_of(fitted))


def test_the_error_function_is_that_of_scipy() -> None:
    """To the last bits, which Gaussian processes multiply by thousands."""
    from onnx import TensorProto, helper
    from onnxruntime import InferenceSession
    from skl2onnx.common._container import ModelComponentContainer
    from skl2onnx.common._topology import Scope

    from training.export.converters.error_function import erf
    from training.export.converters.tensor import Graph, Tensor

    container = ModelComponentContainer({"": 21}, registered_models={})
    output = erf(Tensor(Graph(Scope("erf"), container), "x"))
    ends = [
        helper.make_tensor_value_info(n, TensorProto.DOUBLE, [None]) for n in ("x", output.name)
    ]
    graph = helper.make_graph(container.nodes, "erf", ends[:1], ends[1:], container.initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    x = np.concatenate([np.linspace(-8, 8, 10_001), [1e-300, -1e-17, 0.46875]])
    (ours,) = InferenceSession(model.SerializeToString()).run(None, {"x": x})
    np.testing.assert_allclose(ours, scipy_erf(x), rtol=2e-15, atol=0)


def test_the_table_counts_what_each_runtime_serves() -> None:
    """One line for each classifier, and one with the sums."""
    good = Fitted("Perceptron", fit(Perceptron(), Y), X, Y)
    bad = Fitted("DummyClassifier", fit(DummyClassifier(strategy="uniform"), Y), X, Y)
    lines = as_markdown([cover(good), cover(bad)]).splitlines()
    assert lines[2] == "| Perceptron | onnx float64, one matrix | 0 |  |"
    assert lines[3].startswith("| DummyClassifier | none: DummyClassifier cannot be served exactly")
    assert lines[-1] == "2 classifiers: 1 none, 1 onnx float64, one matrix."
