"""Requests to try, in the description of the API: samples that the model has proved to answer."""

from __future__ import annotations

from typing import Any

from chalicelib.models.manifest import Manifest
from chalicelib.protocols.invocations.csv_format import write_csv
from chalicelib.protocols.open_inference.metadata import model_metadata


def sample_examples(manifest: Manifest) -> tuple[dict[str, Any], list[Any]]:
    """Give a sample that the model has proved to answer.

    Parameters
    ----------
    manifest : Manifest
        What the model says of itself.

    Returns
    -------
    by_name : dict
    by_position : list
    """
    positional = manifest.golden_samples.samples[0]
    by_name = zip(manifest.signature.names, positional, strict=True)
    return {name: value for name, value in by_name if value is not None}, positional


def csv_example(manifest: Manifest) -> str:
    """Give the same sample as CSV.

    Parameters
    ----------
    manifest : Manifest
        What the model says of itself.

    Returns
    -------
    str
    """
    return write_csv([sample_examples(manifest)[1]])


def tensor_example(manifest: Manifest) -> dict[str, Any]:
    """Give the same sample as a request of the Open Inference Protocol.

    Parameters
    ----------
    manifest : Manifest
        What the model says of itself.

    Returns
    -------
    dict
    """
    _, sample = sample_examples(manifest)
    inputs = model_metadata(manifest)["inputs"]
    if len(inputs) == 1 and len(sample) > 1:
        return {"inputs": [inputs[0] | {"shape": [1, len(sample)], "data": sample}]}
    columns = zip(inputs, sample, strict=True)
    return {"inputs": [column | {"shape": [1, 1], "data": [value]} for column, value in columns]}
