"""Check the machine and the C library that shared objects were built for.

The format is 64-bit little-endian ELF: elf(5), and for symbol versions
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
    """Check every shared object in a folder and return their number.

    Raises `PackagingError` for one that Lambda cannot load.
    """
    count = 0
    for path in sorted(folder.rglob("*")):
        if path.is_file() and re.search(r"\.so(\.[\d.]+)?$", path.name):
            check_shared_object(path, target)
            count += 1
    return count


def check_shared_object(path: Path, target: Architecture) -> None:
    """Raise `PackagingError` if the machine differs, or glibc is newer than Lambda's."""
    content = path.read_bytes()
    if content[:6] != b"\x7fELF\x02\x01":
        raise PackagingError(f"{path.name} is not a 64-bit shared object.")
    (machine,) = struct.unpack_from("<H", content, 18)
    if machine != target.elf_machine:
        names = {known.elf_machine: known.name for known in ARCHITECTURES.values()}
        actual = names.get(machine, f"machine {machine}")
        raise PackagingError(f"{path.name} was built for {actual}, not for {target.name}.")
    required = max(glibc_versions(content), default=GLIBC)
    if required > GLIBC:
        raise PackagingError(
            f"{path.name} requires glibc {required[0]}.{required[1]}; "
            f"Lambda has {GLIBC[0]}.{GLIBC[1]}."
        )


def glibc_versions(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield the glibc versions that a shared object requires, as major and minor."""
    sections = _read_sections(content)
    for section in sections:
        if section.type == _SHT_GNU_VERNEED:
            for name in _required_versions(content, section, sections[section.link]):
                match = _GLIBC_VERSION.fullmatch(name)
                if match:
                    yield int(match[1]), int(match[2])


def _read_sections(content: bytes) -> list[_Section]:
    (start,) = struct.unpack_from("<Q", content, 40)
    size, count = struct.unpack_from("<HH", content, 58)
    sections = []
    for index in range(count):
        header = struct.unpack_from("<IIQQQQII", content, start + index * size)
        sections.append(_Section(type=header[1], offset=header[4], size=header[5], link=header[6]))
    return sections


def _required_versions(content: bytes, section: _Section, names: _Section) -> Iterator[bytes]:
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
