"""What ``.skops`` files unpack to, and what skops calls to load them."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
import skops.io
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier

from chalicelib.errors import InvalidArtifact
from chalicelib.runtimes import skops_audit
from chalicelib.runtimes.skops_audit import check_size

X, y = load_iris(return_X_y=True)


def test_an_archive_that_unpacks_to_much_more_than_its_size_is_rejected() -> None:
    """Before it is unpacked; the size is in its directory."""
    for name in ("schema.json", "1.npy"):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
            zipped.writestr(name, bytes(110_000_000))
        assert len(buffer.getvalue()) < 200_000
        with pytest.raises(InvalidArtifact, match="unpacks to 110,000,000 bytes"):
            check_size(buffer.getvalue())


@pytest.mark.parametrize("is_nested", [False, True])
def test_an_archive_unpacks_to_no_more_than_the_limit(
    monkeypatch: pytest.MonkeyPatch, is_nested: bool
) -> None:
    """The sizes of all members together, and of those of archives in it."""
    monkeypatch.setattr(skops_audit, "UNPACKED_FACTOR", 0)
    nested, buffer = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(nested, "w") as zipped:
        zipped.writestr("data.npy", bytes(1_000))
    with zipfile.ZipFile(buffer, "w") as zipped:
        zipped.writestr("schema.json", "{}")
        zipped.writestr("1.npz" if is_nested else "1.npy", nested.getvalue())
    size = 2 + len(nested.getvalue()) + (1_000 if is_nested else 0)
    monkeypatch.setattr(skops_audit, "UNPACKED_BYTES", size)
    check_size(buffer.getvalue())
    monkeypatch.setattr(skops_audit, "UNPACKED_BYTES", size - 1)
    with pytest.raises(InvalidArtifact, match=f"unpacks to {size:,} bytes, over {size - 1:,}"):
        check_size(buffer.getvalue())


def test_a_larger_archive_may_unpack_to_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """By four times its size."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("schema.json", "{}")
        zipped.writestr("1.npy", bytes(100_000))
    size = 2 + 100_000
    monkeypatch.setattr(skops_audit, "UNPACKED_BYTES", size - 4 * len(buffer.getvalue()))
    check_size(buffer.getvalue())
    monkeypatch.setattr(skops_audit, "UNPACKED_BYTES", size - 4 * len(buffer.getvalue()) - 1)
    with pytest.raises(InvalidArtifact, match="unpacks to"):
        check_size(buffer.getvalue())


def test_an_archive_has_no_more_members_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes memory, however small it is."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for name in ("schema.json", "1.npy", "2.npy"):
            zipped.writestr(name, "{}")
    monkeypatch.setattr(skops_audit, "MAX_MEMBERS", 3)
    check_size(buffer.getvalue())
    monkeypatch.setattr(skops_audit, "MAX_MEMBERS", 2)
    with pytest.raises(InvalidArtifact, match="unpacks to"):
        check_size(buffer.getvalue())


def test_a_sparse_matrix_that_unpacks_to_much_more_is_rejected() -> None:
    """It is an archive in the archive."""
    nested, buffer = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(nested, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("data.npy", bytes(110_000_000))
    with zipfile.ZipFile(buffer, "w") as zipped:
        zipped.writestr("1.npz", nested.getvalue())
    with pytest.raises(InvalidArtifact, match="unpacks to"):
        check_size(buffer.getvalue())


@pytest.mark.parametrize("outputs", ["1000000000", "2", "0", "-1"])
def test_a_tree_with_another_number_of_outputs_is_rejected_before_it_is_built(outputs: str) -> None:
    """Compiled code would read that many numbers of classes."""
    archive = skops.io.dumps(DecisionTreeClassifier(max_depth=1).fit(X, y))
    check_size(archive)
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as original,
        zipfile.ZipFile(buffer, "w") as changed,
    ):
        for name in original.namelist():
            content = original.read(name)
            if name == "schema.json":
                schema = json.loads(content)
                tree = schema["content"]["content"]["tree_"]
                tree["__reduce__"]["args"]["content"][2]["content"] = outputs
                content = json.dumps(schema).encode()
            changed.writestr(name, content)
    with pytest.raises(InvalidArtifact, match="more than one output"):
        check_size(buffer.getvalue())
