"""What `make mutants` prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from tests.mutants.sample import Mutant

MIN_NOTICED = 0.92  # of the mutants, with those that are explained

_OUTCOMES = ("noticed", "explained", "unnoticed")


class Score(NamedTuple):
    """How many mutants of each module have each outcome: noticed, explained or unnoticed."""

    by_module: Mapping[str, Mapping[str, int]]

    def total(self) -> Counter[str]:
        """Return how many mutants have each outcome."""
        return sum((Counter(counts) for counts in self.by_module.values()), Counter())

    def share(self) -> float:
        """Return the share of the mutants that are noticed or explained."""
        counts = self.total()
        return 1.0 - counts["unnoticed"] / max(1, counts.total())

    def is_enough(self) -> bool:
        """Return whether mutants were tried, and enough of them are noticed or explained."""
        return self.total().total() > 0 and self.share() >= MIN_NOTICED


def describe(mutant: Mutant, reason: str | None) -> str:
    """Return where a mutant is, what it changes, and why no test can notice it if that is known."""
    before, after = (text.replace("\n", "\n    ") for text in mutant.change())
    state = "unnoticed" if reason is None else f"explained: {reason}"
    return f"{mutant.path}:{mutant.line}: {mutant.operator}, {state}\n  - {before}\n  + {after}"


def summarize(score: Score, size: int, places: int, seed: int) -> str:
    """Return the table of modules, and the share of the mutants that are noticed."""
    counts = score.total()
    lines = [f"{'':58}{''.join(f'{outcome:>10}' for outcome in _OUTCOMES)}"]
    for path, outcomes in sorted(score.by_module.items()):
        numbers = "".join(f"{outcomes.get(outcome, 0):>10}" for outcome in _OUTCOMES)
        lines.append(f"{path:58}{numbers}")
    tried = counts.total()
    if tried < size:
        lines.append(f"stopped by the time limit: {tried} of {size} mutants tried")
    lines.append(
        f"noticed or explained: {score.share():.1%} of {tried} mutants ({counts['noticed']} "
        f"noticed, {counts['explained']} explained, {counts['unnoticed']} not), at least "
        f"{MIN_NOTICED:.0%}; seed {seed}, of {places:,} places"
    )
    return "\n".join(lines)
