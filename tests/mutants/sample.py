"""A sample of mutants, and those that no test can notice."""

from __future__ import annotations

import difflib
import json
import subprocess
import tomllib
from pathlib import Path
from typing import NamedTuple

from tests.mutants.targets import find_modules
from tests.support.environment import create_environment
from tests.support.paths import ROOT

_FOLDER = Path(__file__).parent


class Mutant(NamedTuple):
    """A module with one change."""

    path: str  # relative to the repository
    line: int
    operator: str  # cosmic-ray's
    source: str
    original: str

    def change(self) -> tuple[str, str]:
        """Return the lines that differ, before and after, without their indentation.

        Nor with empty lines: a decorator that is removed leaves some.
        """
        before, after = self.original.splitlines(), self.source.splitlines()
        lines = [line for line in difflib.ndiff(before, after) if line[2:].strip()]
        removed, added = (
            "\n".join(line[2:].strip() for line in lines if line[0] == sign) for sign in "-+"
        )
        return removed, added


class Equivalent(NamedTuple):
    """A change that no test can notice, or should."""

    path: str
    before: str
    after: list[str]  # each of these
    reason: str


def generate(seed: int, size: int, part: str = "") -> tuple[list[Mutant], int]:
    """Return a random sample of mutants, and the number of places that it is taken from.

    Of all modules, or of those whose path contains a text.
    """
    paths = [path for path in find_modules() if part in path]
    python = create_environment(_FOLDER / "cosmic-ray.txt") / "python"
    command = [str(python), str(_FOLDER / "generate.py"), str(seed), str(size), *paths]
    process = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    places, *mutants = map(json.loads, process.stdout.splitlines())
    originals = {path: (ROOT / path).read_text() for path in paths}
    return [Mutant(**each, original=originals[each["path"]]) for each in mutants], places


def read_equivalents() -> list[Equivalent]:
    """Return the changes of ``equivalent.toml``."""
    document = tomllib.loads((_FOLDER / "equivalent.toml").read_text())
    return [Equivalent(**each) for each in document.get("mutant", [])]


def explain(mutant: Mutant, equivalents: list[Equivalent]) -> str | None:
    """Return why no test can notice a mutant, if that is known."""
    before, after = mutant.change()
    for each in equivalents:
        if (each.path, each.before) == (mutant.path, before) and after in each.after:
            return each.reason
    return None
