"""The CPU time that a model takes for a sample, as the publisher measures it."""

from __future__ import annotations

import json
import time

from chalicelib.inputs.samples import Samples
from chalicelib.runtimes.base import Classifier
from chalicelib.settings import Settings

# Of `measure_speed` on one core of the machine on which the bounds of a request were chosen.
REFERENCE_SECONDS = 0.02

_LONG_SECONDS = 0.02  # a batch that takes so long is compared with others, to find the fastest
_GROWTH = 4
_REPEATS = 3


def measure_row_seconds(classifier: Classifier, samples: Samples) -> float:
    """Measure what a model takes for a sample of a batch, as on the machine of the bounds.

    Parameters
    ----------
    classifier : Classifier
    samples : Samples
        Different ones, so that no cache makes the model faster than it is with requests.

    Returns
    -------
    float
        Seconds of CPU time: of the fastest of some batches, beside the fastest of some
        measurements of the machine.
    """
    values = (len(samples.numbers) + len(samples.texts)) // samples.rows
    max_rows = Settings("").max_samples(values)
    rows, batch = 1, samples.part(0, 1)
    # A call may take long for any batch, as those of scikit-learn's ensembles do.
    enough = _LONG_SECONDS + 2 * _measure(classifier, batch)
    while (seconds := _measure(classifier, batch)) < enough and rows < max_rows:
        rows = min(_GROWTH * rows, max_rows)
        batch = repeat_samples(samples, rows)
    seconds = min(seconds, *(_measure(classifier, batch) for _ in range(_REPEATS)))
    return seconds / rows * max(measure_speed() for _ in range(_REPEATS))


def repeat_samples(samples: Samples, rows: int) -> Samples:
    """Return so many samples, the same ones again if there are fewer."""
    times = -(-rows // samples.rows)
    many = Samples(samples.rows * times, samples.numbers * times, samples.texts * times)
    return many.part(0, rows)


def measure_speed() -> float:
    """Return how fast this machine is now, as a ratio to that of `REFERENCE_SECONDS`.

    What it computes, JSON and sums, is like a request.
    """
    text = json.dumps([{f"name{i}": i / 7} for i in range(100)])
    start = time.process_time()
    for _ in range(440):
        rows = json.loads(text)
        sum(value for row in rows for value in row.values())
    return REFERENCE_SECONDS / (time.process_time() - start)


def _measure(classifier: Classifier, samples: Samples) -> float:
    start = time.process_time()
    classifier.predict(samples)
    return time.process_time() - start
