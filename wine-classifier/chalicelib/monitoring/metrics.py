"""Metrics of requests, in CloudWatch's embedded metric format.

CloudWatch reads them from the log: no library, and no call to a service. The format:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
from collections import Counter
from functools import lru_cache
from itertools import zip_longest
from time import time
from typing import NamedTuple

from chalicelib.inputs.samples import Samples
from chalicelib.models.manifest import Manifest
from chalicelib.models.training_range import UnusualValues, count_unusual
from chalicelib.runtimes.base import Prediction

NAMESPACE = "Classifier"
MAX_CLASSES = 20  # with a metric each; each metric is paid for
OTHER_CLASSES = "other"

# The format's limit on the values of a metric in one line.
MAX_VALUES = 100

# CloudWatch allows ASCII only, with a character that is no space, and up to 1,024 characters.
_MAX_DIMENSION_CHARACTERS = 100


class Counts(NamedTuple):
    """What is counted of the samples of one request; never a value of one."""

    rows: int
    classes: tuple[str, ...]  # of the model
    by_class: dict[str, int]  # rows by predicted class
    unusual: UnusualValues


def count(samples: Samples, prediction: Prediction, manifest: Manifest) -> Counts:
    """Count samples and their predictions."""
    labels = prediction.labels
    by_class = {labels[0]: 1} if samples.rows == 1 else Counter(labels)
    unusual = count_unusual(samples, manifest, prediction.out_of_range)
    return Counts(samples.rows, manifest.signature.classes, by_class, unusual)


class Metrics:
    """Adds up the metrics of requests until a line is written.

    Parameters
    ----------
    model_name : str
        The dimension ``Model`` of every metric.
    """

    def __init__(self, model_name: str) -> None:
        self._model = json.dumps(dimension_value(model_name, "model"))
        self._classes: tuple[str, ...] = ()
        self._class_values: dict[str, str] = {}
        self._clear()

    @property
    def is_full(self) -> bool:
        """True if a line cannot hold another request."""
        return len(self._latencies) >= MAX_VALUES

    def add(
        self, milliseconds: float, counts: Counts | None, kind: str | None, *, is_cold: bool
    ) -> None:
        """Add a request, with the counts of its samples or the kind of its error."""
        self._latencies.append(f"{milliseconds:.3f}")
        self._cold_starts += is_cold
        if kind is not None:
            self._rejected[kind] = self._rejected.get(kind, 0) + 1
        if counts is not None:
            self._rows += counts.rows
            self._missing += counts.unusual.missing
            self._out_of_range += counts.unusual.out_of_range
            self._unseen += counts.unusual.unseen
            self._add_classes(counts)

    def flush(self) -> list[str]:
        """Return what was added, as the members of one JSON object or more, and clear it."""
        sums = {
            "Requests": len(self._latencies),
            "Rows": self._rows,
            "ColdStarts": self._cold_starts,
            "Missing": self._missing,
            "OutOfRange": self._out_of_range,
            "Unseen": self._unseen,
        }
        values = {name: str(value) for name, value in sums.items() if value}
        latencies = self._latencies
        values["Latency"] = latencies[0] if len(latencies) == 1 else f"[{','.join(latencies)}]"
        # A line has one value for each dimension: further classes and kinds take further lines.
        documents = []
        none = (None, 0)
        for by_class, by_kind in zip_longest(
            self._by_class.items() or [none], self._rejected.items(), fillvalue=none
        ):
            documents.append(_write_document(self._model, values, by_class, by_kind))
            values = {}
        self._clear()
        return documents

    def _add_classes(self, counts: Counts) -> None:
        if counts.classes is not self._classes:
            self._classes = counts.classes
            self._class_values = {
                label: dimension_value(label, f"class-{index}")
                for index, label in enumerate(counts.classes[:MAX_CLASSES])
            }
        for label, rows in counts.by_class.items():
            value = self._class_values.get(label, OTHER_CLASSES)
            self._by_class[value] = self._by_class.get(value, 0) + rows

    def _clear(self) -> None:
        self._latencies: list[str] = []
        self._rows = self._cold_starts = self._missing = self._out_of_range = self._unseen = 0
        self._by_class: dict[str, int] = {}
        self._rejected: dict[str, int] = {}


def dimension_value(text: str, fallback: str) -> str:
    """Return a text as the value of a dimension, or the fallback if CloudWatch does not take it."""
    is_valid = text.isascii() and text.isprintable() and text.strip() != ""
    return text if is_valid and len(text) <= _MAX_DIMENSION_CHARACTERS else fallback


def _write_document(
    model: str,
    values: dict[str, str],
    by_class: tuple[str | None, int],
    by_kind: tuple[str | None, int],
) -> str:
    class_value, rows = by_class
    kind, rejected = by_kind
    # Written by hand: json.dumps takes 8 times as long, 2 % of a warm request.
    members = [f'"{name}":{value}' for name, value in values.items()]
    if class_value is not None:
        members.append(f'"Class":{_quote(class_value)},"Predictions":{rows}')
    if kind is not None:
        members.append(f'"Kind":"{kind}","Rejected":{rejected}')
    directives = _write_directives(tuple(values), class_value is not None, kind is not None)
    return (
        f'"_aws":{{"Timestamp":{int(1000 * time())},"CloudWatchMetrics":[{directives}]}},'
        f'"Model":{model},{",".join(members)}'
    )


@lru_cache(maxsize=256)
def _write_directives(names: tuple[str, ...], has_class: bool, has_kind: bool) -> str:
    """Return which members of a line are metrics, and their dimensions."""
    directives = []
    if names:
        directives.append(_write_directive('["Model"]', names))
    if has_class:
        directives.append(_write_directive('["Model","Class"]', ("Predictions",)))
    if has_kind:
        directives.append(_write_directive('["Model"],["Model","Kind"]', ("Rejected",)))
    return ",".join(directives)


def _write_directive(dimensions: str, names: tuple[str, ...]) -> str:
    metrics = ",".join(
        f'{{"Name":"{name}","Unit":"{"Milliseconds" if name == "Latency" else "Count"}"}}'
        for name in names
    )
    return f'{{"Namespace":"{NAMESPACE}","Dimensions":[{dimensions}],"Metrics":[{metrics}]}}'


_quote = lru_cache(maxsize=256)(json.dumps)
