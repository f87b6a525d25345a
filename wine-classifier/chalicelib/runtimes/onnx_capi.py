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
from array import array
from ctypes import byref, c_char_p, c_int, c_int64, c_size_t, c_uint32, c_void_p
from importlib.util import find_spec
from typing import Any

_API_VERSION = 17  # an old one: every later library has it
FATAL = 4  # errors are raised; ONNX Runtime's own log would only print them a second time

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
    "SessionGetOutputTypeInfo": (34, [c_void_p, c_size_t, c_void_p]),
    "SessionGetInputName": (36, [c_void_p, c_size_t, c_void_p, c_void_p]),
    "SessionGetOutputName": (37, [c_void_p, c_size_t, c_void_p, c_void_p]),
    "CreateTensorAsOrtValue": (48, [c_void_p, c_void_p, c_size_t, c_int, c_void_p]),
    "CreateTensorWithDataAsOrtValue": (
        49,
        [c_void_p, c_void_p, c_size_t, c_void_p, c_size_t, c_int, c_void_p],
    ),
    "FillStringTensor": (52, [c_void_p, c_void_p, c_size_t]),
    "GetStringTensorDataLength": (53, [c_void_p, c_void_p]),
    "GetStringTensorContent": (54, [c_void_p, c_void_p, c_size_t, c_void_p, c_size_t]),
    "CastTypeInfoToTensorInfo": (55, [c_void_p, c_void_p]),
    "GetTensorElementType": (60, [c_void_p, c_void_p]),
    "GetDimensionsCount": (61, [c_void_p, c_void_p]),
    "GetDimensions": (62, [c_void_p, c_void_p, c_size_t]),
    "CreateCpuMemoryInfo": (69, [c_int, c_int, c_void_p]),
    "AllocatorFree": (76, [c_void_p, c_void_p]),
    "GetAllocatorWithDefaultOptions": (78, [c_void_p]),
    "ReleaseStatus": (93, [c_void_p]),
    "ReleaseSession": (95, [c_void_p]),
    "ReleaseValue": (96, [c_void_p]),
    "ReleaseTypeInfo": (98, [c_void_p]),
    "ReleaseSessionOptions": (100, [c_void_p]),
}
_GET_ERROR_MESSAGE = 2

# Of enum ONNXTensorElementDataType; numbers with what `array` calls them.
STRING, DOUBLE = 8, 11
NUMBERS = {1: "f", 6: "i", 7: "q", DOUBLE: "d"}
_ELEMENT_TYPES = {code: kind for kind, code in NUMBERS.items()}
_DEVICE_ALLOCATOR, _DEFAULT_MEMORY = 0, 0  # of enums OrtAllocatorType and OrtMemType


class OnnxRuntimeError(Exception):
    """ONNX Runtime says that it cannot."""


class _ApiBase(ctypes.Structure):
    _fields_ = (("GetApi", ctypes.CFUNCTYPE(c_void_p, c_uint32)),)


class Library:
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
        self.environment = self.made("CreateEnv", FATAL, b"serving")
        self.memory = self.made("CreateCpuMemoryInfo", _DEVICE_ALLOCATOR, _DEFAULT_MEMORY)
        self.allocator = self.made("GetAllocatorWithDefaultOptions")

    def call(self, name: str, *arguments: Any) -> None:
        """Call a function that answers with a status.

        Parameters
        ----------
        name : str
            Of the function, as in the table above.
        *arguments
            What it takes.

        Raises
        ------
        OnnxRuntimeError
            If the status is a failure; with what it says.
        """
        status = self._functions[name](*arguments)
        if status:
            message = self._message(status).decode(errors="replace")
            self.release("Status", status)
            raise OnnxRuntimeError(message)

    def made(self, name: str, *arguments: Any) -> c_void_p:
        """Call a function that gives a pointer by way of its last argument.

        Parameters
        ----------
        name, *arguments
            As in `call`, without the last.

        Returns
        -------
        ctypes.c_void_p
        """
        pointer = c_void_p()
        self.call(name, *arguments, byref(pointer))
        return pointer

    def counted(self, name: str, *arguments: Any) -> int:
        """Call a function that gives a size by way of its last argument.

        Parameters
        ----------
        name, *arguments
            As in `call`, without the last.

        Returns
        -------
        int
        """
        size = c_size_t()
        self.call(name, *arguments, byref(size))
        return size.value

    def release(self, kind: str, thing: Any) -> None:
        """Give back what a function has made.

        Parameters
        ----------
        kind : str
            What it is, as the table above names it after ``Release``.
        thing : ctypes.c_void_p or int
            Where it is.
        """
        self._functions[f"Release{kind}"](thing)

    def tensor_of_numbers(self, numbers: array[Any], *shape: int) -> int | None:
        """Make a tensor of numbers where they are.

        Parameters
        ----------
        numbers : array
            Of one of `NUMBERS`; it must outlive the tensor.
        *shape : int
            The tensor's.

        Returns
        -------
        int
            Where the tensor is.
        """
        address, count = numbers.buffer_info()
        return self.made(
            "CreateTensorWithDataAsOrtValue",
            self.memory, address, count * numbers.itemsize,
            (c_int64 * len(shape))(*shape), len(shape), _ELEMENT_TYPES[numbers.typecode],
        ).value  # fmt: skip

    def tensor_of_text(self, *shape: int) -> int | None:
        """Make a tensor of empty text.

        Parameters
        ----------
        *shape : int
            The tensor's.

        Returns
        -------
        int
            Where the tensor is.
        """
        dimensions = (c_int64 * len(shape))(*shape)
        return self.made(
            "CreateTensorAsOrtValue", self.allocator, dimensions, len(shape), STRING
        ).value

    def text_in(self, tensor: int | None, count: int) -> list[str]:
        """Read a tensor of text.

        Parameters
        ----------
        tensor : int
            Where it is.
        count : int
            How many texts it holds.

        Returns
        -------
        list of str
        """
        length = self.counted("GetStringTensorDataLength", tensor)
        text = ctypes.create_string_buffer(length + 1)
        starts = (c_size_t * count)()
        self.call("GetStringTensorContent", tensor, text, length, starts, count)
        content, places = text.raw, [*starts, length]
        return [content[places[i] : places[i + 1]].decode() for i in range(count)]


def _path_of_the_library() -> str:
    found = find_spec("onnxruntime")  # the package is not imported by this
    for folder in (found and found.submodule_search_locations) or ():
        for name in sorted(os.listdir(f"{folder}/capi")):
            if name.startswith("libonnxruntime.") and (".so" in name or name.endswith(".dylib")):
                return f"{folder}/capi/{name}"
    raise ImportError("The ONNX Runtime library is not installed.")


_starting = threading.Lock()


@functools.cache
def _started() -> Library:
    return Library()


def library() -> Library:
    """Give the library; the first call loads and starts it.

    Returns
    -------
    Library

    Raises
    ------
    ImportError
        If it is not there.
    """
    with _starting:
        return _started()
