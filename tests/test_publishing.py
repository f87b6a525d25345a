"""Publishing, listing and rolling back, in a folder and on S3, from Python and from the shell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from chalicelib.errors import InvalidArtifact, StoreError
from chalicelib.model import load_model
from chalicelib.object_store import ObjectStore
from tests.conftest import App, Trained
from training.__main__ import main
from training.artifact import Built
from training.publish import publish
from training.store import WritableStore


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
    assert published.agreement.labels_differing == 0
    assert published.agreement.largest_difference <= 1e-5
    assert load_model(live(store_url)).manifest.version == published.version


def test_the_same_model_is_one_version(store_url: str, trained: Trained) -> None:
    """Publishing it again writes no second one."""
    X, y, _ = trained.dataset
    for _ in range(2):
        publish(trained.estimator, X, y, to=store_url)
    assert len(list(WritableStore(store_url).versions())) == 1


def test_publishing_leaves_nothing_else_behind(tmp_path: Path, trained: Trained) -> None:
    """Only the versions and the one that is live."""
    store = WritableStore(str(tmp_path))
    for _ in range(3):
        store.publish(trained.built.artifact)
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {"current", f"versions/{trained.built.version}.onnx"}


def test_rolls_back_to_the_version_before_and_to_one_by_name(
    store_url: str, trained: Trained, needy: Built
) -> None:
    """And forward again."""
    store = WritableStore(store_url)
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
    store = WritableStore(store_url)
    store.publish(trained.built.artifact)
    with pytest.raises(InvalidArtifact):
        store.publish(trained.built.artifact[:-1])
    assert live(store_url) == trained.built.artifact


def test_the_app_serves_what_is_on_s3(
    s3_environment: dict[str, str], store_url: str, trained: Trained, start_app: Callable[..., App]
) -> None:
    """The same code as for a folder."""
    WritableStore(store_url).publish(trained.built.artifact)
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
    needy: Built,
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
    assert capsys.readouterr().out == f"live: {trained.built.version}\n"

    assert main(["show", "--store", store_url]) == 0
    assert f'"version": "{trained.built.version}"' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["versions"], "There is no"),
        (["show", "0123456789ab"], "There is no"),
        (["publish", "none.onnx"], "none.onnx"),
        (["publish", "README.md"], "no seal"),
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
    store = WritableStore(str(tmp_path))
    store.publish(trained.built.artifact)
    monkeypatch.setenv("MODEL_URL", store.url)
    assert main(["show", trained.built.version]) == 0
    assert trained.built.version in capsys.readouterr().out
