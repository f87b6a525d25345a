"""The history of a model store, rollback along it, and what killed publishers leave behind."""

from __future__ import annotations

import itertools
import json
import logging
import os
import random
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import boto3
import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import FakeKey, s3_backends

from chalicelib.errors import StoreError
from chalicelib.models.model import load_model
from chalicelib.store.object_store import ObjectStore, path_from_url
from tests.support.artifacts import rewrite_manifest
from tests.support.fault_proxy import Fault, FaultProxy, Handler
from tests.support.models import WineModel
from tests.support.publisher import start_publisher
from training.__main__ import main
from training.artifact import BuiltModel
from training.errors import NoOlderVersion
from training.registry import ModelRegistry

A, B, C = "aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"
KILLS = 5
ROLLBACKS = 8


def named(artifact: bytes, version: str) -> bytes:
    """Return an artifact that is another version of the same model."""
    return rewrite_manifest(artifact, lambda manifest: manifest.update(version=version))


@pytest.fixture(scope="module")
def versions(trained: WineModel, all_required: BuiltModel) -> dict[str, bytes]:
    """Three versions, of two sizes, by name."""
    wine, other = trained.built.artifact, all_required.artifact
    return {A: named(wine, A), B: named(other, B), C: named(wine, C)}


@pytest.fixture
def registry(store_url: str) -> ModelRegistry:
    """An empty registry, in a folder and on S3."""
    return ModelRegistry(store_url)


@pytest.fixture
def s3_url(s3_environment: dict[str, str]) -> str:
    """The URL of an empty store on S3."""
    bucket = f"models-{os.urandom(4).hex()}"
    location = {"LocationConstraint": s3_environment["AWS_DEFAULT_REGION"]}
    boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=location)
    return f"s3://{bucket}/prefix"


