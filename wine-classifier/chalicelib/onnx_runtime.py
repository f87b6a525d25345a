"""ONNX Runtime by way of its C library: the same computing as its Python package's, sooner.

The Python package needs NumPy, and holds Python's global lock while it starts. The C library needs
neither, so that another thread can load it while Python imports what serving needs.

The C interface only ever grows: a function's place in the table of functions never changes. See
https://onnxruntime.ai/docs/api/c/struct_ort_api.html, and for the order of the table
``onnxruntime_c_api.h``.
"""

from __future__ import annotations

import ctypes
import functools
import os
import threading
import weakref
from array import array
from collections.abc import Sequence
from ctypes import byref, c_char_p, c_int, c_int64, c_size_t, c_uint32, c_void_p
from importlib.util import find_spec
from typing import Any

_API_VERSION = 17  # an old one: every later library has it
_FATAL = 4  # errors are raised; ONNX Runtime's own log would only print them a second time

# The places in the table of functions, and the arguments that they take.
_FUNCTIONS: dict[str, tuple[int, list[Any]]] = {
    "CreateEnv": (3, [c_int, c_char_p, c_void_p]),
    "CreateSessionFromArray": (8, [c_void_p, c_char_p, c_size_t, c_void_p, c_void_p]),
    "Run": (9, [c_void_p, c_void_p, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t, c_void_p]),
    "CreateSessionOptions": (10, [c_void_p]),
    "SetSessionLogSeverityLevel": (22, [c_void_p, c_int]),
    "SetIntraOpNumThreads": (24, [c_void_p, c_int]),
    "SetInterOpNumThreads": (25, [c_void_p, c_int]),
    "SessionGetInputCount": (30, [c_void_p, c_void_p]),
    "SessionGetOutputCount": (31, [c_void_p, c_void_p]),
    "SessionGetInputTypeInfo": (33, [c_void_p, c_size_t, c_void_p]),
    "SessionGetOutputTypeInfo": (34, [c_void_p, c_size_t, c_void_p]),
    "SessionGetInputName": (36, [c_void_p, c_size_t, c_void_p, c_void_p]),
    "SessionGetOutputName": (37, [c_void_p, c_size_t, c_void_p, c_void_p]),
    "CreateTensorAsOrtValue": (48, [c_void_p, c_void_p, c_size_t, c_int, c_void_p]),
    "CreateTensorWithDataAsOrtValue": (
        49,
        [c_void_p, c_void_p, c_size_t, c_void_p, c_size_t, c_int, c_void_p],
    ),
    "GetTensorMutableData": (51, [c_void_p, c_void_p]),
    "FillStringTensor": (52, [c_void_p, c_void_p, c_size_t]),
    "GetStringTensorDataLength": (53, [c_void_p, c_void_p]),
    "GetStringTensorContent": (54, [c_void_p, c_void_p, c_size_t, c_void_p, c_size_t]),
    "CastTypeInfoToTensorInfo": (55, [c_void_p, c_void_p]),
    "GetTensorElementType": (60, [c_void_p, c_void_p]),
    "GetTensorShapeElementCount": (64, [c_void_p, c_void_p]),
    "GetTensorTypeAndShape": (65, [c_void_p, c_void_p]),
    "CreateCpuMemoryInfo": (69, [c_int, c_int, c_void_p]),
    "AllocatorFree": (76, [c_void_p, c_void_p]),
    "GetAllocatorWithDefaultOptions": (78, [c_void_p]),
    "ReleaseStatus": (93, [c_void_p]),
    "ReleaseSession": (95, [c_void_p]),
    "ReleaseValue": (96, [c_void_p]),
    "ReleaseTypeInfo": (98, [c_void_p]),
    "ReleaseTensorTypeAndShapeInfo": (99, [c_void_p]),
    "ReleaseSessionOptions": (100, [c_void_p]),
}
_GET_ERROR_MESSAGE = 2

# Of enum ONNXTensorElementDataType; numbers with what `array` calls them.
_STRING, _DOUBLE = 8, 11
_NUMBERS = {1: "f", 6: "i", 7: "q", _DOUBLE: "d"}
_DEVICE_ALLOCATOR, _DEFAULT_MEMORY = 0, 0  # of enums OrtAllocatorType and OrtMemType

Tensor = array[float] | list[str]


class OnnxRuntimeError(Exception):
    """ONNX Runtime says that it cannot."""


class _ApiBase(ctypes.Structure):
    _fields_ = (("GetApi", ctypes.CFUNCTYPE(c_void_p, c_uint32)),)


class _Library:
    """The C library, loaded and started."""

    def __init__(self) -> None:
        library = ctypes.CDLL(_path_of_the_library())
        library.OrtGetApiBase.restype = ctypes.POINTER(_ApiBase)
        table = library.OrtGetApiBase().contents.GetApi(_API_VERSION)
        if not table:
            raise ImportError(f"The ONNX Runtime library lacks version {_API_VERSION} of its API.")
        places = ctypes.cast(table, ctypes.POINTER(c_void_p))
        self._message = ctypes.CFUNCTYPE(c_char_p, c_void_p)(places[_GET_ERROR_MESSAGE])
        self._functions = {
            name: ctypes.CFUNCTYPE(c_void_p, *arguments)(places[place])
            for name, (place, arguments) in _FUNCTIONS.items()
        }
        self.environment = self.made("CreateEnv", _FATAL, b"serving")
        self.memory = self.made("CreateCpuMemoryInfo", _DEVICE_ALLOCATOR, _DEFAULT_MEMORY)
        self.allocator = self.made("GetAllocatorWithDefaultOptions")

    def call(self, name: str, *arguments: Any) -> None:
        """Call a function that answers with a status, and raise what it says."""
        status = self._functions[name](*arguments)
        if status:
            message = self._message(status).decode(errors="replace")
            self.release("Status", status)
            raise OnnxRuntimeError(message)

    def made(self, name: str, *arguments: Any) -> c_void_p:
        """Call a function that gives a pointer by way of its last argument."""
        pointer = c_void_p()
        self.call(name, *arguments, byref(pointer))
        return pointer

    def counted(self, name: str, *arguments: Any) -> int:
        """Call a function that gives a size by way of its last argument."""
        size = c_size_t()
        self.call(name, *arguments, byref(size))
        return size.value

    def release(self, kind: str, thing: Any) -> None:
        """Give back what a function has made."""
        self._functions[f"Release{kind}"](thing)


