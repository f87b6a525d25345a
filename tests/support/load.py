"""Clients that send requests without a pause and count the responses."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from contextlib import closing
from types import TracebackType

CLIENTS = 8


class Load:
    """`CLIENTS` threads that repeat one request while the block runs."""

    def __init__(self, port: int, body: bytes) -> None:
        self._port = port
        self._body = body
        self._stop = threading.Event()
        self._progress = threading.Condition()
        self._threads = [threading.Thread(target=self._send_requests) for _ in range(CLIENTS)]
        self.failures: list[str] = []
        self.responses: Counter[tuple[str, str]] = Counter()  # by version and prediction

    @property
    def total(self) -> int:
        """The number of requests that got a response or failed."""
        return self.responses.total() + len(self.failures)

    def wait_for_more(self, count: int) -> None:
        """Wait for this many more requests to finish."""
        with self._progress:
            goal = self.total + count
            assert self._progress.wait_for(lambda: self.total >= goal, timeout=60)

    def wait_for_response(self, version: str, prediction: str) -> float:
        """Wait for one more response of a model, and return the seconds that it took."""
        result, start = (version, prediction), time.monotonic()
        with self._progress:
            before = self.responses[result]
            assert self._progress.wait_for(lambda: self.responses[result] > before, timeout=20), (
                f"{version}: no response"
            )
        return time.monotonic() - start

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _send_requests(self) -> None:
        headers = {"Content-Type": "application/json"}
        http_connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        with closing(http_connection) as connection:
            while not self._stop.is_set():
                try:
                    connection.request("POST", "/classify", self._body, headers)
                    response = connection.getresponse()
                    body = json.loads(response.read())
                    result = response.headers["X-Model-Version"], body["prediction"]
                except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
                    self._record(failure=repr(error))
                    connection.close()
                else:
                    self._record(result=result)

    def _record(self, *, failure: str = "", result: tuple[str, str] | None = None) -> None:
        with self._progress:
            if result is None:
                self.failures.append(failure)
            else:
                self.responses[result] += 1
            self._progress.notify_all()
