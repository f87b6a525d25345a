"""A model: an artifact that was verified, loaded and checked against its golden samples."""

from __future__ import annotations

from array import array
from itertools import chain

from chalicelib.errors import InvalidArtifact, InvalidRequest
from chalicelib.inputs.problems import locate_in_rows
from chalicelib.inputs.samples import read_samples
from chalicelib.models.artifact import read_manifest
from chalicelib.models.manifest import Manifest
from chalicelib.models.memory import MEASURED_BYTES, release_free_memory
from chalicelib.named_tuple import NamedTuple
from chalicelib.runtimes.base import Classifier

# The largest difference between a probability and scikit-learn's.
PROBABILITY_TOLERANCE = 1e-5


class Model(NamedTuple):
    """A verified model."""

    manifest: Manifest
    classifier: Classifier


def load_model(artifact: bytes, *signing_keys: str) -> Model:
    """Verify an artifact, load its model and check the model's golden samples.

    Raises `InvalidArtifact` if the artifact is damaged, not signed with one of the keys, cannot be
    loaded, or does not reproduce its golden samples.
    """
    manifest = verify(artifact, *signing_keys)
    return load_verified(manifest, artifact, is_trusted=bool(signing_keys))


def verify(artifact: bytes, *signing_keys: str) -> Manifest:
    """Verify an artifact, without its model, and return its manifest.

    Raises `InvalidArtifact` if the artifact is damaged, or is not signed with one of the keys.
    """
    return Manifest.from_document(read_manifest(artifact, *signing_keys))


def load_verified(manifest: Manifest, artifact: bytes, *, is_trusted: bool) -> Model:
    """Load the model of a verified artifact and check its golden samples.

    A trusted one, which is signed, is not audited. Raises `InvalidArtifact` if the model cannot be
    loaded, or does not reproduce its golden samples.
    """
    model = Model(manifest, _load_classifier(manifest, artifact, is_trusted=is_trusted))
    _verify_golden_samples(model)
    if len(artifact) >= MEASURED_BYTES:
        release_free_memory()
    return model


def _load_classifier(manifest: Manifest, artifact: bytes, *, is_trusted: bool) -> Classifier:
    """Load the model with its runtime, which is imported only here."""
    if manifest.runtime == "onnx":
        from chalicelib.runtimes.onnx_classifier import OnnxClassifier

        return OnnxClassifier(
            artifact,
            manifest.signature,
            manifest.text_encoders,
            row_values=manifest.row_values,
            is_trusted=is_trusted,
        )
    if manifest.runtime == "sklearn":
        from chalicelib.runtimes.sklearn_classifier import SklearnClassifier

        return SklearnClassifier(artifact, manifest.signature, manifest.sklearn_version)
    raise InvalidArtifact(
        "unsupported runtime", f"The runtime {manifest.runtime!r} is not supported."
    )


def _verify_golden_samples(model: Model) -> None:
    signature, golden = model.manifest.signature, model.manifest.golden_samples
    if not golden.samples:
        raise InvalidArtifact("unreadable manifest", "The manifest has no golden samples.")
    try:
        samples = read_samples(
            golden.samples,
            signature,
            locate_in_rows("golden_samples"),
            max_rows=len(golden.samples),
            accepts_no_value=True,
        )
    except InvalidRequest as error:
        raise InvalidArtifact(
            "unreadable manifest", "The manifest's golden samples do not fit its signature."
        ) from error
    try:
        prediction = model.classifier.predict(samples)
    except Exception as error:  # of any kind: the model must not be served
        raise InvalidArtifact(
            "wrong predictions", f"The model fails on its golden samples: {type(error).__name__}."
        ) from error
    if prediction.labels != golden.labels or not _all_close(
        prediction.probabilities, golden.probabilities, len(signature.classes)
    ):
        raise InvalidArtifact(
            "wrong predictions",
            "The model's predictions for its golden samples differ from scikit-learn's: "
            f"{model.classifier.runtime} computed them.",
        )


def _all_close(
    actual: array[float] | None, expected: list[list[float]] | None, classes: int
) -> bool:
    if actual is None or expected is None:
        return actual is None and expected is None
    if len(actual) != len(expected) * classes or {len(row) for row in expected} != {classes}:
        return False
    pairs = zip(actual, chain.from_iterable(expected), strict=True)
    return all(abs(a - e) <= PROBABILITY_TOLERANCE for a, e in pairs)
