"""The training distribution in a manifest: bins of many samples, and no value that few have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from chalicelib.inputs.signature import Feature, Signature
from chalicelib.models.artifact import read_manifest
from training.artifact import build_artifact
from training.data.table import Table
from training.distribution import FALSE_ALARM_RATE, MAX_BINS, describe_distribution
from training.publish import publish

RANDOM = np.random.default_rng(0)


def describe(frame: pd.DataFrame, *private: str) -> dict[str, dict[str, Any]]:
    """Describe the columns of a frame, by name."""
    table = Table(frame)
    features = tuple(
        Feature(name, kind, required=False)
        for name, kind in zip(table.names, table.kinds, strict=True)
    )
    distribution = describe_distribution(
        table, Signature(features, ("a",)), predicted=["a"] * len(frame), private=private
    )
    return dict(zip(table.names, distribution["features"], strict=True))


def test_numbers_have_bins_of_equal_shares() -> None:
    """At most 20 with that of missing values; the counts are those of the edges."""
    values = np.where(RANDOM.random(2_000) < 0.1, np.nan, RANDOM.lognormal(0, 2, 2_000))
    described = describe(pd.DataFrame({"x": values}))["x"]
    edges, counts = described["edges"], described["counts"]
    assert len(counts) == MAX_BINS
    assert counts[-1] == np.isnan(values).sum()
    present = values[~np.isnan(values)]
    assert counts[:-1] == np.histogram(present, [-np.inf, *edges, np.inf])[0].tolist()
    assert min(counts[:-1]) > 0.9 * len(present) / 19
    assert not set(edges) & set(present)  # numbers of few digits, which nobody has


def test_a_small_table_has_few_bins() -> None:
    """Of some 15 samples each; one of hardly any has none."""
    numbers = pd.DataFrame({"x": RANDOM.normal(size=60)})
    assert 3 <= len(describe(numbers)["x"]["counts"]) <= 5
    assert describe(numbers[:8])["x"] == {"edges": [], "counts": [8, 0]}


def test_a_value_that_most_have_has_a_bin() -> None:
    """So that any other is noticed, even if training has none."""
    frame = pd.DataFrame({"constant": [7.0] * 100, "mostly": [0.0] * 90 + [1.0] * 3 + [2.0] * 7})
    described = describe(frame)
    assert described["constant"]["counts"] == [0, 100, 0, 0]
    assert described["mostly"]["counts"][:2] == [0, 90]


def test_booleans_have_two_bins_and_one_of_missing_values() -> None:
    """Also if one of them is rare."""
    described = describe(pd.DataFrame({"x": [True] + [False] * 99}))
    assert described["x"] == {"edges": [0.5], "counts": [99, 1, 0]}


def test_categories_that_few_samples_have_are_others() -> None:
    """Those of five samples and more are listed, at most 18."""
    towns = ["Ulm"] * 60 + ["Bonn"] * 50 + ["Hintertupfing"] * 4 + [None] * 10
    described = describe(pd.DataFrame({"town": RANDOM.permutation(np.array(towns, dtype=object))}))
    assert described["town"]["categories"] == ["Bonn", "Ulm"]
    many = describe(pd.DataFrame({"x": [f"c{i}" for i in range(30)] * 20}))["x"]
    assert len(many.get("categories", [])) <= 18


def test_all_categories_of_few_are_counted_in_all_samples() -> None:
    """Half of them is set aside only where others have no bin."""
    described = describe(pd.DataFrame({"x": ["a"] * 30 + ["b"] * 20}))["x"]
    assert described == {"categories": ["a", "b"], "counts": [30, 20, 0, 0]}


def test_texts_that_are_no_categories_are_binned_by_their_length() -> None:
    """No text is kept, nor of a private feature any category."""
    names = [f"{'x' * (i % 40)} {i}" for i in range(200)]
    frame = pd.DataFrame({"letter": names, "secret": ["a", "bb"] * 100})
    described = describe(frame, "secret")
    assert set(described["letter"]) == {"lengths", "counts"}
    assert set(described["secret"]) == {"lengths", "counts"}
    assert "bb" in describe(frame)["secret"]["categories"]


def test_critical_values_are_corrected_for_the_number_of_features() -> None:
    """Two tests of each feature, and of the predictions, share the rate."""
    frame = pd.DataFrame(RANDOM.normal(size=(100, 9)))
    table = Table(frame)
    features = tuple(Feature(name, "numeric", required=True) for name in table.names)
    distribution = describe_distribution(table, Signature(features, ("a",)), predicted=["a"] * 100)
    rate = FALSE_ALARM_RATE / (2 * 10)
    assert set(distribution["critical"]) == {"1", "6"}
    for freedom, value in distribution["critical"].items():
        assert chi2.sf(value, int(freedom)) == pytest.approx(rate, rel=0.01)


@pytest.mark.parametrize("features", [5_000, 12_000])
def test_a_wide_table_has_a_small_distribution(features: int) -> None:
    """Below 100 bytes for each of 5,000 features; of more, some are not counted."""
    table = Table(RANDOM.normal(size=(300, features)))
    signature = Signature(
        tuple(Feature(name, "numeric", required=True) for name in table.names), ("a",)
    )
    distribution = describe_distribution(table, signature, predicted=["a"] * 300)
    counted = [each for each in distribution["features"] if each]
    assert 4_000 <= len(counted) <= 5_000
    assert len(json.dumps(distribution)) < 500_000


def test_predictions_are_those_of_samples_that_the_model_has_not_seen() -> None:
    """A neighbour repeats the labels that it was fitted on, and not those of others."""
    X = RANDOM.normal(size=(400, 3))
    y = np.where(RANDOM.random(400) < 0.1, "rare", "common")
    neighbor = KNeighborsClassifier(1).fit(X, y)
    [unseen, fitted] = [
        describe_predictions(build_artifact(neighbor, X, y, name="n", cv=cv).artifact)
        for cv in (5, 0)
    ]
    assert fitted == dict(zip(*np.unique(y, return_counts=True), strict=True))
    assert sum(unseen.values()) == 400
    assert unseen != fitted


def describe_predictions(artifact: bytes) -> dict[str, int]:
    """Return the counts of predictions by class."""
    predictions = read_manifest(artifact)["distribution"]["predictions"]
    return dict(zip(predictions["classes"], predictions["counts"], strict=True))


def test_many_classes_have_a_bin_for_the_others() -> None:
    """The most frequent ones have bins of their own."""
    y = np.repeat(np.arange(40), np.arange(10, 50))
    X = y[:, None] + 0.0
    built = build_artifact(DecisionTreeClassifier().fit(X, y), X, y, name="many")
    counts = read_manifest(built.artifact)["distribution"]["predictions"]
    assert len(counts["classes"]) == MAX_BINS - 1
    assert len(counts["counts"]) == MAX_BINS
    assert "39" in counts["classes"]


def test_two_publications_of_one_model_are_one_version(tmp_path: Path) -> None:
    """The distribution depends on nothing but the table."""
    X = pd.DataFrame({"x": RANDOM.normal(size=200)})
    y = X["x"] > 0
    model = LogisticRegression().fit(X, y)
    versions = {publish(model, X, y, to=str(tmp_path), cv=0).version for _ in range(2)}
    assert len(versions) == 1
