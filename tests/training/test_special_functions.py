"""Functions that ONNX Runtime lacks in float64 are as exact as NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.special
from sklearn.preprocessing import FunctionTransformer

from tests.support.transforming import run_transformer

random = np.random.default_rng(0)
SIZES = 10.0 ** np.arange(-12, 13)
WIDE = np.concatenate([random.normal(scale=5, size=300), SIZES, -SIZES, [0.0, 1.0, -1.0]])
UP_TO_ONE = np.concatenate([random.uniform(-1, 1, 300), SIZES[:12], -SIZES[:12], [0.0]])
FROM_ONE = 1.0 + np.concatenate([random.exponential(5, 300), SIZES, [0.0]])


@pytest.mark.parametrize(
    ("function", "x"),
    [
        (np.arctan, WIDE),
        (np.arcsin, UP_TO_ONE),
        (np.arccos, UP_TO_ONE),
        (np.arcsinh, WIDE),
        (np.arccosh, FROM_ONE),
        (np.arctanh, UP_TO_ONE),
        (np.sinh, WIDE[np.abs(WIDE) < 700]),
        (np.cosh, WIDE[np.abs(WIDE) < 700]),
        (np.tan, UP_TO_ONE),
        (np.degrees, WIDE),
        (np.radians, WIDE),
        (np.trunc, WIDE),
        (np.isfinite, np.append(WIDE, np.nan)),
        (scipy.special.expit, WIDE[np.abs(WIDE) < 700]),
        (scipy.special.logit, random.uniform(0.001, 0.999, 300)),
    ],
)
def test_the_relative_error_is_below_1e_12(function: Any, x: Any) -> None:
    """For small and for large numbers."""
    actual = run_transformer(FunctionTransformer(function), x.reshape(-1, 1)).ravel()
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(actual, function(x), rtol=1e-12, atol=1e-300)
