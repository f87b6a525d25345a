"""The artifact: one file with a model, its manifest and its checksum.

An artifact is a file in the runtime's own format (``.onnx``), which any tool for that format
opens. Its last bytes are a *footer*: ASCII of a fixed length with the manifest's offset and length
in the file, the HMAC-SHA-256 of every byte before the HMAC (dashes if the artifact is not signed)
and the SHA-256 of every byte before the SHA-256::

    ...the model...{"format": 1, ...}...
    wine-classifier-artifact/1 manifest=000000001421+000000003977 hmac-sha256=<64> sha256=<64>

Reading the manifest and checking the file therefore need no parser for the runtime's format.
In ONNX, manifest and footer are entries of ``metadata_props``, which protobuf allows at the end.
"""

from __future__ import annotations

import json
import re
from typing import Any

from chalicelib.digests import are_equal, hmac_sha256, sha256
from chalicelib.errors import InvalidArtifact
from chalicelib.named_tuple import NamedTuple

_HEX_DIGITS = 64  # of a SHA-256
_UNSIGNED = "-" * _HEX_DIGITS
_MANIFEST_RANGE = "wine-classifier-artifact/1 manifest={start:012d}+{length:012d} hmac-sha256="
_SHA256_FIELD = " sha256="
_FOOTER = re.compile(
    rb"wine-classifier-artifact/1 manifest=(\d{12})\+(\d{12})"
    rb" hmac-sha256=([0-9a-f]{64}|-{64}) sha256=([0-9a-f]{64})"
)
FOOTER_BYTES = (
    len(_MANIFEST_RANGE.format(start=0, length=0) + _UNSIGNED + _SHA256_FIELD) + _HEX_DIGITS
)


class Footer(NamedTuple):
    """The footer of an artifact."""

    manifest_start: int  # offset of the manifest's JSON in the file, in bytes
    manifest_length: int  # in bytes
    hmac: str  # HMAC-SHA-256 of every byte before it, in hex; dashes if not signed
    sha256: str  # SHA-256 of every byte before it, in hex


def make_footer(
    content: bytes, manifest_start: int, manifest_length: int, key: str | None = None
) -> bytes:
    """Make the footer of an artifact.

    Parameters
    ----------
    content : bytes
        The file up to the footer.
    manifest_start, manifest_length : int
        Offset and length of the manifest's JSON in the content, in bytes.
    key : str, optional
        The signing key. The artifact is not signed by default.

    Returns
    -------
    bytes
        The footer, `FOOTER_BYTES` long.
    """
    manifest_range = _MANIFEST_RANGE.format(start=manifest_start, length=manifest_length)
    signature = _UNSIGNED if key is None else hmac_sha256(key, content, manifest_range.encode())
    unhashed = manifest_range + signature + _SHA256_FIELD
    return f"{unhashed}{sha256(content + unhashed.encode())}".encode()


def read_footer(data: bytes) -> Footer:
    """Parse, but do not verify, the footer at the end of a file or of its last `FOOTER_BYTES`.

    Raises `InvalidArtifact` if there is no footer.
    """
    match = _FOOTER.fullmatch(data[-FOOTER_BYTES:])
    if match is None:
        raise InvalidArtifact(
            "not an artifact", "The object was not published by this project: it has no footer."
        )
    return Footer(int(match[1]), int(match[2]), match[3].decode(), match[4].decode())


def read_manifest(artifact: bytes, *keys: str) -> dict[str, Any]:
    """Check an artifact's footer and parse its manifest.

    Parameters
    ----------
    artifact : bytes
        The whole file.
    keys : str
        The signing keys, of which one has to fit. Without any, signatures are not checked.

    Returns
    -------
    dict
        The manifest's JSON object, for `chalicelib.models.manifest.Manifest` to interpret.

    Raises
    ------
    InvalidArtifact
        If the file is empty, has no footer, was changed after it was published, is not signed
        with one of the keys, or the footer does not point at a JSON object.
    """
    if not artifact:
        raise InvalidArtifact("empty object", "The object is empty.")
    footer = read_footer(artifact)
    view = memoryview(artifact)
    if not _is_signed(view, footer.hmac, keys):
        _check_sha256(view, footer.sha256)
        if keys:
            raise InvalidArtifact(
                "not signed", "The artifact is not signed with this function's key."
            )
    start, length = footer.manifest_start, footer.manifest_length
    return parse_manifest(artifact[start : start + length])


def parse_manifest(data: bytes) -> dict[str, Any]:
    """Parse a manifest's JSON object; raise `InvalidArtifact` if the bytes are not one."""
    try:
        manifest = json.loads(data)
    except (ValueError, RecursionError):
        manifest = None
    if not isinstance(manifest, dict):
        raise InvalidArtifact(
            "unreadable manifest", "The artifact's footer does not point at a manifest."
        )
    return manifest


def _check_sha256(artifact: memoryview, expected: str) -> None:
    if sha256(artifact[:-_HEX_DIGITS]) != expected:
        raise InvalidArtifact(
            "damaged", "The artifact was changed after it was published: its SHA-256 differs."
        )


def _is_signed(artifact: memoryview, signature: str, keys: tuple[str, ...]) -> bool:
    """Check the HMAC, which covers all that the SHA-256 does but the HMAC itself."""
    signed = artifact[: -(_HEX_DIGITS + len(_SHA256_FIELD) + _HEX_DIGITS)]
    return any(are_equal(hmac_sha256(key, signed), signature) for key in keys)
