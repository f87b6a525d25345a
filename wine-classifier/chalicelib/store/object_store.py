"""Objects on S3 or in a folder, through obstore; its errors become `StoreError`."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from chalicelib.errors import InvalidArtifact, ObjectNotFound, StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from obstore import GetOptions

CURRENT = "current"  # the name of the live model
CONNECT_TIMEOUT_SECONDS = 1.0

# Parts of obstore's messages that tell failures apart.
_STATUS = re.compile(r"status code: (\d{3})")
_S3_CODE = re.compile(r"<Code>(\w+)</Code>")


class StoredObject(NamedTuple):
    """A fetched object."""

    data: bytes
    etag: str


def store_url(url_or_folder: str) -> str:
    """Return the URL of a store given as a URL or as the path of a folder."""
    if "://" in url_or_folder:
        return url_or_folder
    from pathlib import Path  # not needed on Lambda

    return Path(url_or_folder).resolve().as_uri()


def path_from_url(url: str) -> Path:
    """Return the path of a ``file:///`` URL."""
    from pathlib import Path

    return Path(unquote(urlsplit(url).path))


class ObjectStore:
    """The objects below a URL; the connection opens on first use.

    Parameters
    ----------
    url : str
        ``s3://bucket/prefix`` or ``file:///folder``.
    timeout_seconds : float
        The time limit of one call to S3, of which connecting may take `CONNECT_TIMEOUT_SECONDS`.
    retries : int, default=0
        The number of retries of a failed call.
    """

    def __init__(self, url: str, *, timeout_seconds: float, retries: int = 0) -> None:
        self.url = url
        self._timeout_seconds = timeout_seconds
        self._retries = retries

    @functools.cached_property
    def opened(self) -> Any:
        """The obstore store; raises `StoreError` without a folder or without credentials."""
        with translated_errors(self.url):
            if self.url.startswith("file:"):
                return _open_folder(path_from_url(self.url))
            return _open_s3(self.url, self._timeout_seconds, self._retries)

    def fetch(
        self, name: str, *, if_none_match: str | None = None, max_bytes: int | None = None
    ) -> StoredObject | None:
        """Fetch a whole object, or return None if its ETag is still `if_none_match`.

        Raises `StoreError` if the object cannot be read, `InvalidArtifact` if it is larger than
        `max_bytes`; it is not downloaded then.
        """
        import obstore
        from obstore.exceptions import NotModifiedError

        options: GetOptions = {"if_none_match": if_none_match} if if_none_match else {}
        with translated_errors(f"{self.url}/{name}"):
            try:
                result = obstore.get(self.opened, name, options=options)
            except NotModifiedError:
                return None
            size = result.meta["size"]
            if max_bytes is not None and size > max_bytes:
                raise InvalidArtifact(f"The object has {size:,} bytes, over {max_bytes:,}.")
            return StoredObject(result.bytes().to_bytes(), result.meta["e_tag"] or "")


def _open_folder(folder: Path) -> Any:
    from obstore.store import LocalStore

    if not folder.is_dir():
        raise ObjectNotFound(f"folder {folder}")
    return LocalStore(folder)


def _open_s3(url: str, timeout_seconds: float, retries: int) -> Any:
    from obstore.store import S3Store

    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    return S3Store.from_url(
        url,
        client_options={
            "allow_http": endpoint.startswith("http://"),
            "connect_timeout": timedelta(seconds=min(CONNECT_TIMEOUT_SECONDS, timeout_seconds)),
            "timeout": timedelta(seconds=timeout_seconds),
        },
        retry_config={"max_retries": retries},
        **_credentials(),
    )


def _credentials() -> dict[str, Any]:
    """Use boto3's credentials, except on Lambda: there obstore reads them from the environment."""
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        return {}
    from obstore.auth.boto3 import Boto3CredentialProvider

    try:
        return {"credential_provider": Boto3CredentialProvider()}
    except ValueError:
        raise StoreError(
            "no credentials", "No AWS credentials: run `aws configure`, or set AWS_PROFILE."
        ) from None


@contextmanager
def translated_errors(target: str, needs: str = "s3:GetObject") -> Iterator[None]:
    """Turn obstore's errors into `StoreError`, except ``AlreadyExistsError``.

    Parameters
    ----------
    target : str
        The URL that is read or written, for the message.
    needs : str, default="s3:GetObject"
        The permission that S3 requires, for the message.
    """
    from obstore import exceptions

    try:
        yield
    except exceptions.AlreadyExistsError:
        raise  # the normal outcome of a create-only put
    except (exceptions.BaseError, FileNotFoundError) as error:
        raise _translate(error, target, needs) from error


def _translate(error: Exception, target: str, needs: str) -> StoreError:
    text = str(error)
    status = _STATUS.search(text)
    code = _S3_CODE.search(text)
    if code and code[1] == "NoSuchBucket":
        return StoreError("no such bucket", f"There is no bucket for {target}.")
    if isinstance(error, FileNotFoundError):
        return ObjectNotFound(target)
    if status and status[1] in ("401", "403"):
        # Without s3:ListBucket, S3 answers 403 for missing objects.
        hint = ", or the object does not exist" if needs == "s3:GetObject" else ""
        return StoreError("access denied", f"Access to {target} is denied: it needs {needs}{hint}.")
    if status:
        response = f"{status[1]} {code[1]}" if code else status[1]
        return StoreError(f"the store returned {response}", f"S3 returned {response} for {target}.")
    if "TimedOut" in text or "kind: Timeout" in text:
        return StoreError("timed out", f"The request for {target} timed out.")
    if "ConnectError" in text:
        return StoreError("unreachable", f"The store of {target} cannot be reached.")
    if "body error" in text:
        return StoreError("cut short", f"The response for {target} was cut short.")
    return StoreError("store failure", f"{target}: {text.partition(chr(10))[0]}")
