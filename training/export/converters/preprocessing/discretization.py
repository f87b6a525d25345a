"""Numbers as bins: sklearn.preprocessing.KBinsDiscretizer."""

from __future__ import annotations

import numpy as np
from sklearn.preprocessing import KBinsDiscretizer

from training.export.converters.features import Features, from_tensor
from training.export.converters.registry import transforms
from training.export.converters.segments import segment_indices


@transforms(KBinsDiscretizer)
def _k_bins(discretizer: KBinsDiscretizer, X: Features) -> Features:
    values = X.numbers()
    if discretizer.dtype is np.float32:
        values = values.cast(np.float32).cast(np.float64)
    counts = [int(count) for count in discretizer.n_bins_]
    first_bin = np.cumsum([0, *counts])
    # Beyond the outermost edges the outermost bins go on.
    index = segment_indices(values, [edges[1:-1] for edges in discretizer.bin_edges_])
    if discretizer.encode == "ordinal":
        return from_tensor((index - first_bin[:-1]).cast(np.float64), len(X))
    feature_of_bin = np.repeat(np.arange(len(counts)), counts)
    is_in_bin = index.columns(feature_of_bin).equal(np.arange(first_bin[-1]))
    return from_tensor(is_in_bin.cast(np.float64), int(first_bin[-1]))
