"""Publishing, listing and rolling back, in a folder and on S3, from Python and from the shell."""

from __future__ import annotations

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
from chalicelib.store.object_store import ObjectStore
from tests.support.app import App
from tests.support.fault_proxy import FaultProxy
from tests.support.models import Trained
from training.__main__ import main
from training.artifact import BuiltModel
from training.errors import NoOlderVersion
from training.publish import publish
from training.registry import ModelRegistry


def live(url: str) -> bytes:
    """Read what a server would."""
    fetched = ObjectStore(url, timeout_seconds=5).fetch("current")
    assert fetched is not None
    return fetched.data


def test_what_is_published_is_live(store_url: str, trained: Trained) -> None:
    """And can be found under its version."""
    X, y, names = trained.dataset
    published = publish(trained.estimator, X, y, to=store_url, name="wine", feature_names=names)
    assert published.url == f"{store_url}/versions/{published.version}.onnx"
    assert published.runtime == "onnx"
    assert published.comparison.label_mismatches == 0
    assert published.comparison.max_difference <= 1e-5
    assert load_model(live(store_url)).manifest.version == published.version


def test_the_same_model_is_one_version(store_url: str, trained: Trained) -> None:
    """Publishing it again writes no second one."""
    X, y, _ = trained.dataset
    for _ in range(2):
        publish(trained.estimator, X, y, to=store_url)
    assert len(list(ModelRegistry(store_url).versions())) == 1


def test_publishing_leaves_nothing_else_behind(tmp_path: Path, trained: Trained) -> None:
    """Only the versions and the one that is live."""
    store = ModelRegistry(str(tmp_path))
    for _ in range(3):
        store.publish(trained.built.artifact)
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {"current", f"versions/{trained.built.version}.onnx"}


def test_rolls_back_to_the_version_before_and_to_one_by_name(
    store_url: str, trained: Trained, needy: BuiltModel
) -> None:
    """And forward again."""
    store = ModelRegistry(store_url)
    wine = trained.built.version
    store.publish(trained.built.artifact)
    store.publish(needy.artifact)
    assert store.live_version() == needy.version
    assert store.rollback() == wine
    assert store.live_version() == wine
    assert store.rollback(needy.version) == needy.version
    assert live(store_url) == needy.artifact


def test_what_would_not_be_served_is_not_published(store_url: str, trained: Trained) -> None:
    """The store keeps what it has."""
    store = ModelRegistry(store_url)
    store.publish(trained.built.artifact)
    with pytest.raises(InvalidArtifact):
        store.publish(trained.built.artifact[:-1])
    assert live(store_url) == trained.built.artifact


def test_the_app_serves_what_is_on_s3(
    s3_environment: dict[str, str], store_url: str, trained: Trained, start_app: Callable[..., App]
) -> None:
    """The same code as for a folder."""
    ModelRegistry(store_url).publish(trained.built.artifact)
    answer = start_app(MODEL_URL=store_url).request("POST", "/classify", b'{"data":".10"}')
    assert answer.body == {"prediction": "1"}
    assert answer.headers["X-Model-Version"] == trained.built.version


def test_a_missing_bucket_is_named(s3_environment: dict[str, str]) -> None:
    """It is another fault than a missing model."""
    with pytest.raises(StoreError, match="There is no bucket"):
        ObjectStore("s3://no-such-bucket/x", timeout_seconds=5).fetch("current")


