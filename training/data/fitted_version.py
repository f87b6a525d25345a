"""Find the version of scikit-learn that fitted an estimator in a file, without loading it.

scikit-learn's estimators add ``_sklearn_version`` to the state that they pass to pickle, joblib
and skops. Source: ``BaseEstimator.__getstate__`` in sklearn/base.py.
"""

from __future__ import annotations

import bz2
import json
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_KEY = "_sklearn_version"
_SCHEMA = "schema.json"
_VERSION = r"\d+\.\d+(?:\.\d+)?(?:(?:a|b|rc|\.post|\.dev)\d+)?"
# Between the key and the version are opcodes only: memoize the one, begin the other.
_IN_PICKLE = re.compile(rb"_sklearn_version.{0,16}?(" + _VERSION.encode() + rb")", re.DOTALL)
_IN_SCHEMA = re.compile(_VERSION)


def fitted_sklearn_version(path: Path) -> str | None:
    """Return the version in a ``.skops`` archive or a pickle; None if there is none.

    Nothing in the file is executed: an archive's schema is parsed as JSON, and a pickle, which
    joblib may have compressed, is searched for bytes.
    """
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return next(_versions(json.loads(archive.read(_SCHEMA))), None)
        match = _IN_PICKLE.search(_decompress(path.read_bytes()))
    except (KeyError, ValueError, RecursionError, zipfile.BadZipFile, zlib.error, lzma.LZMAError):
        return None
    except (EOFError, OSError):  # damaged, or not there: whoever loads it says so
        return None
    return match[1].decode() if match else None


def _versions(node: Any) -> Iterator[str]:
    """Yield the versions in a skops schema, at any depth."""
    children = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in children:
        if key == _KEY and isinstance(value, dict):
            match = _IN_SCHEMA.search(str(value.get("content")))
            if match:
                yield match[0]
        elif isinstance(value, dict | list):
            yield from _versions(value)


def _decompress(content: bytes) -> bytes:
    """Undo the compressions of joblib that Python's standard library has."""
    if content.startswith((b"\x1f\x8b", b"\x78")):
        return zlib.decompress(content, wbits=zlib.MAX_WBITS | 32)  # gzip or zlib
    if content.startswith(b"BZh"):
        return bz2.decompress(content)
    if content.startswith((b"\xfd7zXZ", b"\x5d\x00")):
        return lzma.decompress(content)
    return content
