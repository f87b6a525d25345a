"""Example request bodies for the OpenAPI document, from a golden sample of the model."""

from __future__ import annotations

from typing import Any

from chalicelib.models.manifest import Manifest
from chalicelib.protocols.invocations.csv_format import write_csv
from chalicelib.protocols.open_inference.metadata import model_metadata


def classify_examples(manifest: Manifest) -> dict[str, Any]:
    """Return the bodies of ``POST /classify`` by their names."""
    named, positional = _sample_by_name(manifest), _sample_by_position(manifest)
    examples: dict[str, Any] = {
        "by name": {"data": named},
        "by position": {"data": positional},
        "a batch": {"data": [named, positional]},
    }
    if manifest.signature.has_probabilities:
        examples["with probabilities"] = {"data": named, "probabilities": True}
    return examples


def invocation_examples(manifest: Manifest) -> dict[str, Any]:
    """Return the JSON bodies of ``POST /invocations`` by their formats."""
    named, positional = _sample_by_name(manifest), _sample_by_position(manifest)
    split = {"columns": manifest.signature.names, "data": [positional]}
    return {
        "dataframe_split": {"dataframe_split": split},
        "dataframe_records": {"dataframe_records": [named]},
        "instances": {"instances": [positional]},
        "inputs": {"inputs": [named]},
        "bare": [positional],
    }


def csv_examples(manifest: Manifest) -> dict[str, str]:
    """Return the CSV bodies of ``POST /invocations`` by their formats."""
    return {"without a header": write_csv([_sample_by_position(manifest)])}


def infer_examples(manifest: Manifest) -> dict[str, Any]:
    """Return the bodies of ``POST /v2/models/{model_name}/infer`` by their names."""
    sample = _sample_by_position(manifest)
    inputs = model_metadata(manifest)["inputs"]
    if len(inputs) == 1 and len(sample) > 1:
        tensors = [inputs[0] | {"shape": [1, len(sample)], "data": sample}]
    else:
        tensors = [
            tensor | {"shape": [1, 1], "data": [value]}
            for tensor, value in zip(inputs, sample, strict=True)
        ]
    return {"tensors": {"inputs": tensors}}


def _sample_by_position(manifest: Manifest) -> list[Any]:
    return manifest.golden_samples.samples[0]


def _sample_by_name(manifest: Manifest) -> dict[str, Any]:
    """Return the sample without its missing values."""
    values = zip(manifest.signature.names, _sample_by_position(manifest), strict=True)
    return {name: value for name, value in values if value is not None}
