"""The error function in float64: ONNX Runtime has `Erf` in float32 only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.export.converters.tensor import Tensor

# W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of
# Computation 23 (1969): the coefficients of CALERF, highest power first.
_NEAR = 0.46875  # up to it erf(x) is x P(x^2) / Q(x^2), beyond it 1 - exp(-x^2) P(x) / Q(x)
_NEAR_P = (
    1.85777706184603153e-1,
    3.16112374387056560e0,
    1.13864154151050156e2,
    3.77485237685302021e2,
    3.20937758913846947e3,
)
_NEAR_Q = (
    1.0,
    2.36012909523441209e1,
    2.44024637934444173e2,
    1.28261652607737228e3,
    2.84423683343917062e3,
)
_FAR_P = (
    2.15311535474403846e-8,
    5.64188496988670089e-1,
    8.88314979438837594e0,
    6.61191906371416295e1,
    2.98635138197400131e2,
    8.81952221241769090e2,
    1.71204761263407058e3,
    2.05107837782607147e3,
    1.23033935479799725e3,
)
_FAR_Q = (
    1.0,
    1.57449261107098347e1,
    1.17693950891312499e2,
    5.37181101862009858e2,
    1.62138957456669019e3,
    3.29079923573345963e3,
    4.36261909014324716e3,
    3.43936767414372164e3,
    1.23033935480374942e3,
)
_ONE = 6.0  # from it on erf(x) is 1 in float64


def erf(x: Tensor) -> Tensor:
    """Return the error function of a float64 tensor, to within 4e-16."""
    size = x.abs()
    square = x * x
    near = x * polynomial(_NEAR_P, square) / polynomial(_NEAR_Q, square)
    far = size.clip(0.0, _ONE)
    tail = (-(far * far)).exp() * polynomial(_FAR_P, far) / polynomial(_FAR_Q, far)
    return (size > _NEAR).where(x.op("Sign") * (1.0 - tail), near)


def polynomial(coefficients: tuple[float, ...], x: Tensor) -> Tensor:
    """Evaluate a polynomial with Horner's rule."""
    value: Tensor | npt.NDArray[np.float64] = np.array(coefficients[0])
    for coefficient in coefficients[1:]:
        value = x * value + coefficient
    assert isinstance(value, Tensor)
    return value
