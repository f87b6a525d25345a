"""Clients that ask without pause, and count what they get."""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from contextlib import closing
from types import TracebackType

CLIENTS = 8


class Load:
    """As many as `CLIENTS` threads that send one request over and over, while a block runs."""

    def __init__(self, port: int, body: bytes) -> None:
        self._port = port
        self._body = body
        self._stop = threading.Event()
        self._progress = threading.Condition()
        self._threads = [threading.Thread(target=self._ask) for _ in range(CLIENTS)]
        self.failures: list[str] = []
        self.answers: Counter[tuple[str, str]] = Counter()

    @property
    def sent(self) -> int:
        """How many requests were sent and answered, one way or the other."""
        return self.answers.total() + len(self.failures)

    def wait_for_more(self, count: int) -> None:
        """Wait until so many more requests were answered."""
        with self._progress:
            goal = self.sent + count
            assert self._progress.wait_for(lambda: self.sent >= goal, timeout=60)

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        headers = {"Content-Type": "application/json"}
        address = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        with closing(address) as connection:
            while not self._stop.is_set():
                try:
                    connection.request("POST", "/classify", self._body, headers)
                    response = connection.getresponse()
                    body = json.loads(response.read())
                    answer = response.headers["X-Model-Version"], body["prediction"]
                except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
                    self._note(failure=repr(error))
                    connection.close()
                else:
                    self._note(answer=answer)

    def _note(self, *, failure: str = "", answer: tuple[str, str] | None = None) -> None:
        with self._progress:
            if answer is None:
                self.failures.append(failure)
            else:
                self.answers[answer] += 1
            self._progress.notify_all()
