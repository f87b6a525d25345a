"""A process that publishes, to be killed."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerProcess

from training.registry import ModelRegistry

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.support.publisher", "boto3", "obstore"])


def start_publisher(
    url: str, artifacts: Sequence[bytes], environment: Mapping[str, str] | None = None
) -> ForkServerProcess:
    """Start a process that publishes each artifact in turn; kill it to see what it leaves."""
    process = _CONTEXT.Process(target=_publish, args=(url, artifacts, dict(environment or {})))
    process.start()
    return process


def _publish(url: str, artifacts: Sequence[bytes], environment: dict[str, str]) -> None:
    os.environ.update(environment)
    registry = ModelRegistry(url)
    for artifact in artifacts:
        registry.publish(artifact)
