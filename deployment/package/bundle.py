"""One file with the byte code of all modules that serving may import: see `chalicelib.bundle`.

The length of the index in eight bytes, the index in JSON, and the code of each module, as `marshal`
writes it. The index has, by the name of a module, whether it is a package, and the offset, from the
first code on, and the length of its code.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

PACKAGES = ("chalice", "chalicelib", "obstore")
# Imported before the bundle is, as is app.py.
_IMPORTED_BEFORE = ("chalicelib", "chalicelib.bundle")

_LENGTH_BYTES = 8
_PYC_HEADER_BYTES = 16  # https://peps.python.org/pep-0552/


def write_bundle(folder: Path) -> None:
    """Move the byte code of the packages to a bundle; the source stays, for tracebacks."""
    codes = {}
    for package in PACKAGES:
        for source in sorted((folder / package).rglob("*.py")):
            tag = f"{source.stem}.{sys.implementation.cache_tag}.pyc"
            compiled = source.parent / "__pycache__" / tag
            parts = source.relative_to(folder).with_suffix("").parts
            is_package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if is_package else parts)
            if name not in _IMPORTED_BEFORE:
                codes[name] = is_package, compiled.read_bytes()[_PYC_HEADER_BYTES:]
                compiled.unlink()
        for cache in (folder / package).rglob("__pycache__"):
            if not any(cache.iterdir()):
                cache.rmdir()
    _write(codes, folder / f"modules.{sys.implementation.cache_tag}.bin")


def _write(codes: dict[str, tuple[bool, bytes]], path: Path) -> None:
    index, start = {}, 0
    for name, (is_package, code) in codes.items():
        index[name] = is_package, start, len(code)
        start += len(code)
    head = json.dumps(index).encode()
    data = b"".join(code for _, code in codes.values())
    path.write_bytes(len(head).to_bytes(_LENGTH_BYTES, "little") + head + data)
