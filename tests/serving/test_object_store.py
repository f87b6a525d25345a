"""Objects of a folder, and what the errors of a store say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from obstore.exceptions import BaseError

from chalicelib.errors import InvalidArtifact, ObjectNotFound, StoreError
from chalicelib.store.object_store import ObjectStore, StoredObject, translated_errors

TARGET = "s3://models/wine/current"


def fetch(folder: Path, **options: Any) -> StoredObject | None:
    """Fetch an object of a folder."""
    objects = ObjectStore(folder.as_uri(), timeout_seconds=1)
    return objects.fetch("current", **options)


@pytest.mark.parametrize("size", [0, 3, 64_000, 64_001, 500_000])
def test_an_object_is_fetched_if_it_is_not_too_large(tmp_path: Path, size: int) -> None:
    """As many bytes as are allowed are not too many."""
    data = bytes(index % 251 for index in range(size))
    (tmp_path / "current").write_bytes(data)
    for options in ({}, {"max_bytes": size}, {"max_bytes": size + 1}):
        fetched = fetch(tmp_path, **options)
        assert fetched is not None
        assert fetched.data == data
    with pytest.raises(InvalidArtifact, match=f"has {size:,} bytes, over {size - 1:,}"):
        fetch(tmp_path, max_bytes=size - 1)


def test_an_object_with_the_same_etag_is_not_fetched_again(tmp_path: Path) -> None:
    """With another one it is."""
    (tmp_path / "current").write_bytes(b"old")
    first = fetch(tmp_path)
    assert first is not None
    assert fetch(tmp_path, if_none_match=first.etag) is None
    (tmp_path / "current").write_bytes(b"newer")
    second = fetch(tmp_path, if_none_match=first.etag)
    assert second is not None
    assert (second.data, second.etag != first.etag) == (b"newer", True)


def test_what_does_not_exist_is_not_found(tmp_path: Path) -> None:
    """Neither an object nor a folder."""
    with pytest.raises(ObjectNotFound):
        fetch(tmp_path)
    with pytest.raises(ObjectNotFound, match="folder"):
        fetch(tmp_path / "none")


@pytest.mark.parametrize(
    ("message", "reason", "sentence"),
    [
        (
            "status code: 500 <Code>InternalError</Code>",
            *("store error", f"S3 returned 500 InternalError for {TARGET}."),
        ),
        ("status code: 500", "store error", f"S3 returned 500 for {TARGET}."),
        (
            "status code: 400 <Code>InvalidRequest</Code>",
            *("unexpected response", f"S3 returned 400 InvalidRequest for {TARGET}."),
        ),
        (
            "status code: 503 <Code>SlowDown</Code>",
            *("throttled", f"S3 returned 503 SlowDown for {TARGET}."),
        ),
        (
            "status code: 400 <Code>ExpiredToken</Code>",
            *("access denied", f"S3 returned 400 ExpiredToken for {TARGET}."),
        ),
        ("kind: Timeout", "timed out", f"The request for {TARGET} timed out."),
        ("something else\nand more", "store failure", f"{TARGET}: something else"),
    ],
)
def test_an_error_has_a_reason_and_a_sentence(message: str, reason: str, sentence: str) -> None:
    """The status, with the code of S3 if it has one; else the first line of the message."""
    with pytest.raises(StoreError) as caught, translated_errors(TARGET):
        raise BaseError(message)
    assert (caught.value.reason, str(caught.value)) == (reason, sentence)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("needs", "hint"),
    [("s3:GetObject", ", or the object does not exist"), ("s3:PutObject", "")],
)
def test_a_denied_access_names_the_permission(status: int, needs: str, hint: str) -> None:
    """Who may not list a bucket gets a 403 for an object that does not exist."""
    with pytest.raises(StoreError) as caught, translated_errors(TARGET, needs):
        raise BaseError(f"status code: {status} <Code>AccessDenied</Code>")
    assert caught.value.reason == "access denied"
    assert str(caught.value) == f"Access to {TARGET} is denied: it needs {needs}{hint}."
