"""Run an unpacked package on the Lambda runtime emulator, in a folder that it cannot write to."""

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
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deployment.emulator.download import download_emulator
from deployment.emulator.events import Response, api_gateway_event
from deployment.target import PYTHON_RUNTIME

START_SECONDS = 10.0
REPORT_SECONDS = 10.0
TIMEOUT_SECONDS = 60
_ROUTE = "/2015-03-31/functions/function/invocations"
_REPORT = re.compile(r"^REPORT .*\tDuration: ([\d.]+) ms\t", re.MULTILINE)


class Function:
    """A function on the emulator; its process starts with the first event, as on a cold start.

    Parameters
    ----------
    code : Path
        The unpacked package.
    environment : mapping of str to str, optional
        The function's environment variables.
    handler : str, default="app.app"
        The module and the name of the handler.
    """

    def __init__(
        self, code: Path, environment: Mapping[str, str] | None = None, handler: str = "app.app"
    ) -> None:
        emulator, client = download_emulator()
        self._port, runtime_api = _free_ports(2)
        addresses = [f"--runtime-interface-emulator-address=127.0.0.1:{self._port}"]
        addresses += [f"--runtime-api-address=127.0.0.1:{runtime_api}"]
        python = [getattr(sys, "_base_executable", sys.executable), "-s"]
        command = [str(emulator), *addresses, *python, "-m", "awslambdaric", handler]
        self._log = code.with_name(f"{code.name}-{self._port}.log")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*_drop_write_override(), *command],
                cwd=code,
                env={
                    "PATH": os.environ["PATH"],
                    "PYTHONPATH": f"{code}:{client}",
                    "LAMBDA_TASK_ROOT": str(code),
                    "AWS_EXECUTION_ENV": f"AWS_Lambda_{PYTHON_RUNTIME}",
                    "AWS_LAMBDA_FUNCTION_NAME": "function",
                    "AWS_LAMBDA_FUNCTION_TIMEOUT": str(TIMEOUT_SECONDS),
                    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
                    **(environment or {}),
                },
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait_until_listening()

    def invoke(self, event: object) -> dict[str, Any]:
        """Send an event (any JSON value) and return the handler's result or Lambda's error."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_SECONDS)
        connection.request("POST", _ROUTE, json.dumps(event))
        result: dict[str, Any] = json.loads(connection.getresponse().read())
        connection.close()
        return result

    def request(
        self, method: str, path: str, body: object = None, resource: str | None = None
    ) -> Response:
        """Send an HTTP request as an event of API Gateway.

        Parameters
        ----------
        method, path : str
            The request line.
        body : object, optional
            Bytes, or a value to encode as JSON.
        resource : str, optional
            The matching route (default: the path).
        """
        payload = body if body is None or isinstance(body, bytes) else json.dumps(body)
        result = self.invoke(api_gateway_event(method, path, payload, resource))
        assert "statusCode" in result, f"{result}\n{self.log}"
        multi = result.get("multiValueHeaders") or {}
        headers = result.get("headers") or {name: ", ".join(multi[name]) for name in multi}
        return Response(result["statusCode"], headers, json.loads(result["body"]))

    @property
    def log(self) -> str:
        """The output of the emulator and the function."""
        return self._log.read_text(errors="replace")

    def wait_for_durations(self, events: int) -> list[float]:
        """Return the seconds of so many events, as reported; the first includes the start.

        The emulator reports an event after its response.
        """
        deadline = time.monotonic() + REPORT_SECONDS
        while len(durations := read_durations(self.log)) < events:
            assert time.monotonic() < deadline, self.log
            time.sleep(0.005)
        return durations

    @property
    def peak_memory_bytes(self) -> int:
        """The peak resident memory of the function's process."""
        return int(self._status()["VmHWM"].removesuffix(" kB")) * 1024

    @property
    def processor_seconds(self) -> float:
        """The processor's time of the function's process, to a hundredth of a second."""
        stat = Path("/proc", self._status()["Pid"], "stat").read_text()
        user, system = stat.rpartition(") ")[2].split()[11:13]  # see proc_pid_stat(5)
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def _status(self) -> dict[str, str]:
        statuses = [_read_status(path) for path in Path("/proc").glob("[0-9]*/status")]
        emulator = str(self._process.pid)  # the function's process is its only child
        [status] = [status for status in statuses if status["PPid"] == emulator]
        return status

    def stop(self) -> None:
        """Stop the function."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def __enter__(self) -> Function:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait_until_listening(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            assert time.monotonic() < deadline, self.log
            time.sleep(0.005)


def read_durations(log: str) -> list[float]:
    """Return the seconds of each event in the emulator's log, from its REPORT lines."""
    return [float(milliseconds) / 1000 for milliseconds in _REPORT.findall(log)]


def unpack_package(package: Path, folder: Path) -> Path:
    """Unzip a package to a folder, make it read-only and return it."""
    with zipfile.ZipFile(package) as archive:
        archive.extractall(folder)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    return folder


def remove_package(folder: Path) -> None:
    """Remove a folder of `unpack_package`."""
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)


def _drop_write_override() -> list[str]:
    """Return a command prefix that makes root respect read-only folders."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        return []
    return ["setpriv", "--bounding-set=-dac_override"]


def _free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def _read_status(path: Path) -> dict[str, str]:
    """Parse the status file of a process, see proc_pid_status(5)."""
    try:
        lines = path.read_text().splitlines()
    except OSError:  # the process has ended
        return {"PPid": "0"}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
