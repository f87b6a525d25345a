"""Example request bodies for the OpenAPI document, from the examples of the model's features.

There are none if a required feature has no example.
"""

from __future__ import annotations

from typing import Any

from chalicelib.models.manifest import Manifest
from chalicelib.protocols.invocations.csv_format import write_csv
from chalicelib.protocols.open_inference.metadata import model_metadata


def classify_examples(manifest: Manifest) -> dict[str, Any]:
    """Return the bodies of ``POST /classify`` by their names."""
    positional = example_sample(manifest)
    if positional is None:
        return {}
    named = _by_name(manifest, positional)
    examples: dict[str, Any] = {
        "by name": {"data": named},
        "by position": {"data": positional},
        "a batch": {"data": [named, named]},
    }
    if manifest.signature.has_probabilities:
        examples["with probabilities"] = {"data": named, "probabilities": True}
    return examples


def invocation_examples(manifest: Manifest) -> dict[str, Any]:
    """Return the JSON bodies of ``POST /invocations`` by their formats."""
    positional = example_sample(manifest)
    if positional is None:
        return {}
    named = _by_name(manifest, positional)
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
    sample = example_sample(manifest)
    return {} if sample is None else {"without a header": write_csv([sample])}


def infer_examples(manifest: Manifest) -> dict[str, Any]:
    """Return the bodies of ``POST /v2/models/{model_name}/infer`` by their names."""
    sample = example_sample(manifest)
    if sample is None:
        return {}
    inputs = model_metadata(manifest)["inputs"]
    if len(inputs) == 1 and len(sample) > 1:
        tensors = [inputs[0] | {"shape": [1, len(sample)], "data": sample}]
    else:
        tensors = [
            tensor | {"shape": [1, 1], "data": [value]}
            for tensor, value in zip(inputs, sample, strict=True)
        ]
    return {"tensors": {"inputs": tensors}}


def example_sample(manifest: Manifest) -> list[Any] | None:
    """Return a valid sample by position, with None for missing values, if there is one."""
    features = manifest.document["signature"]["features"]
    if any(feature["required"] and "example" not in feature for feature in features):
        return None
    sample = [feature.get("example") for feature in features]
    return None if all(value is None for value in sample) else sample


def _by_name(manifest: Manifest, sample: list[Any]) -> dict[str, Any]:
    """Return a sample by name, without its missing values."""
    values = zip(manifest.signature.names, sample, strict=True)
    return {name: value for name, value in values if value is not None}
