"""Messages to the queue of ranges.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
"""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Sequence
from itertools import batched
from typing import Any

from chalicelib.errors import ServingError
from chalicelib.store.aws_api import Operation, post

TIMEOUT_SECONDS = 20.0
BATCH = 10  # SQS's limit
ATTEMPTS = 3
_MAX_RESPONSE_BYTES = 1_000_000


class QueueError(ServingError):
    """SQS could not be called, or did not take a message."""


class Queue:
    """A queue of SQS.

    Parameters
    ----------
    url : str
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, messages: Sequence[dict[str, Any]]) -> None:
        """Send messages, ten in a request; what SQS does not take is sent again.

        Raises `QueueError` if some are not sent. Those before them may be received anyway.
        """
        for batch in batched(messages, BATCH):
            waiting = {str(index): json.dumps(message) for index, message in enumerate(batch)}
            for _ in range(ATTEMPTS):
                entries = [{"Id": i, "MessageBody": body} for i, body in waiting.items()]
                response = self._call("SendMessageBatch", {"Entries": entries})
                sent = {item["Id"] for item in response.get("Successful", [])}
                waiting = {i: body for i, body in waiting.items() if i not in sent}
                if not waiting:
                    break
            else:
                raise QueueError(f"SQS did not take {len(waiting)} messages.")

    def show_again(self, receipt_handle: str, seconds: int) -> None:
        """Let a received message be received again after a few seconds, not after the timeout."""
        self._call(
            "ChangeMessageVisibility",
            {"ReceiptHandle": receipt_handle, "VisibilityTimeout": seconds},
        )

    def _call(self, name: str, fields: dict[str, Any]) -> dict[str, Any]:
        operation = Operation("sqs", f"AmazonSQS.{name}", "application/x-amz-json-1.0")
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""
        body = json.dumps({"QueueUrl": self._url, **fields}).encode()
        try:
            status, data = post(
                self._url, operation, region, body, TIMEOUT_SECONDS, _MAX_RESPONSE_BYTES
            )
        except (OSError, http.client.HTTPException) as error:
            raise QueueError(f"SQS cannot be reached: {type(error).__name__}.") from error
        if status != http.client.OK:
            raise QueueError(f"SQS returned {status} for {name}.")
        document: dict[str, Any] = json.loads(data or b"{}")
        return document
