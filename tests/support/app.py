"""The app behind Chalice's test client."""

from __future__ import annotations

import importlib.util
import json
from typing import Any, NamedTuple

from chalice.test import Client

from tests.support.headers import assert_is_private
from tests.support.paths import APP


class Response(NamedTuple):
    """A response of the app; the body is bytes or parsed JSON."""

    status: int
    headers: dict[str, str]
    body: Any


class App:
    """A fresh import of the app behind Chalice's test client."""

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
        """Send a request and parse the response, which must be JSON."""
        response = self.send(method, path, body, headers)
        assert response.headers["Content-Type"] == "application/json"
        return response._replace(body=json.loads(response.body))

    def send(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Response:
        """Send a request and return the response with its body as bytes."""
        headers = {"Content-Type": "application/json"} if headers is None else headers
        response = self._http.request(method, path, headers=headers, body=body)
        assert_is_private(response.headers)
        assert response.headers["X-Request-Id"]
        return Response(response.status_code, response.headers, response.body)

    def classify(self, data: object, **fields: object) -> Response:
        """Send samples to ``POST /classify``."""
        return self.request("POST", "/classify", json.dumps({"data": data, **fields}).encode())
