"""Import the package's modules from one file of byte code, which `deployment/package` writes.

On Lambda each file that an import looks for and opens takes time.
"""

from __future__ import annotations

import json
import marshal
import os
import sys

TYPE_CHECKING = False  # of typing, which takes long to import: see chalicelib/cold_start.py
if TYPE_CHECKING:
    from typing import Any

# Of one release of Python only, as byte code is.
NAME = f"modules.{sys.implementation.cache_tag}.bin"
_LENGTH_BYTES = 8

_ModuleSpec: Any = type(sys.__spec__)  # of importlib.machinery, which would be another import


def install() -> None:
    """Import from the file beside the app from now on, if it is there."""
    folder = os.path.dirname(os.path.dirname(__file__))
    try:
        file = os.open(os.path.join(folder, NAME), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:  # packaged by Chalice itself, or for another release of Python
        return
    sys.meta_path.insert(0, BundleImporter(file, folder))


class BundleImporter:
    """Finds and loads modules in a bundle; see `deployment.package.bundle` for its format.

    Parameters
    ----------
    file : int
        The descriptor of the open bundle.
    folder : str
        The folder of the source files, for tracebacks and ``__file__``.
    """

    def __init__(self, file: int, folder: str) -> None:
        self._file = file
        self._folder = folder
        length = int.from_bytes(os.pread(file, _LENGTH_BYTES, 0), "little")
        self._start = _LENGTH_BYTES + length
        self._index: dict[str, tuple[bool, int, int]] = json.loads(
            os.pread(file, length, _LENGTH_BYTES)
        )

    def find_spec(self, name: str, *_arguments: object) -> Any:
        """Return the spec of a module of the bundle; None of another module."""
        if name not in self._index:
            return None
        is_package, _, _ = self._index[name]
        path = f"{self._folder}/{name.replace('.', '/')}"
        origin = f"{path}/__init__.py" if is_package else f"{path}.py"
        spec = _ModuleSpec(name, self, origin=origin, is_package=is_package)
        if is_package:
            spec.submodule_search_locations.append(path)  # shared objects are not in the bundle
        return spec

    def create_module(self, _spec: object) -> None:
        """Return None: Python creates the module as usual."""

    def exec_module(self, module: Any) -> None:
        """Execute the module's code."""
        module.__file__ = module.__spec__.origin
        _, offset, length = self._index[module.__name__]
        code = os.pread(self._file, length, self._start + offset)
        # Code of the package itself, as a .pyc file is.
        exec(marshal.loads(code), module.__dict__)  # noqa: S102, S302
