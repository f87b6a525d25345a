"""The manifest: parsed from JSON, typed, rejected if this code cannot serve the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import inf
from typing import Any

from chalicelib.errors import InvalidArtifact
from chalicelib.inputs.signature import Signature
from chalicelib.named_tuple import NamedTuple

# Raise this when code that reads the old format would misread the new one, and let `Manifest` read
# both. Functions deployed earlier reject the newer format and keep serving their last good model.
FORMAT = 3


class GoldenSamples(NamedTuple):
    """A few samples, as in a request, with scikit-learn's predictions for them."""

    samples: list[list[Any]]  # (samples, features); None is a missing value
    labels: list[str]  # (samples,)
    probabilities: list[list[float]] | None  # (samples, classes); None if the estimator has none


class Memory(NamedTuple):
    """Peaks of a process that loads the model, in MB, as measured when it was published."""

    idle: int  # before
    load: int  # while the model is loaded and verified
    swap: int  # while another of the same size is loaded beside it


class Manifest(NamedTuple):
    """The parts of a manifest that serving needs."""

    name: str
    version: str  # the first 12 hex digits of the SHA-256 of the published content
    runtime: str  # "onnx" or "sklearn"
    signature: Signature
    text_encoders: Sequence[Mapping[str, Any]]  # see chalicelib.inputs.text_encoding
    row_values: int  # the most that the graph computes for a sample at once; 0 if they are few
    row_seconds: float  # of CPU time for each sample of a batch; 0 if it was not measured
    golden_samples: GoldenSamples  # a loaded model must reproduce these predictions
    memory: Memory | None  # None of a small model
    document: Mapping[str, Any]  # the whole manifest as published

    @property
    def path(self) -> str:
        """The path of this version in the store, which keeps it after another is live."""
        return f"versions/{self.version}.{'onnx' if self.runtime == 'onnx' else 'skops'}"

    @property
    def created_ms(self) -> int | None:
        """When the model was built, in milliseconds since 1970; None if the manifest is unclear."""
        try:
            return int(1000 * datetime.fromisoformat(self.document["created_at"]).timestamp())
        except (KeyError, TypeError, ValueError, OverflowError):
            return None

    @property
    def sklearn_version(self) -> str:
        """The version of scikit-learn that fitted the estimator."""
        return str(self.document["libraries"]["scikit-learn"])

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Manifest:
        """Check the fields of a manifest's JSON object; raise `InvalidArtifact` if one is wrong."""
        if document.get("format") != FORMAT:
            raise InvalidArtifact(
                "unsupported format",
                f"The manifest's format is {document.get('format')!r}; this code reads {FORMAT}.",
            )
        try:
            return cls(
                name=str(document["name"]),
                version=str(document["version"]),
                runtime=str(document["runtime"]),
                signature=Signature.from_document(document["signature"]),
                text_encoders=list(document["text_encoders"]),
                row_values=int(document.get("row_values", 0)),
                row_seconds=_read_seconds(document.get("row_seconds", 0)),
                golden_samples=GoldenSamples(**document["golden_samples"]),
                memory=_read_memory(document.get("memory")),
                document=document,
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InvalidArtifact(
                "unreadable manifest", f"The manifest cannot be read: {error!r}."
            ) from error


def _read_seconds(value: Any) -> float:
    seconds = float(value)
    if not 0 <= seconds < inf:
        raise ValueError(f"row_seconds is {seconds}")
    return seconds


def _read_memory(document: Mapping[str, Any] | None) -> Memory | None:
    return None if document is None else Memory(*(int(document[name]) for name in Memory._fields))
