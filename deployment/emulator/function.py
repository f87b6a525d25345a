"""The Lambda runtime emulator: runs an unpacked package as Lambda does, on this machine.

The package lies in a folder that its process cannot write to.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deployment.emulator.download import emulator_files
from deployment.emulator.events import Response, api_gateway_event
from deployment.target import RUNTIME

START_SECONDS = 10.0
TIMEOUT_SECONDS = 60
_ROUTE = "/2015-03-31/functions/function/invocations"


class Function:
    """A function on the emulator. Its process starts with the first event, as a cold start does.

    Parameters
    ----------
    code : Path
        The unpacked package.
    environment : mapping of str to str, optional
        The function's variables.
    handler : str, default="app.app"
        What answers events.
    """

    def __init__(
        self, code: Path, environment: Mapping[str, str] | None = None, handler: str = "app.app"
    ) -> None:
        emulator, client = emulator_files()
        self._port, runtime_api = _free_ports(2)
        addresses = [f"--runtime-interface-emulator-address=127.0.0.1:{self._port}"]
        addresses += [f"--runtime-api-address=127.0.0.1:{runtime_api}"]
        python = [getattr(sys, "_base_executable", sys.executable), "-s"]
        command = [str(emulator), *addresses, *python, "-m", "awslambdaric", handler]
        self._log = code.with_name(f"{code.name}-{self._port}.log")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*_without_root(), *command],
                cwd=code,
                env={
                    "PATH": os.environ["PATH"],
                    "PYTHONPATH": f"{code}:{client}",
                    "LAMBDA_TASK_ROOT": str(code),
                    "AWS_EXECUTION_ENV": f"AWS_Lambda_{RUNTIME}",
                    "AWS_LAMBDA_FUNCTION_NAME": "function",
                    "AWS_LAMBDA_FUNCTION_TIMEOUT": str(TIMEOUT_SECONDS),
                    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
                    **(environment or {}),
                },
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait_until_it_listens()

    def invoke(self, event: object) -> dict[str, Any]:
        """Send an event.

        Parameters
        ----------
        event : object
            What JSON can hold; a dict, if it comes from API Gateway.

        Returns
        -------
        dict
            What the handler returned, or what Lambda says of its failure.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_SECONDS)
        connection.request("POST", _ROUTE, json.dumps(event))
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def request(
        self, method: str, path: str, body: object = None, resource: str | None = None
    ) -> Response:
        """Send an HTTP request, by way of an event as API Gateway sends it.

        Parameters
        ----------
        method, path : str
            Of the request.
        body : object, optional
            Bytes, or what JSON can hold.
        resource : str, optional
            The route that the path matches, if that is another.

        Returns
        -------
        Answer
        """
        sent = body if body is None or isinstance(body, bytes) else json.dumps(body)
        answer = self.invoke(api_gateway_event(method, path, sent, resource))
        assert "statusCode" in answer, f"{answer}\n{self.log}"
        return Response(answer["statusCode"], answer["headers"], json.loads(answer["body"]))

    @property
    def log(self) -> str:
        """All that the emulator and the function have printed."""
        return self._log.read_text(errors="replace")

    @property
    def peak_memory_bytes(self) -> int:
        """The most memory that the function's process ever had resident."""
        statuses = [_status(path) for path in Path("/proc").glob("[0-9]*/status")]
        emulator = str(self._process.pid)  # the function's process is its only child
        [peak] = [status["VmHWM"] for status in statuses if status["PPid"] == emulator]
        return int(peak.removesuffix(" kB")) * 1024

    def stop(self) -> None:
        """End the function."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def __enter__(self) -> Function:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait_until_it_listens(self) -> None:
        until = time.monotonic() + START_SECONDS
        while True:
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            assert time.monotonic() < until, self.log
            time.sleep(0.005)


def unpack_package(package: Path, folder: Path) -> Path:
    """Unzip a package to a folder that is then closed for writing.

    Parameters
    ----------
    package : Path
        The zip.
    folder : Path
        Where to.

    Returns
    -------
    Path
        The folder.
    """
    with zipfile.ZipFile(package) as archive:
        archive.extractall(folder)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    return folder


def remove_package(folder: Path) -> None:
    """Remove what `unpack_package` made.

    Parameters
    ----------
    folder : Path
    """
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)


def _without_root() -> list[str]:
    """Take from root what lets it write to a folder that is closed for writing."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        return []
    return ["setpriv", "--bounding-set=-dac_override"]


def _free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def _status(path: Path) -> dict[str, str]:
    """Read what Linux says of a process, see proc_pid_status(5)."""
    try:
        lines = path.read_text().splitlines()
    except OSError:  # it has ended
        return {"PPid": "0"}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
