"""ONNX Runtime's C API through ctypes.

The Python package needs NumPy and holds the global interpreter lock while it starts. The C library
needs neither, so another thread can load it while Python imports the serving code.

The C API is only ever extended: the index of a function in the table of functions never changes.
See https://onnxruntime.ai/docs/api/c/struct_ort_api.html, and ``onnxruntime_c_api.h`` for the
order of the table.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
import threading
from array import array
from ctypes import addressof, byref, c_char, c_char_p, c_int, c_int64, c_size_t, c_uint32, c_void_p
from math import prod

TYPE_CHECKING = False  # of typing, which takes long to import: see chalicelib/cold_start.py
if TYPE_CHECKING:
    from typing import Any

_API_VERSION = 17  # an old version, which every later library supports
FATAL = 4  # log level: errors are raised, so ONNX Runtime's own log would only repeat them

# The index of each function in the table, and the types of its arguments.
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
    "CreateTensorWithDataAsOrtValue": (
        49,
        [c_void_p, c_void_p, c_size_t, c_void_p, c_size_t, c_int, c_void_p],
    ),
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
    "AddSessionConfigEntry": (130, [c_void_p, c_char_p, c_char_p]),
}
_GET_ERROR_MESSAGE_INDEX = 2

# Values of enum ONNXTensorElementDataType, with the typecodes of `array`.
DOUBLE = 11
TYPECODES = {1: "f", 6: "i", 7: "q", DOUBLE: "d"}
_ELEMENT_TYPES = {typecode: element_type for element_type, typecode in TYPECODES.items()}
_DEVICE_ALLOCATOR, _DEFAULT_MEMORY = 0, 0  # of enums OrtAllocatorType and OrtMemType


class OnnxRuntimeError(Exception):
    """ONNX Runtime returned an error."""


class _ApiBase(ctypes.Structure):
    _fields_ = (
        ("GetApi", ctypes.CFUNCTYPE(c_void_p, c_uint32)),
        ("GetVersionString", ctypes.CFUNCTYPE(c_char_p)),
    )


class OrtApi:
    """The functions of the loaded library, with one environment."""

    def __init__(self) -> None:
        library = ctypes.CDLL(_library_path())
        library.OrtGetApiBase.restype = ctypes.POINTER(_ApiBase)
        base = library.OrtGetApiBase().contents
        self._get_version = base.GetVersionString
        table = base.GetApi(_API_VERSION)
        if not table:
            raise ImportError(f"The ONNX Runtime library lacks version {_API_VERSION} of its API.")
        pointers = ctypes.cast(table, ctypes.POINTER(c_void_p))
        get_message = ctypes.CFUNCTYPE(c_char_p, c_void_p)
        self._get_error_message = get_message(pointers[_GET_ERROR_MESSAGE_INDEX])
        self._functions = {
            name: ctypes.CFUNCTYPE(c_void_p, *argument_types)(pointers[index])
            for name, (index, argument_types) in _FUNCTIONS.items()
        }
        self.environment = self.create("CreateEnv", FATAL, b"serving")
        self.memory = self.create("CreateCpuMemoryInfo", _DEVICE_ALLOCATOR, _DEFAULT_MEMORY)
        self.allocator = self.create("GetAllocatorWithDefaultOptions")

    @property
    def version(self) -> str:
        """The version of the library."""
        return str(self._get_version().decode())

    def call(self, name: str, *arguments: Any) -> None:
        """Call a function of the table; raise `OnnxRuntimeError` if its status is an error."""
        status = self._functions[name](*arguments)
        if status:
            message = self._get_error_message(status).decode(errors="replace")
            self.release("Status", status)
            raise OnnxRuntimeError(message)

    def create(self, name: str, *arguments: Any) -> c_void_p:
        """Call a function whose last argument receives a pointer, and return the pointer."""
        pointer = c_void_p()
        self.call(name, *arguments, byref(pointer))
        return pointer

    def get_size(self, name: str, *arguments: Any) -> int:
        """Call a function whose last argument receives a size, and return the size."""
        size = c_size_t()
        self.call(name, *arguments, byref(size))
        return size.value

    def release(self, type_name: str, handle: Any) -> None:
        """Release a handle with ``Release<type_name>``."""
        self._functions[f"Release{type_name}"](handle)

    def create_number_tensor(self, numbers: array[Any], *shape: int, start: int = 0) -> int | None:
        """Wrap an array, or a part from an index on, in a tensor without a copy.

        The array may be NumPy's too. It must outlive the returned handle, and keep its size.
        """
        view, size = memoryview(numbers), prod(shape)
        if not 0 <= start <= len(view) - size:
            raise ValueError("The array is too short for the tensor.")
        address = addressof(c_char.from_buffer(numbers)) + start * view.itemsize
        return self.create(
            "CreateTensorWithDataAsOrtValue",
            self.memory, address, size * view.itemsize,
            (c_int64 * len(shape))(*shape), len(shape), _ELEMENT_TYPES[view.format],
        ).value  # fmt: skip


def _library_path() -> str:
    for folder in sys.path:
        capi = os.path.join(folder, "onnxruntime", "capi")
        for name in sorted(os.listdir(capi)) if os.path.isdir(capi) else ():
            if name.startswith("libonnxruntime.") and (".so" in name or name.endswith(".dylib")):
                return os.path.join(capi, name)
    raise ImportError("The ONNX Runtime library is not installed.")


_loading = threading.Lock()


@functools.cache
def _load_api() -> OrtApi:
    return OrtApi()


def ort_api() -> OrtApi:
    """Return the API; the first call loads the library and raises `ImportError` if it is absent."""
    with _loading:
        return _load_api()
