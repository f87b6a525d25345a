"""Messages to SQS that it does not take, and an SQS that fails."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from chalicelib.bulk.queue import Queue, QueueError

Request = dict[str, Any]


@contextmanager
def sqs(*answers: tuple[int, dict[str, Any] | None]) -> Iterator[tuple[Queue, list[Request]]]:
    """Answer requests in turn, the last answer for all others; None takes every message."""
    requests: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer = answers[min(len(requests), len(answers) - 1)]
            requests.append(request)
            if answer is None:
                answer = {"Successful": [{"Id": entry["Id"]} for entry in request["Entries"]]}
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Queue(f"http://127.0.0.1:{server.server_port}/123456789012/bulk"), requests
        finally:
            server.shutdown()
            thread.join()


def bodies(request: Request) -> list[Any]:
    """Return the messages of a request."""
    return [json.loads(entry["MessageBody"]) for entry in request["Entries"]]


def test_ten_messages_are_in_a_request() -> None:
    """Which is what SQS takes."""
    messages = [{"range": number} for number in range(25)]
    with sqs((200, None)) as (queue, requests):
        queue.send(messages)
    assert [len(request["Entries"]) for request in requests] == [10, 10, 5]
    assert [body for request in requests for body in bodies(request)] == messages
    assert requests[0]["QueueUrl"].endswith("/123456789012/bulk")


def test_what_sqs_does_not_take_is_sent_again() -> None:
    """Alone."""
    with sqs((200, {"Successful": [{"Id": "0"}]}), (200, None)) as (queue, requests):
        queue.send([{"range": 0}, {"range": 1}])
    assert bodies(requests[1]) == [{"range": 1}]


def test_what_sqs_never_takes_is_an_error() -> None:
    """So that the file is split again."""
    with sqs((200, {"Failed": [{"Id": "0"}]})) as (queue, requests), pytest.raises(QueueError):
        queue.send([{"range": 0}])
    assert len(requests) == 3


def test_a_failing_sqs_is_an_error_that_names_the_call() -> None:
    """By its status, or that it cannot be reached."""
    with sqs((403, {})) as (queue, _), pytest.raises(QueueError, match="403 for ChangeMessage"):
        queue.show_again("handle", 20)
    with pytest.raises(QueueError, match="cannot be reached: ConnectionRefusedError"):
        queue.show_again("handle", 20)
