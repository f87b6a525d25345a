"""A model store that is written: read the end of an object, write, list, lock.

Serving reads with `chalicelib.store.object_store`, which this extends.
"""

from __future__ import annotations

import fcntl
import functools
import logging
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

import boto3
import obstore
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from obstore.exceptions import PreconditionError

from chalicelib.errors import ObjectNotFound, StoreError
from chalicelib.store.object_store import ObjectStore, path_from_url, store_url, translated_errors

TIMEOUT_SECONDS = 60.0
RETRIES = 2

# obstore writes a file of this name and renames it; a killed process leaves it behind.
_TEMPORARY = re.compile(r".+#\d+")

LOG = logging.getLogger(__name__)


class Item(NamedTuple):
    """An object in a listing."""

    path: str  # below the store's URL
    modified: datetime  # UTC; to the second on S3
    size: int  # bytes


class Tail(NamedTuple):
    """The end of an object."""

    data: bytes
    size: int  # bytes of the whole object
    etag: str
    modified: datetime


class WritableStore:
    """The objects below a URL.

    Parameters
    ----------
    url : str
        ``s3://bucket/prefix``, ``file:///folder`` or a folder's path.
    """

    def __init__(self, url: str) -> None:
        self.url = store_url(url)
        self._objects = ObjectStore(self.url, timeout_seconds=TIMEOUT_SECONDS, retries=RETRIES)
        self._folder = path_from_url(self.url) if self.url.startswith("file:") else None

    def fetch(self, path: str) -> bytes:
        """Return a whole object."""
        stored = self._objects.fetch(path)
        assert stored is not None  # None only if an etag was passed
        return stored.data

    def fetch_tail(self, path: str, length: int, *, etag: str | None = None) -> Tail | None:
        """Return the last `length` bytes of an object in one request, so that they fit together.

        None if its ETag is another than `etag`.
        """
        options: Any = {"range": {"suffix": length}}
        if etag is not None:
            options["if_match"] = etag
        with translated_errors(f"{self.url}/{path}"):
            try:
                result = obstore.get(self._objects.opened, path, options=options)
            except PreconditionError:
                return None
            except obstore.exceptions.GenericError as error:
                # An empty object has no last bytes.
                if not {"NotPartial", "416"} & set(re.findall(r"\w+", str(error))):
                    raise
                return Tail(b"", 0, "", datetime.now(UTC))
            meta = result.meta
            data = result.bytes().to_bytes()
        return Tail(data, meta["size"], meta["e_tag"] or "", meta["last_modified"])

    def head(self, path: str) -> Item | None:
        """Return an object's item in the listing, or None if there is none."""
        with suppress(ObjectNotFound), translated_errors(f"{self.url}/{path}"):
            meta = obstore.head(self._objects.opened, path)
            return Item(path, meta["last_modified"], meta["size"])
        return None

    def put(self, path: str, data: bytes, *, mode: Literal["create", "overwrite"]) -> None:
        """Write an object, at once or not at all; raise ``AlreadyExistsError`` if `mode` says so.

        Never in parts, so that a killed process leaves no incomplete upload on S3.
        """
        with translated_errors(f"{self.url}/{path}", needs="s3:PutObject"):
            obstore.put(self._objects.opened, path, data, mode=mode, use_multipart=False)

    def list(self, folder: str, name: re.Pattern[str]) -> Iterator[Item]:
        """List the objects directly below a folder whose names match, sorted by name.

        Any other object is skipped, with a warning. On S3 pages are requested as they are needed.
        """
        items = self._list_s3(folder) if self._folder is None else self._list_folder(folder)
        skipped = []
        for item in items:
            base = item.path.removeprefix(f"{folder}/")
            if name.fullmatch(base):
                yield item
            elif not _TEMPORARY.fullmatch(base):
                skipped.append(base)
        if skipped:
            _warn_of_skipped(folder, skipped)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other publishers out of a folder, and clear what killed ones have left there.

        The lock ends with the process. On S3 there is none, and nothing is left.
        """
        if self._folder is None:
            yield
            return
        try:
            descriptor = os.open(self._folder, os.O_RDONLY)
        except FileNotFoundError:
            raise ObjectNotFound(f"folder {self._folder}") from None
        try:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                self._clear_temporary_files(self._folder)
            yield
        finally:
            os.close(descriptor)

    def create_folder(self) -> None:
        """Create the store's folder, if it is one."""
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)

    @functools.cached_property
    def _s3(self) -> Any:
        config = Config(
            connect_timeout=TIMEOUT_SECONDS,
            read_timeout=TIMEOUT_SECONDS,
            retries={"total_max_attempts": RETRIES + 1, "mode": "standard"},
        )
        return boto3.client("s3", config=config)

    def _clear_temporary_files(self, folder: Path) -> None:
        for path in (*folder.glob("*#*"), *folder.glob("*/*#*")):
            if _TEMPORARY.fullmatch(path.name):
                path.unlink()

    def _list_folder(self, folder: str) -> Iterator[Item]:
        assert self._folder is not None
        if not self._folder.is_dir():
            raise ObjectNotFound(f"folder {self._folder}")
        root = self._folder / folder
        no_files = []
        for name in sorted(os.listdir(root) if root.is_dir() else []):
            if not (root / name).is_file():  # a folder, or a symbolic link to nothing or itself
                no_files.append(name)
                continue
            status = (root / name).stat()
            modified = datetime.fromtimestamp(status.st_mtime, UTC)
            yield Item(f"{folder}/{name}", modified, status.st_size)
        if no_files:
            _warn_of_skipped(folder, no_files)

    def _list_s3(self, folder: str) -> Iterator[Item]:
        """List with boto3: obstore fails for all objects if one has a strange name."""
        parts = urlsplit(self.url)
        root = unquote(parts.path).strip("/")
        prefix = f"{root}/" if root else ""
        with _translated_list_errors(self.url):
            pages = self._s3.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=parts.netloc, Prefix=f"{prefix}{folder}/"):
                for item in page.get("Contents", []):
                    path = item["Key"].removeprefix(prefix)
                    yield Item(path, item["LastModified"], item["Size"])


def _warn_of_skipped(folder: str, names: Sequence[str]) -> None:
    LOG.warning("skipped in %s: %d strange objects, such as %r", folder, len(names), names[0])


@contextmanager
def _translated_list_errors(url: str) -> Iterator[None]:
    """Turn boto3's errors into `StoreError`."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if code == "NoSuchBucket":
            raise StoreError("no such bucket", f"There is no bucket for {url}.") from error
        if status in (401, 403):
            message = f"Access to {url} is denied: it needs s3:ListBucket."
            raise StoreError("access denied", message) from error
        raise StoreError("store error", f"S3 returned {status} {code} for {url}.") from error
    except NoCredentialsError as error:
        message = "No AWS credentials: run `aws configure`, or set AWS_PROFILE."
        raise StoreError("no credentials", message) from error
    except BotoCoreError as error:
        raise StoreError("unreachable", f"The store of {url} cannot be reached.") from error
