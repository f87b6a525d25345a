"""Lambda's side of a function with SnapStart, for the runtime client in Lambda's Python runtime.

The Runtime API: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. A process that has
loaded the function asks to be restored, and waits: what Lambda's snapshot is taken of.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from deployment.emulator.download import download_emulator

_TOKEN = "token-of-the-environment"
_SECONDS = 60


class RuntimeApi(ThreadingHTTPServer):
    """Restores a function and sends it events; returns its credentials too."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.key_id = "key-before"  # of the credentials
        self.keys_sent: list[str] = []
        self.is_loaded = threading.Event()  # the function asks to be restored
        self.restore = threading.Event()
        self.events: queue.Queue[object] = queue.Queue()
        self.responses: queue.Queue[dict[str, Any]] = queue.Queue()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.server_address[1]}"

    def invoke(self, event: object) -> dict[str, Any]:
        """Send an event to the function and return its response."""
        self.events.put(event)
        return self.responses.get(timeout=_SECONDS)


class _Handler(BaseHTTPRequestHandler):
    server: RuntimeApi

    def do_GET(self) -> None:
        """Return credentials, or wait for what comes next."""
        headers = {}
        body: object = {}
        if self.path == "/credentials":
            assert self.headers["Authorization"] == _TOKEN
            self.server.keys_sent.append(self.server.key_id)
            body = {
                "AccessKeyId": self.server.key_id,
                "SecretAccessKey": "secret",
                "Token": "session",
                "Expiration": "2100-01-01T00:00:00Z",
            }
        elif self.path.endswith("/restore/next"):
            self.server.is_loaded.set()
            assert self.server.restore.wait(_SECONDS)
        else:
            body = self.server.events.get()
            headers = {
                "Lambda-Runtime-Aws-Request-Id": "1",
                "Lambda-Runtime-Trace-Id": "Root=1",
                "Content-Type": "application/json",
                "Lambda-Runtime-Deadline-Ms": "4102444800000",
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:1:function:f:1",
            }
        self._respond(200, body, headers)

    def do_POST(self) -> None:
        """Take the response to an event, or an error."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.responses.put(body)
        self._respond(202, {})

    def _respond(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 (its name)
        """Print nothing."""


@contextmanager
def snapshot_function(code: Path, variables: Mapping[str, str]) -> Iterator[RuntimeApi]:
    """Load a function as for a snapshot, without credentials in its variables."""
    _, client = download_emulator()
    api = RuntimeApi()
    threading.Thread(target=api.serve_forever, daemon=True).start()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{code}:{client}",
        "AWS_LAMBDA_FUNCTION_NAME": "function",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{api.address}/credentials",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": _TOKEN,
        **{name: value for name, value in variables.items() if "KEY" not in name},
    }
    python = getattr(sys, "_base_executable", sys.executable)
    process = subprocess.Popen(
        [python, "-s", "-m", "awslambdaric", "app.app"], cwd=code, env=environment
    )
    try:
        assert api.is_loaded.wait(_SECONDS)
        yield api
    finally:
        process.kill()
        process.wait()
        api.shutdown()
        api.server_close()
