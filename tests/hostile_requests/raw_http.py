"""Bytes for a connection to `chalice local`: invalid HTTP, wrong lengths and unusual HTTP."""

from __future__ import annotations

from typing import NamedTuple

BODY = b'{"data":1}'
COMMON_HEADERS = b"Host: x\r\nContent-Type: application/json\r\n"
LENGTH = b"Content-Length: 10\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


class Raw(NamedTuple):
    """Bytes for a connection, and the statuses of the responses in order."""

    statuses: list[int]
    data: bytes
    half_close: bool = False  # shut down the client's side after the data

    def __str__(self) -> str:
        """Return the id of the test."""
        return ascii(self.data.replace(COMMON_HEADERS, b"")[:70])[2:-1]


def post(
    headers: bytes, body: bytes = BODY, request_line: bytes = b"POST /classify HTTP/1.1"
) -> bytes:
    """Return a request to classify `body`, by default a valid one."""
    return request_line + b"\r\n" + COMMON_HEADERS + headers + b"\r\n" + body


def chunks(*parts: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """Return a chunked body."""
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + end


INVALID_LENGTHS = [
    *(b"-1", b"abc", b"+10", b"1_0", b"", b"10, 10", b"1e1", b"0x0a", b"10.0", b"9" * 5_000),
    "\u0661\u0660".encode(),
    *(space + b"10" for space in (b"\x1c", b"\x0b", b"\x0c", b"\x85", b"\xa0", b"\0")),
    *(b"10" + space for space in (b"\x1f", b"\xa0", b"\x85")),
]
INVALID_REQUEST_LINES = [
    *(b"POST", b"POST /classify", b"POST /classify HTTP/1.1 x", b"POST /a b HTTP/1.1"),
    *(b"POST /classify HTTP/x.y", b"POST /classify HTTX/1.1", b"POST /classify HTTP/1.1.1"),
    *(b'{"data":1}', b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x00" * 100, b"\xff" * 100),
]

RAW = [
    Raw([200], post(LENGTH)),
    Raw([200, 200, 200], post(LENGTH) * 3),
    Raw([200], post(LENGTH).replace(b"\r\n", b"\n")),
    Raw([200], post(LENGTH + LENGTH)),
    Raw([200], post(LENGTH + b"X: a\r\n b\r\n")),
    Raw([200], post(LENGTH + b"Expect: x\r\n")),
    Raw([200], post(LENGTH + b"Expect: 100-continue\r\n")),
    Raw([200], post(LENGTH + b"Upgrade: websocket\r\nConnection: Upgrade\r\n")),
    Raw([200], post(LENGTH, request_line=b"POST http://x/classify HTTP/1.1")),
    Raw([200], post(CHUNKED, chunks(BODY))),
    Raw([200, 200], post(CHUNKED, chunks(BODY[:3], BODY[3:])) + post(LENGTH)),
    Raw([200, 200], post(CHUNKED, chunks(BODY, end=b"0;x=y\r\nX: y\r\n\r\n")) + post(LENGTH)),
    # Without a length there is no body: the bytes that follow are the next request.
    Raw([400, 400], post(b""), half_close=True),
    *(Raw([400], post(b"Content-Length: %s\r\n" % length)) for length in INVALID_LENGTHS),
    Raw([400], post(LENGTH + b"Content-Length: 11\r\n")),
    Raw([400], post(b"Content-Length: 20\r\n"), half_close=True),
    Raw([400], post(b"Content-Length: 20\r\n")),
    Raw([413], post(b"Content-Length: 99999999999\r\n")),
    Raw([413], post(b"Content-Length: 20000000\r\n", b" " * 20_000_000)),
    Raw([413], post(b"Content-Length: 99999999\r\nExpect: 100-continue\r\n", b"")),
    Raw([400], post(CHUNKED + LENGTH, chunks(BODY))),
    Raw([400], post(b"Transfer-Encoding: gzip, chunked\r\n", chunks(BODY))),
    Raw([400], post(b"Transfer-Encoding: identity\r\n")),
    Raw([400], post(CHUNKED + CHUNKED, chunks(BODY))),
    Raw([400], post(CHUNKED, BODY)),
    Raw([400], post(CHUNKED, b"5\r\n" + BODY + b"\r\n0\r\n\r\n")),
    Raw([400], post(CHUNKED, b"-5\r\n" + BODY + b"\r\n0\r\n\r\n")),
    Raw([400], post(CHUNKED, b"0xa\r\n" + BODY + b"\r\n0\r\n\r\n")),
    Raw([400], post(CHUNKED, b"a" * 10_000)),
    Raw([400], post(CHUNKED, chunks(BODY, end=b""))),
    Raw([400], post(CHUNKED, chunks(BODY, end=b"")), half_close=True),
    Raw([400], post(CHUNKED, chunks(BODY, end=b"0\r\n" + b"X: y\r\n" * 200))),
    Raw([413], post(CHUNKED, b"fffffffffff\r\n" + BODY)),
    Raw([413], post(CHUNKED, chunks(*[b" " * 1_000_000] * 7))),
    *(Raw([400], post(LENGTH, request_line=line)) for line in INVALID_REQUEST_LINES),
    Raw([505], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    Raw([505], b"GET /health HTTP/3.0\r\n\r\n"),
    Raw([200], b"GET /health\r\n\r\n"),
    Raw([200], b"GET /health HTTP/1.0\r\n\r\n"),
    Raw([414], post(LENGTH, request_line=b"POST /" + b"a" * 100_000 + b" HTTP/1.1")),
    Raw([431], post(LENGTH + b"X: " + b"y" * 100_000 + b"\r\n")),
    Raw([431], post(LENGTH + b"X: y\r\n" * 200)),
    Raw([400], post(b"what is this\r\n" + LENGTH)),
    # A bare CR is no line end to a proxy, but it is to the email parser.
    Raw([400], post(b"X: y\rContent-Length: 10\r\n")),
    Raw([400], post(b"Content-Length: 10\r\rX: y\r\n")),
    Raw([400], post(b"Transfer-Encoding: chunked\r\r\n", chunks(BODY))),
    *(
        Raw([400], post(b"Transfer-Encoding: %schunked\r\n" % space, chunks(BODY)))
        for space in (b"\x0b", b"\x1c", b"\x85", b"\xa0")
    ),
    Raw([400], b"POST /classify HTTP/1.1\r\n folded: x\r\n" + LENGTH + b"\r\n" + BODY),
    Raw([404], b"CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n"),
    Raw([404], b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"),
    Raw([404], post(LENGTH, request_line=b"POST classify HTTP/1.1")),
    Raw([404], post(LENGTH, request_line=b"POST http://[/classify HTTP/1.1")),
    Raw([404], post(LENGTH, request_line=b"POST /classify#x HTTP/1.1")),
    Raw([404], post(LENGTH, request_line=b"POST /\xff\xfe HTTP/1.1")),
    Raw(
        [404],
        post(
            LENGTH + b"Authorization: \xff\r\n", request_line=b"POST " + b"/a" * 20 + b" HTTP/1.1"
        ),
    ),
    # A response to HEAD has no body: the client would read it as the next response.
    Raw([405, 200], post(b"", b"", request_line=b"HEAD /classify HTTP/1.1") + post(LENGTH)),
]
