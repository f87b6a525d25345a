"""Features as splines: sklearn.preprocessing.SplineTransformer."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.preprocessing import SplineTransformer

from training.export.converters.features import Features, from_tensor
from training.export.converters.registry import transforms
from training.export.converters.segments import segment_indices
from training.export.converters.special_functions import limit
from training.export.converters.tensor import Graph, Tensor, add_in_order

# Below it scikit-learn raises, or extrapolates one feature otherwise than the next.
_SMALLEST_DEGREE = {"constant": 1, "linear": 2}


@transforms(SplineTransformer)
def _spline_transformer(transformer: SplineTransformer, X: Features) -> Features:
    if transformer.extrapolation == "error":
        raise NotImplementedError("SplineTransformer with extrapolation='error' is not supported")
    if transformer.degree < _SMALLEST_DEGREE.get(transformer.extrapolation, 0):
        raise NotImplementedError(
            f"SplineTransformer with degree={transformer.degree} and "
            f"extrapolation={transformer.extrapolation!r} is not supported"
        )
    splines, values = [_read(spline) for spline in transformer.bsplines_], X.numbers()
    low, high = (np.array(ends) for ends in zip(*(s.range for s in splines), strict=True))
    inside = values
    if transformer.extrapolation == "periodic":
        inside = _wrap(values, low, high)
    elif transformer.extrapolation in ("constant", "linear"):
        inside = limit(values, low, high)
    basis = _evaluate(splines, inside)  # (samples, features, splines)
    if transformer.extrapolation == "linear":
        slope = np.stack([_slopes(spline) for spline in transformer.bsplines_])
        beyond = (values - inside).op("Unsqueeze", np.array([2]))
        basis = basis + (beyond < 0.0).where(beyond * slope[:, 0], beyond * slope[:, 1])
    count = len(splines[0].coefficients[0])
    if getattr(transformer, "handle_missing", "error") == "zeros":
        is_missing = values.is_nan().op("Unsqueeze", np.array([2]))
        basis = is_missing.where(0.0, basis)
    if not transformer.include_bias:
        basis = basis.take(np.arange(count - 1), axis=2)
        count -= 1
    return from_tensor(basis.reshape(-1, len(X) * count), len(X) * count)


class _Spline(NamedTuple):
    """A feature's basis: knots, degree and coefficients, shape (knots - degree - 1, splines)."""

    knots: npt.NDArray[np.float64]
    degree: int
    coefficients: npt.NDArray[np.float64]

    @property
    def range(self) -> tuple[float, float]:
        return float(self.knots[self.degree]), float(self.knots[-self.degree - 1])

    @property
    def segments(self) -> npt.NDArray[np.int64]:
        """The index of the knot at which each segment begins."""
        return np.arange(self.degree, len(self.knots) - self.degree - 1)


def _read(spline: Any) -> _Spline:
    return _Spline(np.asarray(spline.t, np.float64), int(spline.k), np.asarray(spline.c))


def _wrap(values: Tensor, low: npt.NDArray[Any], high: npt.NDArray[Any]) -> Tensor:
    """Map values into one period, as Python's ``%`` does."""
    period = np.where(high > low, high - low, 1.0)
    remainder = (values - low).op("Mod", period, fmod=1)
    remainder = (remainder < 0.0).where(remainder + period, remainder)
    return (remainder + low) if (high > low).all() else _constant_where(high, low, remainder)


def _constant_where(high: npt.NDArray[Any], low: npt.NDArray[Any], remainder: Tensor) -> Tensor:
    """Return zero for a feature whose period is empty."""
    has_period: Tensor = remainder.graph.tensor(high > low)
    return has_period.where(remainder + low, 0.0)


def _slopes(spline: Any) -> npt.NDArray[np.float64]:
    """Return the slopes at both ends of the range, shape (2, splines)."""
    low, high = _read(spline).range
    slopes: npt.NDArray[np.float64] = np.array([spline(low, nu=1), spline(high, nu=1)])
    slopes[0, spline.k :] = 0.0  # the others are not extrapolated
    slopes[1, : -spline.k] = 0.0
    return slopes


def _evaluate(splines: list[_Spline], X: Tensor) -> Tensor:
    """Evaluate with de Boor's recursion, shape (samples, features, splines)."""
    graph, degree = X.graph, splines[0].degree
    index = segment_indices(X, [spline.knots[spline.segments[1:]] for spline in splines])

    def knot(offset: int) -> npt.NDArray[np.float64]:
        """Return the knot at an offset from each segment's, for the segments of all features."""
        return np.concatenate([spline.knots[spline.segments + offset] for spline in splines])

    # basis[i] is the spline that begins `order` - i knots before the segment.
    basis: list[Tensor] = [X * 0.0 + 1.0]
    for order in range(1, degree + 1):
        raised: list[Tensor | None] = [None] * (order + 1)
        for n in range(1, order + 1):
            after, before = knot(n), knot(n - order)
            width = after - before
            width = np.where(width == 0.0, np.inf, width)
            weight = basis[n - 1] / _look_up(graph, width, index)
            rising = weight * (X - _look_up(graph, before, index))
            falling = weight * (_look_up(graph, after, index) - X)
            previous = raised[n - 1]
            raised[n - 1] = falling if previous is None else previous + falling
            raised[n] = rising
        basis = [value for value in raised if value is not None]
    parts = []
    for offset, value in enumerate(basis):
        rows = np.concatenate(
            [spline.coefficients[spline.segments - degree + offset] for spline in splines]
        )
        parts.append(value.op("Unsqueeze", np.array([2])) * _look_up(graph, rows, index))
    return add_in_order(parts)


def _look_up(graph: Graph, table: npt.NDArray[np.float64], index: Tensor) -> Tensor:
    return graph.tensor(table).take(index, axis=0)
