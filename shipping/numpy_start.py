"""NumPy, started in two steps: what a graph is run with at once, the rest when it is asked for.

NumPy imports all of its library when it is imported; a graph is run with its core alone. So a
package's ``numpy/__init__.py`` imports the core, and runs NumPy's own, which lies next to it under
another name, as soon as anything is asked for that the core does not have; ``numpy/lib`` likewise,
of which ONNX Runtime asks for one class. Nothing is lost: the first use of another name is as slow
as the import would have been.

The core's docstrings are added by two modules that are left out.
"""

from __future__ import annotations

from pathlib import Path

WHOLE = "_whole"

_START = '''"""A part of {module}; all of it is in ``_whole.py``, run at the first need of it."""

{imports}


class _Whole:
    from threading import RLock

    lock = RLock()
    loading = False


def __getattr__(name):
    with _Whole.lock:
        if name in globals():  # another thread was faster
            return globals()[name]
        if _Whole.loading:
            raise AttributeError(f"module {module} has no attribute {{name!r}}")
        _Whole.loading = True
        from importlib.util import find_spec

        exec(find_spec("{module}._whole").loader.get_code("{module}._whole"), globals())
    return getattr(__import__("sys").modules["{module}"], name)
'''
# In the order in which NumPy imports them: the core asks for the first two while it is imported.
_CORE = """from ._globals import _CopyMode, _NoValue
from .version import __version__
from . import _distributor_init, _core
from ._core import *"""
_LIB = "from ._version import NumpyVersion"
_DOCSTRINGS = ("_add_newdocs.py", "_add_newdocs_scalars.py")


def shorten_start(folder: Path) -> None:
    """Let a package's NumPy start in two steps.

    Parameters
    ----------
    folder : Path
        The unpacked package; without NumPy, it stays as it is.
    """
    numpy = folder / "numpy"
    if not numpy.is_dir():
        return
    for module, place, imports in (("numpy", numpy, _CORE), ("numpy.lib", numpy / "lib", _LIB)):
        start = place / "__init__.py"
        start.rename(place / f"{WHOLE}.py")
        start.write_text(_START.format(module=module, imports=imports))
    for name in _DOCSTRINGS:
        (numpy / "_core" / name).write_text("")
