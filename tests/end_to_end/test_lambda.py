"""The package of `make package` on the Lambda runtime emulator."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from chalicelib.settings import derive_key
from deployment.emulator.function import Function
from tests.support.aws_server import moto_server
from tests.support.emf import check_lines, total
from tests.support.lambda_function import TWO_WINES, StartFunction, copy_project, digests
from tests.support.models import WineModel
from tests.support.waiting import wait_until
from training.artifact import BuiltModel
from training.registry import ModelRegistry

PEAK_MEMORY_BYTES = 80e6


@pytest.fixture
def function(
    start_function: StartFunction, code: Path, store: ModelRegistry, s3_environment: dict[str, str]
) -> Function:
    """The function, which checks the store on every request."""
    return start_function(code, MODEL_URL=store.url, MODEL_REFRESH_SECONDS="0", **s3_environment)


def test_classifies_the_tutorials_request(function: Function, trained: WineModel) -> None:
    """One number, as text; the response names the model."""
    response = function.request("POST", "/classify", {"data": ".10"})
    assert (response.status, response.body) == (200, {"prediction": "1"})
    assert response.headers["X-Model-Version"] == trained.built.version


def test_the_emulator_reports_the_duration_of_each_event(function: Function) -> None:
    """The first one's includes the start."""
    for _ in range(3):
        assert function.request("POST", "/classify", {"data": ".10"}).status == 200
    first, *later = function.wait_for_durations(3)
    assert len(later) == 2
    assert 0 < min(later) <= max(later) < first


def test_classifies_a_batch(function: Function) -> None:
    """Several samples at once, with probabilities."""
    response = function.request("POST", "/classify", {"data": TWO_WINES, "probabilities": True})
    assert response.body["predictions"] == ["0", "1"]
    assert [sum(row.values()) for row in response.body["probabilities"]] == pytest.approx([1, 1])


def test_logs_a_request_with_lambdas_id_and_metrics(function: Function) -> None:
    """As CloudWatch reads them: one line, alone."""
    response = function.request("POST", "/classify", {"data": ".10"})
    request_id = response.headers["X-Request-Id"]
    wait_until(lambda: '"Predictions":1}\n' in function.log, "the line was not written")
    [logged] = check_lines(function.log)
    assert (logged["request_id"], logged["status"], logged["cold"]) == (request_id, 200, True)
    assert total([logged], "Predictions", Class="1") == 1
    assert f"RequestId: {request_id}" in function.log


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
def test_rejects_bad_requests_with_an_error_response(
    function: Function, method: str, path: str, resource: str | None, body: object, status: int
) -> None:
    """The status and the shape are those of every other server."""
    response = function.request(method, path, body, resource)
    assert response.status == status
    assert set(response.body) - {"problems"} == {"error"}
    assert response.headers["Content-Type"] == "application/json"


def test_loads_a_new_model_without_a_restart(
    function: Function, store: ModelRegistry, trained: WineModel, all_required: BuiltModel
) -> None:
    """A published model is live at the next check of the store."""
    first = function.request("POST", "/classify", {"data": TWO_WINES})
    assert first.headers["X-Model-Version"] == trained.built.version
    store.publish(all_required.artifact)
    responses = []

    def is_live() -> bool:
        responses.append(function.request("POST", "/classify", {"data": TWO_WINES}))
        return responses[-1].headers["X-Model-Version"] == all_required.version

    wait_until(is_live, "the new model is not live")
    assert {tuple(response.body["predictions"]) for response in responses} == {("0", "1")}


def test_keeps_serving_while_s3_is_down(
    start_function: StartFunction, code: Path, trained: WineModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last good model serves; the health route and the log report the failure."""
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
    response = function.request("POST", "/classify", {"data": ".10"})
    assert (response.status, response.body) == (200, {"prediction": "1"})
    wait_until(
        lambda: function.request("GET", "/health").body["degraded"], "the loss is not noticed"
    )
    assert function.request("GET", "/health").status == 200
    assert '{"event": "model store failure"' in function.log


def test_reads_its_signing_key_once_while_it_starts(
    start_function: StartFunction, code: Path, trained: WineModel, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """From Parameter Store, without boto3, which is not in the package; the key is not logged."""
    secret = "a secret that is kept elsewhere"
    with moto_server() as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket="models")
        boto3.client("ssm").put_parameter(Name="/wine/key", Value=secret, Type="SecureString")
        url = "s3://models/wine"
        ModelRegistry(url, derive_key(secret, url, "prod")).publish(trained.built.artifact)
        function = start_function(
            code, MODEL_URL=url, MODEL_STAGE="prod", MODEL_SIGNING_KEY="ssm:/wine/key",
            AWS_REGION="us-east-1", **environment,
        )  # fmt: skip
        caplog.clear()
        with caplog.at_level(logging.INFO, "werkzeug"):
            statuses = {
                function.request("POST", "/classify", {"data": ".10"}).status for _ in range(3)
            }
        assert statuses == {200}
        assert len(re.findall('"POST / ', caplog.text)) == 1
    assert secret not in function.log


def test_recovers_from_a_missing_model(
    start_function: StartFunction, code: Path, store: ModelRegistry, trained: WineModel,
    s3_environment: dict[str, str],
) -> None:  # fmt: skip
    """The response is a 503 until a model is published; no restart is needed."""
    empty = ModelRegistry(f"{store.url}-empty")
    function = start_function(code, MODEL_URL=empty.url, **s3_environment)
    unavailable = function.request("POST", "/classify", {"data": ".10"})
    assert (unavailable.status, unavailable.headers["Retry-After"]) == (503, "5")
    empty.publish(trained.built.artifact)
    wait_until(
        lambda: function.request("POST", "/classify", {"data": ".10"}).status == 200,
        "the function did not recover",
        10,
    )


def test_leaves_its_code_folder_unchanged_and_uses_little_memory(
    function: Function, code: Path
) -> None:
    """Lambda's code folder is read-only, and its smallest function has 128 MB."""
    before = digests(code)
    assert function.request("POST", "/classify", {"data": ".10"}).status == 200
    function.request("POST", "/classify", {"data": [TWO_WINES[0]] * 100})
    assert digests(code) == before
    assert function.peak_memory_bytes <= PEAK_MEMORY_BYTES


def test_the_package_of_plain_chalice_works_too(
    tmp_path: Path,
    unpacked: Callable[[Path], Path],
    start_function: StartFunction,
    store: ModelRegistry,
    s3_environment: dict[str, str],
    package: Path,
) -> None:
    """It is larger than that of `make package`."""
    project = copy_project(tmp_path / "wine-classifier")
    chalice = str(Path(sys.executable).with_name("chalice"))
    command = [chalice, "package", "--stage", "dev", "../out"]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    plain = tmp_path / "out" / "deployment.zip"
    assert package.stat().st_size < plain.stat().st_size < 52_428_800
    function = start_function(unpacked(plain), MODEL_URL=store.url, **s3_environment)
    assert function.request("POST", "/classify", {"data": ".10"}).body == {"prediction": "1"}
