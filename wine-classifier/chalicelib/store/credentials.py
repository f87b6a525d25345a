"""The AWS credentials of a function.

With SnapStart they are not in variables, where they would be as old as the snapshot: a server in
the function's environment returns them. This module is imported only where it is needed.
https://docs.aws.amazon.com/lambda/latest/dg/snapstart-activate.html
"""

from __future__ import annotations

import json
import os
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from chalicelib.named_tuple import NamedTuple

URI = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
_TOKEN = "AWS_CONTAINER_AUTHORIZATION_TOKEN"  # noqa: S105 (the name of a variable)
_TIMEOUT_SECONDS = 1.0  # the server is in the same environment


class Credentials(NamedTuple):
    """The keys of requests to AWS, under obstore's names."""

    access_key_id: str
    secret_access_key: str
    token: str | None
    expires_at: datetime | None  # None: with the process


def are_served() -> bool:
    """Return whether a server returns the credentials."""
    return URI in os.environ and "AWS_ACCESS_KEY_ID" not in os.environ


def read_credentials() -> Credentials:
    """Return the credentials of variables, or those of the server.

    Raises `OSError` or `http.client.HTTPException` if the server does not return any.
    """
    if are_served():
        return _fetch(os.environ[URI])
    variables = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    key_id, secret_key = (os.environ.get(name, "") for name in variables)
    return Credentials(key_id, secret_key, os.environ.get("AWS_SESSION_TOKEN"), None)


def provide_credentials() -> dict[str, Any]:
    """Return the credentials as obstore calls for them."""
    return read_credentials()._asdict()


def _fetch(uri: str) -> Credentials:
    import http.client  # with variables it is not needed

    parts = urlsplit(uri)
    connection = http.client.HTTPConnection(
        parts.hostname or "", parts.port, timeout=_TIMEOUT_SECONDS
    )
    try:
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request("GET", path, headers={"Authorization": os.environ.get(_TOKEN, "")})
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise OSError(f"The server of credentials returned {response.status}.")
    try:
        document = json.loads(content)
        return Credentials(
            document["AccessKeyId"],
            document["SecretAccessKey"],
            document["Token"],
            datetime.fromisoformat(document["Expiration"]),
        )
    except (KeyError, TypeError, ValueError):
        raise OSError("The server of credentials returned none.") from None
