"""Publish every configuration, compare it with scikit-learn, and write docs/coverage.md.

Exit code 1 if any is wrong or ends in an error.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from tests.fidelity.configurations import Configuration, configurations, missing
from tests.fidelity.outcome import FAULTS, Outcome, measure
from tests.fidelity.page import format_page
from tests.support.paths import ROOT

PAGE = ROOT / "docs/coverage.md"


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.fidelity", description=__doc__)
    parser.add_argument("--only", default="", help="configurations whose name has this text")
    parser.add_argument("--stride", type=int, default=1, help="every n-th configuration")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    chosen = [c for c in configurations() if options.only in c.name][:: options.stride]
    started = time.monotonic()
    outcomes = list(_measure_all(chosen, options.processes))
    print(f"{len(outcomes)} configurations in {time.monotonic() - started:.0f} s", file=sys.stderr)
    if not options.only and options.stride == 1:
        PAGE.write_text(format_page(outcomes, missing()))
        print(f"Wrote {PAGE.relative_to(ROOT)}", file=sys.stderr)
    return int(any(outcome.result in FAULTS for outcome in outcomes))


def _measure_all(chosen: list[Configuration], processes: int) -> Iterator[Outcome]:
    """Measure configurations in processes of one thread each, and show how far it got."""
    counts: Counter[str] = Counter()
    chosen = random.Random(0).sample(chosen, len(chosen))  # so that progress is even
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        futures = [pool.submit(measure, configuration) for configuration in chosen]
        for future in as_completed(futures):
            outcome = future.result()
            counts[outcome.result] += 1
            _show(outcome, counts, len(chosen))
            yield outcome


def _show(outcome: Outcome, counts: Counter[str], total: int) -> None:
    """Print what is not served by ONNX, and a line of progress."""
    end = "\r" if sys.stderr.isatty() else "\n"
    if outcome.result not in ("onnx", "not applicable"):
        print(f"{outcome.result}: {outcome.configuration.name}: {outcome.detail}", flush=True)
    if end == "\r" or not counts.total() % 25 or counts.total() == total:
        summary = ", ".join(f"{count} {result}" for result, count in counts.most_common())
        print(f"{counts.total()} of {total}: {summary}", end=end, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
