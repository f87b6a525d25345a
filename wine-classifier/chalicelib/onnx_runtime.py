"""ONNX Runtime by way of its C library: the same computing as its Python package's, sooner.

The Python package creates its environment while it is imported and holds Python's global lock all
the while, so nothing else of a cold start can go on. The C library can be loaded and started by
another thread while Python imports what serving needs.

The C interface only ever grows: a function's place in the table of functions never changes. See
https://onnxruntime.ai/docs/api/c/struct_ort_api.html, and for the order of the table
``onnxruntime_c_api.h``.
"""

from __future__ import annotations

import ctypes
import functools
import threading
import weakref
from ctypes import POINTER, byref, c_char_p, c_int, c_int64, c_size_t, c_uint32, c_void_p
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

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
    "CreateTensorWithDataAsOrtValue": (
        49,
        [c_void_p, c_void_p, c_size_t, c_void_p, c_size_t, c_int, c_void_p],
    ),
    "IsTensor": (50, [c_void_p, c_void_p]),
    "GetTensorMutableData": (51, [c_void_p, c_void_p]),
    "GetStringTensorDataLength": (53, [c_void_p, c_void_p]),
    "GetStringTensorContent": (54, [c_void_p, c_void_p, c_size_t, c_void_p, c_size_t]),
    "GetTensorElementType": (60, [c_void_p, c_void_p]),
    "GetDimensionsCount": (61, [c_void_p, c_void_p]),
    "GetDimensions": (62, [c_void_p, c_void_p, c_size_t]),
    "GetTensorTypeAndShape": (65, [c_void_p, c_void_p]),
    "CreateCpuMemoryInfo": (69, [c_int, c_int, c_void_p]),
    "ReleaseStatus": (93, [c_void_p]),
    "ReleaseSession": (95, [c_void_p]),
    "ReleaseValue": (96, [c_void_p]),
    "ReleaseTensorTypeAndShapeInfo": (99, [c_void_p]),
    "ReleaseSessionOptions": (100, [c_void_p]),
}
_GET_ERROR_MESSAGE = 2

# Of enum ONNXTensorElementDataType.
_FLOAT, _INT64, _STRING, _DOUBLE = 1, 7, 8, 11
_NUMBERS = {_FLOAT: "f4", _INT64: "i8", _DOUBLE: "f8"}
_DEVICE_ALLOCATOR, _DEFAULT_MEMORY = 0, 0  # of enums OrtAllocatorType and OrtMemType


class OnnxRuntimeError(Exception):
    """ONNX Runtime says that it cannot."""


class _ApiBase(ctypes.Structure):
    _fields_ = (("GetApi", ctypes.CFUNCTYPE(c_void_p, c_uint32)),)


class _Library:
    """The C library, loaded and started."""

    def __init__(self) -> None:
        library = ctypes.CDLL(_path_of_the_library())
        library.OrtGetApiBase.restype = POINTER(_ApiBase)
        table = library.OrtGetApiBase().contents.GetApi(_API_VERSION)
        if not table:
            raise ImportError(f"The ONNX Runtime library lacks version {_API_VERSION} of its API.")
        places = ctypes.cast(table, POINTER(c_void_p))
        self._message = ctypes.CFUNCTYPE(c_char_p, c_void_p)(places[_GET_ERROR_MESSAGE])
        self._functions = {
            name: ctypes.CFUNCTYPE(c_void_p, *arguments)(places[place])
            for name, (place, arguments) in _FUNCTIONS.items()
        }
        self.environment = c_void_p()
        self.call("CreateEnv", _FATAL, b"serving", byref(self.environment))
        self.memory = c_void_p()
        self.call("CreateCpuMemoryInfo", _DEVICE_ALLOCATOR, _DEFAULT_MEMORY, byref(self.memory))

    def call(self, name: str, *arguments: Any) -> None:
        """Call a function that answers with a status, and raise what it says."""
        status = self._functions[name](*arguments)
        if status:
            message = self._message(status).decode(errors="replace")
            self.release("Status", status)
            raise OnnxRuntimeError(message)

    def release(self, kind: str, thing: Any) -> None:
        """Give back what a function has made."""
        self._functions[f"Release{kind}"](thing)


