"""An ONNX Runtime session: matrices in, the outputs of each row out."""

from __future__ import annotations

import ctypes
import weakref
from array import array
from collections.abc import Sequence
from ctypes import byref, c_char_p, c_int, c_int64, c_void_p
from math import prod
from typing import Any

from chalicelib.named_tuple import NamedTuple
from chalicelib.runtimes.onnx_capi import (
    DOUBLE,
    FATAL,
    TYPECODES,
    OnnxRuntimeError,
    ort_api,
)

# This optimizer merges a matrix product and a factor into an operator whose factor is float32.
_EXACT_MATRIX_PRODUCTS = (b"optimization.disable_specified_optimizers", b"MatMulScaleFusion")

# A graph may name files whose bytes it takes as weights. In a folder that cannot exist, none can.
_NO_EXTERNAL_DATA = (b"session.model_external_initializers_file_folder_path", b"/dev/null/none")


class _OutputInfo(NamedTuple):
    element_type: int
    row_shape: tuple[int, ...]  # without the first dimension, the rows


class _Tensor:
    """A tensor of numbers in an array that Python owns."""

    def __init__(self, element_type: int, shape: tuple[int, ...]) -> None:
        api = ort_api()
        self._numbers: array[Any] = array(TYPECODES[element_type], [0]) * prod(shape)
        self._view = memoryview(self._numbers)  # keeps the array from being reallocated
        self.handle = api.create_number_tensor(self._numbers, *shape)
        _release_later(self, "Value", self.handle)

    def write(self, values: array[float]) -> None:
        self._view[:] = values

    def read(self) -> array[Any]:
        return self._numbers[:]


class _IOBinding:
    """The input and output tensors of a run of one row."""

    def __init__(self, columns: int, output_infos: Sequence[_OutputInfo]) -> None:
        self.input = _Tensor(DOUBLE, (1, columns))
        self.outputs = [_Tensor(info.element_type, (1, *info.row_shape)) for info in output_infos]
        self.input_handles = _c_handles([self.input.handle])
        self.output_handles = _c_handles([tensor.handle for tensor in self.outputs])