def _path_of_the_library() -> str:
    found = find_spec("onnxruntime")  # the package is not imported by this
    for folder in (found and found.submodule_search_locations) or ():
        for name in sorted(os.listdir(f"{folder}/capi")):
            if name.startswith("libonnxruntime.") and (".so" in name or name.endswith(".dylib")):
                return f"{folder}/capi/{name}"
    raise ImportError("The ONNX Runtime library is not installed.")


_starting = threading.Lock()


@functools.cache
def _started() -> _Library:
    return _Library()


def start() -> None:
    """Load the library and start it, unless that has been done.

    Raises
    ------
    ImportError
        If it is not there.
    """
    _library()


def _library() -> _Library:
    with _starting:
        return _started()


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
        If it cannot be loaded, or takes or gives something other than tensors of text or numbers.
    """

    def __init__(self, model: bytes) -> None:
        self._library = library = _library()
        options = library.made("CreateSessionOptions")
        try:
            library.call("SetIntraOpNumThreads", options, 1)
            library.call("SetInterOpNumThreads", options, 1)
            library.call("SetSessionLogSeverityLevel", options, _FATAL)
            self._session = library.made(
                "CreateSessionFromArray", library.environment, model, len(model), options
            )
        finally:
            library.release("SessionOptions", options)
        weakref.finalize(self, library.release, "Session", self._session)
        self.inputs, _ = self._described("Input")
        self.outputs, self._output_types = self._described("Output")
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
        library, count = self._library, len(self.outputs)
        inputs = (c_void_p * len(given))()
        values = (c_void_p * count)()
        try:
            for place, matrix in enumerate(given):
                inputs[place] = self._tensor(rows, matrix)
            library.call(
                "Run",
                self._session, None,
                self._given, inputs, len(given),
                self._asked, count, values,
            )  # fmt: skip
            pairs = zip(values, self._output_types, strict=True)
            return [self._read(value, kind) for value, kind in pairs]
        finally:
            for value in (*inputs, *values):
                if value:
                    library.release("Value", value)

    def _tensor(self, rows: int, matrix: Tensor) -> int | None:
        """Make a tensor: of numbers, where they are; of text, as a copy."""
        library = self._library
        shape = (c_int64 * 2)(rows, len(matrix) // rows)
        if isinstance(matrix, array):
            address, count = matrix.buffer_info()
            return library.made(
                "CreateTensorWithDataAsOrtValue",
                library.memory, address, count * matrix.itemsize, shape, 2, _DOUBLE,
            ).value  # fmt: skip
        tensor = library.made("CreateTensorAsOrtValue", library.allocator, shape, 2, _STRING)
        try:
            library.call("FillStringTensor", tensor, _c_names(matrix), len(matrix))
        except OnnxRuntimeError:
            library.release("Value", tensor)
            raise
        return tensor.value

    def _read(self, value: int, kind: int) -> Tensor:
        library = self._library
        info = library.made("GetTensorTypeAndShape", value)
        count = library.counted("GetTensorShapeElementCount", info)
        library.release("TensorTypeAndShapeInfo", info)
        if kind == _STRING:
            return self._read_text(value, count)
        numbers: array[float] = array(_NUMBERS[kind])
        data = library.made("GetTensorMutableData", value)
        if count:
            numbers.frombytes(ctypes.string_at(data.value or 0, count * numbers.itemsize))
        return numbers

    def _read_text(self, value: int, count: int) -> list[str]:
        length = self._library.counted("GetStringTensorDataLength", value)
        text = ctypes.create_string_buffer(length + 1)
        starts = (c_size_t * (count + 1))()
        self._library.call("GetStringTensorContent", value, text, length, starts, count)
        starts[count] = length
        content, places = text.raw, list(starts)
        return [content[places[i] : places[i + 1]].decode() for i in range(count)]

    def _described(self, side: str) -> tuple[list[str], list[int]]:
        """Give the names and the element types of the inputs or of the outputs."""
        library, names, types = self._library, [], []
        for place in range(library.counted(f"SessionGet{side}Count", self._session)):
            name = library.made(f"SessionGet{side}Name", self._session, place, library.allocator)
            names.append(ctypes.string_at(name.value or 0).decode())
            library.call("AllocatorFree", library.allocator, name)
            info = library.made(f"SessionGet{side}TypeInfo", self._session, place)
            try:
                types.append(self._element_type(info))
            finally:
                library.release("TypeInfo", info)
        return names, types

    def _element_type(self, info: c_void_p) -> int:
        tensor, kind = self._library.made("CastTypeInfoToTensorInfo", info), c_int()
        if tensor:
            self._library.call("GetTensorElementType", tensor, byref(kind))
        if kind.value != _STRING and kind.value not in _NUMBERS:
            raise OnnxRuntimeError("The graph takes or gives what is neither text nor numbers.")
        return kind.value


def _c_names(names: Sequence[str]) -> ctypes.Array[c_char_p]:
    return (c_char_p * len(names))(*(name.encode() for name in names))
