"""A published classifier behind the app."""

from __future__ import annotations

import json
from collections.abc import Callable

import pandas as pd

from tests.support.app import App
from training.artifact import BuiltModel


class Served:
    """A published classifier and the app that serves it."""

    def __init__(self, app: App, built: BuiltModel) -> None:
        self.app = app
        self.built = built

    def labels(self, X: pd.DataFrame) -> list[str]:
        """Classify the rows of a frame, sent as JSON records."""
        response = self.app.classify(json.loads(X.to_json(orient="records")))
        assert response.status == 200, response.body
        labels: list[str] = response.body["predictions"]
        return labels


Serve = Callable[..., Served]  # (estimator, X, y, **options of build_artifact)
