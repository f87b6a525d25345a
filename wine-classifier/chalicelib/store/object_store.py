"""Objects on S3 or in a folder, through obstore; its errors become `StoreError`."""

from __future__ import annotations

import functools
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from chalicelib import digests
from chalicelib.errors import InvalidArtifact, ObjectNotFound, Reason, StoreError
from chalicelib.named_tuple import NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from obstore import GetOptions, GetResult

CURRENT = "current"  # the name of the live model
CONNECT_TIMEOUT_SECONDS = 1.0
# Of a download; below the size from which malloc gets new memory for each chunk from the system.
_CHUNK_BYTES = 64_000

# Parts of obstore's messages that tell failures apart.
_STATUS = r"status code: (\d{3})"
_S3_CODE = r"<Code>(\w{1,100})</Code>"

# The reasons that S3's own codes and HTTP's statuses stand for; the other 5xx are a "store error".
_REASONS: dict[str, Reason] = {
    "NoSuchBucket": "no such bucket",
    "RequestTimeTooSkewed": "clock skew",
    "SlowDown": "throttled",
    "ExpiredToken": "access denied",
    "401": "access denied",
    "403": "access denied",
    "404": "not found",
    "429": "throttled",
}
# The reasons of failures without a status, each with words of obstore's message. The first match
# counts.
_SYMPTOMS: dict[Reason, tuple[str, ...]] = {
    "timed out": ("TimedOut", "kind: Timeout"),
    "unknown host": ("dns error",),
    "unreachable": ("kind: Connect,",),
    "cut short": ("body error", "IncompleteMessage", "ConnectionReset", "BrokenPipe"),
    "unexpected response": ("Parse(", "BareRedirect", "source: Header {"),
}
_SENTENCES: dict[Reason, str] = {
    "no such bucket": "There is no bucket for {target}.",
    "clock skew": "S3 rejects the request for {target}: this machine's clock is wrong.",
    "timed out": "The request for {target} timed out.",
    "unknown host": "The host name of the store of {target} cannot be resolved.",
    "unreachable": "The store of {target} cannot be reached.",
    "cut short": "The response for {target} was cut short.",
}


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
        from obstore.exceptions import AlreadyExistsError, NotModifiedError

        options: GetOptions = {"if_none_match": if_none_match} if if_none_match else {}
        with translated_errors(f"{self.url}/{name}"):
            try:
                result = obstore.get(self.opened, name, options=options)
            except NotModifiedError:
                if if_none_match is None:
                    raise StoreError(
                        "not modified",
                        f"S3 answers 304 for {self.url}/{name}, which is not loaded.",
                    ) from None
                return None
            except AlreadyExistsError as error:  # obstore's name of a 409
                raise _translate(error, f"{self.url}/{name}", "s3:GetObject") from error
            size = result.meta["size"]
            if max_bytes is not None and size > max_bytes:
                raise InvalidArtifact(
                    "too large", f"The object has {size:,} bytes, over {max_bytes:,}."
                )
            return StoredObject(_read(result, size), result.meta["e_tag"] or "")


def _read(result: GetResult, size: int) -> bytes:
    """Read a body; a large one in chunks, so that there is one copy of it in memory, not two."""
    if size <= _CHUNK_BYTES:
        return result.bytes().to_bytes()
    digests.prepare(size)  # of an artifact, while it is on its way
    buffer = io.BytesIO()
    for chunk in result.stream(min_chunk_size=_CHUNK_BYTES):
        buffer.write(chunk)
    return buffer.getvalue()  # no copy: the bytes are the buffer's own


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
        if "AWS_ACCESS_KEY_ID" in os.environ:
            return {}
        from chalicelib.store.credentials import are_served, provide_credentials

        return {"credential_provider": provide_credentials} if are_served() else {}
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
    status, code = (re.search(pattern, text) for pattern in (_STATUS, _S3_CODE))
    reason = _find_reason(error, text, *(match[1] for match in (code, status) if match))
    if reason == "not found":
        return ObjectNotFound(target)
    if reason in _SENTENCES:
        return StoreError(reason, _SENTENCES[reason].format(target=target))
    if status and status[1] in ("401", "403"):
        # Without s3:ListBucket, S3 answers 403 for missing objects.
        hint = ", or the object does not exist" if needs == "s3:GetObject" else ""
        return StoreError(reason, f"Access to {target} is denied: it needs {needs}{hint}.")
    if status:
        response = f"{status[1]} {code[1]}" if code else status[1]
        return StoreError(reason, f"S3 returned {response} for {target}.")
    return StoreError(reason, f"{target}: {text.partition(chr(10))[0]}")


def _find_reason(error: Exception, text: str, *codes: str) -> Reason:
    """Find the reason in the codes of a response, else in the words of obstore's message."""
    for code in codes:
        if code in _REASONS:
            return _REASONS[code]
    if isinstance(error, FileNotFoundError):
        return "not found"
    if codes:
        return "store error" if codes[-1].startswith("5") else "unexpected response"
    for reason, words in _SYMPTOMS.items():
        if any(word in text for word in words):
            return reason
    return "store failure"
