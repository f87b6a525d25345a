"""A model in the format of a runtime."""

from __future__ import annotations

from typing import Any, NamedTuple


class RuntimeModel(NamedTuple):
    """A model in the format of a runtime, and how texts become numbers for it.

    Parameters
    ----------
    data : bytes
        An ONNX file, or a ``.skops`` archive.
    text_encoders : list of dict
        As in the manifest; see `chalicelib.inputs.text_encoding`. Empty for a ``.skops`` archive.
    row_values : int
        The most values that an ONNX graph computes for a sample at once, such as a kernel's of all
        support vectors.
    """

    data: bytes
    text_encoders: list[dict[str, Any]]
    row_values: int = 0
