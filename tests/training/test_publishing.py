"""Publish, list and roll back versions, in a folder and on S3, from Python and from the shell."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import boto3
import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import FakeKey, s3_backends

from chalicelib.errors import InvalidArtifact, StoreError
from chalicelib.models.artifact import read_footer
from chalicelib.models.model import load_model
from chalicelib.settings import derive_key
from chalicelib.store.object_store import ObjectStore
from tests.support.app import App
from tests.support.fault_proxy import FaultProxy
from tests.support.models import WineModel
from training.__main__ import main
from training.artifact import BuiltModel
from training.errors import NoOlderVersion
from training.publish import publish
from training.registry import ModelRegistry


def live_artifact(url: str) -> bytes:
    """Fetch the live artifact as a server does."""
    stored = ObjectStore(url, timeout_seconds=5).fetch("current")
    assert stored is not None
    return stored.data


def test_a_published_model_is_live(store_url: str, trained: WineModel) -> None:
    """It is stored under its version too."""
    X, y, names = trained.dataset
    published = publish(trained.estimator, X, y, to=store_url, name="wine", feature_names=names)
    assert published.url == f"{store_url}/versions/{published.version}.onnx"
    assert published.runtime == "onnx"
    assert published.comparison.label_mismatches == 0
    assert published.comparison.max_difference <= 1e-5
    assert load_model(live_artifact(store_url)).manifest.version == published.version


def test_publishing_the_same_model_twice_stores_one_version(
    store_url: str, trained: WineModel
) -> None:
    """A version is computed from the model and its manifest."""
    X, y, _ = trained.dataset
    for _ in range(2):
        publish(trained.estimator, X, y, to=store_url)
    assert len(list(ModelRegistry(store_url).versions())) == 1


def test_the_store_holds_only_versions_their_history_and_the_live_model(
    tmp_path: Path, trained: WineModel
) -> None:
    """Publishing leaves no temporary files; what is live already gets no other entry."""
    registry = ModelRegistry(str(tmp_path))
    for _ in range(3):
        registry.publish(trained.built.artifact)
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    version = trained.built.version
    assert files == {
        "current",
        f"versions/{version}.onnx",
        f"history/9999999998-{version}.json",
    }


def test_rollback_goes_to_the_previous_or_a_named_version(
    store_url: str, trained: WineModel, all_required: BuiltModel
) -> None:
    """A named version may be newer than the live one."""
    registry = ModelRegistry(store_url)
    wine = trained.built.version
    registry.publish(trained.built.artifact)
    registry.publish(all_required.artifact)
    assert registry.live_version() == all_required.version
    assert registry.rollback() == wine
    assert registry.live_version() == wine
    assert registry.rollback(all_required.version) == all_required.version
    assert live_artifact(store_url) == all_required.artifact


def test_an_invalid_artifact_is_not_published(store_url: str, trained: WineModel) -> None:
    """The live model stays."""
    registry = ModelRegistry(store_url)
    registry.publish(trained.built.artifact)
    with pytest.raises(InvalidArtifact):
        registry.publish(trained.built.artifact[:-1])
    assert live_artifact(store_url) == trained.built.artifact


def test_the_app_serves_a_model_from_s3(
    s3_environment: dict[str, str],
    store_url: str,
    trained: WineModel,
    start_app: Callable[..., App],
) -> None:
    """The response names the version."""
    ModelRegistry(store_url).publish(trained.built.artifact)
    response = start_app(MODEL_URL=store_url).request("POST", "/classify", b'{"data":".10"}')
    assert response.body == {"prediction": "1"}
    assert response.headers["X-Model-Version"] == trained.built.version


def test_a_missing_bucket_is_reported(s3_environment: dict[str, str]) -> None:
    """It is not reported as a missing model."""
    with pytest.raises(StoreError, match="There is no bucket"):
        ObjectStore("s3://no-such-bucket/x", timeout_seconds=5).fetch("current")


def test_missing_credentials_are_reported(
    s3_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The message says how to set them."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(StoreError, match="aws configure"):
        ObjectStore("s3://bucket/x", timeout_seconds=5).fetch("current")


def test_the_shell_publishes_lists_shows_and_rolls_back(
    store_url: str,
    trained: WineModel,
    all_required: BuiltModel,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each command exits with 0 and prints its result."""
    for built in (trained.built, all_required):
        path = tmp_path / "model.onnx"
        path.write_bytes(built.artifact)
        assert main(["publish", str(path), "--to", store_url]) == 0
    assert (
        capsys.readouterr().out.split()[-1] == f"{store_url}/versions/{all_required.version}.onnx"
    )

    assert main(["versions", "--store", store_url]) == 0
    _, _, newest, oldest = capsys.readouterr().out.splitlines()
    assert newest.split()[:2] == ["live", all_required.version]
    assert oldest.split()[0] == trained.built.version

    assert main(["rollback", "--store", store_url]) == 0
    assert capsys.readouterr().out == f"Live version: {trained.built.version}\n"

    assert main(["show", "--store", store_url]) == 0
    assert f'"version": "{trained.built.version}"' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["versions"], "There is no"),
        (["show", "0123456789ab"], "There is no"),
        (["publish", "none.onnx"], "none.onnx"),
        (["publish", "README.md"], "no footer"),
        (["rollback"], "There is no"),
    ],
)
def test_a_failed_command_prints_one_line_and_exits_with_2(
    tmp_path: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The store does not exist, nor does the file, or it is not an artifact."""
    assert main([*arguments, "--store", str(tmp_path / "store")]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert message in printed.err


def test_the_store_defaults_to_model_url(
    tmp_path: Path,
    trained: WineModel,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The server reads the same variable."""
    registry = ModelRegistry(str(tmp_path))
    registry.publish(trained.built.artifact)
    monkeypatch.setenv("MODEL_URL", registry.url)
    assert main(["show", trained.built.version]) == 0
    assert trained.built.version in capsys.readouterr().out


def test_a_dry_run_checks_everything_and_writes_nothing(
    store_url: str,
    trained: WineModel,
    all_required: BuiltModel,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """From the shell, which prints what would be published, and from Python."""
    path = tmp_path / "model.onnx"
    path.write_bytes(all_required.artifact)
    dry_run = ["publish", str(path), "--to", store_url, "--dry-run"]
    url = f"{store_url}/versions/{all_required.version}.onnx"

    assert main(dry_run) == 0
    assert capsys.readouterr().out == f"Would publish {url} (new version). Live version: none\n"
    registry = ModelRegistry(store_url)
    registry.publish(trained.built.artifact)
    assert main(dry_run) == 0
    version = trained.built.version
    expected = f"Would publish {url} (new version). Live version: {version}\n"
    assert capsys.readouterr().out == expected
    X, y, names = trained.dataset
    publish(trained.estimator, X, y, to=store_url, feature_names=names, dry_run=True)
    assert [listed.version for listed in registry.versions()] == [version]

    path.write_bytes(all_required.artifact[:-1])
    assert main(dry_run) == 2


def test_with_a_key_models_are_signed_and_only_signed_ones_become_live(
    store_url: str, trained: WineModel, all_required: BuiltModel
) -> None:
    """A version published without the key must be published again before a rollback to it."""
    ModelRegistry(store_url).publish(trained.built.artifact)
    registry = ModelRegistry(store_url, "a key")
    registry.publish(all_required.artifact)
    load_model(live_artifact(store_url), "a key")
    for wrong_key in ("another key", ""):
        with pytest.raises(InvalidArtifact, match="not signed with"):
            load_model(live_artifact(store_url), wrong_key)
    with pytest.raises(InvalidArtifact, match="not signed with"):
        registry.rollback()
    assert registry.live_version() == all_required.version
    registry.publish(trained.built.artifact)
    registry.publish(all_required.artifact)
    assert registry.rollback(trained.built.version) == trained.built.version
    load_model(live_artifact(store_url), "a key")


def test_without_a_key_signatures_are_ignored(store_url: str, trained: WineModel) -> None:
    """A signed model has the same version as an unsigned one, and is served."""
    ModelRegistry(store_url, "a key").publish(trained.built.artifact)
    assert load_model(live_artifact(store_url)).manifest.version == trained.built.version
    assert read_footer(trained.built.artifact).hmac == "-" * 64


def test_the_signing_key_comes_from_the_environment(
    store_url: str, trained: WineModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """From Python and from the shell."""
    monkeypatch.setenv("MODEL_SIGNING_KEY", "correct-horse-battery")
    secret = os.environ["MODEL_SIGNING_KEY"]
    keys = {stage: derive_key(secret, store_url, stage) for stage in ("", "dev", "prod")}
    X, y, names = trained.dataset
    publish(trained.estimator, X, y, to=store_url, feature_names=names, stage="prod")
    load_model(live_artifact(store_url), keys["prod"])
    path = tmp_path / "model.onnx"
    path.write_bytes(trained.built.artifact)
    for options, stage in ([], ""), (["--stage", "dev"], "dev"):
        assert main(["publish", str(path), "--to", store_url, *options]) == 0
        load_model(live_artifact(store_url), keys[stage])
        with pytest.raises(InvalidArtifact, match="not signed with this function's key"):
            load_model(live_artifact(store_url), keys["prod"])


def test_publishing_again_repairs_a_damaged_version(tmp_path: Path, trained: WineModel) -> None:
    """A damaged version is listed without a manifest."""
    registry = ModelRegistry(str(tmp_path))
    registry.publish(trained.built.artifact)
    path = tmp_path / "versions" / f"{trained.built.version}.onnx"
    path.write_bytes(b"damaged")
    [listed] = registry.versions()
    assert registry.manifests([listed]) == [None]
    registry.publish(trained.built.artifact)
    assert path.read_bytes() == trained.built.artifact


def test_concurrent_publishers_leave_one_valid_model_live(
    store_url: str, trained: WineModel, all_required: BuiltModel
) -> None:
    """Whichever came last; both versions are stored."""
    artifacts = [trained.built.artifact, all_required.artifact]
    for _ in range(10):
        with ThreadPoolExecutor(max_workers=4) as pool:
            list(pool.map(ModelRegistry(store_url).publish, artifacts * 2))
        assert live_artifact(store_url) in artifacts
    versions = {version.version for version in ModelRegistry(store_url).versions()}
    assert versions == {trained.built.version, all_required.version}


@pytest.mark.parametrize(
    ("denied", "command", "permission"),
    [
        ("GET", ["versions"], "s3:ListBucket"),
        ("GET", ["show"], "s3:GetObject"),
        ("HEAD", ["rollback", "0123456789ab"], "s3:GetObject"),
        ("PUT", ["publish"], "s3:PutObject"),
    ],
)
def test_the_message_names_the_missing_permission(
    s3_environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    trained: WineModel,
    capsys: pytest.CaptureFixture[str],
    denied: str,
    command: list[str],
    permission: str,
) -> None:
    """One line, with exit code 2."""
    proxy = FaultProxy(s3_environment["AWS_ENDPOINT_URL"])
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    proxy.respond_with(403, "AccessDenied")
    if command == ["publish"]:
        path = tmp_path / "model.onnx"
        path.write_bytes(trained.built.artifact)
        command = ["publish", str(path)]
    assert main([*command, "--store", "s3://bucket/prefix"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "denied" in line
    assert permission in line
    assert {request.method for request in proxy.requests} <= {denied, "HEAD"}
    proxy.refuse_connections()


@pytest.mark.parametrize("command", ["versions", "show", "rollback"])
def test_every_command_reports_a_missing_bucket(
    s3_environment: dict[str, str], capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """One line, with exit code 2."""
    assert main([command, "--store", "s3://no-such-bucket/x"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "There is no" in line


def test_an_unknown_version_is_reported(
    store_url: str, trained: WineModel, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name that is not a version, such as a path, is unknown too."""
    ModelRegistry(store_url).publish(trained.built.artifact)
    for command in ("show", "rollback"):
        for version in ("0123456789ab", "latest", "../current", "*"):
            assert main([command, version, "--store", store_url]) == 2
            message = capsys.readouterr().err
            assert message == f"{command}: There is no version {version} in {store_url}.\n"


def test_rollback_without_an_older_version_changes_nothing(
    store_url: str, trained: WineModel
) -> None:
    """It raises, and the live model stays."""
    registry = ModelRegistry(store_url)
    registry.publish(trained.built.artifact)
    with pytest.raises(NoOlderVersion):
        registry.rollback()
    assert registry.live_version() == trained.built.version


def test_listing_3_000_versions_reads_only_the_manifests_it_prints(
    s3_environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    trained: WineModel,
    all_required: BuiltModel,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It reads three pages of object names and 20 manifests, at most 64 KiB each."""
    url = "s3://many/wine"
    location = {"LocationConstraint": s3_environment["AWS_DEFAULT_REGION"]}
    boto3.client("s3").create_bucket(Bucket="many", CreateBucketConfiguration=location)
    bucket = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets["many"]
    start = datetime(2026, 1, 1)
    for number in range(2_998):
        name = f"wine/versions/{number:012x}.onnx"
        key = FakeKey(name, trained.built.artifact, DEFAULT_ACCOUNT_ID, "eu-central-1")
        key.last_modified = start + timedelta(minutes=number)
        bucket.keys[key.name] = key
    registry = ModelRegistry(url)
    registry.publish(trained.built.artifact)
    registry.publish(all_required.artifact)
    proxy = FaultProxy(s3_environment["AWS_ENDPOINT_URL"])
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    assert main(["versions", "--store", url]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + 20 + 1
    assert lines[2].split()[:2] == ["live", all_required.version]
    assert lines[-1] == "2,980 older versions are not listed; --limit 0 lists all"
    listings = [request for request in proxy.requests if "list-type" in request.path]
    reads = [request for request in proxy.requests if "list-type" not in request.path]
    assert len(listings) == 3
    assert len(reads) <= 2 * (20 + 1 + 2)
    assert max(request.body_bytes for request in reads) <= 64 * 1024
    proxy.refuse_connections()
