"""The features of samples within a graph: columns of numbers, and texts that are still symbolic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from training.export.converters.tensor import Graph, Tensor, concatenate

UNSUPPORTED_TEXT = "a text column reaches an estimator that does not encode it"


class NumberColumn(NamedTuple):
    """A column of a tensor."""

    tensor: Tensor
    position: int


class TextColumn(NamedTuple):
    """A text feature. Texts become numbers before the graph runs, by the encoder that it needs.

    Parameters
    ----------
    graph : Graph
    feature : int
        Index in the signature.
    missing : str, float or None
        The value of a missing text: None or NaN, as in the training data, or the text that an
        imputer replaces it with.
    replaced : tuple of (str, str)
        Texts and what an imputer replaces them with.
    """

    graph: Graph
    feature: int
    missing: Any
    replaced: tuple[tuple[str, str], ...] = ()

    def replace(self, text: str, replacement: str) -> TextColumn:
        """Return the column with a text, also one that another was replaced with, replaced."""
        replaced = {old: replacement if new == text else new for old, new in self.replaced}
        replaced.setdefault(text, replacement)
        missing = replacement if self.missing == text else self.missing
        return self._replace(missing=missing, replaced=tuple(replaced.items()))

    def look_up(self, texts: Sequence[str], table: npt.NDArray[Any]) -> Tensor:
        """Return the table's row for each text.

        Parameters
        ----------
        texts : sequence of str
            The known texts.
        table : numpy.ndarray
            Shape (texts + 2, columns): a row per text, then one for any other text and one for a
            missing text.

        Returns
        -------
        Tensor
            Shape (samples, columns).
        """
        known, replaced = {text: row for row, text in enumerate(texts)}, dict(self.replaced)
        categories = list(dict.fromkeys([*texts, *replaced]))
        rows = [known.get(replaced.get(text, text), len(texts)) for text in categories]
        rows += [len(texts), len(texts) + 1]
        if isinstance(self.missing, str):
            rows[-1] = known.get(self.missing, len(texts))
        encoder = {"feature": self.feature, "categories": categories}
        code = self.graph.encode_text(encoder, width=1).cast(np.int64).reshape(-1)
        return self.graph.tensor(np.asarray(table)[rows]).take(code, axis=0)


Column = NumberColumn | TextColumn


class Features:
    """Columns of numbers and texts, in the order in which an estimator receives them.

    `is_sparse` is whether scikit-learn has them in a sparse matrix; None if that is not known.
    """

    def __init__(self, graph: Graph, columns: Sequence[Column]) -> None:
        self.graph = graph
        self.is_sparse: bool | None = False
        self._columns = list(columns)

    def __len__(self) -> int:
        return len(self._columns)

    @property
    def key(self) -> tuple[Any, ...]:
        """Identifies the same features of one graph."""
        return tuple(
            (column.tensor.key, column.position)
            if isinstance(column, NumberColumn)
            else ("text", column.feature, repr(column.missing), column.replaced)
            for column in self._columns
        )

    def columns(self, indices: Sequence[int] | npt.NDArray[Any]) -> Features:
        """Select columns by their indices."""
        selected = Features(self.graph, [self._columns[int(index)] for index in indices])
        selected.is_sparse = self.is_sparse
        return selected

    def column(self, index: int) -> Tensor:
        """Return one column of numbers, shape (samples, 1)."""
        return self.columns([index]).numbers()

    def text(self, index: int) -> TextColumn | None:
        """Return a text column, or None for a column of numbers."""
        column = self._columns[index]
        return column if isinstance(column, TextColumn) else None

    def numbers(self) -> Tensor:
        """Return all columns as one float64 matrix, shape (samples, columns).

        Raises
        ------
        NotImplementedError
            If a column is text.
        """
        blocks: list[tuple[Tensor, list[int]]] = []
        for column in self._columns:
            if isinstance(column, TextColumn):
                raise NotImplementedError(UNSUPPORTED_TEXT)
            if blocks and blocks[-1][0] is column.tensor:
                blocks[-1][1].append(column.position)
            else:
                blocks.append((column.tensor, [column.position]))
        matrix = concatenate([_select(tensor, indices) for tensor, indices in blocks])
        matrix.width = len(self)
        return matrix


def from_tensor(tensor: Tensor, width: int) -> Features:
    """Return the columns of a matrix, shape (samples, width)."""
    tensor.width = width
    return Features(tensor.graph, [NumberColumn(tensor, index) for index in range(width)])


def join(parts: Sequence[Features]) -> Features:
    """Join features side by side."""
    return Features(parts[0].graph, [column for part in parts for column in part._columns])


def scale_features(features: Features, weight: float | None) -> Features:
    """Multiply all columns by a transformer's weight; None for none."""
    if weight is None or not len(features):
        return features
    return from_tensor(features.numbers() * float(weight), len(features))


def _select(tensor: Tensor, indices: list[int]) -> Tensor:
    return tensor if indices == list(range(tensor.width or 0)) else tensor.columns(indices)
