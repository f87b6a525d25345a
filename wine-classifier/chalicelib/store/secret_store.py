"""Read a secret from Systems Manager's Parameter Store or from Secrets Manager.

This module is imported only where a variable refers to a secret.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
from typing import Any

from chalicelib.errors import StoreError
from chalicelib.named_tuple import NamedTuple
from chalicelib.settings import parse_reference
from chalicelib.store.aws_api import Operation, post

MAX_RESPONSE_BYTES = 400_000  # a secret has at most 65,536 bytes, which JSON may escape


class _Service(NamedTuple):
    title: str
    operation: Operation
    permission: str


SERVICES = {
    "ssm": _Service(
        "Systems Manager", Operation("ssm", "AmazonSSM.GetParameter"), "ssm:GetParameter"
    ),
    "secretsmanager": _Service(
        "Secrets Manager",
        Operation("secretsmanager", "secretsmanager.GetSecretValue"),
        "secretsmanager:GetSecretValue",
    ),
}
# What the services' own codes mean; the others are named by their status.
_CODES = {
    "ParameterNotFound": "does not have it",
    "ParameterVersionNotFound": "does not have it",
    "ResourceNotFoundException": "does not have it",
    "ThrottlingException": "was called too often",
    "RequestLimitExceeded": "was called too often",
    "ExpiredTokenException": "rejects the credentials",
    "UnrecognizedClientException": "rejects the credentials",
    "InvalidSignatureException": "rejects the signature: the clock may be wrong",
}


def read_secret(variable: str, reference: str, timeout_seconds: float) -> str:
    """Return the text that a reference names.

    Parameters
    ----------
    variable : str
        The environment variable that holds the reference, for the message of an error.
    reference : str
        ``ssm:NAME``, or the ARN of a parameter or a secret.
    timeout_seconds : float
        The time limit of each step: connecting, sending, and each part of the response.

    Raises
    ------
    StoreError
        If it cannot be read. Nothing of the response is in the message.
    """
    service, region, name = parse_reference(reference)
    subject = f"{variable} cannot be read: {SERVICES[service].title}"
    region = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""
    body = {"Name": name, "WithDecryption": True} if service == "ssm" else {"SecretId": name}
    try:
        status, data = post(
            _endpoint(service, region),
            SERVICES[service].operation,
            region,
            json.dumps(body).encode(),
            timeout_seconds,
            MAX_RESPONSE_BYTES,
        )
    except TimeoutError:
        raise _failure(f"{subject} did not respond in time.") from None
    except (socket.gaierror, UnicodeError):  # the latter without a region
        raise _failure(f"{subject}'s host name cannot be resolved.") from None
    except OSError:
        raise _failure(f"{subject} cannot be reached.") from None
    except http.client.HTTPException:
        raise _failure(f"{subject} sent no valid response.") from None
    document = _parse(data)
    if status != http.client.OK:
        raise _failure(f"{subject} {_explain(service, status, document)}.")
    part = document.get("Parameter") if service == "ssm" else document
    key = "Value" if service == "ssm" else "SecretString"
    value = part.get(key) if isinstance(part, dict) else None
    if not isinstance(value, str):
        raise _failure(f"{subject} sent no text.")
    return value


def _failure(detail: str) -> StoreError:
    return StoreError("no signing key", detail)


def _explain(service: str, status: int, document: dict[str, Any]) -> str:
    code = str(document.get("__type", "")).rpartition("#")[2]
    if code in _CODES:
        return _CODES[code]
    if code == "AccessDeniedException" or status == http.client.FORBIDDEN:
        return f"denies access: it needs {SERVICES[service].permission}"
    return f"returned {status}"


def _parse(data: bytes) -> dict[str, Any]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        document = None
    return document if isinstance(document, dict) else {}


def _endpoint(service: str, region: str) -> str:
    own = os.environ.get(
        "AWS_ENDPOINT_URL_SSM" if service == "ssm" else "AWS_ENDPOINT_URL_SECRETS_MANAGER"
    )
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    default = f"https://{service}.{region}.{domain}"
    return own or os.environ.get("AWS_ENDPOINT_URL") or default
