"""What is installed, built and shipped is what was pinned."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from deployment.errors import PackagingError
from deployment.package.licences import add_licences
from deployment.package.wheels import fetch
from deployment.pins import read_pins
from deployment.target import PYTHON, get_architecture
from tests.support.lambda_function import digests
from tests.support.paths import ROOT

TARGET = get_architecture("x86_64")
FOLDERS = (".", "wine-classifier", "deployment", "tests/*", "benchmarks/apps/*")
PINNED = sorted(path for folder in FOLDERS for path in ROOT.glob(f"{folder}/*.txt"))
SOURCES = sorted(path for folder in FOLDERS for path in ROOT.glob(f"{folder}/*.in"))


@pytest.mark.parametrize("path", PINNED, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_requirement_is_pinned_with_hashes(path: Path) -> None:
    """And no file names an index."""
    text = path.read_text()
    requirements = re.findall(r"^[A-Za-z0-9].*", text, re.MULTILINE)
    assert len(read_pins(path)) == len({line.partition("==")[0] for line in requirements})
    assert not re.search(r"://|^-(?!-hash)", text, re.MULTILINE)


def test_every_list_of_requirements_is_compiled() -> None:
    """By `make pins`."""
    assert len(SOURCES) >= 14
    assert {path.with_suffix(".txt") for path in SOURCES} <= set(PINNED)


def test_a_requirement_without_a_hash_is_rejected(tmp_path: Path) -> None:
    """Before anything is downloaded."""
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("obstore==0.12.1\n")
    with pytest.raises(PackagingError, match="pins obstore without a hash"):
        fetch(requirements, TARGET, tmp_path / "cache")


@pytest.fixture
def cached(tmp_path: Path) -> tuple[Path, Path]:
    """A requirements file, and its only wheel in the cache."""
    wheel = tmp_path / "some_wheel-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("some_wheel.py", "X = 1\n")
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"some-wheel==1.0 --hash=sha256:{digests(tmp_path)[wheel.name]}\n")
    digest = digests(tmp_path)[requirements.name][:12]
    folder = tmp_path / "cache" / f"x86_64-{PYTHON}-{digest}"
    folder.mkdir(parents=True)
    return requirements, wheel.rename(folder / wheel.name)


def test_a_cached_wheel_is_used_without_a_download(cached: tuple[Path, Path]) -> None:
    """There is none of this name to download."""
    requirements, wheel = cached
    assert fetch(requirements, TARGET, wheel.parent.parent) == [wheel]


def test_a_cached_wheel_that_changed_is_rejected(cached: tuple[Path, Path]) -> None:
    """A file that was added to it would ship."""
    requirements, wheel = cached
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("extra.py", "import os\n")
    with pytest.raises(PackagingError, match=rf"{wheel.name} is not what is pinned: delete "):
        fetch(requirements, TARGET, wheel.parent.parent)


def test_a_file_beside_the_cached_wheels_is_rejected(cached: tuple[Path, Path]) -> None:
    """Another wheel, or a copy of one."""
    requirements, wheel = cached
    (wheel.parent / f"z{wheel.name}").write_bytes(wheel.read_bytes())
    with pytest.raises(PackagingError, match=rf"z{wheel.name} is not what is pinned"):
        fetch(requirements, TARGET, wheel.parent.parent)


def test_a_missing_cached_wheel_is_rejected(cached: tuple[Path, Path]) -> None:
    """The package would be without it."""
    requirements, wheel = cached
    wheel.unlink()
    with pytest.raises(PackagingError, match="The wheel of some-wheel is missing"):
        fetch(requirements, TARGET, wheel.parent.parent)


def test_a_distribution_without_a_licence_is_rejected(tmp_path: Path) -> None:
    """The licences of all that ships are in the package."""
    for name in ("chalice", "some", "some-1.dist-info"):
        (tmp_path / name).mkdir()
    with pytest.raises(PackagingError, match="The licence of some is missing"):
        add_licences(tmp_path)
    (tmp_path / "some" / "LICENSE").touch()
    add_licences(tmp_path)


def test_github_actions_are_pinned_by_commit() -> None:
    """A tag can be moved."""
    text = (ROOT / ".github/workflows/ci.yml").read_text()
    uses = re.findall(r"uses: (\S+)", text)
    assert uses
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in uses)
