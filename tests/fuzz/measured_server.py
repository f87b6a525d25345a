"""The app in a process of its own, which answers each request in a child: its cost is its own.

`python -m tests.fuzz.measured_server FD FAULT` serves the model of `MODEL_URL` to a socket, with
one of `tests.fuzz.faults` or none. It imports nothing that a Lambda function does not have, so
that memory is measured from the idle function on.
"""

from __future__ import annotations

import base64
import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from chalicelib.local.speed import measure_speed
from tests.fuzz.faults import FAULTS
from tests.support.paths import APP

MAX_CPU_SECONDS = 10  # of any machine; the kernel ends a child that takes longer

HEALTH = {"requestContext": {"httpMethod": "GET", "resourcePath": "/health"}}
Handler = Callable[[dict[str, Any], None], dict[str, Any]]


class Cost(NamedTuple):
    """What a request took.

    Parameters
    ----------
    status : int
        Of the response; 0 if the process was ended.
    cpu_seconds : float
        As the machine of `chalicelib.local.speed.REFERENCE_SECONDS` would take.
    megabytes : float
        The peak of memory, above that of the idle process.
    """

    status: int
    cpu_seconds: float
    megabytes: float


def main(fd: int, fault: str) -> None:
    """Answer requests, each an event without a body and then the body, until the socket ends."""
    sys.path.insert(0, str(APP))
    handler: Handler = importlib.import_module("app").app
    if fault:
        FAULTS[fault].plant()
    handler(HEALTH, None)  # loads the model
    connection = Connection(fd)
    while True:
        try:
            event = json.loads(connection.recv_bytes())
        except EOFError:
            return
        pid = os.fork()
        if pid == 0:
            resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_SECONDS, MAX_CPU_SECONDS))
            connection.send_bytes(json.dumps(_measure(handler, event, connection)).encode())
            os._exit(0)
        if os.waitpid(pid, 0)[1] != 0:
            connection.send_bytes(json.dumps(Cost(0, MAX_CPU_SECONDS, 0)).encode())


def _measure(handler: Handler, event: dict[str, Any], connection: Connection) -> Cost:
    speed = measure_speed()
    handler(HEALTH, None)  # touches what every request does
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    idle = _peak_megabytes()
    body = connection.recv_bytes()
    try:
        event["body"] = body.decode()
    except UnicodeDecodeError:
        event |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    del body
    start = time.process_time()
    response = handler(event, None)
    seconds = time.process_time() - start
    return Cost(response["statusCode"], seconds * speed, _peak_megabytes() - idle)


def _peak_megabytes() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
