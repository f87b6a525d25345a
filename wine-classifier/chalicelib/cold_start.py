"""What speeds up a cold start: ONNX Runtime starts while Python imports the other modules.

Nothing else takes as long, so this module imports little.
"""

from __future__ import annotations

import ctypes
import gc

from chalicelib.background import Background
from chalicelib.runtimes.onnx_capi import ort_api

_M_ARENA_MAX = -8  # see mallopt(3)


def start_runtime() -> None:
    """Start to load ONNX Runtime in a thread; no garbage is collected until `freeze_heap`."""
    gc.disable()  # imports leave hardly any garbage
    _share_one_arena()
    Background(ort_api)  # a failure recurs where a model is loaded, and is reported there


def freeze_heap() -> None:
    """Exempt all imported objects from garbage collection, and turn collection on."""
    gc.freeze()
    gc.enable()


def _share_one_arena() -> None:
    """Allocate from one heap in all threads: the heap of a thread grows by one page a call."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc only
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
