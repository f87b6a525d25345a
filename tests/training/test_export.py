"""Any fitted classifier, on any table: served exactly, or refused before anything is written."""

from __future__ import annotations

import json
import pickle
import zipfile
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.neighbors import RadiusNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier

from chalicelib.errors import InvalidArtifact
from chalicelib.inputs.samples import Samples
from chalicelib.models.artifact import read_manifest
from chalicelib.models.model import load_model
from chalicelib.runtimes.base import Prediction
from tests.support.app import App
from tests.support.artifacts import rewrite_manifest
from tests.support.customers import customers, prepared
from tests.support.models import WineModel
from training.__main__ import main
from training.artifact import BuiltModel, build_artifact
from training.data.signature import infer_signature
from training.data.table import Table
from training.errors import NotExportable, NotServable
from training.export.comparison import Answers, compare, comparison_samples
from training.export.skops_export import add_members, write_skops
from training.publish import publish
from training.registry import ModelRegistry


class Served:
    """A classifier that is published, served, and asked over HTTP."""

    def __init__(self, app: App, built: BuiltModel) -> None:
        self.app = app
        self.built = built

    def labels(self, X: pd.DataFrame) -> list[str]:
        """Ask for the classes of a frame's rows, as JSON has them."""
        answer = self.app.classify(json.loads(X.to_json(orient="records")))
        assert answer.status == 200, answer.body
        labels: list[str] = answer.body["predictions"]
        return labels


@pytest.fixture
def serve(start_app: Callable[..., App], tmp_path: Path) -> Callable[..., Served]:
    """Publish a fitted classifier and start the app."""

    def start(estimator: Any, X: Any, y: Any, **options: Any) -> Served:
        store = ModelRegistry(str(tmp_path / "served"))
        built = build_artifact(estimator, X, y, name="model", **options)
        store.publish(built.artifact)
        return Served(start_app(MODEL_URL=store.url), built)

    return start


Serve = Callable[..., Served]


