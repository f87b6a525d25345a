"""Features as quantiles: sklearn.preprocessing.QuantileTransformer."""

from __future__ import annotations

import numpy as np
from scipy import stats
from sklearn.preprocessing import QuantileTransformer
from sklearn.preprocessing._data import BOUNDS_THRESHOLD

from training.export.converters.features import Features, from_tensor
from training.export.converters.registry import transforms
from training.export.converters.segments import interpolate
from training.export.converters.special_functions import limit, normal_quantile


@transforms(QuantileTransformer)
def _quantile_transformer(transformer: QuantileTransformer, X: Features) -> Features:
    quantiles = np.asarray(transformer.quantiles_, dtype=np.float64)
    if not np.isfinite(quantiles).all():
        raise NotImplementedError("QuantileTransformer of an empty column is not supported")
    values = X.numbers()
    columns, references = list(quantiles.T), [transformer.references_] * len(X)
    # The mean of both directions, which differ where a quantile is repeated.
    upwards = interpolate(values, columns, references)
    downwards = interpolate(
        -values, [-column[::-1] for column in columns], [-r[::-1] for r in references]
    )
    uniform = (upwards - downwards) * 0.5
    lowest, highest = quantiles[0], quantiles[-1]
    if transformer.output_distribution == "uniform":
        uniform = values.equal(highest).where(1.0, uniform)
        return from_tensor(values.equal(lowest).where(0.0, uniform), len(X))
    uniform = (values + BOUNDS_THRESHOLD > highest).where(1.0, uniform)
    uniform = (values - BOUNDS_THRESHOLD < lowest).where(0.0, uniform)
    outermost = BOUNDS_THRESHOLD - np.spacing(1)
    bounds = (float(stats.norm.ppf(p)) for p in (outermost, 1 - outermost))
    return from_tensor(limit(normal_quantile(uniform), *bounds), len(X))
