"""Read the body of an HTTP/1.1 request from a connection, strictly."""

from __future__ import annotations

import re
from email.errors import FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect
from email.message import Message
from typing import IO

from chalicelib.errors import BodyTooLarge, MalformedBody
from chalicelib.rest.body import LAMBDA_PAYLOAD_BYTES

MAX_LINE_BYTES = 8192
MAX_TRAILERS = 100

INVALID_HEADERS = "The headers are not valid HTTP headers."
# What may surround a header's value (RFC 9110, section 5.6.3); `str.strip` removes more.
_SPACES = " \t"
# What no header line may hold (RFC 9110, section 5.5); the email parser takes some for line ends.
_CONTROL_CHARACTER = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_CONTENT_LENGTH = re.compile(r"[0-9]{1,18}")
_CHUNK_HEADER = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(;[^\r\n]*)?\r?\n")
_LINE_ENDS = (b"\r\n", b"\n")
_INVALID_HEADERS = (FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect)


class HeaderLines:
    """The header lines of a request; `readline` raises `MalformedBody` at a control character."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readline(self, limit: int = -1) -> bytes:
        """Read a line."""
        line = self._stream.readline(limit)
        if _CONTROL_CHARACTER.search(line.removesuffix(b"\n").removesuffix(b"\r")):
            raise MalformedBody(INVALID_HEADERS)
        return line


def read_body(headers: Message, stream: IO[bytes]) -> bytes:
    """Read the body; empty if there is none.

    Raises `MalformedBody` if it does not have the length that the headers state, `BodyTooLarge` if
    it is over Lambda's limit; most of it is not read then.
    """
    lengths = set(headers.get_all("Content-Length", []))
    encodings = headers.get_all("Transfer-Encoding", [])
    if any(isinstance(defect, _INVALID_HEADERS) for defect in headers.defects):
        raise MalformedBody(INVALID_HEADERS)
    if encodings and lengths:
        raise MalformedBody("The request has both Content-Length and Transfer-Encoding.")
    try:
        if encodings:
            if [encoding.strip(_SPACES).lower() for encoding in encodings] != ["chunked"]:
                raise MalformedBody("Transfer-Encoding must be chunked.")
            return _read_chunks(stream)
        length = lengths.pop() if lengths else "0"
        if lengths or not _CONTENT_LENGTH.fullmatch(length.strip(_SPACES)):
            raise MalformedBody("Content-Length must be one whole number.")
        return _read(stream, int(length))
    except TimeoutError:
        raise MalformedBody("The body did not arrive in time.") from None


def _read(stream: IO[bytes], size: int) -> bytes:
    if size > LAMBDA_PAYLOAD_BYTES:
        raise BodyTooLarge("A body", LAMBDA_PAYLOAD_BYTES, "bytes")
    data = stream.read(size)
    if len(data) != size:
        raise MalformedBody("The body is shorter than its stated length.")
    return data


def _read_chunks(stream: IO[bytes]) -> bytes:
    """Read a chunked body and its trailers (RFC 9112, section 7.1)."""
    body = bytearray()
    while size := _read_chunk_size(stream):
        if len(body) + size > LAMBDA_PAYLOAD_BYTES:
            raise BodyTooLarge("A body", LAMBDA_PAYLOAD_BYTES, "bytes")
        body += _read(stream, size)
        if stream.readline(2) not in _LINE_ENDS:
            raise MalformedBody("A chunk of the body does not have its stated length.")
    for _ in range(MAX_TRAILERS):
        if stream.readline(MAX_LINE_BYTES) in _LINE_ENDS:
            return bytes(body)
    raise MalformedBody("The trailers of the chunked body do not end.")


def _read_chunk_size(stream: IO[bytes]) -> int:
    match = _CHUNK_HEADER.fullmatch(stream.readline(MAX_LINE_BYTES))
    if match is None:
        raise MalformedBody("Transfer-Encoding is chunked, but the body is not in chunks.")
    return int(match[1], 16)
