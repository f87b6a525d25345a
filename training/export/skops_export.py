"""Writes a fitted estimator as a ``.skops`` archive, the same one for the same estimator."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import numpy as np
import skops.io

from chalicelib.errors import InvalidArtifact
from chalicelib.runtimes.sklearn_classifier import audit
from training.errors import NotExportable

_SCHEMA = "schema.json"
_NPY = b"\x93NUMPY"
_ID = re.compile(r'"__id__": (\d+)')
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first time that a zip archive can tell


def write_skops(estimator: Any) -> bytes:
    """Write a fitted estimator as a ``.skops`` archive.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    Returns
    -------
    bytes
        The archive. skops writes addresses and uninitialized bytes of memory and the time into it;
        here they are replaced, so that the same estimator is the same file.

    Raises
    ------
    NotExportable
        If skops cannot write it, or a server would refuse what is in it.
    """
    try:
        written = skops.io.dumps(estimator)
        audit(written)
    except InvalidArtifact as error:
        raise NotExportable(str(error)) from error
    except Exception as error:  # an estimator may hold anything
        raise NotExportable(f"skops cannot write it: {error}") from error
    with zipfile.ZipFile(io.BytesIO(written)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    schema = members.pop(_SCHEMA).decode()
    numbers = {address: str(n) for n, address in enumerate(dict.fromkeys(_ID.findall(schema)), 1)}
    schema = _ID.sub(lambda found: f'"__id__": {numbers[found[1]]}', schema)
    renamed = {name: f"{n}{name[name.rindex('.') :]}" for n, name in enumerate(_files(schema), 1)}
    for name, new_name in renamed.items():
        schema = schema.replace(f'"file": "{name}"', f'"file": "new {new_name}"')
    schema = schema.replace('"file": "new ', '"file": "')
    return add_members(
        b"",
        {_SCHEMA: schema.encode()}
        | {new_name: _without_gaps(members[name]) for name, new_name in renamed.items()},
    )


def _without_gaps(member: bytes) -> bytes:
    """Write zeros between the fields of a structured array, where there is whatever was there."""
    if not member.startswith(_NPY):
        return member
    array = np.load(io.BytesIO(member), allow_pickle=False)
    if array.dtype.names is None:
        return member
    # Through bytes, as NumPy copies whatever is between the fields, or leaves it as it was.
    memory = np.zeros(array.nbytes, dtype=np.uint8)
    cleared = memory.view(array.dtype).reshape(array.shape)
    for field in array.dtype.names:
        cleared[field] = array[field]
    return member[: len(member) - array.nbytes] + memory.tobytes()


def _files(schema: str) -> list[str]:
    """List the members that a schema refers to, in its order."""
    return list(dict.fromkeys(re.findall(r'"file": "([^"]+)"', schema)))


def add_members(archive: bytes, members: dict[str, bytes], comment: bytes = b"") -> bytes:
    """Add members to a zip archive, uncompressed and without the time.

    Parameters
    ----------
    archive : bytes
        The archive; empty for a new one.
    members : dict of str to bytes
        What to add.
    comment : bytes, optional
        What the archive shall end with.

    Returns
    -------
    bytes
        The archive.
    """
    written = io.BytesIO(archive)
    with zipfile.ZipFile(written, "a" if archive else "w") as zipped:
        for name, content in members.items():
            zipped.writestr(zipfile.ZipInfo(name, _EPOCH), content)
        zipped.comment = comment
    return written.getvalue()
