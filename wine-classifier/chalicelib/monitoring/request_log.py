"""One line of JSON for each request, with its metrics."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from functools import lru_cache
from math import ceil
from time import perf_counter
from typing import TYPE_CHECKING, Any

from chalicelib.errors import InvalidSetting
from chalicelib.log import log_event, write_line
from chalicelib.monitoring.metrics import Metrics
from chalicelib.record import Observed, RequestRecord
from chalicelib.settings import LogSettings

if TYPE_CHECKING:
    from chalicelib.monitoring.drift import DriftLog

# Metrics wait for a line of the log this long at most, while requests come.
FLUSH_SECONDS = 60.0

# Any other method is whatever a client sent, which the log does not repeat.
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})

_MINIMUM_STATUS = {"info": 0, "warning": 400, "error": 500}  # of the requests that are logged

_METRICS_EVENT = '"event":"metrics"'


class RequestLog:
    """Logs the requests of one process.

    Parameters
    ----------
    model_name : str
        The dimension of all metrics.
    """

    def __init__(self, model_name: str) -> None:
        self._model_name = model_name
        self._settings: LogSettings | None = None
        self._metrics: Metrics | None = None
        self._drift: DriftLog | None = None
        # The first request, counted at the second: a cold start does not import what counts.
        self._uncounted: list[Observed] = []
        self._lock = threading.Lock()  # `chalice local` handles requests in threads
        self._is_cold = True
        self._successes = 0
        self._flushed_at = -FLUSH_SECONDS

    def write(self, record: RequestRecord) -> None:
        """Log a request whose response is built."""
        ended = perf_counter()
        with self._lock:
            settings = self._settings or self._open()
            is_cold, self._is_cold = self._is_cold, False
            lines = []
            if self._is_due(record.status, settings):
                lines.append(_describe(record, ended, is_cold=is_cold))
            if self._metrics is not None:
                lines = self._add_metrics(self._metrics, lines, record, ended, is_cold=is_cold)
            if settings.drift and record.kind is None and record.observed is not None:
                if is_cold:
                    self._uncounted.append(record.observed)
                else:
                    lines += self._count_drift(settings, record.observed)
            if lines:
                write_line("".join([f"{{{line}}}\n" for line in lines]))

    def _open(self) -> LogSettings:
        """Read the settings at the first request: Chalice imports the app to package it too."""
        try:
            self._settings = LogSettings.from_environ(os.environ)
        except InvalidSetting:  # the service reports it
            self._settings = LogSettings()
        if self._settings.metrics:
            self._metrics = Metrics(self._model_name)
        return self._settings

    def _count_drift(self, settings: LogSettings, observed: Observed) -> list[str]:
        """Count a request, and before it the first one; return the lines that are due."""
        if self._drift is None:
            from chalicelib.monitoring.drift import DriftLog

            self._drift = DriftLog(
                self._model_name,
                seconds=settings.drift_seconds,
                rows=settings.drift_rows,
                has_metric=settings.metrics,
            )
        lines = []
        while self._uncounted:
            samples, prediction, manifest = self._uncounted.pop()
            lines += self._drift.add(samples, prediction.labels, manifest)
        samples, prediction, manifest = observed
        return lines + self._drift.add(samples, prediction.labels, manifest)

    def _is_due(self, status: int, settings: LogSettings) -> bool:
        """Return whether a request is logged: all that failed, and a share of the others."""
        if status < _MINIMUM_STATUS[settings.level]:
            return False
        if status >= 400 or settings.sample == 1:
            return True
        before, self._successes = self._successes, self._successes + 1
        return ceil(self._successes * settings.sample) > ceil(before * settings.sample)

    def _add_metrics(
        self,
        metrics: Metrics,
        lines: list[str],
        record: RequestRecord,
        ended: float,
        *,
        is_cold: bool,
    ) -> list[str]:
        """Return the lines with the metrics that wait, if there are lines or they waited enough."""
        observed = record.observed if record.kind is None else None
        milliseconds = 1000 * (ended - record.started)
        if lines and observed and observed[0].rows == 1 and metrics.is_empty and not is_cold:
            members = _attempt(record, metrics.describe_sample, milliseconds, *observed)
            if members is not None:
                self._flushed_at = ended
                return [f"{lines[0]},{members}"]
            observed = None
        metrics.add_request(milliseconds, record.kind, is_cold=is_cold)
        if observed:
            _attempt(record, metrics.add_samples, *observed)
        if not lines:
            if not metrics.is_full and ended - self._flushed_at < FLUSH_SECONDS:
                return lines
            lines = [_METRICS_EVENT]
        self._flushed_at = ended
        first, *others = metrics.flush()
        return [f"{lines[0]},{first}", *(f"{_METRICS_EVENT},{other}" for other in others)]


def _attempt[T](record: RequestRecord, function: Callable[..., T], *arguments: Any) -> T | None:
    """Call a function; log that it failed, as the response is right nevertheless."""
    try:
        return function(*arguments)
    except Exception as error:
        log_event("metrics failed", request_id=record.request_id, error=type(error).__name__)
        return None


def _describe(record: RequestRecord, ended: float, *, is_cold: bool) -> str:
    """Return the members of a request's JSON object."""
    method = record.method if record.method in _METHODS else record.method and "other"
    members = (
        f'"event":"request","request_id":"{record.request_id}","method":"{method}",'
        f'"route":"{record.route}","status":{record.status},'
        f'"cold":{"true" if is_cold else "false"},"ms":{1000 * (ended - record.started):.3f}'
    )
    if record.kind is not None:
        members += f',"kind":"{record.kind}"'
        if record.problem_kinds:
            members += f',"problems":{json.dumps([*record.problem_kinds])}'
    if record.observed is not None:
        samples, _, manifest = record.observed
        members += (
            f',"rows":{samples.rows},"version":{_quote(manifest.version)},'
            f'"parse_ms":{1000 * (record.parsed - record.started):.3f},'
            f'"model_ms":{1000 * (record.predicted - record.parsed):.3f},'
            f'"write_ms":{1000 * (ended - record.predicted):.3f}'
        )
    return members


_quote = lru_cache(maxsize=4)(json.dumps)
