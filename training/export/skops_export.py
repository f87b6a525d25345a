"""Write a fitted estimator as a ``.skops`` archive, reproducibly."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import numpy as np
import skops.io

from chalicelib.runtimes.sklearn_classifier import find_untrusted
from training.errors import NotExportable

_SCHEMA = "schema.json"
_NPY_MAGIC = b"\x93NUMPY"
_ID = re.compile(r'"__id__": (\d+)')
_FILE = re.compile(r'"file": "([^"]+)"')
_SERVED_LIBRARIES = ("builtins", "functools", "numpy", "scipy", "sklearn")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time in a zip archive


def write_skops(estimator: Any) -> bytes:
    """Write a fitted estimator as a ``.skops`` archive.

    skops writes memory addresses, uninitialized memory and the time. They are replaced, so the
    same estimator gives the same bytes.

    Raises
    ------
    NotExportable
        If skops cannot write the estimator, or a server would reject a type in it.
    """
    try:
        archive = skops.io.dumps(estimator)
        untrusted = find_untrusted(archive)
    except Exception as error:  # an estimator may contain anything
        raise NotExportable(f"skops cannot write the estimator: {error}") from error
    if untrusted:
        raise NotExportable(_explain(untrusted))
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        members = {name: zipped.read(name) for name in zipped.namelist()}
    schema = members.pop(_SCHEMA).decode()
    ids = {address: str(n) for n, address in enumerate(dict.fromkeys(_ID.findall(schema)), 1)}
    schema = _ID.sub(lambda match: f'"__id__": {ids[match[1]]}', schema)
    files = dict.fromkeys(_FILE.findall(schema))
    renamed = {name: f"{n}{name[name.rindex('.') :]}" for n, name in enumerate(files, 1)}
    schema = _FILE.sub(lambda match: f'"file": "{renamed[match[1]]}"', schema)
    return add_members(
        b"",
        {_SCHEMA: schema.encode()}
        | {new_name: _clear_padding(members[name]) for name, new_name in renamed.items()},
    )


def _explain(untrusted: list[str]) -> str:
    """Return why a server rejects types, and what to change."""
    own = [name for name in untrusted if name.partition(".")[0] not in _SERVED_LIBRARIES]
    if own:
        name = own[0].rpartition(".")[2]
        return f"servers do not have the code of {name}: use scikit-learn's own, or add a converter"
    return f"types that are not allowed: {', '.join(untrusted)}"


def _clear_padding(member: bytes) -> bytes:
    """Set the padding between the fields of a structured NumPy array to zero."""
    if not member.startswith(_NPY_MAGIC):
        return member
    array = np.load(io.BytesIO(member), allow_pickle=False)
    if array.dtype.names is None:
        return member
    # Through bytes, because NumPy copies the padding or leaves it as it is.
    buffer = np.zeros(array.nbytes, dtype=np.uint8)
    cleared = buffer.view(array.dtype).reshape(array.shape)
    for field in array.dtype.names:
        cleared[field] = array[field]
    return member[: len(member) - array.nbytes] + buffer.tobytes()


def add_members(archive: bytes, members: dict[str, bytes], comment: bytes = b"") -> bytes:
    """Add uncompressed members to a zip archive, empty for a new one, and set its comment."""
    buffer = io.BytesIO(archive)
    with zipfile.ZipFile(buffer, "a" if archive else "w") as zipped:
        for name, content in members.items():
            zipped.writestr(zipfile.ZipInfo(name, _EPOCH), content)
        zipped.comment = comment
    return buffer.getvalue()
