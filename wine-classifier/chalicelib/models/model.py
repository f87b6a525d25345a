"""A model that may answer: an artifact that was whole, could be run and has proved itself."""

from __future__ import annotations

from array import array
from itertools import chain
from typing import NamedTuple

from chalicelib.errors import InvalidArtifact, InvalidRequest
from chalicelib.inputs.problems import locate_in_rows
from chalicelib.inputs.samples import read_samples
from chalicelib.models.artifact import read_manifest
from chalicelib.models.manifest import Manifest
from chalicelib.runtimes.base import Classifier

# How far a probability may lie from the one that scikit-learn gave.
PROBABILITY_TOLERANCE = 1e-5


class Model(NamedTuple):
    """A model that may answer.

    Parameters
    ----------
    manifest : Manifest
        What the model says of itself.
    classifier : Classifier
        What computes its answers.
    """

    manifest: Manifest
    classifier: Classifier


def load_model(artifact: bytes, signing_key: str | None = None) -> Model:
    """Make a model of an artifact and let it prove itself.

    Parameters
    ----------
    artifact : bytes
        The whole file, as it was published.
    signing_key : str, optional
        What it must be signed with.

    Returns
    -------
    Model

    Raises
    ------
    InvalidArtifact
        If the file is not whole, is not signed with the key, cannot be run by this code, or does
        not answer its golden samples as scikit-learn did.
    """
    manifest = Manifest.from_document(read_manifest(artifact, signing_key))
    model = Model(manifest, _classifier(manifest, artifact))
    _verify_golden_samples(model)
    return model


def _classifier(manifest: Manifest, artifact: bytes) -> Classifier:
    """Load what runs the model; a runtime is imported when a model needs it."""
    if manifest.runtime == "onnx":
        from chalicelib.runtimes.onnx_classifier import OnnxClassifier

        return OnnxClassifier(artifact)
    if manifest.runtime == "sklearn":
        from chalicelib.runtimes.sklearn_classifier import SklearnClassifier

        return SklearnClassifier(artifact, manifest.signature, manifest.sklearn_version)
    raise InvalidArtifact(f"This code has no runtime {manifest.runtime!r}.")


def _verify_golden_samples(model: Model) -> None:
    signature, golden = model.manifest.signature, model.manifest.golden_samples
    if not golden.samples:
        raise InvalidArtifact("The manifest has no golden samples.")
    try:
        samples = read_samples(
            golden.samples,
            signature,
            locate_in_rows("golden_samples"),
            max_rows=len(golden.samples),
        )
    except InvalidRequest as error:
        raise InvalidArtifact("The manifest's golden samples do not fit its signature.") from error
    try:
        prediction = model.classifier.predict(samples)
    except Exception as error:  # whatever it is, this model does not answer as its manifest says
        raise InvalidArtifact(
            f"The model fails on its golden samples: {type(error).__name__}."
        ) from error
    if prediction.labels != golden.labels or not _agree(
        prediction.probabilities, golden.probabilities, len(signature.classes)
    ):
        raise InvalidArtifact("The model does not answer its golden samples as scikit-learn did.")


def _agree(
    probabilities: array[float] | None, golden: list[list[float]] | None, classes: int
) -> bool:
    if probabilities is None or golden is None:
        return probabilities is None and golden is None
    if len(probabilities) != len(golden) * classes or {len(row) for row in golden} != {classes}:
        return False
    pairs = zip(probabilities, chain.from_iterable(golden), strict=True)
    return all(abs(ours - theirs) <= PROBABILITY_TOLERANCE for ours, theirs in pairs)
