"""Call an AWS service: one POST of JSON, signed with AWS Signature Version 4.

Through the standard library: boto3 takes half a second to import. Imported only where it is needed.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import time
from urllib.parse import urlsplit

from chalicelib.named_tuple import NamedTuple
from chalicelib.store.credentials import read_credentials


class Operation(NamedTuple):
    """An operation of a service's JSON protocol."""

    service: str  # as signatures name it
    target: str  # X-Amz-Target
    content_type: str = "application/x-amz-json-1.1"


def post(
    url: str,
    operation: Operation,
    region: str,
    body: bytes,
    timeout_seconds: float,
    max_bytes: int,
) -> tuple[int, bytes]:
    """Send a request and return the status and up to `max_bytes` of the response.

    Raises `OSError` or `http.client.HTTPException` if there is none.
    """
    parts = urlsplit(url)
    is_https = parts.scheme == "https"
    connect = http.client.HTTPSConnection if is_https else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=timeout_seconds)
    try:
        connection.request("POST", "/", body, sign(operation, region, parts.netloc, body))
        response = connection.getresponse()
        return response.status, response.read(max_bytes)
    finally:
        connection.close()


def sign(operation: Operation, region: str, host: str, body: bytes) -> dict[str, str]:
    """Return the headers of a request, signed with the function's credentials."""
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    headers = {
        "content-type": operation.content_type,
        "host": host,
        "x-amz-date": now,
        "x-amz-target": operation.target,
    }
    credentials = read_credentials()
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    names = sorted(headers)
    signed = ";".join(names)
    canonical = [f"{name}:{headers[name]}" for name in names]
    request = "\n".join(["POST", "/", "", *canonical, "", signed, hashlib.sha256(body).hexdigest()])
    scope = f"{now[:8]}/{region}/{operation.service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = f"AWS4{credentials.secret_access_key}".encode()
    for part in (now[:8], region, operation.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"{credentials.access_key_id}/{scope}"
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed}, Signature={signature}"
    )
    return headers