def test_no_credentials_is_said(
    s3_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With what to do about it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(StoreError, match="aws configure"):
        ObjectStore("s3://bucket/x", timeout_seconds=5).fetch("current")


def test_the_shell_publishes_lists_shows_and_rolls_back(
    store_url: str,
    trained: Trained,
    needy: BuiltModel,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each command exits with 0 and prints what it did."""
    for built in (trained.built, needy):
        path = tmp_path / "model.onnx"
        path.write_bytes(built.artifact)
        assert main(["publish", str(path), "--to", store_url]) == 0
    assert capsys.readouterr().out.split()[-1] == f"{store_url}/versions/{needy.version}.onnx"

    assert main(["versions", "--store", store_url]) == 0
    _, _, newest, oldest = capsys.readouterr().out.splitlines()
    assert newest.split()[:2] == ["live", needy.version]
    assert oldest.split()[0] == trained.built.version

    assert main(["rollback", "--store", store_url]) == 0
    assert capsys.readouterr().out == f"Live version: {trained.built.version}\n"

    assert main(["show", "--store", store_url]) == 0
    assert f'"version": "{trained.built.version}"' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["versions"], "There is no"),
        (["show", "0123456789ab"], "There is no"),
        (["publish", "none.onnx"], "none.onnx"),
        (["publish", "README.md"], "no footer"),
        (["rollback"], "There is no"),
    ],
)
def test_bad_use_is_one_line_and_exit_code_2(
    tmp_path: Path, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a folder that holds nothing."""
    assert main([*arguments, "--store", str(tmp_path / "store")]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert says in printed.err


def test_the_store_may_be_named_by_the_environment(
    tmp_path: Path,
    trained: Trained,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As for the server, `MODEL_URL`."""
    store = ModelRegistry(str(tmp_path))
    store.publish(trained.built.artifact)
    monkeypatch.setenv("MODEL_URL", store.url)
    assert main(["show", trained.built.version]) == 0
    assert trained.built.version in capsys.readouterr().out


def test_a_dry_run_checks_everything_and_writes_nothing(
    store_url: str,
    trained: Trained,
    needy: BuiltModel,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It says what would happen, from the shell and from Python."""
    path = tmp_path / "model.onnx"
    path.write_bytes(needy.artifact)
    dry_run = ["publish", str(path), "--to", store_url, "--dry-run"]
    url = f"{store_url}/versions/{needy.version}.onnx"

    assert main(dry_run) == 0
    assert capsys.readouterr().out == f"Would publish {url} (new version). Live version: none\n"
    store = ModelRegistry(store_url)
    store.publish(trained.built.artifact)
    assert main(dry_run) == 0
    version = trained.built.version
    expected = f"Would publish {url} (new version). Live version: {version}\n"
    assert capsys.readouterr().out == expected
    X, y, names = trained.dataset
    publish(trained.estimator, X, y, to=store_url, feature_names=names, dry_run=True)
    assert [version.version for version in store.versions()] == [version]

    path.write_bytes(needy.artifact[:-1])
    assert main(dry_run) == 2


def test_with_a_key_a_model_is_signed_and_nothing_else_is_made_live(
    store_url: str, trained: Trained, needy: BuiltModel
) -> None:
    """What was published without a key cannot be rolled back to, unless it is published again."""
    ModelRegistry(store_url).publish(trained.built.artifact)
    store = ModelRegistry(store_url, "a key")
    store.publish(needy.artifact)
    load_model(live(store_url), "a key")
    for wrong in ("another key", ""):
        with pytest.raises(InvalidArtifact, match="not signed with"):
            load_model(live(store_url), wrong)
    with pytest.raises(InvalidArtifact, match="not signed with"):
        store.rollback()
    assert store.live_version() == needy.version
    store.publish(trained.built.artifact)
    store.publish(needy.artifact)
    assert store.rollback(trained.built.version) == trained.built.version
    load_model(live(store_url), "a key")


def test_without_a_key_signatures_change_nothing(store_url: str, trained: Trained) -> None:
    """A signed model is the same version, and is served."""
    ModelRegistry(store_url, "a key").publish(trained.built.artifact)
    assert load_model(live(store_url)).manifest.version == trained.built.version
    assert read_footer(trained.built.artifact).hmac == "-" * 64


def test_the_key_comes_from_the_environment(
    store_url: str, trained: Trained, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """From the shell as from Python."""
    monkeypatch.setenv("MODEL_SIGNING_KEY", "a key")
    X, y, names = trained.dataset
    publish(trained.estimator, X, y, to=store_url, feature_names=names)
    load_model(live(store_url), "a key")
    path = tmp_path / "model.onnx"
    path.write_bytes(trained.built.artifact)
    assert main(["publish", str(path), "--to", store_url]) == 0
    load_model(live(store_url), "a key")


def test_a_damaged_version_is_mended_by_publishing_it_again(
    tmp_path: Path, trained: Trained
) -> None:
    """And does not hide the others from a listing."""
    store = ModelRegistry(str(tmp_path))
    store.publish(trained.built.artifact)
    path = tmp_path / "versions" / f"{trained.built.version}.onnx"
    path.write_bytes(b"damaged")
    [listed] = store.versions()
    assert store.manifests([listed]) == [None]
    store.publish(trained.built.artifact)
    assert path.read_bytes() == trained.built.artifact


def test_two_publishers_at_once_leave_one_whole_model_live(
    store_url: str, trained: Trained, needy: BuiltModel
) -> None:
    """Whoever was last; both versions are there."""
    artifacts = [trained.built.artifact, needy.artifact]
    for _ in range(10):
        with ThreadPoolExecutor(max_workers=4) as pool:
            list(pool.map(lambda it: ModelRegistry(store_url).publish(it), artifacts * 2))
        assert live(store_url) in artifacts
    versions = {version.version for version in ModelRegistry(store_url).versions()}
    assert versions == {trained.built.version, needy.version}


@pytest.mark.parametrize(
    ("denied", "command", "permission"),
    [
        ("GET", ["versions"], "s3:ListBucket"),
        ("GET", ["show"], "s3:GetObject"),
        ("HEAD", ["rollback", "0123456789ab"], "s3:GetObject"),
        ("PUT", ["publish"], "s3:PutObject"),
    ],
)
def test_a_missing_permission_is_named(
    s3_environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    trained: Trained,
    capsys: pytest.CaptureFixture[str],
    denied: str,
    command: list[str],
    permission: str,
) -> None:
    """In one line, with exit code 2."""
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
def test_a_missing_bucket_is_one_line(
    s3_environment: dict[str, str], capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """Whatever is asked of it."""
    assert main([command, "--store", "s3://no-such-bucket/x"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "There is no" in line


def test_an_unknown_version_is_one_line(
    store_url: str, trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also one that could not be a version, or would be a path."""
    ModelRegistry(store_url).publish(trained.built.artifact)
    for command in ("show", "rollback"):
        for version in ("0123456789ab", "latest", "../current", "*"):
            assert main([command, version, "--store", store_url]) == 2
            line = capsys.readouterr().err
            assert line == f"{command}: There is no version {version} in {store_url}.\n"


def test_there_may_be_no_version_before(store_url: str, trained: Trained) -> None:
    """Then nothing changes."""
    store = ModelRegistry(store_url)
    store.publish(trained.built.artifact)
    with pytest.raises(NoOlderVersion):
        store.rollback()
    assert store.live_version() == trained.built.version


def test_listing_10_000_versions_reads_no_more_than_it_shows(
    s3_environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    trained: Trained,
    needy: BuiltModel,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Ten pages of a listing, and the manifests of the versions that are printed."""
    url = "s3://many/wine"
    location = {"LocationConstraint": s3_environment["AWS_DEFAULT_REGION"]}
    boto3.client("s3").create_bucket(Bucket="many", CreateBucketConfiguration=location)
    bucket = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets["many"]
    start = datetime(2026, 1, 1)
    for number in range(9_998):
        name = f"wine/versions/{number:012x}.onnx"
        key = FakeKey(name, trained.built.artifact, DEFAULT_ACCOUNT_ID, "eu-central-1")
        key.last_modified = start + timedelta(minutes=number)
        bucket.keys[key.name] = key
    store = ModelRegistry(url)
    store.publish(trained.built.artifact)
    store.publish(needy.artifact)
    proxy = FaultProxy(s3_environment["AWS_ENDPOINT_URL"])
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    assert main(["versions", "--store", url]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + 20 + 1
    assert lines[2].split()[:2] == ["live", needy.version]
    assert lines[-1] == "9,980 older versions are not listed; --limit 0 lists all"
    listings = [request for request in proxy.requests if "list-type" in request.path]
    reads = [request for request in proxy.requests if "list-type" not in request.path]
    assert len(listings) == 10
    assert len(reads) <= 2 * (20 + 1 + 2)
    assert max(request.body_bytes for request in reads) <= 64 * 1024
    proxy.refuse_connections()