class Session:
    """A loaded graph, which any number of threads may run at once; each run uses one thread.

    Raises `OnnxRuntimeError` if the bytes are not a loadable ONNX file, or an output does not
    hold a fixed number of numbers for each row.
    """

    def __init__(self, model: bytes) -> None:
        self._api = api = ort_api()
        options = api.create("CreateSessionOptions")
        try:
            api.call("SetIntraOpNumThreads", options, 1)
            api.call("SetInterOpNumThreads", options, 1)
            api.call("SetSessionLogSeverityLevel", options, FATAL)
            for entry in (_EXACT_MATRIX_PRODUCTS, _NO_EXTERNAL_DATA):
                api.call("AddSessionConfigEntry", options, *entry)
            self._session = api.create(
                "CreateSessionFromArray", api.environment, model, len(model), options
            )
        finally:
            api.release("SessionOptions", options)
        _release_later(self, "Session", self._session)
        self.input_names = self._read_names("Input")
        self.output_names = self._read_names("Output")
        self._output_infos = [self._read_output_info(i) for i in range(len(self.output_names))]
        self.row_shapes = [info.row_shape for info in self._output_infos]
        self._c_input_names = _c_strings(self.input_names)
        self._c_output_names = _c_strings(self.output_names)
        self._pool: list[_IOBinding] = []

    def run(
        self, rows: int, matrix: array[float], *, part_rows: int | None = None
    ) -> list[array[Any]]:
        """Run a graph with one input.

        Parameters
        ----------
        rows : int
            The number of rows, at least 1.
        matrix : array of float64
            Of shape (rows, columns), flat in row order.
        part_rows : int, optional
            The most rows that the graph computes at once; all by default.

        Returns
        -------
        list of array
            The values of each of `output_names`, of shape (rows, ...), flat in row order.

        Raises
        ------
        OnnxRuntimeError
            If the run fails, or an output has another shape than the graph declares.
        """
        columns = len(matrix) // rows
        if rows == 1:
            return self._run_row(matrix, columns)
        if len(matrix) != rows * columns:
            raise ValueError("The matrix has rows of different lengths.")
        outputs = [
            array(TYPECODES[info.element_type], [0]) * (rows * prod(info.row_shape))
            for info in self._output_infos
        ]
        size = part_rows or rows
        for start in range(0, rows, size):
            self._run_part(matrix, outputs, start, min(size, rows - start), columns)
        return outputs

    def _run_row(self, row: array[float], columns: int) -> list[array[Any]]:
        """Run the graph with tensors that are kept for the next row, as most requests have one."""
        try:
            binding = self._pool.pop()
        except IndexError:
            binding = _IOBinding(columns, self._output_infos)
        binding.input.write(row)
        self._call(binding.input_handles, binding.output_handles)
        outputs = [tensor.read() for tensor in binding.outputs]
        self._pool.append(binding)
        return outputs

    def _run_part(
        self, matrix: array[float], outputs: list[array[Any]], start: int, rows: int, columns: int
    ) -> None:
        """Run the graph with some rows, in place: neither they nor the outputs are copied."""
        create, handles = self._api.create_number_tensor, []
        try:
            handles.append(create(matrix, rows, columns, start=start * columns))
            for output, info in zip(outputs, self._output_infos, strict=True):
                shape = info.row_shape
                handles.append(create(output, rows, *shape, start=start * prod(shape)))
            self._call(_c_handles(handles[:1]), _c_handles(handles[1:]))
        finally:
            for handle in handles:
                self._api.release("Value", handle)

    def _call(self, inputs: ctypes.Array[c_void_p], outputs: ctypes.Array[c_void_p]) -> None:
        self._api.call(
            "Run",
            self._session, None,
            self._c_input_names, inputs, len(inputs),
            self._c_output_names, len(outputs), outputs,
        )  # fmt: skip

    def _read_names(self, side: str) -> list[str]:
        """Read the names of the inputs (side ``Input``) or outputs (``Output``)."""
        api, names = self._api, []
        for index in range(api.get_size(f"SessionGet{side}Count", self._session)):
            name = api.create(f"SessionGet{side}Name", self._session, index, api.allocator)
            names.append(ctypes.string_at(name.value or 0).decode())
            api.call("AllocatorFree", api.allocator, name)
        return names

    def _read_output_info(self, index: int) -> _OutputInfo:
        api = self._api
        type_info = api.create("SessionGetOutputTypeInfo", self._session, index)
        try:
            tensor_info, element_type = api.create("CastTypeInfoToTensorInfo", type_info), c_int()
            if tensor_info:
                api.call("GetTensorElementType", tensor_info, byref(element_type))
            if element_type.value not in TYPECODES:
                raise OnnxRuntimeError("An output of the graph does not hold numbers.")
            shape = (c_int64 * api.get_size("GetDimensionsCount", tensor_info))()
            api.call("GetDimensions", tensor_info, shape, len(shape))
        finally:
            api.release("TypeInfo", type_info)
        if min(shape[1:], default=1) < 1:
            raise OnnxRuntimeError("An output of the graph has no fixed size for each sample.")
        return _OutputInfo(element_type.value, tuple(shape[1:]))


def _release_later(owner: object, type_name: str, handle: Any) -> None:
    """Release a handle with its owner, but not at exit: another thread may be using it then."""
    weakref.finalize(owner, ort_api().release, type_name, handle).atexit = False


def _c_strings(texts: Sequence[Any]) -> ctypes.Array[c_char_p]:
    return (c_char_p * len(texts))(*(text.encode() for text in texts))


def _c_handles(handles: Sequence[int | None]) -> ctypes.Array[c_void_p]:
    return (c_void_p * len(handles))(*handles)
