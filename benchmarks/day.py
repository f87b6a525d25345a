"""A simulated day of requests, through the app, and the lines of its log."""

from __future__ import annotations

import io
import json
import math
import os
import random
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from typing import Any, NamedTuple

from benchmarks.in_process import import_handler
from benchmarks.packages import ROOT
from deployment.emulator.events import api_gateway_event
from training.artifact import build_artifact
from training.registry import ModelRegistry
from training.wine.dataset import wine
from training.wine.estimators import wine_pipeline

BIN_SECONDS = 300
DAY_SECONDS = 24 * 3600
MEAN_REQUESTS = 20  # in each bin
BATCH_ROWS = 60
HOUR = 3600

# Hours of the day: when a client sends a misspelt feature, a model is published, the wines change.
MISSPELT = (10.0, 10.75)
PUBLISHED = 14.0
SHIFTED = 16.0
INSTANCE_HOURS = 8.0

Handler = Callable[[dict[str, Any], object], dict[str, Any]]


class Line(NamedTuple):
    """A line of the log."""

    at: float  # seconds since midnight
    text: str


class _Context:
    aws_request_id = "01234567-89ab-cdef-0123-456789abcdef"


def simulate(store_url: str, seed: int = 0) -> list[Line]:
    """Publish two models one after the other, send the requests of a day, return the log.

    An instance of the function lives a few hours, and a new one starts with each model.
    """
    os.environ.update(
        MODEL_URL=store_url, METRICS="on", LOG_LEVEL="info", AWS_LAMBDA_FUNCTION_NAME="wine"
    )
    dice = random.Random(seed)
    lines: list[Line] = []
    handler: Handler | None = None
    started = version = -1.0
    for at in range(0, DAY_SECONDS, BIN_SECONDS):
        hour = at / HOUR
        if version < 0 or (hour >= PUBLISHED > version):
            ModelRegistry(store_url).publish(_model(0 if version < 0 else 1))
            version, handler = hour, None
        for event in _events(hour, dice):
            with redirect_stdout(io.StringIO()) as log:
                if handler is None or hour - started >= INSTANCE_HOURS:
                    handler, started = import_handler(ROOT / "wine-classifier"), hour
                handler(event, _Context)
            lines += [Line(at + dice.random() * BIN_SECONDS, text) for text in _lines(log)]
    return sorted(lines)


def _lines(log: io.StringIO) -> list[str]:
    return log.getvalue().splitlines()


def _model(seed: int) -> bytes:
    """Return the artifact of a wine model, fitted on samples that depend on the seed."""
    X, y, names = wine()
    estimator = wine_pipeline().fit(X[seed:], y[seed:])
    return build_artifact(estimator, X, y, name="wine", feature_names=names).artifact


def _events(hour: float, dice: random.Random) -> Iterator[dict[str, Any]]:
    """Yield the events of five minutes: more by day than by night, some of them wrong."""
    share = 0.25 + 0.75 * max(0.0, math.sin(math.pi * (hour - 6) / 16))
    for _ in range(max(1, round(dice.gauss(MEAN_REQUESTS * share, 2)))):
        kind = dice.random()
        if kind < 0.01:
            yield api_gateway_event("POST", "/classify", '{"data": [13.2,')
        elif kind < 0.02:
            yield api_gateway_event("GET", "/wp-admin", None, "/{part1}")
        elif kind < 0.3 and MISSPELT[0] <= hour < MISSPELT[1]:
            yield _classify({"alcohl": 13.2})
        elif kind < 0.2:
            yield _classify([_sample(hour, dice) for _ in range(BATCH_ROWS)])
        else:
            yield _classify(_sample(hour, dice))


def _classify(data: object) -> dict[str, Any]:
    return api_gateway_event("POST", "/classify", json.dumps({"data": data}))


def _sample(hour: float, dice: random.Random) -> dict[str, float | None]:
    """Return a wine like those of the training data, or from SHIFTED on a stronger one."""
    X, _, names = wine()
    sample: dict[str, float | None] = dict(zip(names, dice.choice(X.tolist()), strict=True))
    if hour >= SHIFTED:
        sample["alcohol"] = round((sample["alcohol"] or 0.0) + 1.2, 2)
    if dice.random() < 0.02:
        sample["proline"] = None
    return sample
