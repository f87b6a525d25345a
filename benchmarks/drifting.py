"""A model, and rows of a known distribution, without a shift and with one of five."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from chalicelib.inputs.problems import locate_in_rows
from chalicelib.inputs.samples import Samples, read_samples
from chalicelib.models.model import Model
from chalicelib.monitoring.drift_counts import DriftCounts
from training.artifact import BuiltModel, build_artifact
from training.drift.comparison import Compared, compare

CLASSES = ("a", "b", "c")


def draw_rows(
    rows: int, random: np.random.Generator, prior: tuple[float, ...] = (1 / 3, 1 / 3, 1 / 3)
) -> tuple[pd.DataFrame, list[str]]:
    """Draw rows and their classes, which the number `signal` tells almost surely."""
    labels = random.choice(CLASSES, rows, p=prior)
    frame = pd.DataFrame(
        {
            "signal": 6.0 * np.searchsorted(CLASSES, labels) + random.normal(size=rows),
            "normal": random.normal(10, 2, rows),
            "income": random.lognormal(10, 1, rows).round(2),
            "visits": random.poisson(2, rows),
            "member": random.random(rows) < 0.3,
            "town": random.choice(["Ulm", "Bonn", "Jena"], rows, p=[0.5, 0.3, 0.2]),
        }
    )
    return frame, labels.tolist()


def fit_and_build(rows: int, seed: int = 0) -> BuiltModel:
    """Fit a model on rows that are drawn, and build its artifact."""
    X, y = draw_rows(rows, np.random.default_rng(seed))
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["town"]),
        (make_pipeline(SimpleImputer(), StandardScaler()), ["signal", "normal", "income"]),
        remainder="passthrough",
    )
    estimator = make_pipeline(columns, LogisticRegression(max_iter=1_000)).fit(X, y)
    return build_artifact(estimator, X, y, name="drifting")


def read_frame(model: Model, frame: pd.DataFrame) -> Samples:
    """Return the rows of a frame as the samples of a request."""
    rows = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    signature = model.manifest.signature
    return read_samples(rows, signature, locate_in_rows("data"), max_rows=len(rows))


def predict(model: Model, frame: pd.DataFrame) -> list[str]:
    """Return the labels that a model predicts for the rows of a frame."""
    return model.classifier.predict(read_frame(model, frame)).labels


def compare_rows(model: Model, frame: pd.DataFrame) -> list[Compared]:
    """Predict rows, count each as a request of its own, and compare the counts with training."""
    samples = read_frame(model, frame)
    counts = DriftCounts(model.manifest)
    for row, label in enumerate(predict(model, frame)):
        counts.add(samples.part(row, 1), [label])
    return compare(dict(model.manifest.document), *counts.totals())


def found(compared: list[Compared]) -> list[str]:
    """Return the features, and the predictions, that have drifted."""
    return [each.name for each in compared if each.verdict == "drift"]


def shift_mean(frame: pd.DataFrame) -> pd.DataFrame:
    """Add half a standard deviation."""
    return frame.assign(normal=frame["normal"] + 1.0)


def double_scale(frame: pd.DataFrame) -> pd.DataFrame:
    """Double the standard deviation."""
    return frame.assign(normal=10 + 2 * (frame["normal"] - 10))


def add_category(frame: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Replace a tenth of the towns by a new one."""
    return frame.assign(town=frame["town"].where(random.random(len(frame)) > 0.1, "Kiel"))


def make_gaps(frame: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Leave out a fifth of the values."""
    return frame.assign(income=frame["income"].where(random.random(len(frame)) > 0.2))


SHIFTED_PRIOR = (2 / 3, 1 / 6, 1 / 6)


def draw_shifted(rows: int, random: np.random.Generator) -> dict[str, tuple[str, pd.DataFrame]]:
    """Return what drifts, and rows with the shift, by the name of the shift."""
    frame, _ = draw_rows(rows, random)
    shifted_prior, _ = draw_rows(rows, random, SHIFTED_PRIOR)
    return {
        "a mean by half a standard deviation": ("normal", shift_mean(frame)),
        "a scale by two": ("normal", double_scale(frame)),
        "a new category, 10 %": ("town", add_category(frame, random)),
        "20 % gaps": ("income", make_gaps(frame, random)),
        "a class prior from 1/3 to 2/3": ("predictions", shifted_prior),
    }
