"""What `make mutants` tries, explains and prints."""

from __future__ import annotations

import pytest

from tests.mutants.report import Score, describe, summarize
from tests.mutants.sample import Equivalent, Mutant, explain, read_equivalents
from tests.mutants.targets import find_modules, find_tests
from tests.support.paths import ROOT

PATH = "wine-classifier/chalicelib/models/model.py"


def mutant() -> Mutant:
    """Return a mutant of one line."""
    source = (ROOT / PATH).read_text()
    changed = source.replace("TOLERANCE = 1e-5", "TOLERANCE = 2")
    return Mutant(PATH, 21, "NumberReplacer", changed, source)


def test_every_mutated_module_has_tests() -> None:
    """Files that exist; packages without code are mutated too."""
    modules = find_modules()
    assert {PATH, "training/export/comparison.py"} <= set(modules)
    assert not any("test" in module for module in modules)
    for module in modules:
        assert [file for file in find_tests(module) if not (ROOT / file).is_file()] == []


def test_an_explained_change_is_still_in_the_code() -> None:
    """And has a reason."""
    for equivalent in read_equivalents():
        lines = {line.strip() for line in (ROOT / equivalent.path).read_text().splitlines()}
        assert set(equivalent.before.split("\n")) <= lines, equivalent
        assert equivalent.reason


def test_a_change_is_explained_wherever_its_line_is() -> None:
    """Only the same change is."""
    before, after = "PROBABILITY_TOLERANCE = 1e-5", "PROBABILITY_TOLERANCE = 2"
    known = Equivalent(PATH, before, ["PROBABILITY_TOLERANCE = 1", after], "because")
    assert explain(mutant(), [known]) == "because"
    assert explain(mutant(), [known._replace(after=["PROBABILITY_TOLERANCE = 1"])]) is None
    assert explain(mutant(), [known._replace(path="another.py")]) is None
    assert explain(mutant(), [known._replace(before=after)]) is None
    assert describe(mutant(), None) == (
        f"{PATH}:21: NumberReplacer, unnoticed\n  - {before}\n  + {after}"
    )


@pytest.mark.parametrize(
    ("noticed", "explained", "unnoticed", "is_enough"),
    [(92, 0, 8, True), (91, 1, 8, True), (91, 0, 9, False), (0, 0, 0, False)],
)
def test_enough_mutants_are_noticed(
    noticed: int, explained: int, unnoticed: int, is_enough: bool
) -> None:
    """92 %, with those that are explained; none is not enough."""
    counts = {"noticed": noticed, "explained": explained, "unnoticed": unnoticed}
    assert Score({PATH: counts}).is_enough() is is_enough


def test_a_run_that_was_stopped_says_how_many_mutants_it_tried() -> None:
    """The order is random, so that they are a sample too."""
    score = Score({"a.py": {"noticed": 30}, "b.py": {"explained": 6, "unnoticed": 4}})
    *_, stopped, last = summarize(score, 300, 2_170, seed=1).splitlines()
    assert stopped == "stopped by the time limit: 40 of 300 mutants tried"
    assert last == (
        "noticed or explained: 90.0% of 40 mutants (30 noticed, 6 explained, 4 not), "
        "at least 92%; seed 1, of 2,170 places"
    )
    assert "stopped" not in summarize(score, 40, 2_170, seed=1)
