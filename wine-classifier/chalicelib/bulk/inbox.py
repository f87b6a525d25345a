"""The files to score: read in ranges, all of one version."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING

from chalicelib.bulk.errors import FileProblem, FileReplaced
from chalicelib.bulk.rows import Kind
from chalicelib.named_tuple import NamedTuple
from chalicelib.store.object_store import ObjectStore, translated_errors

if TYPE_CHECKING:
    from obstore import GetOptions

INBOX = "inbox"
CHUNK_BYTES = 4 * 1024 * 1024  # of one request
_KINDS: dict[str, Kind] = {".csv": "csv", ".jsonl": "jsonl"}
_GZIP = ".gz"
BOM = b"\xef\xbb\xbf"
_GZIP_FORMAT = 31  # of zlib.decompressobj: gzip's header and checksum


class Format(NamedTuple):
    """What the name of a file tells."""

    kind: Kind
    is_compressed: bool


def find_format(name: str) -> Format:
    """Return the format of a file by its name; raise `FileProblem` for another name."""
    is_compressed = name.lower().endswith(_GZIP)
    plain = name[: -len(_GZIP)] if is_compressed else name
    for suffix, kind in _KINDS.items():
        if plain.lower().endswith(suffix):
            return Format(kind, is_compressed)
    raise FileProblem("The name of a file must end in .csv, .jsonl, .csv.gz or .jsonl.gz.")


class InputFile:
    """A file of the inbox, as it is now.

    Parameters
    ----------
    store : ObjectStore
    name : str
        Below the inbox.
    """

    def __init__(self, store: ObjectStore, name: str) -> None:
        import obstore

        self.name = name
        self._store = store
        self._path = f"{INBOX}/{name}"
        with translated_errors(f"{store.url}/{self._path}"):
            meta = obstore.head(store.opened, self._path)
        self.size: int = meta["size"]
        self.etag: str = meta["e_tag"] or ""
        self.modified: datetime = meta["last_modified"]
        # A file that is put again is scored again, also with the same content.
        identity = f"{self.etag} {meta['version']} {self.modified.isoformat()}"
        self.run = hashlib.sha256(identity.encode()).hexdigest()[:12]

    def read(self, start: int, end: int, chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes]:
        """Yield a range in chunks; the next one is fetched meanwhile.

        Raises `FileReplaced` if the file is another now.
        """
        with ThreadPoolExecutor(max_workers=1) as pool:
            chunk = pool.submit(self._fetch, start, min(start + chunk_bytes, end))
            for offset in range(start + chunk_bytes, end, chunk_bytes):
                following = pool.submit(self._fetch, offset, min(offset + chunk_bytes, end))
                yield chunk.result()
                chunk = following
            yield chunk.result()

    def read_text(self, start: int, end: int, chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes]:
        """Yield a byte order mark or nothing, then a range in chunks, decompressed."""
        chunks = self.read(start, end, chunk_bytes)
        if find_format(self.name).is_compressed:
            chunks = _decompress(chunks)
        first = b""
        while not start and len(first) < len(BOM) and (chunk := next(chunks, b"")):
            first += chunk
        mark = BOM if first.startswith(BOM) else b""
        yield mark
        yield first.removeprefix(mark)
        yield from chunks

    def _fetch(self, start: int, end: int) -> bytes:
        import obstore
        from obstore.exceptions import PreconditionError

        options: GetOptions = {"range": (start, end), "if_match": self.etag}
        with translated_errors(f"{self._store.url}/{self._path}"):
            try:
                result = obstore.get(self._store.opened, self._path, options=options)
                return result.bytes().to_bytes()
            except PreconditionError:
                raise FileReplaced from None


def _decompress(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress gzip, of one member or several, in chunks."""
    member = zlib.decompressobj(_GZIP_FORMAT)
    try:
        for chunk in chunks:
            data = chunk
            while data:
                if member.eof:
                    if not data.strip(b"\0"):  # padding
                        break
                    member = zlib.decompressobj(_GZIP_FORMAT)
                if text := member.decompress(data, CHUNK_BYTES):
                    yield text
                data = member.unused_data if member.eof else member.unconsumed_tail
    except zlib.error:
        raise FileProblem("The file is not gzip, or it is damaged.") from None
    if not member.eof:
        raise FileProblem("The gzip file is cut short.")
