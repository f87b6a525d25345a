"""Whether a function has the memory that a model takes."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import chalicelib
from chalicelib.errors import InvalidArtifact
from chalicelib.local.trial import try_model
from chalicelib.models.artifact import read_manifest
from training.errors import NotServable

DEFAULT_MEMORY_MB = 512
_MAX_SECONDS = 600
_ROOT = Path(chalicelib.__file__).parents[1]

LOG = logging.getLogger(__name__)


def stage_memory(stage: str) -> int:
    """Return the memory, in MB, that `.chalice/config.json` gives a stage's function."""
    path = _ROOT / ".chalice" / "config.json"
    if not path.exists():  # installed as a library
        return DEFAULT_MEMORY_MB
    config = json.loads(path.read_text())
    settings = config | config.get("stages", {}).get(stage, {})
    return int(settings.get("lambda_memory_size", DEFAULT_MEMORY_MB))


def check_memory(artifact: bytes, memory_mb: int) -> None:
    """Raise `NotServable` if a function with so much memory cannot load an artifact.

    Warn if it cannot load the next model of this size beside it. A small artifact, which was not
    measured, is loaded in a process of its own here.
    """
    memory = read_manifest(artifact).get("memory")
    if not memory:
        try:
            try_model(artifact, _MAX_SECONDS)
        except InvalidArtifact as error:
            raise NotServable(f"A server cannot load the model: {error}") from error
        return
    if memory["load"] > memory_mb:
        raise NotServable(
            f"Loading the model takes {memory['load']:,} MB of memory, and the function has "
            f"{memory_mb:,} MB: fit a smaller model (fewer or shallower trees, fewer terms), or "
            "raise lambda_memory_size and pass --memory."
        )
    if memory["swap"] > memory_mb:
        LOG.warning(
            "a running function takes %s MB to replace the model by one of this size, over %s MB: "
            "it drops the old model first, and requests wait meanwhile",
            f"{memory['swap']:,}",
            f"{memory_mb:,}",
        )