@pytest.fixture
def proxy(s3_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """A proxy in front of the S3 server."""
    proxy = FaultProxy(s3_environment["AWS_ENDPOINT_URL"])
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    yield proxy
    proxy.refuse_connections()


def put(url: str, name: str, data: bytes | None) -> None:
    """Write or delete an object, as neither publishing nor rollback does."""
    if url.startswith("file:"):
        path = path_from_url(url) / name
        path.unlink() if data is None else path.write_bytes(data)
        return
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    client = boto3.client("s3")
    if data is None:
        client.delete_object(Bucket=bucket, Key=f"{prefix}/{name}")
    else:
        client.put_object(Bucket=bucket, Key=f"{prefix}/{name}", Body=data)


def live_version(url: str) -> str | None:
    """Return the live version as a server finds it; the whole artifact must be valid."""
    try:
        stored = ObjectStore(url, timeout_seconds=5).fetch("current")
    except StoreError:
        return None
    assert stored is not None
    return load_model(stored.data).manifest.version


def test_rollback_goes_to_what_was_live_before(
    registry: ModelRegistry, versions: dict[str, bytes]
) -> None:
    """A, B, A goes back to B, and from there to the A before it."""
    for version in (A, B, A):
        registry.publish(versions[version])
    assert [registry.rollback(), registry.rollback()] == [B, A]
    with pytest.raises(NoOlderVersion):
        registry.rollback()
    assert live_version(registry.url) == A


def test_rollbacks_go_further_back_and_a_publication_begins_anew(
    registry: ModelRegistry, versions: dict[str, bytes]
) -> None:
    """What was rolled back from is not returned to, unless it is named."""
    for version in (A, B, C):
        registry.publish(versions[version])
    assert [registry.rollback(), registry.rollback()] == [B, A]
    registry.publish(versions[C])
    assert registry.rollback() == A
    assert registry.rollback(C) == C
    assert registry.rollback() == A


def test_the_history_says_what_was_live_when_how_and_by_whom(
    registry: ModelRegistry,
    versions: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Who it was comes from the environment, without control characters, or is left out."""
    for version, name in ((A, "ana\x1b[31m"), (B, ""), (C, "x" * 999)):
        monkeypatch.setenv("MODEL_PUBLISHER", name)
        registry.publish(versions[version])
    registry.rollback()
    newest_first = registry.history()
    assert [(entry.version, entry.action) for entry in newest_first] == [
        (B, "rollback"),
        (C, "publish"),
        (B, "publish"),
        (A, "publish"),
    ]
    assert [entry.by for entry in newest_first] == ["x" * 100, "x" * 100, None, "ana[31m"]
    assert [entry.version for entry in registry.history(2)] == [B, C]

    assert main(["history", "--store", registry.url]) == 0
    _, _, first, *_, last = capsys.readouterr().out.splitlines()
    assert first.split()[:2] == ["live", B]
    assert (last.split()[0], last.split()[-2:]) == (A, ["publish", "ana[31m"])


@pytest.mark.parametrize("damage", [None, b"", b"damaged", b"{}" * 50_000])
def test_every_command_works_with_a_damaged_or_absent_live_object(
    registry: ModelRegistry,
    versions: dict[str, bytes],
    damage: bytes | None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Rollback returns to what was live before the last one; a version may be named too."""
    for version in (A, B):
        registry.publish(versions[version])
    put(registry.url, "current", damage)
    (tmp_path / "model.onnx").write_bytes(versions[C])
    store = ["--store", registry.url]
    assert main(["versions", *store]) == 0
    assert {A, B} < {*capsys.readouterr().out.split()}
    assert main(["history", *store]) == 0
    assert main(["publish", str(tmp_path / "model.onnx"), "--dry-run", *store]) == 0
    assert main(["show", B, *store]) == 0
    assert main(["rollback", *store]) == 0
    assert live_version(registry.url) == A
    put(registry.url, "current", damage)
    assert registry.rollback(B) == B
    put(registry.url, "current", damage)
    registry.publish(versions[C])
    assert registry.rollback() == B


def test_unreadable_objects_are_never_in_the_way(
    registry: ModelRegistry, versions: dict[str, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    """A damaged version is skipped with a warning; a damaged entry has its version and number."""
    for version in (A, B, C):
        registry.publish(versions[version])
    put(registry.url, f"versions/{B}.onnx", b"damaged")
    for number, version in ((9999999996, C), (9999999997, B)):
        put(registry.url, f"history/{number}-{version}.json", b"\x00{")
    assert [entry.action for entry in registry.history()] == [None, None, "publish"]
    listed = list(registry.versions())
    names = [version.version for version in listed]
    manifests = dict(zip(names, registry.manifests(listed), strict=True))
    assert manifests[B] is None
    assert manifests[A] is not None
    assert registry.rollback() == A
    assert f"skipped {B}" in caplog.text


def test_clocks_that_go_back_do_not_confuse(tmp_path: Path, versions: dict[str, bytes]) -> None:
    """The history is ordered by its numbers, whatever times the files and entries have."""
    registry = ModelRegistry(str(tmp_path))
    for age, version in enumerate((A, B, C)):
        registry.publish(versions[version])
        [path] = tmp_path.glob(f"history/*{version}*")
        entry = json.loads(path.read_text())
        at = datetime.fromisoformat(entry["at"]) - timedelta(days=age)
        path.write_text(json.dumps(entry | {"at": at.isoformat()}))
        for path in tmp_path.rglob(f"*{version}*"):
            os.utime(path, (1e9 - age, 1e9 - age))
    assert [entry.version for entry in registry.history()] == [C, B, A]
    assert [registry.rollback(), registry.rollback()] == [B, A]


def test_a_store_from_before_the_history_is_rolled_back_by_age(
    tmp_path: Path, versions: dict[str, bytes]
) -> None:
    """What was live when the history begins gets the first entry."""
    registry = ModelRegistry(str(tmp_path))
    for age, version in enumerate((A, B)):
        registry.publish(versions[version])
        os.utime(tmp_path / "versions" / f"{version}.onnx", (1e9 + age, 1e9 + age))
    for path in tmp_path.glob("history/*"):
        path.unlink()
    registry.publish(versions[C])
    found = registry.history()[-1]
    assert (found.version, found.action, found.by) == (B, "found", None)
    assert [registry.rollback(), registry.rollback()] == [B, A]


def test_rollback_beside_a_publisher_does_not_fail(
    registry: ModelRegistry, versions: dict[str, bytes]
) -> None:
    """What it reads of the live object fits together, though another replaces it meanwhile."""
    for version in (A, B, C):
        registry.publish(versions[version])
    has_ended = threading.Event()

    def publish() -> int:
        count = 0
        while not has_ended.is_set():
            registry.publish(versions[(A, B, C)[count % 3]])
            count += 1
        return count

    with ThreadPoolExecutor(1) as pool:
        published = pool.submit(publish)
        try:
            for _ in range(ROLLBACKS):
                with suppress(NoOlderVersion):  # more rollbacks than publications
                    assert ModelRegistry(registry.url).rollback() in versions
                assert registry.live_version() in versions
        finally:
            has_ended.set()
        assert published.result() > 0
    assert live_version(registry.url) in versions


def check_after_a_kill(url: str, versions: dict[str, bytes]) -> None:
    """Check that a store is whole after a publisher of A or B was killed, and can be used."""
    registry = ModelRegistry(url)
    found = live_version(url)
    assert found in (A, B)
    listed = list(registry.versions())
    assert all(registry.manifests(listed))
    registry.publish(versions[C])
    assert live_version(url) == C
    assert registry.rollback() == found
    assert registry.history(1)[0].version == live_version(url) == found
    registry.publish(versions[A])


def kill_instead_of(call: int, publisher: ForkServerProcess) -> Fault:
    """Return a fault that kills a process at one of its calls, which does not reach S3."""
    calls = itertools.count(1)

    def kill(handler: Handler) -> None:
        if next(calls) == call:
            publisher.kill()
            wait([publisher.sentinel])
        else:
            handler.forward()

    return kill


def test_a_publisher_killed_at_any_call_leaves_a_store_that_works(
    proxy: FaultProxy, s3_environment: dict[str, str], s3_url: str, versions: dict[str, bytes]
) -> None:
    """What is live is whole, and what was live is known; the last process is not killed."""
    ModelRegistry(s3_url).publish(versions[A])
    environment = s3_environment | {"AWS_ENDPOINT_URL": proxy.url}
    exit_codes: list[int | None] = []
    while 0 not in exit_codes:
        publisher = start_publisher(s3_url, [versions[B]], environment)
        proxy.fault = kill_instead_of(len(exit_codes) + 1, publisher)
        publisher.join()
        proxy.fault = None
        exit_codes.append(publisher.exitcode)
        check_after_a_kill(s3_url, versions)
    assert exit_codes[:-1] == [-signal.SIGKILL] * (len(exit_codes) - 1)
    assert len(exit_codes) > 5


def test_a_publisher_killed_at_any_moment_leaves_a_folder_that_works(
    tmp_path: Path, versions: dict[str, bytes]
) -> None:
    """The next one clears its temporary files."""
    url = tmp_path.as_uri()
    ModelRegistry(url).publish(versions[A])
    moments = random.Random(0)
    for _ in range(KILLS):
        publisher = start_publisher(url, [versions[B], versions[A]] * 1000)
        while live_version(url) == A:  # until it publishes
            publisher.join(0.001)
        publisher.join(moments.random() / 20)
        publisher.kill()
        publisher.join()
        (tmp_path / "current#1").write_bytes(b"of a publisher that was killed while it wrote")
        (tmp_path / "versions" / f"{B}.onnx#2").write_bytes(b"")
        check_after_a_kill(url, versions)
        assert not list(tmp_path.rglob("*#*"))


def test_publishing_goes_on_without_permission_for_the_history(
    proxy: FaultProxy,
    s3_url: str,
    versions: dict[str, bytes],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A warning says so; the next publisher that has the permission completes it."""
    registry = ModelRegistry(s3_url)
    registry.publish(versions[A])

    def deny_history(handler: Handler) -> None:
        if "/history/" in handler.path:
            handler.respond(403, b"<Error><Code>AccessDenied</Code></Error>", {})
        else:
            handler.forward()

    proxy.fault = deny_history
    registry.publish(versions[B])
    assert "the history was not written" in caplog.text
    proxy.fault = None
    registry.publish(versions[C])
    assert [entry.version for entry in registry.history()] == [C, B, A]
    assert registry.rollback() == B


STRANGE_NAMES = ["\x1b[31mred.onnx", "a b.onnx", "ABCDEFABCDEF.onnx", "0123456789ab.txt", "é%2F"]


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_strange_objects_are_skipped_with_a_warning(
    registry: ModelRegistry,
    versions: dict[str, bytes],
    name: str,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """They are neither versions nor entries, and nothing prints their characters."""
    for version in (A, B):
        registry.publish(versions[version])
    for folder in ("versions", "history"):
        put(registry.url, f"{folder}/{name}", b"strange")
    with caplog.at_level(logging.WARNING):
        for command in ("versions", "history", "rollback"):
            assert main([command, "--store", registry.url]) == 0
    assert live_version(registry.url) == A
    assert "skipped in versions" in caplog.text
    assert "\x1b" not in caplog.text + "".join(capsys.readouterr())


def test_loops_of_links_and_folders_are_skipped(
    tmp_path: Path, versions: dict[str, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    """Even if they have the name of a version."""
    registry = ModelRegistry(str(tmp_path))
    for version in (A, B):
        registry.publish(versions[version])
    for folder, suffix in (("versions", ".onnx"), ("history", ".json")):
        loop = tmp_path / folder / f"0123456789ab{suffix}"
        loop.symlink_to(loop)
        (tmp_path / folder / "gone").symlink_to("nothing")
        (tmp_path / folder / f"123456789abc{suffix}").mkdir()
    assert [version.version for version in registry.versions()] == [B, A]
    assert registry.rollback() == A
    assert "skipped in versions" in caplog.text


def test_a_long_history_is_read_as_far_as_it_is_needed(
    s3_url: str, proxy: FaultProxy, versions: dict[str, bytes]
) -> None:
    """One page of names; publishing takes no more calls than in an empty store."""
    bucket_name, _, prefix = s3_url.removeprefix("s3://").partition("/")
    bucket = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[bucket_name]
    for number in range(1, 3_001):  # three pages
        name = f"{prefix}/history/{9_999_999_999 - number:010d}-{number:012x}.json"
        bucket.keys[name] = FakeKey(name, b"{}", DEFAULT_ACCOUNT_ID, "eu-central-1")
    registry = ModelRegistry(s3_url)
    registry.publish(versions[A])
    proxy.requests.clear()
    registry.publish(versions[B])
    assert len(proxy.requests) <= 6
    proxy.requests.clear()
    assert len(registry.history(20)) == 20
    assert len(proxy.requests) == 21
