"""SHA-256 and HMAC-SHA-256, in hex: of little data without OpenSSL, which takes long to load.

Python's own SHA-256 is private, and `random` uses it too. An interpreter may lack it: OpenSSL's
then hashes everything.
"""

from __future__ import annotations

from contextlib import suppress

# From this size on, OpenSSL's faster SHA-256 saves more time than its import takes.
OPENSSL_MIN_BYTES = 2_000_000

# Of HMAC: https://www.rfc-editor.org/rfc/rfc2104#section-2
_BLOCK_BYTES = 64
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))

Data = bytes | memoryview


def prepare(size: int) -> None:
    """Import what a digest of so many bytes needs, for instance while they are downloaded."""
    if size >= OPENSSL_MIN_BYTES:
        import hashlib  # noqa: F401


def sha256(content: Data) -> str:
    """Return the SHA-256 of a content."""
    if len(content) < OPENSSL_MIN_BYTES:
        with suppress(ImportError):
            from _sha2 import sha256 as python_sha256  # type: ignore[import-not-found]

            return str(python_sha256(content).hexdigest())
    import hashlib

    return hashlib.sha256(content).hexdigest()


def hmac_sha256(key: str, *parts: Data) -> str:
    """Return the HMAC-SHA-256 of some parts, one after the other."""
    if sum(map(len, parts)) < OPENSSL_MIN_BYTES:
        with suppress(ImportError):
            return _python_hmac(key.encode(), parts)
    import hmac

    mac = hmac.new(key.encode(), digestmod="sha256")
    for part in parts:
        mac.update(part)
    return mac.hexdigest()


def are_equal(digest: str, other: str) -> bool:
    """Compare two digests in a time that does not depend on where they differ."""
    with suppress(ImportError):
        from _operator import _compare_digest  # what `hmac` has without OpenSSL

        return _compare_digest(digest, other)
    from hmac import compare_digest

    return compare_digest(digest, other)


def _python_hmac(key: bytes, parts: tuple[Data, ...]) -> str:
    from _sha2 import sha256 as python_sha256

    if len(key) > _BLOCK_BYTES:
        key = python_sha256(key).digest()
    block = key.ljust(_BLOCK_BYTES, b"\0")
    inner = python_sha256(block.translate(_INNER))
    for part in parts:
        inner.update(part)
    return str(python_sha256(block.translate(_OUTER) + inner.digest()).hexdigest())
