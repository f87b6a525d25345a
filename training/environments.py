"""Run the command line with the version of scikit-learn that fitted a model.

An estimator can be loaded by the minor release that fitted it, so a file of another one is
published in an environment of its own, made by uv. What is served does not depend on it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import requires, version
from importlib.util import find_spec
from pathlib import Path

from training.data.fitted_version import fitted_sklearn_version
from training.errors import NeedsOtherSklearn

_DISTRIBUTION = "wine-classifier"
_PACKAGES = ("training", "chalicelib")
_OLDEST, _NEWEST = (1, 5), (1, 9)
_LAST = 99  # stands for the last patch release, if the version has none


def find_other_sklearn(model: Path, requested: str | None) -> str | None:
    """Return the version of scikit-learn that a file needs; None if the installed one will do.

    `requested` overrides what the file says. Raises `NeedsOtherSklearn` for a release that is not
    supported.
    """
    needed = requested or fitted_sklearn_version(model)
    installed = version("scikit-learn")
    if needed is None or _parse(needed)[:2] == _parse(installed)[:2]:
        return None
    if not _OLDEST <= _parse(needed)[:2] <= _NEWEST:
        raise NeedsOtherSklearn(
            model,
            needed,
            "only 1.5 to 1.9 can be published: fit it again with one of these",
        )
    return needed


def run_with_sklearn(sklearn_version: str, model: Path, arguments: Sequence[str]) -> int:
    """Run ``python -m training`` with another scikit-learn and return its exit code.

    Raises `NeedsOtherSklearn` if there is no uv, or it cannot install that version.
    """
    print(f"{model} needs scikit-learn {sklearn_version}: publishing it there", file=sys.stderr)
    uv = _find_uv()
    if uv is None:
        raise NeedsOtherSklearn(
            model, sklearn_version, "install uv, or run this where that version is installed"
        )
    try:
        folder = create_environment(sklearn_version, uv)
    except subprocess.CalledProcessError as error:
        raise NeedsOtherSklearn(
            model,
            sklearn_version,
            "uv cannot install it: check the network, or run this where it is installed",
        ) from error
    command = [str(folder / "bin" / "python"), "-W", "ignore", "-m", "training", *arguments]
    environment = os.environ | {"PYTHONPATH": str(_copy_packages(folder))}
    return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603


def create_environment(sklearn_version: str, uv: str, python: str | None = None) -> Path:
    """Create an environment with a version of scikit-learn, such as 1.5.2 or 1.5, or reuse it.

    `python` is a version that uv finds or downloads, such as 3.12. Default: this Python's, or an
    older one for which that scikit-learn has wheels.
    """
    exact = sklearn_version if sklearn_version.count(".") > 1 else f"{sklearn_version}.*"
    declared = [each for each in requires(_DISTRIBUTION) or [] if "extra ==" not in each]
    requirements = [each for each in declared if not each.startswith("scikit-learn")]
    requirements.append(f"scikit-learn=={exact}")
    python = python or _choose_python(sklearn_version)
    digest = hashlib.sha256("\n".join([python, *requirements]).encode()).hexdigest()[:8]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / _DISTRIBUTION / f"scikit-learn-{sklearn_version}-{digest}"
    complete = folder / ".done"
    if not complete.exists():
        for command in (
            [uv, "venv", "--quiet", "--clear", "--no-project", "--python", python, str(folder)],
            [
                *(uv, "pip", "install", "--quiet", "--only-binary", ":all:"),
                *("--python", str(folder / "bin" / "python"), *requirements),
            ],
        ):
            subprocess.run(command, check=True, capture_output=True)  # noqa: S603
        complete.touch()
    return folder


def _choose_python(sklearn_version: str) -> str:
    """Return this Python, or an older release for which that scikit-learn has wheels."""
    parsed = (*_parse(sklearn_version), _LAST)[:3]
    newest = 14 if parsed >= (1, 7, 2) else 13 if parsed >= (1, 5, 2) else 12
    return sys.executable if sys.version_info[1] <= newest else f"3.{newest}"


def _copy_packages(folder: Path) -> Path:
    """Copy this project's packages, alone, to where that environment's Python finds them."""
    target = folder / "project"
    for name in _PACKAGES:
        spec = find_spec(name)
        assert spec is not None  # it is running
        assert spec.origin is not None
        source = Path(spec.origin).parent
        shutil.rmtree(target / name, ignore_errors=True)
        shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    return target


def _find_uv() -> str | None:
    """Return uv's path: of the variable UV, on the PATH, or where make installs it."""
    make_uv = Path(__file__).parents[1] / ".tools" / "bin" / "uv"
    return (
        os.environ.get("UV") or shutil.which("uv") or (str(make_uv) if make_uv.exists() else None)
    )


def _parse(sklearn_version: str) -> tuple[int, ...]:
    numbers = re.match(r"\d+(?:\.\d+)*", sklearn_version)
    return tuple(int(part) for part in numbers[0].split(".")) if numbers else ()
