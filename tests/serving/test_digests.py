"""Digests, with and without OpenSSL."""

from __future__ import annotations

import hashlib
import hmac
import sys

import pytest

from chalicelib import digests

SIZES = pytest.mark.parametrize("size", [0, 1, 63, 64, 65, digests.OPENSSL_MIN_BYTES])


@pytest.fixture(params=["as it is", "without Python's own"], autouse=True)
def _interpreter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide Python's own SHA-256, which an interpreter may lack."""
    if request.param != "as it is":
        for name in ("_sha2", "_operator"):
            monkeypatch.setitem(sys.modules, name, None)


@SIZES
def test_sha256_is_that_of_hashlib(size: int) -> None:
    """Of any size."""
    content = bytes(range(251)) * (size // 251 + 1)
    view = memoryview(content)[:size]
    assert digests.sha256(view) == hashlib.sha256(view).hexdigest()


@SIZES
@pytest.mark.parametrize("key", ["k" * 16, "k" * 64, "k" * 65, "é" * 300])
def test_hmac_is_that_of_the_standard_library(size: int, key: str) -> None:
    """Of any size and any key, in parts or not."""
    content = bytes(range(251)) * (size // 251 + 1)
    view = memoryview(content)[:size]
    expected = hmac.new(key.encode(), view, "sha256").hexdigest()
    assert digests.hmac_sha256(key, view) == expected
    assert digests.hmac_sha256(key, view[:10], bytes(view[10:])) == expected


def test_compares_digests() -> None:
    """In hex."""
    digest = "0f" * 32
    assert digests.are_equal(digest, "0f" * 32)
    assert not digests.are_equal(digest, "0f" * 31 + "0e")
    assert not digests.are_equal(digest, "-" * 64)
