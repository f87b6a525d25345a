"""The app behind `tests.fuzz.measured_server`, and the cost of its requests."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from multiprocessing.connection import Connection
from types import TracebackType

from deployment.emulator.events import api_gateway_event
from tests.fuzz.bodies import Request
from tests.fuzz.costly_models import NAME
from tests.fuzz.measured_server import Cost
from tests.support.paths import ROOT


class MeasuredApp:
    """The app with a model, in a process of its own.

    Parameters
    ----------
    model_url : str
    fault : str, optional
        A key of `tests.fuzz.faults.FAULTS`, to plant in the process.
    """

    def __init__(self, model_url: str, fault: str = "") -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            fd = theirs.fileno()
            # The process has threads of the store's client, which a child neither has nor needs.
            command = [sys.executable, "-W", "ignore::DeprecationWarning"]
            self._process = subprocess.Popen(
                [*command, "-m", "tests.fuzz.measured_server", str(fd), fault],
                pass_fds=[fd],
                cwd=ROOT,
                env={**os.environ, "MODEL_URL": model_url, "MODEL_REFRESH_SECONDS": "1000000"},
                stdout=subprocess.DEVNULL,
            )
        self._connection = Connection(ours.detach())

    def __enter__(self) -> MeasuredApp:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._connection.close()
        self._process.wait()

    def measure(self, request: Request) -> Cost:
        """Send a request and return what it took."""
        path = (request.path or request.route).replace("{model_name}", NAME)
        event = api_gateway_event(request.method, path, resource=request.route)
        event["headers"] = request.headers
        event["multiValueHeaders"] = {name: [value] for name, value in request.headers.items()}
        if request.query:
            event["multiValueQueryStringParameters"] = request.query
            event["queryStringParameters"] = {
                name: values[-1] for name, values in request.query.items()
            }
        self._connection.send_bytes(json.dumps(event).encode())
        self._connection.send_bytes(request.body)
        return Cost(*json.loads(self._connection.recv_bytes()))
