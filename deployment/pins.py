"""Files of requirements that pin a version and the SHA-256 of its files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from deployment.errors import PackagingError

_PIN = re.compile(r"([A-Za-z0-9._-]+)==(\S+)(.*)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


class Pin(NamedTuple):
    """A pinned distribution."""

    name: str
    version: str
    hashes: frozenset[str]  # SHA-256 of its files, for every platform

    @property
    def requirement(self) -> str:
        """The pin, as a line of a requirements file."""
        hashes = (f"--hash=sha256:{digest}" for digest in sorted(self.hashes))
        return " ".join([f"{self.name}=={self.version}", *hashes])


def canonical_name(name: str) -> str:
    """Return the name of a distribution as the index spells it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_pins(requirements: Path) -> dict[str, Pin]:
    """Return the pins of a requirements file by name; raise `PackagingError` if one has no hash."""
    pins = {}
    for line in requirements.read_text().replace("\\\n", " ").splitlines():
        match = _PIN.match(line)
        if match:
            name, version, rest = canonical_name(match[1]), match[2], match[3]
            pins[name] = Pin(name, version, frozenset(_HASH.findall(rest)))
            if not pins[name].hashes:
                raise PackagingError(f"{requirements.name} pins {name} without a hash: make pins.")
    return pins
