"""Values that are unlike the training data, counted in batches."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.inputs.problems import locate_in_rows
from chalicelib.inputs.samples import read_samples
from chalicelib.models.manifest import Manifest
from chalicelib.models.model import load_model
from chalicelib.models.training_range import (
    MAX_COUNTED_CELLS,
    count_unusual,
    find_out_of_range,
)
from training.artifact import BuiltModel

USUAL = [15.0, 1.5, "Ulm", "a"]


@pytest.fixture
def manifest(people: BuiltModel) -> Manifest:
    """The manifest of a model with two numbers, a text and a private text."""
    return load_model(people.artifact).manifest


@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.parametrize(
    ("unusual", "kinds"),
    [
        ([None, 1.5, "Ulm", "a"], (1, 0, 0)),
        ([15.0, 1e6, "Ulm", "a"], (0, 1, 0)),
        ([-1e6, 1.5, "Ulm", "a"], (0, 1, 0)),
        ([15.0, 1.5, "Paris", "a"], (0, 0, 1)),
        ([15.0, None, "Paris", None], (2, 0, 1)),
        ([1e6, 1e6, None, "c"], (1, 2, 0)),
    ],
)
def test_of_a_large_batch_samples_at_equal_distances_are_counted(
    manifest: Manifest, step: int, unusual: list[Any], kinds: tuple[int, int, int]
) -> None:
    """As many as the limit allows; the counts are multiplied for the others."""
    rows = step * MAX_COUNTED_CELLS // len(USUAL)
    for counted, others, count in ((unusual, USUAL, rows), (USUAL, unusual, 0)):
        batch = [counted if row % step == 0 else others for row in range(rows)]
        samples = read_samples(batch, manifest.signature, locate_in_rows("data"), max_rows=rows)
        assert count_unusual(samples, manifest, []) == tuple(kind * count for kind in kinds)


@pytest.mark.parametrize(
    ("changes", "names", "counts"),
    [
        ({}, [], (0, 0, 0)),
        ({0: 1e6}, ["age"], (0, 1, 0)),
        ({0: -1e6, 1: None}, ["age"], (1, 1, 0)),
        ({2: "Paris"}, ["town"], (0, 0, 1)),
        ({0: 1e6, 1: 1e6, 2: "Paris"}, ["age", "height", "town"], (0, 2, 1)),
        ({0: None, 2: None, 3: None}, [], (3, 0, 0)),
        ({0: None, 1: 0.0, 3: None}, ["height"], (2, 1, 0)),
        ({3: "c"}, [], (0, 0, 0)),  # private
    ],
)
def test_of_one_sample_the_unusual_features_are_named_and_counted(
    manifest: Manifest, changes: dict[int, Any], names: list[str], counts: tuple[int, int, int]
) -> None:
    """Missing values are counted, not named."""
    sample = [changes.get(index, value) for index, value in enumerate(USUAL)]
    samples = read_samples([sample], manifest.signature, locate_in_rows("data"), max_rows=1)
    assert find_out_of_range(samples, manifest) == names
    assert count_unusual(samples, manifest, names) == counts


def test_the_counts_of_a_part_are_rounded(manifest: Manifest) -> None:
    """Of 1,001 samples, 501 are counted."""
    batch = [[None, 1e6, "Paris", "a"], *[USUAL] * (MAX_COUNTED_CELLS // len(USUAL))]
    samples = read_samples(batch, manifest.signature, locate_in_rows("data"), max_rows=len(batch))
    assert count_unusual(samples, manifest, []) == (2, 2, 2)
