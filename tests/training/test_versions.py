"""The version of scikit-learn that fitted a file is found without loading the file."""

from __future__ import annotations

import io
import os
import pickle
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import joblib
import pytest
import sklearn
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.support.models import WineModel
from training import environments
from training.__main__ import main
from training.data.fitted_version import fitted_sklearn_version
from training.environments import find_other_sklearn, run_with_sklearn
from training.errors import NeedsOtherSklearn

OTHER = "1.5.2"


class Trap:
    """Its pickle ends the process that loads it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (1,)


@pytest.fixture(scope="module")
def pipeline(trained: WineModel) -> Any:
    """A fitted pipeline."""
    X, y, _ = trained.dataset
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)


def replace_version(path: Path) -> None:
    """Replace the version in a file by `OTHER`, which has as many characters."""
    assert len(sklearn.__version__) == len(OTHER)
    old, new = sklearn.__version__.encode(), OTHER.encode()
    if not zipfile.is_zipfile(path):
        path.write_bytes(path.read_bytes().replace(old, new))
        return
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content.replace(old, new))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_finds_the_version_in_a_pickle_of_each_protocol(
    tmp_path: Path, pipeline: Any, protocol: int
) -> None:
    """The version is text in each protocol."""
    path = tmp_path / "fitted.pkl"
    path.write_bytes(pickle.dumps(pipeline, protocol))
    assert fitted_sklearn_version(path) == sklearn.__version__
    replace_version(path)
    assert fitted_sklearn_version(path) == OTHER


@pytest.mark.parametrize("compress", [0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("xz", 3)])
def test_finds_the_version_in_a_file_of_joblib(
    tmp_path: Path, pipeline: Any, compress: Any
) -> None:
    """In compressed ones too."""
    path = tmp_path / "fitted.joblib"
    joblib.dump(pipeline, path, compress=compress)
    assert fitted_sklearn_version(path) == sklearn.__version__


def test_finds_the_version_in_a_skops_archive(tmp_path: Path, pipeline: Any) -> None:
    """In its schema."""
    path = tmp_path / "fitted.skops"
    skops.io.dump(pipeline, path)
    assert fitted_sklearn_version(path) == sklearn.__version__
    replace_version(path)
    assert fitted_sklearn_version(path) == OTHER


def test_runs_nothing_in_a_pickle(tmp_path: Path, pipeline: Any) -> None:
    """Loading this one would end the process."""
    path = tmp_path / "trap.pkl"
    path.write_bytes(pickle.dumps([Trap(), pipeline]))
    assert fitted_sklearn_version(path) == sklearn.__version__


@pytest.mark.parametrize("content", [b"", b"text", b"\x1f\x8b cut", b"BZh", b"\xfd7zXZ", None])
def test_a_file_without_a_version_needs_no_other_one(tmp_path: Path, content: bytes | None) -> None:
    """Whoever loads it says what is wrong with it."""
    path = tmp_path / "fitted.pkl"
    if content is not None:
        path.write_bytes(content)
    assert find_other_sklearn(path, None) is None


def test_an_archive_without_a_schema_needs_no_other_version(tmp_path: Path) -> None:
    """It is a zip file, but not one of skops."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("other.json", "{}")
    path = tmp_path / "fitted.skops"
    path.write_bytes(buffer.getvalue())
    assert fitted_sklearn_version(path) is None


def test_only_another_minor_release_needs_an_environment(tmp_path: Path) -> None:
    """`--sklearn` overrides the file; what is not supported is an error."""
    path = tmp_path / "fitted.pkl"
    assert find_other_sklearn(path, sklearn.__version__) is None
    minor = ".".join(sklearn.__version__.split(".")[:2])
    assert find_other_sklearn(path, minor) is None
    assert find_other_sklearn(path, f"{minor}.99") is None
    assert find_other_sklearn(path, OTHER) == OTHER
    with pytest.raises(NeedsOtherSklearn, match=r"scikit-learn 1\.3\.2: only 1\.5 to 1\.9"):
        find_other_sklearn(path, "1.3.2")


def publish(path: Path, store: Path, *options: str) -> list[str]:
    """Return the arguments that publish a file."""
    files = ["--model", str(path), "--data", "none.csv", "--target", "label"]
    return ["publish", *files, "--to", str(store), *options]


def test_without_uv_one_line_says_which_version_is_needed(
    tmp_path: Path,
    pipeline: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing is loaded or written."""
    path = tmp_path / "fitted.skops"
    skops.io.dump(pipeline, path)
    replace_version(path)
    monkeypatch.setattr(environments, "_find_uv", lambda: None)
    assert main(publish(path, tmp_path / "store")) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert f"was fitted with scikit-learn {OTHER}: install uv" in line
    assert not (tmp_path / "store").exists()


def test_a_version_that_uv_cannot_install_is_an_error_of_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as without a network."""

    def fail(*arguments: object) -> Path:
        raise subprocess.CalledProcessError(1, "uv")

    monkeypatch.setattr(environments, "_find_uv", lambda: "uv")
    monkeypatch.setattr(environments, "create_environment", fail)
    with pytest.raises(NeedsOtherSklearn, match=re.escape(f"{OTHER}: uv cannot install it")):
        run_with_sklearn(OTHER, tmp_path / "fitted.pkl", [])


def test_runs_the_same_command_in_the_other_environment(
    tmp_path: Path, pipeline: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With this project's packages; its exit code is the command's."""
    path = tmp_path / "fitted.pkl"
    path.write_bytes(pickle.dumps(pipeline))
    replace_version(path)
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin" / "python"
    fake.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/arguments\nexit 7\n')
    fake.chmod(0o755)
    monkeypatch.setattr(environments, "_find_uv", lambda: "uv")
    monkeypatch.setattr(environments, "create_environment", lambda *_: tmp_path)
    command = publish(path, tmp_path / "store", "--trust-pickle")
    assert main(command) == 7
    assert (tmp_path / "arguments").read_text().split()[-len(command) :] == command
    assert (tmp_path / "project" / "training" / "publish.py").exists()
    assert (tmp_path / "project" / "chalicelib" / "settings.py").exists()


@pytest.mark.parametrize(
    ("release", "newest"),
    [("1.5.0", 12), ("1.5.2", 13), ("1.5", 13), ("1.6.1", 13), ("1.7.2", 14), ("1.8", 14)],
)
@pytest.mark.parametrize("current", [12, 13, 14])
def test_takes_a_python_for_which_the_release_has_wheels(
    monkeypatch: pytest.MonkeyPatch, current: int, release: str, newest: int
) -> None:
    """The current one, or the newest that has some."""
    monkeypatch.setattr(sys, "version_info", (3, current, 0))
    expected = sys.executable if current <= newest else f"3.{newest}"
    assert environments._choose_python(release) == expected
