"""Try a sample of mutants: `make mutants`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.mutants.report import Score, describe, summarize
from tests.mutants.runner import check_tests, import_libraries, make_copies, try_mutants
from tests.mutants.sample import explain, generate, read_equivalents

SAMPLE = 300
MAX_MINUTES = 30
CHECK_MINUTES = 3  # of these, for the check at the end


def main(arguments: list[str]) -> int:
    """Try a sample, print what was not noticed and return 1 if it is too much."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--sample", type=int, default=SAMPLE, help="how many mutants")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--minutes", type=int, default=MAX_MINUTES, help="when to stop")
    parser.add_argument("--module", default="", help="a part of the paths of the modules")
    options = parser.parse_args(arguments)
    deadline = time.monotonic() + 60 * (options.minutes - CHECK_MINUTES)
    mutants, places = generate(options.seed, options.sample, options.module)
    equivalents = read_equivalents()
    scores: dict[str, Counter[str]] = {}
    tests = set()
    import_libraries()
    with tempfile.TemporaryDirectory() as folder:
        copies = make_copies(Path(folder), len(os.sched_getaffinity(0)))
        for result in try_mutants(mutants, copies, deadline):
            tests.add(result.test)
            reason = None if result.is_noticed else explain(result.mutant, equivalents)
            outcome = "noticed" if result.is_noticed else "explained" if reason else "unnoticed"
            scores.setdefault(result.mutant.path, Counter())[outcome] += 1
            if outcome != "noticed":
                print(describe(result.mutant, reason), flush=True)
        check_tests(tests - {""}, copies)  # what noticed a mutant passes without one
    score = Score(scores)
    print(summarize(score, len(mutants), places, options.seed))
    return 0 if score.is_enough() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
