"""Objects at a URL, on S3 or in a folder, by way of obstore; its errors translated to ours."""

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

# The parts of obstore's messages that tell one failure from another.
_STATUS = re.compile(r"status code: (\d{3})")
_S3_CODE = re.compile(r"<Code>(\w+)</Code>")


class StoredObject(NamedTuple):
    """An object that was fetched.

    Parameters
    ----------
    data : bytes
        All of it.
    etag : str
        What names this state of the object to the store.
    """

    data: bytes
    etag: str


def store_url(place: str) -> str:
    """Give the URL of a store that may be named by a folder's path.

    Parameters
    ----------
    place : str
        ``s3://bucket/prefix``, ``file:///folder`` or a folder's path.

    Returns
    -------
    str
        A URL.
    """
    if "://" in place:
        return place
    from pathlib import Path  # a function that serves from S3 does without it

    return Path(place).resolve().as_uri()


def path_from_url(url: str) -> Path:
    """Give the folder that a ``file:///`` URL names.

    Parameters
    ----------
    url : str
        The URL.

    Returns
    -------
    pathlib.Path
    """
    from pathlib import Path

    return Path(unquote(urlsplit(url).path))


class ObjectStore:
    """The objects below a URL.

    Parameters
    ----------
    url : str
        ``s3://bucket/prefix`` or ``file:///folder``. Opened at the first use, not before.
    timeout_seconds : float
        How long one call to S3 may take as a whole; connecting, at most
        `CONNECT_TIMEOUT_SECONDS` of it.
    retries : int, default=0
        How often a call that failed is tried again.
    """

    def __init__(self, url: str, *, timeout_seconds: float, retries: int = 0) -> None:
        self.url = url
        self._timeout_seconds = timeout_seconds
        self._retries = retries

    @functools.cached_property
    def opened(self) -> Any:
        """The obstore store behind the URL.

        Raises
        ------
        StoreError
            If there is no such folder, or no credentials.
        """
        with translated_errors(self.url):
            if self.url.startswith("file:"):
                return _open_folder(path_from_url(self.url))
            return _open_s3(self.url, self._timeout_seconds, self._retries)

    def fetch(
        self, name: str, *, if_none_match: str | None = None, max_bytes: int | None = None
    ) -> StoredObject | None:
        """Fetch an object, whole.

        Parameters
        ----------
        name : str
            The object's name below the URL.
        if_none_match : str, optional
            The state of the object that need not be fetched again.
        max_bytes : int, optional
            How large it may be.

        Returns
        -------
        StoredObject or None
            None if the object is still in the state `if_none_match`.

        Raises
        ------
        InvalidArtifact
            If it is larger than `max_bytes`; it is not read then.
        StoreError
            If there is no such object, or the store does not give it.
        """
        import obstore
        from obstore.exceptions import NotModifiedError

        unless: GetOptions = {"if_none_match": if_none_match} if if_none_match else {}
        with translated_errors(f"{self.url}/{name}"):
            try:
                result = obstore.get(self.opened, name, options=unless)
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
    """On Lambda the environment holds the credentials; elsewhere boto3 knows where to look."""
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
def translated_errors(what: str, needs: str = "s3:GetObject") -> Iterator[None]:
    """Raise ours where obstore raises its own.

    Parameters
    ----------
    what : str
        What is read or written, for the message.
    needs : str, default="s3:GetObject"
        The permission without which S3 denies it.

    Raises
    ------
    StoreError
        For each of obstore's errors, but for ``AlreadyExistsError``.
    """
    from obstore import exceptions

    try:
        yield
    except exceptions.AlreadyExistsError:
        raise  # no failure: what a create-only put answers
    except (exceptions.BaseError, FileNotFoundError) as error:
        raise _translated(error, what, needs) from error


def _translated(error: Exception, what: str, needs: str) -> StoreError:
    text = str(error)
    status = _STATUS.search(text)
    code = _S3_CODE.search(text)
    if code and code[1] == "NoSuchBucket":
        return StoreError("no such bucket", f"There is no bucket for {what}.")
    if isinstance(error, FileNotFoundError):
        return ObjectNotFound(what)
    if status and status[1] in ("401", "403"):
        # To those who may not list a bucket, S3 does not tell what is not there.
        hint = ", or there is no such object" if needs == "s3:GetObject" else ""
        return StoreError("access denied", f"Access to {what} is denied: it takes {needs}{hint}.")
    if status:
        answered = f"{status[1]} {code[1]}" if code else status[1]
        return StoreError(f"the store answered {answered}", f"For {what} S3 answered {answered}.")
    if "TimedOut" in text or "kind: Timeout" in text:
        return StoreError("timed out", f"{what} did not come in time.")
    if "ConnectError" in text:
        return StoreError("unreachable", f"No connection could be made for {what}.")
    if "body error" in text:
        return StoreError("cut short", f"{what} was cut short.")
    return StoreError("store failure", f"{what}: {text.partition(chr(10))[0]}")
