"""`make serve`, over a socket, with good and bad circumstances."""

from __future__ import annotations

import http.client
import json
import re
import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import boto3
import pytest

from tests.conftest import Trained
from tests.end_to_end.conftest import Server, free_port, make
from training.artifact import Built
from training.store import WritableStore

TUTORIAL_REQUEST = b'{"data":".10"}'


@pytest.fixture(scope="module")
def server(make_serve: Callable[..., Server]) -> Server:
    """A server as `make serve` starts it without any variable but the port."""
    return make_serve()


def post(port: int, path: str, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
    """Send one request as curl does."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response, response.read()


@pytest.mark.parametrize("path", ["/classify", "/classify/"])
def test_answers_the_tutorials_request_byte_for_byte(server: Server, path: str) -> None:
    """Over a socket."""
    response, body = post(server.port, path, TUTORIAL_REQUEST)
    assert (response.status, body) == (200, b'{"prediction":"1"}')
    assert response.headers["Content-Type"] == "application/json"


def test_prints_the_address_and_a_request_to_try(server: Server) -> None:
    """So that a new user need not look further."""
    assert f"curl -XPOST http://127.0.0.1:{server.port}/classify" in server.printed


def test_a_connection_is_kept_over_errors(server: Server) -> None:
    """Each answer has the length that it says it has."""
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


def test_serves_a_store_on_s3_and_trains_nothing(
    make_serve: Callable[..., Server], s3_environment: dict[str, str], trained: Trained
) -> None:
    """With `MODEL_URL` and `AWS_ENDPOINT_URL`."""
    location = {"LocationConstraint": s3_environment["AWS_DEFAULT_REGION"]}
    boto3.client("s3").create_bucket(Bucket="served", CreateBucketConfiguration=location)
    url = "s3://served/wine"
    WritableStore(url).publish(trained.built.artifact)
    server = make_serve(f"MODEL_URL={url}", **s3_environment)
    assert "Accuracy" not in server.printed
    response, body = post(server.port, "/classify", TUTORIAL_REQUEST)
    assert body == b'{"prediction":"1"}'
    assert response.headers["X-Model-Version"] == trained.built.version


def test_takes_up_what_is_published_while_it_serves(
    make_serve: Callable[..., Server], tmp_path: Path, trained: Trained, needy: Built
) -> None:
    """Without a restart, unless it is not a model."""
    store = WritableStore(str(tmp_path))
    store.publish(trained.built.artifact)
    server = make_serve(f"MODEL_URL={store.url}", MODEL_REFRESH_SECONDS="0")
    sample = json.dumps({"data": trained.dataset.X[0].tolist()}).encode()

    def version() -> str | None:
        return post(server.port, "/classify", sample)[0].headers["X-Model-Version"]

    assert version() == trained.built.version
    (tmp_path / "current").write_bytes(b"not a model")
    assert version() == trained.built.version
    store.publish(needy.artifact)
    assert version() == needy.version


def refused(*arguments: str, **environment: str) -> str:
    """Run `make serve` in vain and give what it printed."""
    process = make("serve", *arguments, **environment)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Traceback" not in printed
    lines = [line for line in printed.splitlines() if not line.startswith("make")]
    assert len(lines) == 1
    return lines[0]


def test_a_busy_port_is_one_clear_line(tmp_path: Path, wine_store: WritableStore) -> None:
    """Said before anything is started."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        line = refused(f"PORT={port}", f"MODEL_URL={wine_store.url}")
    assert re.fullmatch(rf"serve: Port {port} cannot be used: Address already in use\. .*", line)


def test_a_store_without_a_model_is_one_clear_line(tmp_path: Path) -> None:
    """Whether it is empty or not there."""
    port = f"PORT={free_port()}"
    assert "There is no" in refused(port, f"MODEL_URL={tmp_path.as_uri()}")
    assert "There is no folder" in refused(port, f"MODEL_URL={(tmp_path / 'none').as_uri()}")


def test_a_url_that_names_no_store_is_one_clear_line() -> None:
    """It says what it takes."""
    line = refused(f"PORT={free_port()}", "MODEL_URL=http://somewhere")
    assert "MODEL_URL is 'http://somewhere'; it takes s3://bucket/prefix" in line


def test_a_missing_python_is_one_clear_line(tmp_path: Path) -> None:
    """On a machine with neither uv nor python3."""
    bare = tmp_path / "bin"
    bare.mkdir()
    for tool in ("make", "sh", "cat", "awk"):
        found = next(Path(p) / tool for p in ("/usr/bin", "/bin") if (Path(p) / tool).exists())
        (bare / tool).symlink_to(found)
    for name in ("Makefile", ".python-version", "pyproject.toml", "requirements-dev.txt"):
        (tmp_path / name).write_text((Path(__file__).parents[2] / name).read_text())
    (tmp_path / "wine-classifier").mkdir()
    (tmp_path / "wine-classifier" / "requirements.txt").touch()
    process = make("serve", "-C", str(tmp_path), PATH=str(bare))
    printed, _ = process.communicate(timeout=60)
    lines = [line for line in printed.splitlines() if not line.startswith("make")]
    assert lines == ["python3 is needed to fetch uv: install it and try again."]


def test_help_lists_every_target_in_a_line() -> None:
    """And nothing else."""
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert targets is not None
    printed, _ = make("help").communicate()
    listed = [line.split()[0] for line in printed.splitlines() if not line.startswith("make")]
    assert listed == targets[1].split()
