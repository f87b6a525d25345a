"""Files to read and to write: in a folder or on S3, plain or compressed, by their suffix."""

from __future__ import annotations

import gzip
import io
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from chalicelib.errors import ObjectNotFound
from chalicelib.store.object_store import ObjectStore, translated_errors
from training.errors import CannotScore, UnreadableTable

TIMEOUT_SECONDS = 120.0  # of one part
RETRIES = 3
READ_BYTES = 8 << 20  # of one request to S3

Kind = Literal["csv", "jsonl", "parquet"]
_KINDS: dict[str, Kind] = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}


class Format(NamedTuple):
    """What the name of a file tells."""

    kind: Kind
    is_compressed: bool


def find_format(name: str) -> Format:
    """Return the format of a file by its suffix; raise `CannotScore` if there is none."""
    is_compressed = name.endswith(".gz")
    kind = _KINDS.get(Path(name.removesuffix(".gz")).suffix.lower())
    if kind is None or (kind == "parquet" and is_compressed):
        raise CannotScore(
            f"{name}: its suffix must be .csv, .csv.gz, .jsonl, .jsonl.gz or .parquet."
        )
    return Format(kind, is_compressed)


class Input:
    """A table to read.

    Parameters
    ----------
    location : str
        A path, or ``s3://bucket/key``.

    Attributes
    ----------
    identity : dict
        Size and time of a file, size and ETag of an object: others mean that it changed.
    """

    def __init__(self, location: str) -> None:
        self.location = location
        self.format = find_format(location)
        self._object = _S3Object(location) if is_s3(location) else None
        self.identity: dict[str, object]
        if self._object:
            self.size = self._object.size
            self.identity = {"size": self.size, "etag": self._object.etag}
        else:
            status = os.stat(_local_path(location))
            self.size = status.st_size
            self.identity = {"size": self.size, "modified": status.st_mtime_ns}
        self._raw: Any = None

    def open(self) -> Any:
        """Open the file as it is stored; what was opened before is closed."""
        self.close()
        if self._object:
            self._raw = io.BufferedReader(_S3Reader(self._object), READ_BYTES)
        else:
            self._raw = open(_local_path(self.location), "rb")  # noqa: SIM115
        return self._raw

    def open_at(self, offset: int) -> Any:
        """Open the text at an offset of it, which a compressed file is read up to."""
        raw = self.open()
        file: Any = gzip.GzipFile(fileobj=raw) if self.format.is_compressed else raw
        file.seek(offset)
        return file

    def read(self) -> int:
        """Return how many bytes of an opened file were read, of `size`; all once it is closed."""
        return self.size if self._raw.closed else int(self._raw.tell())

    def close(self) -> None:
        """Close what was opened."""
        if self._raw:
            self._raw.close()


class _S3Object:
    """An object that is read in ranges, all of them of one version."""

    def __init__(self, url: str) -> None:
        import obstore

        self._url = url
        self._store, self._key = _open_bucket(url)
        with translated_errors(url):
            meta = obstore.head(self._store, self._key)
        self.size, self.etag = meta["size"], meta["e_tag"] or ""

    def read_range(self, start: int, end: int) -> Any:
        """Return some of the bytes; raise `UnreadableTable` if the object was replaced."""
        import obstore
        from obstore.exceptions import PreconditionError

        options: Any = {"range": (start, end), "if_match": self.etag}
        with translated_errors(self._url):
            try:
                return obstore.get(self._store, self._key, options=options).bytes()
            except PreconditionError:
                raise UnreadableTable(f"{self._url} changed while it was read.") from None


class _S3Reader(io.RawIOBase):
    """A file of an object."""

    def __init__(self, source: _S3Object) -> None:
        self._source = source
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Set the position."""
        size = self._source.size
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: size}[whence]
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Read some bytes."""
        end = min(self._position + len(buffer), self._source.size)
        if end <= self._position:
            return 0
        data = self._source.read_range(self._position, end)
        buffer[: len(data)] = memoryview(data)
        self._position += len(data)
        return len(data)


def is_s3(location: str) -> bool:
    """Return whether a location is on S3."""
    return location.startswith("s3://")


def partial_path(location: str, suffix: str) -> Path:
    """Return the path of a file beside the output; of an output on S3, in the current folder."""
    path = Path(Path(urlsplit(location).path).name) if is_s3(location) else _local_path(location)
    return path.with_name(path.name + suffix)


def check_output(location: str) -> None:
    """Raise `CannotScore` if the folder of an output does not exist, or S3 denies access."""
    if is_s3(location):
        _open_bucket(location)
    elif not _local_path(location).absolute().parent.is_dir():
        raise CannotScore(f"{location}: there is no such folder.")


def move(path: Path, location: str) -> None:
    """Replace a file, or upload an object and delete the local file; at once, or not at all."""
    if not is_s3(location):
        os.replace(path, _local_path(location))
        return
    import obstore

    store, key = _open_bucket(location)
    with translated_errors(location, needs="s3:PutObject"):
        obstore.put(store, key, path)
    path.unlink()


def remove(location: str) -> None:
    """Delete a file or an object that an earlier run left, if there is one."""
    if not is_s3(location):
        _local_path(location).unlink(missing_ok=True)
        return
    import obstore

    store, key = _open_bucket(location)
    with suppress(ObjectNotFound), translated_errors(location, needs="s3:DeleteObject"):
        obstore.head(store, key)
        obstore.delete(store, key)


def _open_bucket(url: str) -> tuple[Any, str]:
    parts = urlsplit(url)
    store = ObjectStore(
        f"s3://{parts.netloc}", timeout_seconds=TIMEOUT_SECONDS, retries=RETRIES
    ).opened
    key = unquote(parts.path).lstrip("/")
    if not key:
        raise CannotScore(f"{url} names a bucket, and no object in it.")
    return store, key


def _local_path(location: str) -> Path:
    if location.startswith("file:"):
        return Path(unquote(urlsplit(location).path))
    return Path(location)
