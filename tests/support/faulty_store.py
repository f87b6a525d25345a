"""A model store with faults: of the network, of S3 and of the objects in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import boto3
import onnx
import pytest

from chalicelib.errors import Reason
from chalicelib.settings import derive_key
from tests.support.artifacts import change_label, drop_feature, rewrite_manifest, set_format
from tests.support.fault_proxy import End, FaultProxy
from training.registry import ModelRegistry, sign_artifact

SECRET = "the secret of these tests"
BUCKET = "faults"
PREFIX = "wine"
KEY = derive_key(SECRET, f"s3://{BUCKET}/{PREFIX}", "")
MAX_BYTES = 1_000_000


class FaultyStore:
    """A store on S3 behind a proxy that injects faults."""

    def __init__(self, proxy: FaultProxy, endpoint: str, artifact: bytes) -> None:
        self.proxy = proxy
        self.artifact = artifact
        self.registry = ModelRegistry(f"s3://{BUCKET}/{PREFIX}", KEY)
        self._s3 = boto3.client("s3", endpoint_url=endpoint)

    def put(self, body: bytes) -> None:
        """Overwrite `current`."""
        self._s3.put_object(Bucket=BUCKET, Key=f"{PREFIX}/current", Body=body)

    def delete(self) -> None:
        """Delete `current`."""
        self._s3.delete_object(Bucket=BUCKET, Key=f"{PREFIX}/current")

    def heal(self) -> None:
        """Remove the fault and publish the model."""
        self.proxy.heal()
        self.put(sign_artifact(self.artifact, KEY))


class Fault(NamedTuple):
    """A fault, and the reason that clients see."""

    name: str
    inject: Callable[[FaultyStore], None]
    reason: Reason


def s3_error(status: int, code: str) -> Callable[[FaultyStore], None]:
    """Return a fault: S3 responds with an error."""
    return lambda store: store.proxy.respond_with(status, code)


def stored(change: Callable[[bytes], bytes]) -> Callable[[FaultyStore], None]:
    """Return a fault: the store has a changed artifact."""
    return lambda store: store.put(change(store.artifact))


def signed(change: Callable[[dict[str, Any]], None]) -> Callable[[FaultyStore], None]:
    """Return a fault: the store has a wrong manifest with a valid signature."""
    return stored(lambda artifact: sign_artifact(rewrite_manifest(artifact, change), KEY))


def without_manifest(artifact: bytes) -> bytes:
    """Return a valid ONNX file without manifest and footer."""
    model = onnx.load_from_string(artifact)
    del model.metadata_props[:]
    serialized: bytes = model.SerializeToString()
    return serialized


def sent(*chunks: bytes, end: End = "close") -> Callable[[FaultyStore], None]:
    """Return a fault: the store sends bytes of a response, and then what `end` names."""
    return lambda store: store.proxy.send(*chunks, end=end)


OK = b"HTTP/1.1 200 OK\r\n"
HEADERS = OK + b'ETag: "1"\r\nLast-Modified: Sun, 01 Nov 2026 00:00:00 GMT\r\n'
LONG = HEADERS + b"Content-Length: 1000\r\n\r\n"
PAGE = b"<html>Log in to this network</html>"

_FAULTS = [
    # The network.
    Fault("connections refused", lambda store: store.proxy.refuse_connections(), "unreachable"),
    Fault("reset at once", sent(end="reset"), "cut short"),
    Fault("closed at once", sent(), "cut short"),
    Fault("no response", sent(end="stall"), "timed out"),
    Fault("half the headers, then nothing", sent(OK, end="stall"), "timed out"),
    Fault("half a body, then nothing", sent(LONG, b"x" * 500, end="stall"), "timed out"),
    Fault("a body that trickles", sent(LONG, *[b"x"] * 1000), "timed out"),
    Fault("reset in the body", sent(LONG, b"x" * 500, end="reset"), "cut short"),
    Fault("body cut short", sent(LONG, b"x" * 500), "cut short"),
    Fault("a continuation only", sent(b"HTTP/1.1 100 Continue\r\n\r\n"), "cut short"),
    # Something else than S3.
    Fault("not HTTP", sent(b"\x16\x03\x01" * 100), "unexpected response"),
    Fault("no length", sent(HEADERS + b"\r\n", PAGE), "unexpected response"),
    Fault(
        "a negative length", sent(HEADERS + b"Content-Length: -5\r\n\r\n"), "unexpected response"
    ),
    Fault("no content", sent(b"HTTP/1.1 204 No Content\r\n\r\n"), "unexpected response"),
    Fault("thousands of headers", sent(OK + b"X-A: b\r\n" * 5_000), "unexpected response"),
    Fault(
        "a page of a proxy",
        sent(OK + b"Content-Length: %d\r\n\r\n" % len(PAGE), PAGE),
        "not an artifact",
    ),
    Fault("ten gigabytes", sent(HEADERS + b"Content-Length: 10000000000\r\n\r\n"), "too large"),
    # Errors of S3.
    Fault("redirected", s3_error(301, "PermanentRedirect"), "unexpected response"),
    Fault("400", s3_error(400, "ExpiredToken"), "access denied"),
    Fault("403", s3_error(403, "AccessDenied"), "access denied"),
    Fault("wrong key", s3_error(403, "InvalidAccessKeyId"), "access denied"),
    Fault("wrong clock", s3_error(403, "RequestTimeTooSkewed"), "clock skew"),
    Fault("object deleted", lambda store: store.delete(), "not found"),
    Fault("no bucket", s3_error(404, "NoSuchBucket"), "no such bucket"),
    Fault("409", s3_error(409, "OperationAborted"), "unexpected response"),
    Fault("412", s3_error(412, "PreconditionFailed"), "unexpected response"),
    Fault("429", s3_error(429, "TooManyRequests"), "throttled"),
    Fault("500", s3_error(500, "InternalError"), "store error"),
    Fault("502", s3_error(502, "BadGateway"), "store error"),
    Fault("503", s3_error(503, "SlowDown"), "throttled"),
    # Wrong objects.
    Fault("empty object", stored(lambda _: b""), "empty object"),
    Fault("random bytes", stored(lambda _: os.urandom(5_000)), "not an artifact"),
    Fault("no manifest", stored(without_manifest), "not an artifact"),
    Fault(
        "flipped bit",
        stored(lambda artifact: b"\x09" + sign_artifact(artifact, KEY)[1:]),
        "damaged",
    ),
    Fault("newer format", signed(set_format), "unsupported format"),
    Fault("golden samples", signed(change_label), "wrong predictions"),
    Fault("wrong signature", signed(drop_feature), "unreadable manifest"),
    Fault("not signed", stored(lambda artifact: artifact), "not signed"),
    Fault("another key", stored(lambda artifact: sign_artifact(artifact, "no")), "not signed"),
    Fault("too large", stored(lambda _: b"x" * (MAX_BYTES + 1)), "too large"),
]
FAULTS = {fault.name: fault for fault in _FAULTS}


@contextmanager
def faulty_store(s3_endpoint: str, artifact: bytes) -> Iterator[FaultyStore]:
    """Set the variables of a server that reads a store through a proxy; yield the store."""
    with pytest.MonkeyPatch.context() as patch:
        proxy = FaultProxy(s3_endpoint)
        for name, value in {
            "AWS_ENDPOINT_URL": proxy.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "MODEL_URL": f"s3://{BUCKET}/{PREFIX}",
            "MODEL_REFRESH_SECONDS": "0.2",
            "MODEL_TIMEOUT_SECONDS": "0.5",
            "MODEL_MAX_BYTES": str(MAX_BYTES),
            "MODEL_SIGNING_KEY": SECRET,
        }.items():
            patch.setenv(name, value)
        boto3.client("s3", endpoint_url=s3_endpoint).create_bucket(Bucket=BUCKET)
        store = FaultyStore(proxy, s3_endpoint, artifact)
        store.heal()
        yield store
        proxy.heal()
