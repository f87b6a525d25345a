"""A graph that ONNX Runtime runs: rows in, what it says of each of them out."""

from __future__ import annotations

import ctypes
import weakref
from array import array
from collections.abc import Sequence
from ctypes import byref, c_char_p, c_int, c_int64, c_void_p, sizeof
from math import prod
from typing import Any, NamedTuple

from chalicelib import onnx_library
from chalicelib.onnx_library import FATAL, NUMBERS, STRING, OnnxRuntimeError

Tensor = array[float] | list[str]


class _Output(NamedTuple):
    """An output of a graph: its element type, and the shape of what it holds for each row."""

    kind: int
    shape: tuple[int, ...]


class Session:
    """A graph that can be run, by any number of threads at once; each run takes one thread.

    Parameters
    ----------
    model : bytes
        An ONNX file.

    Attributes
    ----------
    inputs, outputs : list of str
        The names of the graph's inputs and outputs.

    Raises
    ------
    OnnxRuntimeError
        If it cannot be loaded, or gives something other than text or numbers, so many for each row.
    """

    def __init__(self, model: bytes) -> None:
        self._library = library = onnx_library.library()
        options = library.made("CreateSessionOptions")
        try:
            library.call("SetIntraOpNumThreads", options, 1)
            library.call("SetInterOpNumThreads", options, 1)
            library.call("SetSessionLogSeverityLevel", options, FATAL)
            self._session = library.made(
                "CreateSessionFromArray", library.environment, model, len(model), options
            )
        finally:
            library.release("SessionOptions", options)
        weakref.finalize(self, library.release, "Session", self._session)
        self.inputs = self._names("Input")
        self.outputs = self._names("Output")
        self._results = [self._output(place) for place in range(len(self.outputs))]
        self._given = _c_names(self.inputs)
        self._asked = _c_names(self.outputs)

    def run(self, rows: int, given: Sequence[Tensor]) -> list[Tensor]:
        """Run the graph.

        Parameters
        ----------
        rows : int
            How many there are in each input; at least one.
        given : sequence of array of float or list of str
            For each of `inputs` a matrix, row by row: double-precision numbers, or text without
            NUL characters.

        Returns
        -------
        list of array or list of str
            The values of each of `outputs`, row by row.

        Raises
        ------
        OnnxRuntimeError
            If the graph cannot be run on it.
        """
        library, count = self._library, len(given)
        tensors = (c_void_p * (count + len(self._results)))()
        results: list[Tensor | None] = []
        try:
            for place, matrix in enumerate(given):
                if isinstance(matrix, array):
                    tensors[place] = library.tensor_of_numbers(matrix, rows, len(matrix) // rows)
                else:
                    tensors[place] = library.tensor_of_text(rows, len(matrix) // rows)
                    content = _c_names(matrix)
                    library.call("FillStringTensor", tensors[place], content, len(matrix))
            # The results are written to where they are wanted; ONNX Runtime checks that they fit.
            for place, (kind, shape) in enumerate(self._results, start=count):
                if kind == STRING:
                    results.append(None)
                    tensors[place] = library.tensor_of_text(rows, *shape)
                else:
                    room: array[Any] = array(NUMBERS[kind], [0]) * (rows * prod(shape))
                    results.append(room)
                    tensors[place] = library.tensor_of_numbers(room, rows, *shape)
            library.call(
                "Run",
                self._session, None,
                self._given, tensors, count,
                self._asked, len(self._results), byref(tensors, count * sizeof(c_void_p)),
            )  # fmt: skip
            return [
                library.text_in(tensors[count + place], rows * prod(self._results[place].shape))
                if result is None
                else result
                for place, result in enumerate(results)
            ]
        finally:
            for tensor in tensors:
                if tensor:
                    library.release("Value", tensor)

    def _names(self, side: str) -> list[str]:
        """Give the names of the inputs or of the outputs."""
        library, names = self._library, []
        for place in range(library.counted(f"SessionGet{side}Count", self._session)):
            name = library.made(f"SessionGet{side}Name", self._session, place, library.allocator)
            names.append(ctypes.string_at(name.value or 0).decode())
            library.call("AllocatorFree", library.allocator, name)
        return names

    def _output(self, place: int) -> _Output:
        library = self._library
        info = library.made("SessionGetOutputTypeInfo", self._session, place)
        try:
            tensor, kind = library.made("CastTypeInfoToTensorInfo", info), c_int()
            if tensor:
                library.call("GetTensorElementType", tensor, byref(kind))
            if kind.value != STRING and kind.value not in NUMBERS:
                raise OnnxRuntimeError("The graph gives what is neither text nor numbers.")
            shape = (c_int64 * library.counted("GetDimensionsCount", tensor))()
            library.call("GetDimensions", tensor, shape, len(shape))
        finally:
            library.release("TypeInfo", info)
        if min(shape[1:], default=1) < 1:
            raise OnnxRuntimeError("The graph does not say how much it gives for each sample.")
        return _Output(kind.value, tuple(shape[1:]))


def _c_names(names: Sequence[str]) -> ctypes.Array[c_char_p]:
    return (c_char_p * len(names))(*(name.encode() for name in names))
