"""The app behind the Chalice test client."""

from __future__ import annotations

import importlib.util
import json
from typing import Any, NamedTuple

from chalice.test import Client

from tests.support.paths import APP


class Response(NamedTuple):
    """What the app answered."""

    status: int
    headers: dict[str, str]
    body: Any


class App:
    """The app, started anew, behind the Chalice test client."""

    def __init__(self) -> None:
        spec = importlib.util.spec_from_file_location("app", APP / "app.py")
        assert spec is not None
        assert spec.loader is not None
        self.module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.module)
        self._http = Client(self.module.app, stage_name="local", project_dir=str(APP)).http

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Response:
        """Send any request; the answer must be JSON in either case."""
        answer = self.send(method, path, body, headers)
        assert answer.headers["Content-Type"] == "application/json"
        return answer._replace(body=json.loads(answer.body))

    def send(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Response:
        """Send any request, and have the answer's body as bytes."""
        headers = {"Content-Type": "application/json"} if headers is None else headers
        response = self._http.request(method, path, headers=headers, body=body)
        return Response(response.status_code, response.headers, response.body)

    def classify(self, data: object, **fields: object) -> Response:
        """Ask for a classification."""
        return self.request("POST", "/classify", json.dumps({"data": data, **fields}).encode())
