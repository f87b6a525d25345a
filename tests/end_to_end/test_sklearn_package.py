"""The package of the scikit-learn runtime on the Lambda runtime emulator."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import numpy as np
import pytest
from sklearn.base import ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from deployment.emulator.function import Function, remove_package, unpack_package
from deployment.target import UNZIPPED_BYTES, UPLOAD_BYTES
from tests.support.aws_server import moto_server
from tests.support.lambda_function import digests
from tests.support.paths import ROOT
from tests.support.waiting import wait_until
from training.artifact import BuiltModel, build_artifact
from training.export.coverage import BINARY, unfitted_classifiers
from training.registry import ModelRegistry
from training.wine.dataset import wine

PEAK_MEMORY_BYTES = 250e6


class Package(NamedTuple):
    """The package, its template and the output of the build."""

    zipped: Path
    template: dict[str, Any]
    printed: str


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The output of `make package RUNTIME=sklearn`, in a separate folder."""
    out = tmp_path_factory.mktemp("out")
    command = [sys.executable, "-m", "deployment", "package", "--stage", "prod"]
    command += ["--runtime", "sklearn", "--out", str(out)]
    process = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    template = json.loads((out / "sam.json").read_text())
    return Package(out / "deployment.zip", template, process.stdout)


@pytest.fixture(scope="module")
def code(package: Package, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The package, unzipped."""
    folder = unpack_package(package.zipped, tmp_path_factory.mktemp("task") / "task")
    yield folder
    remove_package(folder)


class Served(NamedTuple):
    """A function, and the model store on S3 that it serves from."""

    function: Function
    store: ModelRegistry


@pytest.fixture(scope="module")
def served(code: Path) -> Iterator[Served]:
    """The function, which checks the store on every request."""
    with moto_server() as environment, pytest.MonkeyPatch.context() as patched:
        for name, value in environment.items():
            patched.setenv(name, value)
        bucket = f"models-{os.urandom(4).hex()}"
        boto3.client("s3").create_bucket(Bucket=bucket)
        store = ModelRegistry(f"s3://{bucket}/wine")
        variables = {"MODEL_URL": store.url, "MODEL_REFRESH_SECONDS": "0"}
        with Function(code, environment | variables) as function:
            yield Served(function, store)


def test_requires_an_upload_through_s3(package: Package) -> None:
    """The zip is over the limit for direct uploads; the build prints the alternative."""
    unzipped = sum(entry.file_size for entry in entries(package.zipped))
    assert package.zipped.stat().st_size > UPLOAD_BYTES
    assert unzipped <= UNZIPPED_BYTES
    assert "so it goes through S3: use sam deploy." in package.printed
    assert package.template["Resources"]["APIHandler"]["Properties"]["CodeUri"] == (
        "./deployment.zip"
    )


def test_contains_no_tests_stubs_headers_or_tools(package: Package) -> None:
    """And neither ONNX Runtime nor the local server."""
    names = [entry.filename for entry in entries(package.zipped)]
    assert not [name for name in names if name.endswith((".pyi", ".h", ".pxd", ".pyx"))]
    assert not [name for name in names if "/tests/" in name]
    unused = ("onnxruntime/", "boto3/", "bin/", "chalicelib/local/")
    assert not [name for name in names if name.startswith(unused)]


def test_contains_the_licences_of_every_wheel(package: Package) -> None:
    """Also those in Markdown, and of the libraries within them; the SBOM lists every wheel."""
    names = [entry.filename for entry in entries(package.zipped)]
    assert "numpy-" in "".join(name for name in names if name.endswith("pcg64/LICENSE.md"))
    bom = json.loads(package.zipped.with_name("sbom.json").read_text())
    listed = {component["name"].replace("-", "_") for component in bom["components"]}
    records = {name.partition("-")[0] for name in names if ".dist-info/" in name}
    assert listed == records | {"chalice"}
    for record in records - {"obstore"}:
        assert any(re.match(rf"{record}-[^/]+/.*(LICENSE|COPYING)", name) for name in names), record


def entries(package: Path) -> list[zipfile.ZipInfo]:
    """Return the entries of a package."""
    with zipfile.ZipFile(package) as archive:
        return archive.infolist()


def test_serves_an_estimator_that_onnx_cannot_express(served: Served, code: Path) -> None:
    """A pipeline with a Python function, in a .skops file; its code folder is unchanged."""
    X, y, names = wine()
    steps = (StandardScaler(), FunctionTransformer(np.spacing), LogisticRegression())
    estimator = make_pipeline(*steps).fit(X, y)
    built = build_artifact(estimator, X, y, name="wine", feature_names=names)
    assert built.runtime == "sklearn"
    assert served.store.publish(built.artifact).endswith(".skops")
    before = digests(code)
    assert_predicts_like(served.function, built, estimator, X)
    rejected = served.function.request("POST", "/classify", {"data": {"alcohl": 13.2}})
    assert (rejected.status, rejected.body.keys()) == (422, {"error", "problems"})
    assert digests(code) == before
    assert served.function.peak_memory_bytes <= PEAK_MEMORY_BYTES


def test_a_model_for_the_other_runtime_is_rejected_with_a_remedy(served: Served) -> None:
    """The model before it keeps serving, and the store recovers with the next one."""
    X, y, _ = wine()
    estimator = LogisticRegression().fit(StandardScaler().fit_transform(X), y)
    good = build_artifact(estimator, X, y, name="one", runtime="sklearn")
    served.store.publish(good.artifact)
    assert_predicts_like(served.function, good, estimator, X)
    served.store.publish(build_artifact(estimator, X, y, name="one").artifact)
    wait_until(
        lambda: served.function.request("GET", "/health").body["degraded"], "it was not rejected"
    )
    assert_predicts_like(served.function, good, estimator, X)
    health = served.function.request("GET", "/health").body
    assert (health["reason"], health["version"]) == ("missing runtime", good.version)
    assert "package it with RUNTIME=onnx" in served.function.log
    served.store.publish(good.artifact)
    wait_until(
        lambda: not served.function.request("GET", "/health").body["degraded"], "it stayed degraded"
    )


@pytest.mark.parametrize(
    "estimator",
    list(unfitted_classifiers(max_iterations=100)),
    ids=lambda estimator: type(estimator).__name__,
)
def test_contains_the_dependencies_of_every_classifier(
    served: Served, estimator: ClassifierMixin
) -> None:
    """Every classifier of scikit-learn is published with the scikit-learn runtime."""
    X, y, _ = wine()
    target = (y == 1).astype(int) if type(estimator).__name__ in BINARY else y
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator = clone(estimator).fit(X, target)
        built = build_artifact(estimator, X, target, name="one", runtime="sklearn")
        served.store.publish(built.artifact)
        assert_predicts_like(served.function, built, estimator, X)


def assert_predicts_like(function: Function, built: BuiltModel, estimator: Any, X: Any) -> None:
    """Wait until a model is live, classify every sample of the wine data and compare."""
    wait_until(
        lambda: function.request("GET", "/health").body["version"] == built.version,
        f"{built.version} is not live",
    )
    has_probabilities = hasattr(estimator, "predict_proba")
    body = {"data": X.tolist(), "probabilities": has_probabilities}
    response = function.request("POST", "/classify", body)
    assert response.status == 200, f"{response.body}\n{function.log}"
    assert response.body["predictions"] == [str(label) for label in estimator.predict(X).tolist()]
    if has_probabilities:
        actual = [list(row.values()) for row in response.body["probabilities"]]
        np.testing.assert_allclose(actual, estimator.predict_proba(X), rtol=0, atol=1e-12)
