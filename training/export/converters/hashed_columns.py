"""Terms that are hashed to more columns than a sample can have in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from training.export.converters.tensor import Graph, Tensor

MAX_HASHED_FEATURES = 2**18  # a column each: 2 MB for every text
_TRIED_ROWS = 1_000  # to find the commonest


class HashedColumns(Tensor):
    """The columns of a ``HashingVectorizer``, which exist only as a factor of a matrix product.

    A linear model has the same weights, mostly zero, for the columns that no term of its training
    data selects. So the other columns and the sum of all are enough.

    Parameters
    ----------
    graph : Graph
    encoder : dict
        As in the manifest, for all columns.
    norm : {"l1", "l2"} or None
    """

    def __init__(self, graph: Graph, encoder: dict[str, Any], norm: str | None) -> None:
        self.graph = graph
        self.width = int(encoder["hashed_terms"])
        self._encoder = encoder
        self._norm = norm
        self._key = graph.unique_name("hashed")

    @property
    def key(self) -> str:
        """Identifies the columns in the graph."""
        return self._key

    @property
    def name(self) -> str:  # type: ignore[override]
        """Raise: there is no tensor with all columns."""
        raise NotImplementedError(
            f"HashingVectorizer with n_features={self.width} is supported for linear models and "
            f"naive Bayes only: for others the most is {MAX_HASHED_FEATURES}"
        )

    def __matmul__(self, weights: Any) -> Tensor:
        """Return the product with weights of shape (columns, outputs)."""
        table = np.asarray(weights, dtype=np.float64)
        commonest = _commonest_row(table)
        columns = np.flatnonzero((table != commonest).any(axis=1))
        if len(columns) > MAX_HASHED_FEATURES:
            return self.op("MatMul", weights)  # which raises
        encoder = self._encoder | {"columns": columns.tolist()}
        encoded = self.graph.encode_text(encoder, width=len(columns) + 3)
        total, absolute, squared = (encoded.column(len(columns) + index) for index in range(3))
        counts = encoded.op("Slice", np.array([0]), np.array([len(columns)]), np.array([1]))
        product: Tensor = counts @ (table[columns] - commonest)
        if commonest.any():
            product = product + total @ commonest.reshape(1, -1)
        if self._norm is None:
            return product
        length = absolute if self._norm == "l1" else squared.sqrt()
        return product / length.equal(0.0).where(1.0, length)


def _commonest_row(table: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the row that most columns share, as far as a share of the rows shows it."""
    tried = table[:: max(1, len(table) // _TRIED_ROWS)]
    rows, counts = np.unique(tried, axis=0, return_counts=True)
    commonest: npt.NDArray[np.float64] = rows[counts.argmax()]
    return commonest
