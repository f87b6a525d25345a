"""A stack that scores files: its bucket and queues on moto, and Lambda's event source mapping."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3

from chalicelib.bulk.handler import Handler
from chalicelib.bulk.settings import BulkSettings
from chalicelib.settings import Settings
from training.registry import ModelRegistry

Record = dict[str, Any]
PLENTY = 300_000  # milliseconds
RECEIVES = 4  # as in .chalice/sam-bulk.json, which tests/deployment compares


class Stack:
    """A bucket with a model store, an inbox and an outbox; a queue, and its dead letters.

    The environment has to lead boto3's clients to moto's server.
    """

    def __init__(self) -> None:
        self.s3, self.sqs = boto3.client("s3"), boto3.client("sqs")
        name = f"models-{os.urandom(4).hex()}"
        self.bucket = name
        location = {"LocationConstraint": os.environ["AWS_DEFAULT_REGION"]}
        self.s3.create_bucket(Bucket=name, CreateBucketConfiguration=location)
        self.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        self.url = f"s3://{name}/wine"
        self.registry = ModelRegistry(self.url)
        self.dead_letters = self.sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        redrive = {
            "deadLetterTargetArn": self._arn(self.dead_letters),
            "maxReceiveCount": RECEIVES,
        }
        self.queue = self.sqs.create_queue(
            QueueName=name,
            Attributes={"RedrivePolicy": json.dumps(redrive), "VisibilityTimeout": "1800"},
        )["QueueUrl"]
        rules = [{"Name": "prefix", "Value": "wine/inbox/"}]
        configuration = {
            "QueueArn": self._arn(self.queue),
            "Events": ["s3:ObjectCreated:*"],
            "Filter": {"Key": {"FilterRules": rules}},
        }
        self.s3.put_bucket_notification_configuration(
            Bucket=name, NotificationConfiguration={"QueueConfigurations": [configuration]}
        )
        self.sqs.purge_queue(QueueUrl=self.queue)  # of the test that S3 sends

    @property
    def variables(self) -> dict[str, str]:
        """The variables of the function that scores files."""
        return {"MODEL_URL": self.url, "BULK": "yes", "BULK_QUEUE_URL": self.queue}

    def put(self, name: str, data: bytes) -> None:
        """Put a file into the inbox; S3 notifies the queue."""
        self.s3.put_object(Bucket=self.bucket, Key=f"wine/inbox/{name}", Body=data)

    def names(self, file: str) -> list[str]:
        """List what the outbox has of a file, but for markers."""
        prefix = f"wine/outbox/{file}/"
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        keys = [item["Key"].removeprefix(prefix) for p in pages for item in p.get("Contents", [])]
        return [key for key in keys if not key.startswith("_runs/")]

    def read(self, file: str, name: str) -> bytes:
        """Read an object that the outbox has of a file."""
        key = f"wine/outbox/{file}/{name}"
        body: bytes = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body

    def read_json(self, file: str, name: str) -> Any:
        """Parse an object that the outbox has of a file."""
        return json.loads(self.read(file, name))

    def lines(self, file: str) -> list[str]:
        """Return the lines of all parts of a file."""
        parts = [name for name in self.names(file) if name.startswith("part-")]
        return b"".join(self.read(file, name) for name in parts).decode().splitlines()

    def count(self, queue: str) -> int:
        """Return the number of the messages of a queue that can be received."""
        attributes = self.sqs.get_queue_attributes(
            QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"]
        )["Attributes"]
        return int(attributes["ApproximateNumberOfMessages"])

    def _arn(self, queue: str) -> str:
        attributes = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        arn: str = attributes["Attributes"]["QueueArn"]
        return arn


class EventSource:
    """Plays Lambda's event source mapping: one message in an event, deleted if that succeeds.

    Parameters
    ----------
    stack : Stack
    invoke : callable
        Calls the function with an event; raises if it fails.
    returns : bool, default=True
        Whether a message that failed can be received again at once, as if its visibility timeout
        were over; otherwise when the function says so.
    """

    def __init__(
        self, stack: Stack, invoke: Callable[[dict[str, Any]], None], *, returns: bool = True
    ) -> None:
        self._stack = stack
        self._invoke = invoke
        self._returns = returns
        self.failures = 0

    def run(self, rng: random.Random | None = None, *, twice: float = 0) -> None:
        """Deliver messages until the queue is empty, out of order if there is a generator.

        A failed one is received again at once, not when its visibility timeout is over. `twice` is
        the share of the messages that are delivered a second time, after some others.
        """
        copies: list[tuple[Record, bool]] = []
        while records := [(record, False) for record in self.receive()] + copies:
            copies = []
            if rng is not None:
                rng.shuffle(records)
            for record, is_copy in records:
                self.deliver(record, is_copy=is_copy)
                if rng is not None and not is_copy and rng.random() < twice:
                    copies.append((record, True))

    def deliver(self, record: Record, *, is_copy: bool = False) -> None:
        """Call the function with a message; what becomes of a copy of it changes nothing."""
        receipt = {"QueueUrl": self._stack.queue, "ReceiptHandle": record["receiptHandle"]}
        try:
            self._invoke({"Records": [record]})
        except Exception:
            self.failures += 1
            if is_copy or not self._returns:
                return
            self._stack.sqs.change_message_visibility(**receipt, VisibilityTimeout=0)
        else:
            if not is_copy:
                self._stack.sqs.delete_message(**receipt)

    def receive(self) -> list[Record]:
        """Receive all messages, as records of an event."""
        return list(self._receive_all())

    def _receive_all(self) -> Iterator[Record]:
        while messages := self._stack.sqs.receive_message(
            QueueUrl=self._stack.queue, MaxNumberOfMessages=10, AttributeNames=["All"]
        ).get("Messages"):
            for message in messages:
                yield {
                    "messageId": message["MessageId"],
                    "receiptHandle": message["ReceiptHandle"],
                    "body": message["Body"],
                    "attributes": message["Attributes"],
                    "messageAttributes": {},
                    "md5OfBody": message["MD5OfBody"],
                    "eventSource": "aws:sqs",
                    "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:bulk",
                    "awsRegion": "eu-central-1",
                }


def make_function(
    stack: Stack,
    remaining_ms: Callable[[], float] = lambda: PLENTY,
    **variables: str,
) -> Callable[[Mapping[str, Any]], None]:
    """Return the function with some variables, as a new process has it, in this one."""
    environ = {**stack.variables, "BULK_RANGE_BYTES": "4000", **variables}
    handler = Handler(Settings.from_environ(environ), BulkSettings.from_environ(environ))

    def invoke(event: Mapping[str, Any]) -> None:
        for record in event["Records"]:
            handler.handle(record, remaining_ms)

    return invoke
