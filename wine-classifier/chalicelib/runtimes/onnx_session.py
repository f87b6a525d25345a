"""A graph that ONNX Runtime runs: rows in, what it says of each of them out."""

from __future__ import annotations

import ctypes
import weakref
from array import array
from collections.abc import Sequence
from contextlib import suppress
from ctypes import byref, c_char_p, c_int, c_int64, c_void_p
from math import prod
from typing import Any, NamedTuple

from chalicelib.runtimes import onnx_capi
from chalicelib.runtimes.onnx_capi import DOUBLE, FATAL, NUMBERS, STRING, OnnxRuntimeError

Tensor = array[float] | list[str]


class _Output(NamedTuple):
    """An output of a graph: its element type, and the shape of what it holds for each row."""

    kind: int
    shape: tuple[int, ...]


class _Tensor:
    """A tensor of text, or of numbers that lie in an array of ours."""

    def __init__(self, kind: int, shape: tuple[int, ...]) -> None:
        self._library = library = onnx_capi.library()
        self._size = prod(shape)
        self._numbers: array[Any] | None = None
        if kind == STRING:
            self.place = library.tensor_of_text(*shape)
        else:
            self._numbers = array(NUMBERS[kind], [0]) * self._size
            self._view = memoryview(self._numbers)  # while there is one, they cannot be moved
            self.place = library.tensor_of_numbers(self._numbers, *shape)
        weakref.finalize(self, library.release, "Value", self.place)

    def fill(self, values: Tensor) -> None:
        if self._numbers is None:
            self._library.call("FillStringTensor", self.place, _c_texts(values), self._size)
        else:
            assert isinstance(values, array)
            self._view[:] = values

    def values(self) -> Tensor:
        if self._numbers is None:
            return self._library.text_in(self.place, self._size)
        return self._numbers[:]


class _Room:
    """The tensors that a run takes from and writes to."""

    def __init__(self, given: list[_Tensor], results: list[_Tensor]) -> None:
        self.given, self.results = given, results
        self.given_at = _c_places(given)
        self.results_at = _c_places(results)


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
        self._library = library = onnx_capi.library()
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
        self._given = _c_texts(self.inputs)
        self._asked = _c_texts(self.outputs)
        self._spare: list[_Room] = []

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
            If the graph cannot be run on it, or gives another number of values than it says.
        """
        room = self._room(rows, given)
        for tensor, values in zip(room.given, given, strict=True):
            tensor.fill(values)
        self._library.call(
            "Run",
            self._session, None,
            self._given, room.given_at, len(room.given),
            self._asked, len(room.results), room.results_at,
        )  # fmt: skip
        results = [tensor.values() for tensor in room.results]
        if rows == 1:
            self._spare.append(room)
        return results

    def _room(self, rows: int, given: Sequence[Tensor]) -> _Room:
        """Make room for a run; for one row, as most requests hold, take what another run left."""
        if rows == 1:
            with suppress(IndexError):
                return self._spare.pop()
        kinds = [DOUBLE if isinstance(values, array) else STRING for values in given]
        widths = [len(values) // rows for values in given]
        return _Room(
            [_Tensor(kind, (rows, width)) for kind, width in zip(kinds, widths, strict=True)],
            [_Tensor(kind, (rows, *shape)) for kind, shape in self._results],
        )

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


def _c_texts(texts: Sequence[Any]) -> ctypes.Array[c_char_p]:
    return (c_char_p * len(texts))(*(text.encode() for text in texts))


def _c_places(tensors: list[_Tensor]) -> ctypes.Array[c_void_p]:
    return (c_void_p * len(tensors))(*(tensor.place for tensor in tensors))
