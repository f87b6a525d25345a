"""A folder as a zip: the same byte for byte whenever and wherever it is made."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import NamedTuple

from deployment.errors import PackagingError
from deployment.target import Runtime

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip can name
_READABLE = 0o100644 << 16  # Lambda runs as another user than the one who unzips
_COMPRESSION = 9


class Size(NamedTuple):
    """How large a package is, in bytes."""

    zipped: int
    unzipped: int


def write_zip(folder: Path, destination: Path) -> Size:
    """Write a folder to a zip.

    Parameters
    ----------
    folder : Path
        What to write.
    destination : Path
        The file to make.

    Returns
    -------
    Size
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    unzipped = 0
    with zipfile.ZipFile(destination, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
                entry.external_attr = _READABLE
                entry.create_system = 3  # Unix, on whatever machine this runs
                content = path.read_bytes()
                archive.writestr(entry, content, zipfile.ZIP_DEFLATED, _COMPRESSION)
                unzipped += len(content)
    return Size(destination.stat().st_size, unzipped)


def check_size(size: Size, runtime: Runtime) -> None:
    """Hold a package against the limits of its kind.

    Parameters
    ----------
    size : Size
        How large it is.
    runtime : Runtime
        What it runs models with.

    Raises
    ------
    PackagingError
        If it is too large.
    """
    for what, found, limit in (
        ("unzipped", size.unzipped, runtime.unzipped_bytes),
        ("zipped", size.zipped, runtime.zipped_bytes),
    ):
        if found > limit:
            raise PackagingError(f"The package is {found:,} bytes {what}, over {limit:,}.")
