"""Objects at a URL, on S3 or in a folder, by way of obstore; its errors translated to ours."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from chalicelib.errors import ObjectNotFound, StoreError

if TYPE_CHECKING:
    from obstore import GetOptions

CONNECT_TIMEOUT = "1s"
TIMEOUT = "5s"


class Fetched(NamedTuple):
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
    return place if "://" in place else Path(place).resolve().as_uri()


class ObjectStore:
    """The objects below a URL.

    Parameters
    ----------
    url : str
        ``s3://bucket/prefix`` or ``file:///folder``. Opened at the first use, not before.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    @functools.cached_property
    def opened(self) -> Any:
        """The obstore store behind the URL.

        Raises
        ------
        StoreError
            If there is no such folder, or no credentials.
        """
        with translated_errors(self.url):
            return _open_folder(self.url) if self.url.startswith("file:") else _open_s3(self.url)

    def fetch(self, name: str, *, unless_etag: str | None = None) -> Fetched | None:
        """Fetch an object, whole.

        Parameters
        ----------
        name : str
            The object's name below the URL.
        unless_etag : str, optional
            The state of the object that need not be fetched again.

        Returns
        -------
        Fetched or None
            None if the object is still in the state `unless_etag`.

        Raises
        ------
        StoreError
            If there is no such object, or the store does not give it.
        """
        import obstore
        from obstore.exceptions import NotModifiedError

        with translated_errors(f"{self.url}/{name}"):
            try:
                unless: GetOptions = {"if_none_match": unless_etag} if unless_etag else {}
                result = obstore.get(self.opened, name, options=unless)
                return Fetched(result.bytes().to_bytes(), result.meta["e_tag"] or "")
            except NotModifiedError:
                return None


def folder_at(url: str) -> Path:
    """Give the folder that a ``file:///`` URL names.

    Parameters
    ----------
    url : str

    Returns
    -------
    pathlib.Path
    """
    return Path(unquote(urlsplit(url).path))


def _open_folder(url: str) -> Any:
    from obstore.store import LocalStore

    folder = folder_at(url)
    if not folder.is_dir():
        raise ObjectNotFound(f"folder {folder}")
    return LocalStore(folder)


def _open_s3(url: str) -> Any:
    from obstore.store import S3Store

    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    return S3Store.from_url(
        url,
        client_options={
            "allow_http": endpoint.startswith("http://"),
            "connect_timeout": CONNECT_TIMEOUT,
            "timeout": TIMEOUT,
        },
        retry_config={"max_retries": 0},
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
def translated_errors(what: str) -> Iterator[None]:
    """Raise ours where obstore raises its own.

    Parameters
    ----------
    what : str
        What is read or written, for the message.

    Raises
    ------
    StoreError
        For each of obstore's errors, but for ``AlreadyExistsError``.
    """
    from obstore import exceptions

    try:
        yield
    except FileNotFoundError as error:
        if "NoSuchBucket" in str(error):
            raise StoreError("no such bucket", f"There is no such bucket ({what}).") from error
        raise ObjectNotFound(what) from error
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
        raise StoreError("access denied", f"The store denies access to {what}.") from error
    except exceptions.AlreadyExistsError:
        raise  # no failure: what a create-only put answers
    except exceptions.BaseError as error:
        raise StoreError("store failure", f"The store failed: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
