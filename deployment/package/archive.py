"""A folder as a zip: the same byte for byte on every machine and at any time."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import NamedTuple

from deployment.errors import PackagingError
from deployment.target import Runtime

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date in the zip format
_READABLE = 0o100644 << 16  # Lambda unzips and runs as different users
_COMPRESSION = 9


class Size(NamedTuple):
    """The size of a package in bytes."""

    zipped: int
    unzipped: int


def write_zip(folder: Path, destination: Path) -> Size:
    """Write a folder to a zip and return its size."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    unzipped = 0
    with zipfile.ZipFile(destination, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
                entry.external_attr = _READABLE
                entry.create_system = 3  # Unix, on every machine
                content = path.read_bytes()
                archive.writestr(entry, content, zipfile.ZIP_DEFLATED, _COMPRESSION)
                unzipped += len(content)
    return Size(destination.stat().st_size, unzipped)


def check_size(size: Size, runtime: Runtime) -> None:
    """Raise `PackagingError` if a package is over a limit of its runtime."""
    for state, actual, limit in (
        ("unzipped", size.unzipped, runtime.max_unzipped_bytes),
        ("zipped", size.zipped, runtime.max_zipped_bytes),
    ):
        if actual > limit:
            raise PackagingError(f"The package is {actual:,} bytes {state}, over {limit:,}.")
