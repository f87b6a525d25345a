"""What speeds up a cold start: ONNX Runtime starts while Python imports the other modules.

Nothing else takes as long, so what is imported before it starts is little: not even `typing`, nor
what imports it, such as a class with type parameters.
"""

from __future__ import annotations

import ctypes
import gc

from chalicelib.background import Background
from chalicelib.runtimes.onnx_capi import ort_api

# What ONNX Runtime allocates while it starts, and what malloc takes from a heap at most at once.
_RUNTIME_BYTES = 7_000_000
_BLOCK_BYTES = 120_000

# An ONNX file that returns its input.
_SMALLEST_MODEL = (
    b'\x08\x07:7\n\x10\n\x01x\x12\x01y"\x08Identity\x12\x01gZ\x0f\n\x01x\x12\n\n\x08\x08\x0b\x12\x04'
    b"\n\x02\x08\x01b\x0f\n\x01y\x12\n\n\x08\x08\x0b\x12\x04\n\x02\x08\x01B\x04\n\x00\x10\r"
)


def start_runtime() -> Background:
    """Start to load ONNX Runtime in a thread; no garbage is collected until `freeze_heap`.

    Nobody has to wait for it: a failure recurs where a model is loaded, and is reported there.
    """
    gc.disable()  # imports leave hardly any garbage
    return Background(_load_runtime)


def freeze_heap() -> None:
    """Exempt all imported objects from garbage collection, and turn collection on."""
    gc.freeze()
    gc.enable()


def _load_runtime() -> None:
    """Load the library and open a session: the first one registers all operators."""
    _grow_heap()
    ort_api()
    from chalicelib.runtimes.onnx_session import Session  # which takes a while

    Session(_SMALLEST_MODEL)


def _grow_heap() -> None:
    """Grow the heap of this thread once, as glibc would otherwise do page by page.

    ONNX Runtime's start would take 1,750 calls of the system for that. The last block is not freed,
    because glibc shrinks a heap whose end is free.
    """
    libc = ctypes.pythonapi  # keeps the interpreter's lock
    libc.malloc.argtypes, libc.malloc.restype = (ctypes.c_size_t,), ctypes.c_void_p
    libc.free.argtypes, libc.free.restype = (ctypes.c_void_p,), None
    blocks = [libc.malloc(_BLOCK_BYTES) for _ in range(_RUNTIME_BYTES // _BLOCK_BYTES)]
    libc.malloc(1)
    for block in blocks:
        libc.free(block)
