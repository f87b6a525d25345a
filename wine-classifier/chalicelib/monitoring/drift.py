"""Log how the served samples and predictions are distributed, to compare with the training data."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from time import monotonic, time

from chalicelib.inputs.samples import Samples
from chalicelib.log import log_event
from chalicelib.models.manifest import Manifest
from chalicelib.monitoring.drift_counts import DriftCounts, Totals
from chalicelib.monitoring.drift_index import MIN_ROWS, drift_index, is_ordered
from chalicelib.monitoring.metrics import NAMESPACE, dimension_value

METRIC = "DriftIndex"

# So many requests of one sample are counted together: the code that counts is then in the
# processor's caches, where it is not between two requests.
_MAX_PENDING = 32


class DriftLog:
    """Counts samples by bin and logs summaries.

    Parameters
    ----------
    model_name : str
        The dimension of the metric.
    seconds : float
        A summary follows another after so many seconds at most, while requests come.
    rows : int
        After so many counted rows, the summary has the drift index, and counting starts anew.
    has_metric : bool
        Whether the index is a metric of CloudWatch too.
    """

    def __init__(self, model_name: str, *, seconds: float, rows: int, has_metric: bool) -> None:
        self._model_name = model_name
        self._seconds = seconds
        self._has_metric = has_metric
        self._rows = rows
        self._process = os.urandom(6).hex()
        self._window = 0
        self._manifest: Manifest | None = None
        self._counts: DriftCounts | None = None
        self._pending: list[tuple[Samples, Sequence[str]]] = []  # of this manifest, not counted yet
        self._logged = 0  # rows counted in this window when the last line was written
        self._earlier = 0  # rows counted in earlier windows
        self._logged_at = monotonic()

    def add(self, samples: Samples, labels: Sequence[str], manifest: Manifest) -> list[str]:
        """Count a request, soon; return the members of a JSON object for each line that is due.

        Requests of a model without a distribution, or with one that fails, are not counted.
        """
        try:
            return self._add(samples, labels, manifest)
        except Exception as error:  # the response is right nevertheless
            log_event("drift failed", version=manifest.version, error=type(error).__name__)
            self._manifest, self._counts = manifest, None
            self._pending.clear()
            return []

    def _add(self, samples: Samples, labels: Sequence[str], manifest: Manifest) -> list[str]:
        lines = []
        if manifest is not self._manifest:
            self._count_pending()
            lines = self._close_window()
            self._manifest = manifest
            has_distribution = manifest.document.get("distribution") is not None
            self._counts = DriftCounts(manifest) if has_distribution else None
        if self._counts is not None:
            self._pending.append((samples, labels))
            if samples.rows > 1 or self._may_be_due(self._counts):
                self._count_pending()
                lines += self._summarize(self._counts)
        return lines

    def _may_be_due(self, counts: DriftCounts) -> bool:
        """Return whether what is pending must be counted now, as a line may be due after it."""
        pending = len(self._pending)
        counted = counts.counted + pending  # at most
        return (
            pending >= _MAX_PENDING
            or counted >= self._rows
            or counted + self._earlier >= 2 * (self._logged + self._earlier)
            or monotonic() - self._logged_at >= self._seconds
        )

    def _count_pending(self) -> None:
        for samples, labels in self._pending:
            assert self._counts is not None  # what is pending is of a model with a distribution
            self._counts.add(samples, labels)
        self._pending.clear()

    def _summarize(self, counts: DriftCounts) -> list[str]:
        counted = counts.counted
        if counted >= self._rows:
            return self._close_window()
        if counted == self._logged:
            return []
        # An environment that is about to end does not tell: at most half of its rows are lost.
        is_half = counts.requests > 1 and counted + self._earlier >= 2 * (
            self._logged + self._earlier
        )
        if not is_half and monotonic() - self._logged_at < self._seconds:
            return []
        self._logged, self._logged_at = counted, monotonic()
        return [self._describe(counts, counts.totals())]

    def _close_window(self) -> list[str]:
        counts = self._counts
        if counts is None or not counts.counted:
            return []
        totals = counts.totals()
        line = self._describe(counts, totals)
        index = self._index(totals) if counts.counted >= self._rows else None
        if index is not None:
            line += f",{self._metric(index)}"
        self._earlier += counts.counted
        self._window += 1
        self._logged, self._logged_at = 0, monotonic()
        counts.clear()
        return [line]

    def _index(self, totals: Totals) -> float | None:
        """Return the largest index of the features and the predictions; None of too few rows."""
        assert self._manifest is not None  # there are counts
        document = self._manifest.document["distribution"]
        described = [*document["features"], document["predictions"]]
        return max(
            (
                drift_index(
                    counts,
                    trained["counts"],
                    document["critical"],
                    rows=worth,
                    has_order=is_ordered(trained),
                )
                for counts, worth, trained in zip(
                    totals.counts, totals.worth, described, strict=True
                )
                if trained and worth >= MIN_ROWS
            ),
            default=None,
        )

    def _describe(self, counts: DriftCounts, totals: Totals) -> str:
        assert self._manifest is not None  # there are counts
        worth = totals.worth if len(set(totals.worth)) > 1 else totals.worth[:1]
        return (
            f'"event":"drift","version":{json.dumps(self._manifest.version)},'
            f'"window":"{self._process}-{self._window}","requests":{counts.requests},'
            f'"rows":{counts.rows},"counted":{counts.counted},"worth":{_join(worth)},'
            f'"counts":"{";".join(map(_write, totals.counts))}"'
        )

    def _metric(self, index: float) -> str:
        members = f'"{METRIC}":{index:.4f}'
        if not self._has_metric:
            return members
        name = json.dumps(dimension_value(self._model_name, "model"))
        metrics = f'[{{"Name":"{METRIC}","Unit":"None"}}]'
        directive = f'{{"Namespace":"{NAMESPACE}","Dimensions":[["Model"]],"Metrics":{metrics}}}'
        return (
            f'"_aws":{{"Timestamp":{int(1000 * time())},"CloudWatchMetrics":[{directive}]}},'
            f'"Model":{name},{members}'
        )


def _join(numbers: Sequence[int]) -> str:
    return f"[{','.join(map(str, numbers))}]"


def _write(counts: Sequence[int]) -> str:
    """Return counts as a text; zeros, of which a summary of few rows has many, are left out."""
    return ",".join(str(count) if count else "" for count in counts)
