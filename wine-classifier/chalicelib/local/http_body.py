"""The body of an HTTP request, as `chalice local` reads it from a connection."""

from __future__ import annotations

import re
from email.errors import FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect
from email.message import Message
from typing import IO

from chalicelib.errors import BodyTooLarge, MalformedBody
from chalicelib.rest.body import LAMBDA_PAYLOAD_BYTES

MAX_LINE_BYTES = 8192
MAX_TRAILERS = 100

_LENGTH = re.compile(r"[0-9]{1,18}")
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(;[^\r\n]*)?\r?\n")
_END_OF_LINE = (b"\r\n", b"\n")
_NO_HEADERS = (FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect)


def read_body(headers: Message, stream: IO[bytes]) -> bytes:
    """Read the body of a request.

    Parameters
    ----------
    headers : email.message.Message
        The request's headers.
    stream : file-like
        What comes after them.

    Returns
    -------
    bytes
        Empty if there is none.

    Raises
    ------
    MalformedBody
        If its length is not what the headers say, or cannot be told from them.
    BodyTooLarge
        If it is over Lambda's limit; most of it is then not read.
    """
    lengths = set(headers.get_all("Content-Length", []))
    codings = headers.get_all("Transfer-Encoding", [])
    if any(isinstance(defect, _NO_HEADERS) for defect in headers.defects):
        raise MalformedBody("The headers are not those of HTTP.")
    if codings and lengths:
        raise MalformedBody("The request has both Content-Length and Transfer-Encoding.")
    try:
        if codings:
            if [coding.strip().lower() for coding in codings] != ["chunked"]:
                raise MalformedBody("Transfer-Encoding may be chunked, and nothing else.")
            return _read_chunks(stream)
        length = lengths.pop() if lengths else "0"
        if lengths or not _LENGTH.fullmatch(length.strip()):
            raise MalformedBody("Content-Length must be one whole number.")
        return _read(stream, int(length))
    except TimeoutError:
        raise MalformedBody("The body did not come in time.") from None


def _read(stream: IO[bytes], size: int) -> bytes:
    if size > LAMBDA_PAYLOAD_BYTES:
        raise BodyTooLarge("A body", LAMBDA_PAYLOAD_BYTES, "bytes")
    read = stream.read(size)
    if len(read) != size:
        raise MalformedBody("The body ends before its length is reached.")
    return read


def _read_chunks(stream: IO[bytes]) -> bytes:
    """Read what RFC 9112, section 7.1, describes."""
    body = bytearray()
    while size := _chunk_size(stream):
        if len(body) + size > LAMBDA_PAYLOAD_BYTES:
            raise BodyTooLarge("A body", LAMBDA_PAYLOAD_BYTES, "bytes")
        body += _read(stream, size)
        if stream.readline(2) not in _END_OF_LINE:
            raise MalformedBody("A chunk of the body is not as long as it says.")
    for _ in range(MAX_TRAILERS):
        if stream.readline(MAX_LINE_BYTES) in _END_OF_LINE:
            return bytes(body)
    raise MalformedBody("The chunks of the body do not end.")


def _chunk_size(stream: IO[bytes]) -> int:
    line = _CHUNK.fullmatch(stream.readline(MAX_LINE_BYTES))
    if line is None:
        raise MalformedBody("The body is not in chunks, as Transfer-Encoding says that it is.")
    return int(line[1], 16)
