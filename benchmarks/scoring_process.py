"""One process that scores a table, with pandas or with this project, and prints what it took."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path


def with_pandas(table: str, estimator: str, out: str) -> Callable[[], None]:
    """Return what `pandas.read_csv`, ``estimator.predict`` and ``to_csv`` do."""
    import joblib
    import pandas as pd

    model = joblib.load(estimator)

    def score() -> None:
        frame = pd.read_csv(table)
        labels = pd.DataFrame({"prediction": model.predict(frame)})
        labels.to_csv(out, index_label="row")

    return score


def with_this_project(table: str, store: str, out: str) -> Callable[[], None]:
    """Return what ``python -m training score`` does, without its imports."""
    import training.scoring.tree_session  # noqa: F401  imported for large tables
    from chalicelib.models.model import verify
    from training.scoring.command import fetch_artifact
    from training.scoring.run import Options, Run

    def score() -> None:
        artifact = fetch_artifact(Path(store).absolute().as_uri(), None)
        run = Run(Options(table, out))
        run.score(artifact, (), verify(artifact))
        run.close()

    return score


def peak_memory() -> int:
    """Return the peak resident bytes of this process."""
    [kilobytes] = re.findall(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    return int(kilobytes) * 1024


def main() -> None:
    """Score once and print the seconds, without imports, and the peak memory."""
    way, *arguments = sys.argv[1:]
    score = {"pandas": with_pandas, "this project": with_this_project}[way](*arguments)
    start = time.perf_counter()
    score()
    print(json.dumps({"seconds": time.perf_counter() - start, "memory": peak_memory()}))


if __name__ == "__main__":
    main()
