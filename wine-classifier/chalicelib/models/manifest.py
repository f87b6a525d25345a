"""What a model says of itself: read from JSON, typed, refused if it cannot be served by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from chalicelib.errors import InvalidArtifact
from chalicelib.inputs.signature import Signature

# Raise this when a reader of the old format would misread the new one, and teach `Manifest` both:
# functions that were deployed earlier refuse the newer format and go on with their last good model.
FORMAT = 1


class GoldenSamples(NamedTuple):
    """A few samples with the answers that scikit-learn gave for them.

    Parameters
    ----------
    samples : list of list
        Shape (n, features), as a client would send them; None is a missing value.
    labels : list of str
        Shape (n,).
    probabilities : list of list of float or None
        Shape (n, classes); None if the estimator gives none.
    """

    samples: list[list[Any]]
    labels: list[str]
    probabilities: list[list[float]] | None


class Manifest(NamedTuple):
    """What serving needs to know of a model.

    Parameters
    ----------
    name : str
        The model's name.
    version : str
        The first 12 hex digits of the SHA-256 of what was published.
    runtime : str
        What runs the model: ``"onnx"`` or ``"sklearn"``.
    signature : Signature
        What the model takes and answers.
    golden_samples : GoldenSamples
        What the model must answer before it is believed.
    document : mapping
        The whole manifest as it was published, metrics and versions of libraries included.
    """

    name: str
    version: str
    runtime: str
    signature: Signature
    golden_samples: GoldenSamples
    document: Mapping[str, Any]

    @property
    def sklearn_version(self) -> str:
        """The version of scikit-learn that the estimator was fitted with."""
        return str(self.document["libraries"]["scikit-learn"])

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Manifest:
        """Read a manifest from its JSON object.

        Parameters
        ----------
        document : mapping
            The manifest as it was published.

        Returns
        -------
        Manifest

        Raises
        ------
        InvalidArtifact
            If the format is newer than this code, or a field is missing or of another kind.
        """
        if document.get("format") != FORMAT:
            raise InvalidArtifact(
                f"The manifest's format is {document.get('format')!r}; this code reads {FORMAT}."
            )
        try:
            return cls(
                name=str(document["name"]),
                version=str(document["version"]),
                runtime=str(document["runtime"]),
                signature=Signature.from_document(document["signature"]),
                golden_samples=GoldenSamples(**document["golden_samples"]),
                document=document,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidArtifact(f"The manifest cannot be read: {error!r}.") from error
