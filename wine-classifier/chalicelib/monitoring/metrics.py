"""Metrics of requests, in CloudWatch's embedded metric format.

CloudWatch reads them from the log: no library, and no call to a service. The format:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
from functools import lru_cache
from time import time

from chalicelib.inputs.samples import Samples
from chalicelib.models.manifest import Manifest
from chalicelib.models.training_range import count_unusual
from chalicelib.runtimes.base import Prediction

NAMESPACE = "Classifier"
MAX_CLASSES = 20  # with a metric each; each metric is paid for
_OTHER = '"other"'
_REQUEST = ("Requests", "Latency", "Rows")  # metrics of every request of samples

# The format's limit on the values of a metric in one line.
MAX_VALUES = 100

# CloudWatch allows ASCII only, with a character that is no space, and up to 1,024 characters.
_MAX_DIMENSION_CHARACTERS = 100


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
    def is_empty(self) -> bool:
        """True if nothing waits for a line."""
        return not self._latencies

    @property
    def is_full(self) -> bool:
        """True if a line cannot hold another request."""
        return len(self._latencies) >= MAX_VALUES

    def add_request(self, milliseconds: float, kind: str | None, *, is_cold: bool) -> None:
        """Add a request; the kind is that of its error."""
        self._latencies.append(f"{milliseconds:.3f}")
        if is_cold:
            self._add("ColdStarts", 1)
        if kind is not None:
            self._rejected[kind] = self._rejected.get(kind, 0) + 1

    def add_samples(self, samples: Samples, prediction: Prediction, manifest: Manifest) -> None:
        """Count samples and their predictions; never a value of one is kept."""
        missing, out_of_range, unseen = count_unusual(samples, manifest, prediction.out_of_range)
        self._add("Rows", samples.rows)
        if missing:
            self._add("Missing", missing)
        if out_of_range:
            self._add("OutOfRange", out_of_range)
        if unseen:
            self._add("Unseen", unseen)
        self._add_classes(prediction, manifest.signature.classes)

    def describe_sample(
        self, milliseconds: float, samples: Samples, prediction: Prediction, manifest: Manifest
    ) -> str:
        """Return the members of a JSON object for a request of one sample.

        As if it was added alone to empty metrics and flushed, in a third of the time.
        """
        missing, out_of_range, unseen = count_unusual(samples, manifest, prediction.out_of_range)
        names: tuple[str, ...] = _REQUEST
        members = f'"Requests":1,"Latency":{milliseconds:.3f},"Rows":1'
        if missing:
            names += ("Missing",)
            members += f',"Missing":{missing}'
        if out_of_range:
            names += ("OutOfRange",)
            members += f',"OutOfRange":{out_of_range}'
        if unseen:
            names += ("Unseen",)
            members += f',"Unseen":{unseen}'
        values = self._values_of(manifest.signature.classes)
        members += f',"Class":{values.get(prediction.labels[0], _OTHER)},"Predictions":1'
        return self._write(_write_directives(names, True, False), members)

    def flush(self) -> list[str]:
        """Return what was added, as the members of one JSON object or more, and clear it.

        Written by hand: json.dumps takes eight times as long.
        """
        latencies = self._latencies
        latency = latencies[0] if len(latencies) == 1 else f"[{','.join(latencies)}]"
        members = [f'"Requests":{len(latencies)},"Latency":{latency}']
        members += [f'"{name}":{value}' for name, value in self._sums.items()]
        names = ("Requests", "Latency", *self._sums)
        # A line has one value for each dimension: further classes and kinds take further lines.
        classes, kinds = [*self._by_class.items()], [*self._rejected.items()]
        lines = []
        for index in range(max(1, len(classes), len(kinds))):
            has_class, has_kind = index < len(classes), index < len(kinds)
            if has_class:
                value, rows = classes[index]
                members.append(f'"Class":{value},"Predictions":{rows}')
            if has_kind:
                kind, requests = kinds[index]
                members.append(f'"Kind":"{kind}","Rejected":{requests}')
            directives = _write_directives(names, has_class, has_kind)
            lines.append(self._write(directives, ",".join(members)))
            names, members = (), []
        self._clear()
        return lines

    def _write(self, directives: str, members: str) -> str:
        return (
            f'"_aws":{{"Timestamp":{int(1000 * time())},"CloudWatchMetrics":{directives}}},'
            f'"Model":{self._model},{members}'
        )

    def _add(self, name: str, number: int) -> None:
        self._sums[name] = self._sums.get(name, 0) + number

    def _add_classes(self, prediction: Prediction, classes: tuple[str, ...]) -> None:
        values, labels = self._values_of(classes), prediction.labels
        counts = prediction.count_labels(classes) if len(labels) > 1 else {labels[0]: 1}
        for label, rows in counts.items():
            value = values.get(label, _OTHER)
            self._by_class[value] = self._by_class.get(value, 0) + rows

    def _values_of(self, classes: tuple[str, ...]) -> dict[str, str]:
        """Return the value of the dimension for each class that has a metric."""
        if classes is not self._classes:
            self._classes = classes
            self._class_values = {
                label: json.dumps(dimension_value(label, f"class-{index}"))
                for index, label in enumerate(classes[:MAX_CLASSES])
            }
        return self._class_values

    def _clear(self) -> None:
        self._latencies: list[str] = []
        self._sums: dict[str, int] = {}
        self._by_class: dict[str, int] = {}  # by the value of the dimension, in JSON
        self._rejected: dict[str, int] = {}


def dimension_value(text: str, fallback: str) -> str:
    """Return a text as the value of a dimension, or the fallback if CloudWatch does not take it."""
    is_valid = text.isascii() and text.isprintable() and text.strip() != ""
    return text if is_valid and len(text) <= _MAX_DIMENSION_CHARACTERS else fallback


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
    return f"[{','.join(directives)}]"


def _write_directive(dimensions: str, names: tuple[str, ...]) -> str:
    metrics = ",".join(
        f'{{"Name":"{name}","Unit":"{"Milliseconds" if name == "Latency" else "Count"}"}}'
        for name in names
    )
    return f'{{"Namespace":"{NAMESPACE}","Dimensions":[{dimensions}],"Metrics":[{metrics}]}}'
