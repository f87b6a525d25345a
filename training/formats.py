"""Write an artifact: the model, its manifest and a footer in one file, in the runtime's format.

`chalicelib.models.artifact` describes the footer and reads it.
"""

from __future__ import annotations

import onnx

from chalicelib.models.artifact import FOOTER_BYTES, make_footer
from training.export.skops_export import add_members

_MANIFEST_KEY = "wine-classifier.manifest"
_FOOTER_KEY = "wine-classifier.footer"
_MANIFEST_MEMBER = "wine-classifier.manifest.json"


def write_onnx_artifact(model: bytes, manifest: str) -> bytes:
    """Append the manifest and the footer to an ONNX file, as metadata."""
    model_and_manifest = model + _metadata_entry(_MANIFEST_KEY, manifest)
    # The value of a serialized entry is its last bytes, so that the footer ends the file.
    placeholder = _metadata_entry(_FOOTER_KEY, "-" * FOOTER_BYTES)
    content = model_and_manifest + placeholder[:-FOOTER_BYTES]
    return content + make_footer(content, len(model_and_manifest) - len(manifest), len(manifest))


def _metadata_entry(key: str, value: str) -> bytes:
    """Serialize an entry of ``metadata_props`` that can be appended to an ONNX file.

    Protobuf reads concatenated messages as one. Source:
    https://protobuf.dev/programming-guides/encoding/#last-one-wins
    """
    entry = onnx.StringStringEntryProto(key=key, value=value)
    serialized: bytes = onnx.ModelProto(metadata_props=[entry]).SerializeToString()
    return serialized


def write_skops_artifact(model: bytes, manifest: str) -> bytes:
    """Add the manifest and the footer to a ``.skops`` archive."""
    member = {_MANIFEST_MEMBER: manifest.encode()}
    # The comment of a zip archive is its last bytes, so that the footer ends the file.
    content = add_members(model, member, comment=b"-" * FOOTER_BYTES)[:-FOOTER_BYTES]
    return content + make_footer(content, content.rindex(manifest.encode()), len(manifest))


WRITERS = {"onnx": write_onnx_artifact, "sklearn": write_skops_artifact}
