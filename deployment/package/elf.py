"""Whether Lambda can load a shared object: the machine and the C library that it was made for.

The format is ELF, of 64 bits and little-endian: elf(5), and for versions of symbols
https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/symversion.html
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from deployment.errors import PackagingError
from deployment.target import ARCHITECTURES, GLIBC, Architecture

_SHT_GNU_VERNEED = 0x6FFFFFFE
_GLIBC_VERSION = re.compile(rb"GLIBC_(\d+)\.(\d+)(?:\.\d+)?")


class _Section(NamedTuple):
    type: int
    offset: int
    size: int
    link: int


def check_shared_objects(folder: Path, target: Architecture) -> int:
    """Check every shared object of a package.

    Parameters
    ----------
    folder : Path
        The unpacked package.
    target : Architecture
        What it has to run on.

    Returns
    -------
    int
        How many there are.

    Raises
    ------
    PackagingError
        If Lambda cannot load one of them.
    """
    count = 0
    for path in sorted(folder.rglob("*")):
        if path.is_file() and re.search(r"\.so(\.[\d.]+)?$", path.name):
            check_shared_object(path, target)
            count += 1
    return count


def check_shared_object(path: Path, target: Architecture) -> None:
    """Check one shared object.

    Parameters
    ----------
    path : Path
        The file.
    target : Architecture
        What it has to run on.

    Raises
    ------
    PackagingError
        If it was made for another machine, or takes a newer glibc than Lambda's.
    """
    content = path.read_bytes()
    if content[:6] != b"\x7fELF\x02\x01":
        raise PackagingError(f"{path.name} is no shared object of 64 bits.")
    (machine,) = struct.unpack_from("<H", content, 18)
    if machine != target.elf_machine:
        names = {known.elf_machine: known.name for known in ARCHITECTURES.values()}
        made_for = names.get(machine, f"machine {machine}")
        raise PackagingError(f"{path.name} was made for {made_for}, not for {target.name}.")
    needed = max(glibc_versions(content), default=GLIBC)
    if needed > GLIBC:
        raise PackagingError(
            f"{path.name} takes glibc {needed[0]}.{needed[1]}; Lambda has {GLIBC[0]}.{GLIBC[1]}."
        )


def glibc_versions(content: bytes) -> Iterator[tuple[int, int]]:
    """Find the versions of glibc whose symbols a shared object takes.

    Parameters
    ----------
    content : bytes
        The file.

    Yields
    ------
    tuple of int
        Major and minor version.
    """
    sections = _sections(content)
    for section in sections:
        if section.type == _SHT_GNU_VERNEED:
            for name in _needed_versions(content, section, sections[section.link]):
                found = _GLIBC_VERSION.fullmatch(name)
                if found:
                    yield int(found[1]), int(found[2])


def _sections(content: bytes) -> list[_Section]:
    (start,) = struct.unpack_from("<Q", content, 40)
    size, count = struct.unpack_from("<HH", content, 58)
    found = []
    for index in range(count):
        header = struct.unpack_from("<IIQQQQII", content, start + index * size)
        found.append(_Section(type=header[1], offset=header[4], size=header[5], link=header[6]))
    return found


def _needed_versions(content: bytes, section: _Section, names: _Section) -> Iterator[bytes]:
    library = section.offset
    while True:
        _, count, _, first, following = struct.unpack_from("<HHIII", content, library)
        version = library + first
        for _ in range(count):
            *_, name, next_version = struct.unpack_from("<IHHII", content, version)
            start = names.offset + name
            yield content[start : content.index(b"\0", start)]
            version += next_version
        if not following:
            return
        library += following
