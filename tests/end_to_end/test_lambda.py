"""The package that `make package` builds, on the Lambda runtime emulator."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from deployment.emulator.function import Function
from tests.support.aws_server import moto_server
from tests.support.lambda_function import TWO_WINES, StartFunction, digests
from tests.support.lambda_function import code as code
from tests.support.lambda_function import package as package
from tests.support.lambda_function import start_function as start_function
from tests.support.lambda_function import unpacked as unpacked
from tests.support.models import Trained
from tests.support.paths import APP
from training.artifact import BuiltModel
from training.registry import ModelRegistry

PEAK_MEMORY_BYTES = 80e6
WAIT_SECONDS = 10.0


@pytest.fixture
def store(s3_environment: dict[str, str], trained: Trained) -> ModelRegistry:
    """A store on S3, in which the wine model is live."""
    bucket = f"models-{os.urandom(4).hex()}"
    location = {"LocationConstraint": "eu-central-1"}
    boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=location)
    store = ModelRegistry(f"s3://{bucket}/wine")
    store.publish(trained.built.artifact)
    return store


@pytest.fixture
def function(
    start_function: StartFunction, code: Path, store: ModelRegistry, s3_environment: dict[str, str]
) -> Function:
    """The function, serving that store."""
    return start_function(code, MODEL_URL=store.url, MODEL_REFRESH_SECONDS="0", **s3_environment)


def test_answers_what_the_tutorial_asks(function: Function, trained: Trained) -> None:
    """One number, as text; and the answer names the model."""
    answer = function.request("POST", "/classify", {"data": ".10"})
    assert (answer.status, answer.body) == (200, {"prediction": "1"})
    assert answer.headers["X-Model-Version"] == trained.built.version


def test_answers_a_batch(function: Function) -> None:
    """Several samples at once, with probabilities."""
    answer = function.request("POST", "/classify", {"data": TWO_WINES, "probabilities": True})
    assert answer.body["predictions"] == ["0", "1"]
    assert [sum(row.values()) for row in answer.body["probabilities"]] == pytest.approx([1, 1])


@pytest.mark.parametrize(
    ("method", "path", "resource", "body", "status"),
    [
        ("POST", "/classify", None, {"data": {"alcohl": 13.2}}, 422),
        ("POST", "/classify", None, b'{"data": NaN}', 400),
        ("POST", "/classify", None, b"", 400),
        ("POST", "/classify", None, {"data": [TWO_WINES[0]] * 10_001}, 413),
        ("GET", "/nowhere", "/{part1}", None, 404),
    ],
)
def test_refuses_bad_requests_in_the_one_shape(
    function: Function, method: str, path: str, resource: str | None, body: object, status: int
) -> None:
    """With a sentence, and the status that it has elsewhere too."""
    answer = function.request(method, path, body, resource)
    assert answer.status == status
    assert set(answer.body) - {"problems"} == {"error"}
    assert answer.headers["Content-Type"] == "application/json"


def test_takes_up_a_new_model_without_a_restart(
    function: Function, store: ModelRegistry, trained: Trained, needy: BuiltModel
) -> None:
    """What is published is live at the next look."""
    first = function.request("POST", "/classify", {"data": TWO_WINES})
    assert first.headers["X-Model-Version"] == trained.built.version
    store.publish(needy.artifact)
    second = function.request("POST", "/classify", {"data": TWO_WINES})
    assert second.headers["X-Model-Version"] == needy.version
    assert second.body == {"predictions": ["0", "1"]}


def test_keeps_serving_while_s3_is_down(
    start_function: StartFunction, code: Path, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last good model answers, and the health route and the log say that it is old."""
    with moto_server() as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket="models")
        store = ModelRegistry("s3://models/wine")
        store.publish(trained.built.artifact)
        function = start_function(
            code, MODEL_URL=store.url, MODEL_REFRESH_SECONDS="0", MODEL_TIMEOUT_SECONDS="1",
            **environment,
        )  # fmt: skip
        assert function.request("POST", "/classify", {"data": ".10"}).status == 200
    answer = function.request("POST", "/classify", {"data": ".10"})
    assert (answer.status, answer.body) == (200, {"prediction": "1"})
    health = function.request("GET", "/health")
    assert (health.status, health.body["degraded"]) == (200, True)
    assert '{"event": "model store failure"' in function.log


def test_tells_of_a_missing_model_and_recovers(
    start_function: StartFunction, code: Path, store: ModelRegistry, trained: Trained,
    s3_environment: dict[str, str],
) -> None:  # fmt: skip
    """A 503 until there is one; the process need not be started again."""
    empty = ModelRegistry(f"{store.url}-of-tomorrow")
    function = start_function(code, MODEL_URL=empty.url, **s3_environment)
    refused = function.request("POST", "/classify", {"data": ".10"})
    assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
    empty.publish(trained.built.artifact)
    until = time.monotonic() + WAIT_SECONDS
    while function.request("POST", "/classify", {"data": ".10"}).status != 200:
        assert time.monotonic() < until, function.log


def test_writes_nothing_next_to_the_code_and_fits_the_smallest_function(
    function: Function, code: Path
) -> None:
    """Lambda's code folder is read-only; the byte code in it is what Python uses."""
    before = digests(code)
    assert function.request("POST", "/classify", {"data": ".10"}).status == 200
    function.request("POST", "/classify", {"data": [TWO_WINES[0]] * 100})
    assert digests(code) == before
    assert function.peak_memory_bytes <= PEAK_MEMORY_BYTES


def test_what_plain_chalice_packages_answers_too(
    tmp_path: Path,
    unpacked: Callable[[Path], Path],
    start_function: StartFunction,
    store: ModelRegistry,
    s3_environment: dict[str, str],
    package: Path,
) -> None:
    """`chalice package` without make: larger, and correct."""
    left_out = shutil.ignore_patterns("__pycache__", "deployed", "deployments")
    project = shutil.copytree(APP, tmp_path / "wine-classifier", ignore=left_out)
    chalice = str(Path(sys.executable).with_name("chalice"))
    command = [chalice, "package", "--stage", "dev", "../out"]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    plain = tmp_path / "out" / "deployment.zip"
    assert package.stat().st_size < plain.stat().st_size < 52_428_800
    function = start_function(unpacked(plain), MODEL_URL=store.url, **s3_environment)
    assert function.request("POST", "/classify", {"data": ".10"}).body == {"prediction": "1"}
