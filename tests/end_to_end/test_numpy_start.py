"""NumPy in the package starts in two steps, and is whole all the same."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.conftest import ROOT
from tests.end_to_end.conftest import Process
from tests.end_to_end.lambda_function import unpacked as unpacked

CODE = """
import sys
import numpy as np
assert "numpy.linalg" not in sys.modules and "numpy.lib._npyio_impl" not in sys.modules
assert not hasattr(np, "no_such_name")
assert np.array([1.0, np.nan]).shape == (2,) and "numpy.linalg" in sys.modules
assert np.linalg.inv(np.eye(2)).sum() == 2
assert np.percentile([1, 2, 3], 50) == 2 and np.unique([2, 1, 2]).tolist() == [1, 2]
assert np.lib.stride_tricks.sliding_window_view(np.arange(3), 2).shape == (2, 2)
from numpy.lib import NumpyVersion
from numpy import percentile, linalg
assert NumpyVersion(np.__version__).major >= 2
missing = [name for name in np.__all__ if name not in ("fft", "polynomial", "random", "f2py",
           "testing", "ctypeslib", "test") and not hasattr(np, name)]
assert not missing, missing
print("whole")
"""


def test_every_name_that_numpy_has_is_there_when_it_is_asked_for(
    unpacked: Callable[[Path], Path],
) -> None:
    """But for the parts that are left out by name."""
    process = Process("package", "STAGE=dev")
    assert process.wait() == 0, process.printed
    process.stop()
    folder = unpacked(ROOT / "dist" / "dev" / "deployment.zip")
    python = getattr(sys, "_base_executable", sys.executable)
    done = subprocess.run([python, "-s", "-c", CODE], cwd=folder, capture_output=True, text=True)
    assert done.stdout == "whole\n", done.stderr