def _path_of_the_library() -> str:
    found = find_spec("onnxruntime")  # the package is not imported by this
    for folder in (found and found.submodule_search_locations) or ():
        import os

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

    Raises
    ------
    OnnxRuntimeError
        If it cannot be loaded.
    """

    def __init__(self, model: bytes) -> None:
        self._library = library = _library()
        options, self._session = c_void_p(), c_void_p()
        library.call("CreateSessionOptions", byref(options))
        try:
            library.call("SetIntraOpNumThreads", options, 1)
            library.call("SetInterOpNumThreads", options, 1)
            library.call("SetSessionLogSeverityLevel", options, _FATAL)
            library.call(
                "CreateSessionFromArray",
                library.environment, model, len(model), options, byref(self._session),
            )  # fmt: skip
        finally:
            library.release("SessionOptions", options)
        weakref.finalize(self, library.release, "Session", self._session)

    def run(
        self, outputs: tuple[str, ...], name: str, matrix: npt.NDArray[np.float64]
    ) -> list[npt.NDArray[Any] | list[str]]:
        """Run the graph.

        Parameters
        ----------
        outputs : tuple of str
            The names of what to compute.
        name : str
            The name of the graph's input.
        matrix : numpy.ndarray of float64
            The input.

        Returns
        -------
        list of numpy.ndarray or list of str
            An array for each output, or a list where it holds text.

        Raises
        ------
        OnnxRuntimeError
            If the graph cannot be run on it, or an output holds something else.
        """
        import numpy as np

        library = self._library
        matrix = np.ascontiguousarray(matrix, dtype=np.float64)
        shape = (c_int64 * matrix.ndim)(*matrix.shape)
        sent = c_void_p()
        library.call(
            "CreateTensorWithDataAsOrtValue",
            library.memory, matrix.ctypes.data, matrix.nbytes, shape, matrix.ndim, _DOUBLE,
            byref(sent),
        )  # fmt: skip
        count = len(outputs)
        values = (c_void_p * count)()
        try:
            library.call(
                "Run",
                self._session, None,
                (c_char_p * 1)(name.encode()), byref(sent), 1,
                (c_char_p * count)(*(output.encode() for output in outputs)), count, values,
            )  # fmt: skip
            return [self._read(c_void_p(value)) for value in values]
        finally:
            for value in (sent.value, *values):
                if value:
                    library.release("Value", value)

    def _read(self, value: c_void_p) -> npt.NDArray[Any] | list[str]:
        import numpy as np

        library = self._library
        is_tensor, kind, dimensions, info = c_int(), c_int(), c_size_t(), c_void_p()
        library.call("IsTensor", value, byref(is_tensor))
        if not is_tensor.value:
            raise OnnxRuntimeError("An output is no tensor.")
        library.call("GetTensorTypeAndShape", value, byref(info))
        try:
            library.call("GetTensorElementType", info, byref(kind))
            library.call("GetDimensionsCount", info, byref(dimensions))
            shape = (c_int64 * dimensions.value)()
            library.call("GetDimensions", info, shape, dimensions)
        finally:
            library.release("TensorTypeAndShapeInfo", info)
        count = 1
        for length in shape:
            count *= length
        if kind.value == _STRING:
            return self._read_text(value, count)
        if kind.value not in _NUMBERS:
            raise OnnxRuntimeError(f"An output is of the type {kind.value}.")
        dtype = np.dtype(_NUMBERS[kind.value])
        data = c_void_p()
        library.call("GetTensorMutableData", value, byref(data))
        if not count:
            return np.empty(tuple(shape), dtype)
        content = ctypes.string_at(data.value or 0, count * dtype.itemsize)
        return np.frombuffer(content, dtype).reshape(tuple(shape))

    def _read_text(self, value: c_void_p, count: int) -> list[str]:
        length = c_size_t()
        self._library.call("GetStringTensorDataLength", value, byref(length))
        text = ctypes.create_string_buffer(length.value + 1)
        starts = (c_size_t * (count + 1))()
        self._library.call("GetStringTensorContent", value, text, length, starts, count)
        starts[count] = length.value
        content = text.raw
        return [content[starts[i] : starts[i + 1]].decode() for i in range(count)]