@pytest.mark.parametrize("unknown", ["ignore", "error"])
@pytest.mark.parametrize("impute", [False, True])
@pytest.mark.parametrize(
    "final", [LogisticRegression(), RandomForestClassifier(10, random_state=0)], ids=["lr", "rf"]
)
def test_a_table_of_every_kind_of_column_is_served(
    serve: Serve, unknown: str, impute: bool, final: Any
) -> None:
    """With the classes that scikit-learn gives; what is unknown or missing as it takes it."""
    X, y = customers()
    if impute:
        X = X.astype({"age": float})
        X.loc[::7, "income"] = np.nan
    estimator = prepared(final, unknown=unknown, impute=impute).fit(X, y)
    served = serve(estimator, X, y)
    assert served.labels(X) == estimator.predict(X).tolist()
    stranger = X.iloc[[0]].assign(colour="violet")
    answer = served.app.classify(json.loads(stranger.to_json(orient="records"))[0])
    if unknown == "ignore":
        assert answer.body == {"prediction": estimator.predict(stranger)[0]}
    else:
        assert answer.status == 422
        [problem] = answer.body["problems"]
        assert problem["at"] == "data.colour"
        assert "is no category that the model knows" in problem["problem"]
    without = json.loads(X.drop(columns="income").to_json(orient="records"))[0]
    takes_gaps = impute or isinstance(final, RandomForestClassifier)
    assert served.app.classify(without).status == (200 if takes_gaps else 422)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"age": 30.5}, "must be a whole number"),
        ({"age": "30"}, "must be a number, not text"),
        ({"age": True}, "must be a number, not a boolean"),
        ({"member": 1}, "must be true or false, not a number"),
        ({"member": None}, "is required"),
        ({"colour": 3}, "must be text, not a number"),
        ({"size": None}, "is required"),
        ({"size": "L"}, "is no category that the model knows"),
        ({"size": "smal"}, "is no category that the model knows"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(
    serve: Serve, change: dict[str, object], problem: str
) -> None:
    """One by one, in single samples and in batches."""
    X, y = customers()
    served = serve(prepared(LogisticRegression()).fit(X, y), X, y)
    good = {"age": 30, "income": 45.5, "member": True, "colour": "red", "size": "m"}
    [name] = change
    for data, at in ((good | change, f"data.{name}"), ([good, good | change], f"data[1].{name}")):
        answer = served.app.classify(data)
        assert answer.status == 422
        assert answer.body["problems"] == [{"at": at, "problem": problem}]
    assert served.app.classify(list(good.values())).status == 200
    assert served.app.classify(".10").status == 422


def test_the_signature_is_read_from_the_table() -> None:
    """Kinds, ranges, categories, what is required and an example of each feature."""
    X, y = customers()
    built = build_artifact(prepared(LogisticRegression(), unknown="error").fit(X, y), X, y, name="")
    age, income, member, colour, size = read_manifest(built.artifact)["signature"]["features"]
    assert (age["kind"], age["min"], age["max"], age["required"]) == ("integer", 18, 79, True)
    assert income["kind"] == "numeric"
    assert income["median"] == pytest.approx(X["income"].median())
    assert member == {"name": "member", "kind": "boolean", "required": True, "example": False}
    assert colour["categories"] == ["blue", "green", "red"]
    assert colour["unknown_categories"] == size["unknown_categories"] == "rejected"
    assert colour["example"] == X["colour"][0]


@pytest.mark.parametrize(
    "names",
    [["yes", "no"], [True, False], [-3, 7], [1.0, 2.0], [np.int64(-1), np.int64(1)], ["", "é"]],
    ids=str,
)
def test_classes_may_be_text_booleans_or_numbers(serve: Serve, names: list[Any]) -> None:
    """Each is answered as Python writes it."""
    X, yes = customers()
    y = np.where(yes == "yes", names[0], names[1])
    estimator = prepared(LogisticRegression()).fit(X, y)
    served = serve(estimator, X, y)
    assert served.built.runtime == "onnx"
    assert served.labels(X) == [str(label) for label in estimator.predict(X).tolist()]
    answer = served.app.classify(json.loads(X.to_json(orient="records"))[0], probabilities=True)
    assert answer.body["probabilities"].keys() == {str(label) for label in estimator.classes_}


def test_a_hundred_classes_are_served(serve: Serve) -> None:
    """With their probabilities in the order of the classes."""
    random = np.random.default_rng(0)
    y = np.repeat(np.arange(100), 5)
    X = random.normal(size=(500, 4)) + y[:, None]
    estimator = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    served = serve(estimator, X, y)
    answer = served.app.classify(X[:50].tolist(), probabilities=True).body
    assert answer["predictions"] == [str(label) for label in estimator.predict(X[:50])]
    given = [list(row.values()) for row in answer["probabilities"]]
    np.testing.assert_allclose(given, estimator.predict_proba(X[:50]), atol=1e-5)


@pytest.mark.parametrize("load", [load_iris, load_digits, load_breast_cancer])
@pytest.mark.parametrize("as_frame", [False, True])
def test_other_data_sets_are_served(serve: Serve, load: Callable[..., Any], as_frame: bool) -> None:
    """As matrices and as frames."""
    X, y = load(return_X_y=True, as_frame=as_frame)
    estimator = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(X, y)
    served = serve(estimator, X, y)
    assert served.built.runtime == "onnx"
    rows = np.asarray(X).tolist()
    answer = served.app.classify(rows, probabilities=True)
    assert answer.body["predictions"] == [str(label) for label in estimator.predict(X)]
    given = [list(row.values()) for row in answer.body["probabilities"]]
    np.testing.assert_allclose(given, estimator.predict_proba(X), atol=1e-5)


def test_a_classifier_without_probabilities_says_so(serve: Serve, trained: WineModel) -> None:
    """Asking for them is a 422."""
    X, y, _ = trained.dataset
    estimator = make_pipeline(StandardScaler(), RidgeClassifier()).fit(X, y)
    served = serve(estimator, X, y)
    answer = served.app.classify(X.tolist())
    assert answer.body["predictions"] == [str(label) for label in estimator.predict(X)]
    refused = served.app.classify(X.tolist(), probabilities=True)
    assert refused.status == 422
    assert refused.body["error"] == "probabilities are not given by this model."


def test_what_onnx_cannot_do_exactly_is_served_by_scikit_learn(
    serve: Serve, trained: WineModel
) -> None:
    """What was tried, and why it was refused, is in the manifest."""
    X, y, _ = trained.dataset
    steps = (StandardScaler(), FunctionTransformer(np.cbrt), LogisticRegression())
    estimator = make_pipeline(*steps).fit(X, y)
    served = serve(estimator, X, y)
    assert served.built.runtime == "sklearn"
    attempts = read_manifest(served.built.artifact)["attempts"]
    assert len(attempts) > 1
    assert attempts[-1] == {"strategy": "sklearn", "rejection": None}
    assert all("FunctionTransformer" in attempt["rejection"] for attempt in attempts[:-1])
    answer = served.app.classify(X.tolist()).body
    assert answer["predictions"] == [str(label) for label in estimator.predict(X)]


@pytest.mark.parametrize("batch", [False, True])
def test_values_that_overflow_the_model_are_a_422(
    serve: Serve, trained: WineModel, batch: bool
) -> None:
    """No answer is better than one that is not a number."""
    X, y, _ = trained.dataset
    served = serve(QuadraticDiscriminantAnalysis().fit(X, y), X, y)
    sample = [1e200] * 13
    answer = served.app.classify([X[0].tolist(), sample] if batch else sample)
    assert answer.status == 422
    problem = "holds values too large for the model to compute with"
    assert answer.body["problems"] == [{"at": "data[1]" if batch else "data", "problem": problem}]


def test_samples_that_the_estimator_itself_refuses_are_a_422(
    serve: Serve, trained: WineModel
) -> None:
    """Not a fault of ours."""
    X, y, _ = trained.dataset
    estimator = make_pipeline(StandardScaler(), RadiusNeighborsClassifier(100.0)).fit(X, y)
    served = serve(estimator, X, y, runtime="sklearn")
    assert served.app.classify(X[0].tolist()).status == 200
    answer = served.app.classify([1e300] * 13)
    assert answer.status == 422
    assert answer.body["problems"][0]["at"] == "data"


def test_the_same_estimator_is_the_same_version_in_either_runtime(trained: WineModel) -> None:
    """Skops writes addresses, times and uninitialized memory; they are left out."""
    X, y, _ = trained.dataset
    forest = RandomForestClassifier(5, random_state=0).fit(X, y)
    for runtime in ("sklearn", None):
        versions = {
            build_artifact(forest, X, y, name="forest", runtime=runtime).version for _ in range(3)
        }
        assert len(versions) == 1


def test_a_skops_artifact_is_a_skops_file(trained: WineModel, tmp_path: Path) -> None:
    """Skops opens it, and the manifest is a member of the same archive."""
    X, y, _ = trained.dataset
    tree = DecisionTreeClassifier(random_state=0).fit(X, y)
    built = build_artifact(tree, X, y, name="tree", runtime="sklearn")
    loaded = skops.io.loads(built.artifact, trusted=["sklearn.tree._tree.Tree"])
    np.testing.assert_array_equal(loaded.predict(X), tree.predict(X))
    path = tmp_path / "tree.skops"
    path.write_bytes(built.artifact)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        manifest = json.loads(archive.read("wine-classifier.manifest.json"))
    assert manifest == read_manifest(built.artifact)
    store = ModelRegistry(str(tmp_path / "store"))
    assert store.publish(built.artifact).endswith(f"{built.version}.skops")
    assert store.rollback(built.version) == built.version


def skops_artifact(trained: WineModel) -> bytes:
    """The wine model as scikit-learn runs it."""
    X, y, _ = trained.dataset
    return build_artifact(trained.estimator, X, y, name="wine", runtime="sklearn").artifact


def test_another_version_of_scikit_learn_is_refused(trained: WineModel) -> None:
    """Naming both."""

    def set_version(manifest: dict[str, Any]) -> None:
        manifest["libraries"]["scikit-learn"] = "0.1.0"

    with pytest.raises(InvalidArtifact, match=r"fitted with scikit-learn 0\.1\.0, .* has \d"):
        load_model(rewrite_manifest(skops_artifact(trained), set_version))


def test_a_function_without_scikit_learn_keeps_its_model_and_says_what_to_do(
    trained: WineModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason names the packaging option."""
    artifact = skops_artifact(trained)
    monkeypatch.setitem(__import__("sys").modules, "skops.io", None)
    with pytest.raises(InvalidArtifact, match="package it with RUNTIME=sklearn"):
        load_model(artifact)


@pytest.mark.parametrize("name", ["os.system", "builtins.eval", "subprocess.Popen", "x.Unknown"])
def test_a_type_that_is_not_allowed_runs_nothing(trained: WineModel, name: str) -> None:
    """The file is refused before anything in it is built."""
    module, _, kind = name.rpartition(".")
    schema = {
        "__class__": kind,
        "__module__": module,
        "__loader__": "FunctionNode",
        "__id__": 1,
        "content": {"module_path": module, "function": kind},
        "protocol": 2,
        "_skops_version": skops.__version__,
    }
    forged = add_members(b"", {"schema.json": json.dumps(schema).encode()})
    manifest = read_manifest(skops_artifact(trained))
    with pytest.raises(InvalidArtifact, match="types that are not allowed"):
        load_model(sealed_skops(forged, manifest))


def sealed_skops(archive: bytes, manifest: dict[str, Any]) -> bytes:
    """Give an archive a manifest and a seal, as a publisher with write access could."""
    from training.artifact import _skops_artifact

    return _skops_artifact(archive, json.dumps(manifest))


@pytest.mark.parametrize("member", ["../../climbed.npy", "/tmp/climbed.npy", "..\\climbed.npy"])
def test_a_path_that_climbs_out_of_the_archive_writes_nothing(
    trained: WineModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, member: str
) -> None:
    """Members are read, and never unpacked."""
    monkeypatch.chdir(tmp_path)
    archive = add_members(write_skops(trained.estimator), {member: b"climbed"})
    manifest = read_manifest(skops_artifact(trained))
    load_model(sealed_skops(archive, manifest))
    assert list(tmp_path.iterdir()) == []
    assert not Path("/tmp/climbed.npy").exists()


@pytest.mark.parametrize("archive", [b"", b"PK\x05\x06" + b"\0" * 18, b"junk"])
def test_a_skops_file_that_is_none_is_refused(trained: WineModel, archive: bytes) -> None:
    """Whatever skops raises."""
    manifest = json.dumps(read_manifest(skops_artifact(trained)))
    from chalicelib.models.artifact import make_footer

    content = archive + manifest.encode()
    with pytest.raises(InvalidArtifact, match="skops cannot load"):
        load_model(content + make_footer(content, len(archive), len(manifest)))


@pytest.mark.parametrize(
    ("X", "y", "estimator", "says"),
    [
        ([[1.0], [2.0]], [1, 2], LinearRegression(), "LinearRegression is not a classifier"),
        ([[1.0], [2.0]], [1, 2], None, "has not been fitted yet"),
        ([[1.0], [2.0]], [[1, 2], [2, 1]], DecisionTreeClassifier(), "more than one output"),
        ([[1.0], [2.0]], [1.0, np.nan], "fitted", "missing values among the labels"),
        ([[1.0], [2.0]], [1], "fitted", "X has 2 samples, but y has 1 labels"),
        ([[1.0, 2.0], [2.0, 3.0]], [1, 2], "fitted", "X has 2 features; .* fitted on 1"),
        ([1.0, 2.0], [1, 2], "fitted", "X must be samples by features"),
        (np.empty((0, 1)), [], "fitted", "and not empty"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), [1], "fitted", "more than one column .* 'a'"),
        (pd.DataFrame({"a": [1j, 2j]}), [1, 2], "fitted", "'a' holds complex"),
        (pd.DataFrame({"a": ["x", 2]}), [1, 2], "fitted", "'a' holds int and str"),
    ],
)
def test_what_cannot_be_served_is_refused_in_one_line(
    tmp_path: Path, X: Any, y: Any, estimator: Any, says: str
) -> None:
    """Before anything is written."""
    if isinstance(estimator, str):
        estimator = DecisionTreeClassifier().fit([[1.0], [2.0]], [1, 2])
    elif estimator is None:
        estimator = LogisticRegression()
    else:
        estimator = estimator.fit(X, y)
    with pytest.raises(NotServable, match=says) as caught:
        publish(estimator, X, y, to=str(tmp_path / "store"))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "store").exists()


def test_insisting_on_onnx_fails_with_the_reason(trained: WineModel, tmp_path: Path) -> None:
    """And the estimator at fault; nothing is written."""
    X, y, _ = trained.dataset
    steps = (StandardScaler(), FunctionTransformer(np.cbrt), LogisticRegression())
    estimator = make_pipeline(*steps).fit(X, y)
    with pytest.raises(NotExportable, match="FunctionTransformer"):
        publish(estimator, X, y, to=str(tmp_path / "store"), runtime="onnx")
    assert not (tmp_path / "store").exists()


class Own(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of the user's own."""

    def fit(self, X: Any, y: Any) -> Own:
        """Learn nothing."""
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        """Answer the first class."""
        return np.repeat(self.classes_[:1], len(X))


def test_a_class_of_the_users_own_is_refused(trained: WineModel, tmp_path: Path) -> None:
    """Neither runtime has its code on Lambda."""
    X, y, _ = trained.dataset
    with pytest.raises(
        NotExportable, match=r"types that are not allowed: tests\.training\.test_export\.Own"
    ):
        publish(Own().fit(X, y), X, y, to=str(tmp_path / "store"))
    assert not (tmp_path / "store").exists()


class Wrong:
    """A classifier that is wrong about one sample."""

    def __init__(self, trained: WineModel) -> None:
        self._estimator = trained.estimator

    def predict(self, samples: Samples) -> Prediction:
        """Answer as the estimator does, but for the first sample."""
        X = np.array(samples.numbers).reshape(samples.rows, -1)
        labels = [str(label) for label in self._estimator.predict(X)]
        probabilities = self._estimator.predict_proba(X) + 0.25
        return Prediction(["9", *labels[1:]], array("d", probabilities.tobytes()))


def test_the_comparison_counts_labels_and_measures_probabilities(trained: WineModel) -> None:
    """What it finds is what differs, and is not exact."""
    X = trained.dataset.X
    labels = [str(label) for label in trained.estimator.predict(X)]
    answers = Answers(Table(X).samples, labels, trained.estimator.predict_proba(X))
    comparison = compare(Wrong(trained), answers)
    assert comparison[:2] == (178, 1)
    assert comparison.max_difference == pytest.approx(0.25)
    assert not comparison.is_exact()


def test_gaps_are_compared_only_where_they_are_allowed() -> None:
    """A required feature is never left out, and an unheard-of category is tried where it may be."""
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
    assert len(set(samples.texts[:, 0])) == 5  # three colours, an unheard-of one, and none
    assert len(set(samples.texts[:, 1])) == 3


@pytest.fixture
def fitted_files(tmp_path: Path) -> dict[str, Path]:
    """A fitted estimator in files of each kind, and its data."""
    X, y = customers()
    estimator = prepared(LogisticRegression()).fit(X, y)
    paths = {kind: tmp_path / f"fitted.{kind}" for kind in ("skops", "joblib", "pkl", "csv")}
    skops.io.dump(estimator, paths["skops"])
    joblib.dump(estimator, paths["joblib"])
    paths["pkl"].write_bytes(pickle.dumps(estimator))
    X.assign(bought=y, other=1).to_csv(paths["csv"], index=False)
    return paths


@pytest.mark.parametrize("kind", ["skops", "joblib", "pkl"])
def test_the_shell_publishes_any_file_that_a_user_has(
    fitted_files: dict[str, Path], tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Columns that the estimator was not fitted on are left out."""
    command = ["publish", "--model", str(fitted_files[kind]), "--data", str(fitted_files["csv"])]
    command += ["--target", "bought", "--to", str(tmp_path / "store")]
    if kind != "skops":
        assert main(command) == 2
        refused = capsys.readouterr().err
        assert "runs whatever code is in it" in refused
        assert len(refused.splitlines()) == 1
        command.append("--trust-pickle")
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "onnx float64, by column" in printed
    assert "accepted" in printed
    store = ModelRegistry(str(tmp_path / "store"))
    manifest = store.manifest(store.live_version())
    assert manifest["name"] == "fitted"
    assert [f["name"] for f in manifest["signature"]["features"]] == list(customers()[0].columns)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"--target": "sold"}, "has no column 'sold'"),
        ({"--data": "none.csv"}, "none.csv"),
        ({"--model": "none.skops"}, "none.skops"),
        ({"--model": "README.md"}, "neither a .skops file"),
        ({"--model": "CSV"}, "neither a .skops file"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line(
    fitted_files: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, str],
    says: str,
) -> None:
    """With exit code 2."""
    options = {
        "--model": str(fitted_files["skops"]),
        "--data": str(fitted_files["csv"]),
        "--target": "bought",
        "--to": str(tmp_path / "store"),
    } | {k: v.replace("CSV", str(fitted_files["csv"])) for k, v in change.items()}
    assert main(["publish", *(word for pair in options.items() for word in pair)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert says in line
    assert not (tmp_path / "store").exists()
