"""The one file that holds a model: how its manifest is found and how a changed byte is noticed.

An artifact is a file of the runtime's own format (``.onnx``), which any tool for that format
opens, and whose last bytes are a *seal*: ASCII of a fixed length that says where in the file the
manifest's JSON lies, and the SHA-256 of every byte before it::

    ...the model...{"format": 1, ...}...
    wine-classifier-artifact/1 manifest=000000001421+000000003977 sha256=<64 hex digits>

So the manifest is read, and the whole file checked, with no parser for the runtime's format.
In ONNX both are entries of ``metadata_props``, which protobuf allows to stand at the end.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from chalicelib.errors import InvalidArtifact

_SEAL = "wine-classifier-artifact/1 manifest={start:012d}+{length:012d} sha256={sha256}"
_SEAL_PATTERN = re.compile(
    rb"wine-classifier-artifact/1 manifest=(\d{12})\+(\d{12}) sha256=([0-9a-f]{64})"
)
_SHA256_DIGITS = 64
SEAL_BYTES = len(_SEAL.format(start=0, length=0, sha256="0" * _SHA256_DIGITS))


def seal(content: bytes, manifest: bytes) -> bytes:
    """Make the seal that belongs behind some content.

    Parameters
    ----------
    content : bytes
        Everything that comes before the seal, the manifest's JSON in it.
    manifest : bytes
        The manifest's JSON, as it stands in the content.

    Returns
    -------
    bytes
        The seal, `SEAL_BYTES` long.
    """
    unhashed = _SEAL.format(start=content.rindex(manifest), length=len(manifest), sha256="")
    sha256 = hashlib.sha256(content + unhashed.encode()).hexdigest()
    return f"{unhashed}{sha256}".encode()


def read_manifest(artifact: bytes) -> dict[str, Any]:
    """Check an artifact's seal and read its manifest.

    Parameters
    ----------
    artifact : bytes
        The whole file.

    Returns
    -------
    dict
        The manifest, as its JSON says; what it means is for `chalicelib.manifest` to read.

    Raises
    ------
    InvalidArtifact
        If the file is empty, has no seal, was changed after it was sealed, or holds no JSON
        object where the seal says that the manifest is.
    """
    if not artifact:
        raise InvalidArtifact("The object is empty.")
    sealed = _SEAL_PATTERN.fullmatch(artifact[-SEAL_BYTES:])
    if sealed is None:
        raise InvalidArtifact("The object was not published by this project: it has no seal.")
    start, length = int(sealed[1]), int(sealed[2])
    if hashlib.sha256(memoryview(artifact)[:-_SHA256_DIGITS]).hexdigest() != sealed[3].decode():
        raise InvalidArtifact("The artifact was changed after it was sealed: its SHA-256 differs.")
    try:
        manifest = json.loads(artifact[start : start + length])
    except ValueError:
        manifest = None
    if not isinstance(manifest, dict):
        raise InvalidArtifact("The artifact's seal does not point at a manifest.")
    return manifest
