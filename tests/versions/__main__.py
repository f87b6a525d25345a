"""Measure publishing under each minor release of scikit-learn and write docs/versions.md."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.support.paths import ROOT
from training.environments import create_environment

RELEASES = ("1.5", "1.6", "1.7", "1.8", "1.9")
PAGE = ROOT / "docs" / "versions.md"
TIMEOUT = 3_600  # seconds

_HEAD = """\
# Versions of scikit-learn

What `make versions` found when it published scikit-learn's classifiers, fitted on the wine data, and pipelines on a table
of numbers, categories and text, under each minor release. "scikit-learn" are those that ONNX cannot represent exactly.

| release | Python | classifiers by ONNX | scikit-learn | failed | pipelines by ONNX | scikit-learn | failed |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""  # noqa: E501

Result = dict[str, str]


def main(releases: list[str]) -> int:
    """Measure the releases; write the page if they are all; return 1 if anything failed."""
    releases = releases or list(RELEASES)
    rows, others = [], []
    for release in releases:
        results = measure(release)
        counts = Counter((result["kind"], result["runtime"]) for result in results)
        figures = [
            str(counts[kind, runtime])
            for kind in ("classifier", "pipeline")
            for runtime in ("onnx", "sklearn", "failed")
        ]
        row = f"| {' | '.join([release, python_version(release), *figures])} |"
        print(row, flush=True)
        rows.append(row)
        others += [
            f"| {release} | {result['name']} | {result['runtime']} | {result['reason']} |"
            for result in results
            if result["runtime"] != "onnx"
        ]
    page = _HEAD + "\n".join(rows) + "\n"
    if others:
        table = ["| release | estimator | runtime | reason |", "| --- | --- | --- | --- |", *others]
        page += "\nNot by ONNX:\n\n" + "\n".join(table) + "\n"
    print("\n".join(others))
    if tuple(releases) == RELEASES:
        PAGE.write_text(page)
    return int(any("| failed |" in line for line in others))


def measure(release: str) -> list[Result]:
    """Run `tests.versions.measure` in the environment of a release; return its results."""
    process = subprocess.run(
        [str(python(release)), "-W", "ignore", str(Path(__file__).with_name("measure.py"))],
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "wine-classifier")))},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=TIMEOUT,
    )
    return [json.loads(line) for line in process.stdout.splitlines()]


def python(release: str) -> Path:
    """Return the Python of an environment with the newest patch of a minor release."""
    return create_environment(release, os.environ.get("UV", "uv")) / "bin" / "python"


def python_version(release: str) -> str:
    """Return the version of the Python that a release runs with, such as 3.13."""
    command = [str(python(release)), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    process = subprocess.run(command, check=True, capture_output=True, text=True)
    return process.stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
