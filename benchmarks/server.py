"""An AWS server on this machine, moto's, for the functions that are measured."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from moto.server import ThreadedMotoServer

BUCKET = "models"


@contextmanager
def s3() -> Iterator[dict[str, str]]:
    """Start an S3 server with a bucket; yield and set the environment variables of its clients."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # instead of a line for each request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    os.environ.update(environment)
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    try:
        yield environment
    finally:
        server.stop()
