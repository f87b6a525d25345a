"""Values that are unlike the training data, counted in batches."""

from __future__ import annotations

import numpy as np
import pytest

from chalicelib.inputs.problems import locate_in_rows
from chalicelib.inputs.samples import read_samples
from chalicelib.models.model import load_model
from chalicelib.models.training_range import MAX_COUNTED_CELLS, count_unusual
from tests.support.models import WineModel

WIDTH = 13


@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.parametrize(("value", "kind"), [(None, 0), (1e6, 1), (-1e6, 1)])
def test_of_a_large_batch_samples_at_equal_distances_are_counted(
    trained: WineModel, step: int, value: float | None, kind: int
) -> None:
    """As many as the limit allows; the count is multiplied for the others."""
    manifest = load_model(trained.built.artifact).manifest
    usual = np.median(trained.dataset.X, axis=0).tolist()
    unusual = [value, *usual[1:]]
    rows = step * MAX_COUNTED_CELLS // WIDTH
    for counted, others, count in ((unusual, usual, rows), (usual, unusual, 0)):
        batch = [counted if row % step == 0 else others for row in range(rows)]
        samples = read_samples(batch, manifest.signature, locate_in_rows("data"), max_rows=rows)
        assert count_unusual(samples, manifest, [])[kind] == count
