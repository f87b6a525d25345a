"""The one file that holds a model: how its manifest is found and how a changed byte is noticed.

An artifact is a file of the runtime's own format (``.onnx``), which any tool for that format
opens, and whose last bytes are a *seal*: ASCII of a fixed length that says where in the file the
manifest's JSON lies, and holds the HMAC-SHA-256 (dashes if unsigned) and the SHA-256 of every
byte before each::

    ...the model...{"format": 1, ...}...
    wine-classifier-artifact/1 manifest=000000001421+000000003977 hmac-sha256=<64> sha256=<64>

So the manifest is read, and the whole file checked, with no parser for the runtime's format.
In ONNX both are entries of ``metadata_props``, which protobuf allows to stand at the end.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any, NamedTuple

from chalicelib.errors import InvalidArtifact

_DIGITS = 64  # of a SHA-256 in hex
_UNSIGNED = "-" * _DIGITS
_PLACE = "wine-classifier-artifact/1 manifest={start:012d}+{length:012d} hmac-sha256="
_BETWEEN = " sha256="
_PATTERN = re.compile(
    rb"wine-classifier-artifact/1 manifest=(\d{12})\+(\d{12})"
    rb" hmac-sha256=([0-9a-f]{64}|-{64}) sha256=([0-9a-f]{64})"
)
_WORTH_OPENSSL_BYTES = 2_000_000
FOOTER_BYTES = len(_PLACE.format(start=0, length=0) + _UNSIGNED + _BETWEEN) + _DIGITS


class Footer(NamedTuple):
    """What the end of an artifact says.

    Parameters
    ----------
    manifest_start, manifest_length : int
        Where in the file the manifest's JSON lies, in bytes.
    hmac : str
        In hex, of every byte before it; dashes if the artifact is not signed.
    sha256 : str
        In hex, of every byte before it.
    """

    manifest_start: int
    manifest_length: int
    hmac: str
    sha256: str


def make_footer(
    content: bytes, manifest_start: int, manifest_length: int, key: str | None = None
) -> bytes:
    """Make the seal that belongs behind some content.

    Parameters
    ----------
    content : bytes
        Everything that comes before the seal.
    manifest_start, manifest_length : int
        Where in it the manifest's JSON lies, in bytes.
    key : str, optional
        What to sign with.

    Returns
    -------
    bytes
        The seal, `FOOTER_BYTES` long.
    """
    place = _PLACE.format(start=manifest_start, length=manifest_length)
    signature = _UNSIGNED if key is None else _hmac(key, content, place.encode())
    unhashed = place + signature + _BETWEEN
    return f"{unhashed}{_sha256(content + unhashed.encode())}".encode()


def read_footer(end: bytes) -> Footer:
    """Read the seal at the end of an artifact.

    Parameters
    ----------
    end : bytes
        At least the last `FOOTER_BYTES` of the file.

    Returns
    -------
    Footer

    Raises
    ------
    InvalidArtifact
        If there is none.
    """
    found = _PATTERN.fullmatch(end[-FOOTER_BYTES:])
    if found is None:
        raise InvalidArtifact("The object was not published by this project: it has no footer.")
    return Footer(int(found[1]), int(found[2]), found[3].decode(), found[4].decode())


def read_manifest(artifact: bytes, key: str | None = None) -> dict[str, Any]:
    """Check an artifact's seal and read its manifest.

    Parameters
    ----------
    artifact : bytes
        The whole file.
    key : str, optional
        What the artifact must be signed with.

    Returns
    -------
    dict
        The manifest, as its JSON says; what it means is for `chalicelib.manifest` to read.

    Raises
    ------
    InvalidArtifact
        If the file is empty, has no seal, was changed after it was sealed, is not signed with
        the key, or holds no JSON object where the seal says that the manifest is.
    """
    if not artifact:
        raise InvalidArtifact("The object is empty.")
    found = read_footer(artifact)
    view = memoryview(artifact)
    if _sha256(view[:-_DIGITS]) != found.sha256:
        raise InvalidArtifact("The artifact was changed after it was sealed: its SHA-256 differs.")
    if key is not None:
        _check_signature(view, found.hmac, key)
    start, length = found.manifest_start, found.manifest_length
    return parse_manifest(artifact[start : start + length])


def parse_manifest(written: bytes) -> dict[str, Any]:
    """Parse a manifest's JSON.

    Parameters
    ----------
    written : bytes
        What lies where the seal says that the manifest is.

    Returns
    -------
    dict

    Raises
    ------
    InvalidArtifact
        If it is no JSON object.
    """
    try:
        manifest = json.loads(written)
    except (ValueError, RecursionError):
        manifest = None
    if not isinstance(manifest, dict):
        raise InvalidArtifact("The artifact's seal does not point at a manifest.")
    return manifest


def _sha256(content: bytes | memoryview) -> str:
    """Hash content: with OpenSSL, which is quicker, if that makes up for the time it takes to load.

    Python's own SHA-256 is private to its standard library, where `random` takes it for the same
    reason; so there may be none.
    """
    if len(content) < _WORTH_OPENSSL_BYTES:
        with suppress(ImportError):
            from _sha2 import sha256  # type: ignore[import-not-found]

            return str(sha256(content).hexdigest())
    import hashlib

    return hashlib.sha256(content).hexdigest()


def _check_signature(artifact: memoryview, signature: str, key: str) -> None:
    from hmac import compare_digest  # only those who sign pay for the import

    signed = artifact[: -(_DIGITS + len(_BETWEEN) + _DIGITS)]
    if not compare_digest(_hmac(key, signed), signature):
        raise InvalidArtifact("The artifact is not signed with this function's key.")


def _hmac(key: str, *parts: bytes | memoryview) -> str:
    import hmac

    mac = hmac.new(key.encode(), digestmod="sha256")
    for part in parts:
        mac.update(part)
    return mac.hexdigest()
