"""`make serve`, over a socket."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import boto3
import pytest

from tests.support.lambda_function import copy_project
from tests.support.models import WineModel, publish_to_folder
from tests.support.paths import ROOT
from tests.support.processes import Process, Server, StartServer, free_port
from tests.support.waiting import wait_until
from training.artifact import BuiltModel
from training.registry import ModelRegistry

TUTORIAL_REQUEST = b'{"data":".10"}'


def post(port: int, path: str, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
    """Send one request, as curl does."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response, response.read()


@pytest.mark.parametrize("path", ["/classify", "/classify/"])
def test_the_tutorials_request_gets_the_tutorials_response(server: Server, path: str) -> None:
    """Byte for byte."""
    response, body = post(server.port, path, TUTORIAL_REQUEST)
    assert (response.status, body) == (200, b'{"prediction":"1"}')
    assert response.headers["Content-Type"] == "application/json"


def test_the_output_has_a_request_to_try(server: Server) -> None:
    """With the address of the server."""
    assert f"curl -XPOST http://127.0.0.1:{server.port}/classify" in server.printed


def test_another_model_is_suggested_with_its_own_request(
    start_server: StartServer, tmp_path: Path, mixed: BuiltModel
) -> None:
    """The command, as a reader copies it, gets a prediction; the server has the model's name."""
    server = start_server(f"MODEL_URL={publish_to_folder(mixed, tmp_path).url}")
    [command] = re.findall(r"^  (curl .*)$", server.printed, re.MULTILINE)
    response = subprocess.run(["sh", "-c", command], check=True, capture_output=True).stdout
    assert json.loads(response).keys() == {"prediction"}
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as connection:
        connection.request("GET", "/v2")
        assert json.load(connection.getresponse())["name"] == "mixed"


def test_plain_chalice_local_serves_what_make_published(server: Server, tmp_path: Path) -> None:
    """With Chalice's own stage, dev, whose bucket is a placeholder."""
    project = copy_project(tmp_path / "wine-classifier")
    shutil.copytree(ROOT / ".model-store/wine", tmp_path / ".model-store/wine")
    port = free_port()
    chalice = str(Path(sys.executable).with_name("chalice"))
    process = subprocess.Popen(
        [chalice, "local", "--port", str(port)],
        cwd=project,
        env=os.environ | {"PYTHONPATH": "", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        first, second = process.stdout.readline(), process.stdout.readline()
        assert first.startswith(f"Serving the model in {tmp_path / '.model-store/wine'}")
        assert second.startswith("Serving on ")
        assert post(port, "/classify", TUTORIAL_REQUEST)[1] == b'{"prediction":"1"}'
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate()


def test_errors_keep_the_connection_open(server: Server) -> None:
    """Each response has its stated length."""
    requests = [
        ("POST", "/classify", b"["),
        ("GET", "/classify", None),
        ("GET", "/nowhere", None),
        ("POST", "/classify", TUTORIAL_REQUEST),
    ]
    headers = {"Content-Type": "application/json"}
    statuses = []
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as connection:
        for method, path, body in requests:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
    assert statuses == [400, 405, 404, 200]


def test_a_store_on_s3_is_served_without_training(
    start_server: StartServer, s3_environment: dict[str, str], trained: WineModel
) -> None:
    """With `MODEL_URL` and `AWS_ENDPOINT_URL`."""
    location = {"LocationConstraint": s3_environment["AWS_DEFAULT_REGION"]}
    boto3.client("s3").create_bucket(Bucket="served", CreateBucketConfiguration=location)
    url = "s3://served/wine"
    ModelRegistry(url).publish(trained.built.artifact)
    server = start_server(f"MODEL_URL={url}", **s3_environment)
    assert "Accuracy" not in server.printed
    response, body = post(server.port, "/classify", TUTORIAL_REQUEST)
    assert body == b'{"prediction":"1"}'
    assert response.headers["X-Model-Version"] == trained.built.version


def test_a_model_published_later_becomes_live(
    start_server: StartServer, tmp_path: Path, trained: WineModel, all_required: BuiltModel
) -> None:
    """Without a restart."""
    registry = ModelRegistry(str(tmp_path))
    registry.publish(trained.built.artifact)
    server = start_server(f"MODEL_URL={registry.url}", MODEL_REFRESH_SECONDS="0")
    sample = json.dumps({"data": trained.dataset.X[0].tolist()}).encode()

    def version() -> str | None:
        return post(server.port, "/classify", sample)[0].headers["X-Model-Version"]

    assert version() == trained.built.version
    registry.publish(all_required.artifact)
    wait_until(lambda: version() == all_required.version, "the new model is not live")


@pytest.fixture
def serve_error(run_make: Callable[..., Process]) -> Callable[..., str]:
    """Run a `make serve` that fails, and return the line that it printed."""

    def run(*arguments: str) -> str:
        process = run_make("serve", *arguments)
        assert process.wait() != 0
        [line] = process.printed.splitlines()
        return line

    return run


ServeError = Callable[..., str]


def test_a_name_without_a_model_is_one_clear_line(serve_error: ServeError) -> None:
    """The wine model alone is trained by `make serve`."""
    line = serve_error("NAME=unpublished")
    assert line.startswith("There is no model unpublished: make publish MODEL=")


def test_a_busy_port_is_one_clear_line(serve_error: ServeError, wine_store: ModelRegistry) -> None:
    """Before anything is started."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        line = serve_error(f"PORT={port}", f"MODEL_URL={wine_store.url}")
    assert re.fullmatch(rf"serve: Port {port} cannot be used: Address already in use\. .*", line)


def test_a_store_without_a_model_is_one_clear_line(serve_error: ServeError, tmp_path: Path) -> None:
    """For an empty folder and for a missing one."""
    port = f"PORT={free_port()}"
    assert "There is no" in serve_error(port, f"MODEL_URL={tmp_path.as_uri()}")
    assert "There is no folder" in serve_error(port, f"MODEL_URL={(tmp_path / 'none').as_uri()}")


def test_a_url_that_names_no_store_is_one_clear_line(serve_error: ServeError) -> None:
    """It names the variable and the URLs that are possible."""
    line = serve_error(f"PORT={free_port()}", "MODEL_URL=http://somewhere")
    assert "MODEL_URL is 'http://somewhere'; it must be s3://bucket/prefix" in line


def test_a_missing_python_is_one_clear_line(
    run_make: Callable[..., Process], tmp_path: Path
) -> None:
    """On a machine with neither uv nor python3."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("make", "sh", "cat", "awk"):
        path = shutil.which(tool)
        assert path is not None
        (tools / tool).symlink_to(path)
    for name in (
        "Makefile",
        ".python-version",
        "pyproject.toml",
        "requirements-dev.txt",
        "deployment/requirements-uv.txt",
        "wine-classifier/requirements.txt",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    process = run_make("serve", "-C", str(tmp_path), PATH=str(tools))
    assert process.printed == "python3 is needed to fetch uv: install it and try again.\n"


def test_help_lists_every_target(run_make: Callable[..., Process]) -> None:
    """One to a line, and nothing else."""
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert targets is not None
    listed = [line.split()[0] for line in run_make("help").printed.splitlines()]
    assert listed == targets[1].split()
