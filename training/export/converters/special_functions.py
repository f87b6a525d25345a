"""Functions that ONNX has no operator for, from those that it has, in float64."""

from __future__ import annotations

import numpy as np

from training.export.converters.error_function import polynomial
from training.export.converters.tensor import Operand, Tensor

# M. J. Wichura, "Algorithm AS 241: The percentage points of the normal distribution", Applied
# Statistics 37 (1988): the coefficients of PPND16, highest power first.
_CENTRAL = 0.425  # half the width of the central range of probabilities
_CENTRAL_P = (
    2.5090809287301226727e3,
    3.3430575583588128105e4,
    6.7265770927008700853e4,
    4.5921953931549871457e4,
    1.3731693765509461125e4,
    1.9715909503065514427e3,
    1.3314166789178437745e2,
    3.3871328727963666080e0,
)
_CENTRAL_Q = (
    5.2264952788528545610e3,
    2.8729085735721942674e4,
    3.9307895800092710610e4,
    2.1213794301586595867e4,
    5.3941960214247511077e3,
    6.8718700749205790830e2,
    4.2313330701600911252e1,
    1.0,
)
_TAIL_P = (
    7.74545014278341407640e-4,
    2.27238449892691845833e-2,
    2.41780725177450611770e-1,
    1.27045825245236838258e0,
    3.64784832476320460504e0,
    5.76949722146069140550e0,
    4.63033784615654529590e0,
    1.42343711074968357734e0,
)
_TAIL_Q = (
    1.05075007164441684324e-9,
    5.47593808499534494600e-4,
    1.51986665636164571966e-2,
    1.48103976427480074590e-1,
    6.89767334985100004550e-1,
    1.67638483018380384940e0,
    2.05319162663775882187e0,
    1.0,
)
_SMALLEST = 1e-10  # the tail's formula holds from exp(-25) on

# S. L. Moshier, Cephes mathematical library: the coefficients of atan, highest power first. For
# numbers up to tan(pi / 8) the tangent of the angle is reduced to, its series is x + x^3 P / Q.
_ATAN_P = (
    -8.750608600031904122785e-1,
    -1.615753718733365076637e1,
    -7.500855792314704667340e1,
    -1.228866684490136173410e2,
    -6.485021904942025371773e1,
)
_ATAN_Q = (
    1.0,
    2.485846490142306297962e1,
    1.650270098316988542046e2,
    4.328810604912902668951e2,
    4.853903996359136964868e2,
    1.945506571482613964425e2,
)
_ATAN_MIDDLE = 0.66  # from here on pi / 4 is subtracted, from tan(3 pi / 8) on pi / 2
_ATAN_LARGE = 2.41421356237309504880
_LARGE = 1e8  # from here on 1 is lost beside the square


def normal_quantile(probability: Tensor) -> Tensor:
    """Return the inverse of the normal distribution function, from 1e-10 to 1 - 1e-10."""
    p = limit(probability, _SMALLEST, 1.0 - _SMALLEST)
    q = p - 0.5
    r = _CENTRAL**2 - q * q
    central = q * polynomial(_CENTRAL_P, r) / polynomial(_CENTRAL_Q, r)
    r = (-p.op("Min", 1.0 - p).log()).sqrt() - 1.6
    tail = q.op("Sign") * (polynomial(_TAIL_P, r) / polynomial(_TAIL_Q, r))
    return (q.abs() <= _CENTRAL).where(central, tail)


def limit(x: Tensor, low: Operand, high: Operand) -> Tensor:
    """Limit values to a range as `numpy.clip` does, which returns NaN for NaN."""
    limited: Tensor = (x < low).where(low, (x > high).where(high, x))
    return limited


def log1p(x: Tensor) -> Tensor:
    """Return log(1 + x), exact for small x: Kahan's correction of the rounding of 1 + x."""
    one_plus_x = x + 1.0
    rounded = one_plus_x - 1.0
    is_small, is_large = rounded.equal(0.0), one_plus_x.equal(np.inf)
    correction = x / is_small.where(1.0, rounded)
    logarithm = is_large.where(np.inf, one_plus_x.log() * correction)
    return is_small.where(x, logarithm)


def expm1(x: Tensor) -> Tensor:
    """Return exp(x) - 1, exact for small x: Kahan's correction of the rounding of exp(x)."""
    power = x.exp()
    difference = power - 1.0
    is_small, is_uncorrected = power.equal(1.0), x.abs() > 40.0
    logarithm = is_uncorrected.where(1.0, is_small.where(1.0, power.log()))
    corrected = difference * x / logarithm
    return is_small.where(x, is_uncorrected.where(difference, corrected))


def atan(x: Tensor) -> Tensor:
    """Return the inverse tangent."""
    size = x.abs()
    is_large, is_middle = size > _ATAN_LARGE, size > _ATAN_MIDDLE
    tangent = is_large.where(-1.0 / size, is_middle.where((size - 1.0) / (size + 1.0), size))
    start = is_large.where(np.pi / 2, is_middle.where(np.pi / 4, 0.0))
    square = tangent * tangent
    series = square * polynomial(_ATAN_P, square) / polynomial(_ATAN_Q, square)
    return x.op("Sign") * (start + (tangent + tangent * series))


def asin(x: Tensor) -> Tensor:
    """Return the inverse sine, NaN beyond 1."""
    return atan(x / ((1.0 - x) * (x + 1.0)).sqrt())


def acos(x: Tensor) -> Tensor:
    """Return the inverse cosine, NaN beyond 1."""
    return atan(((1.0 - x) / (x + 1.0)).sqrt()) * 2.0


def sinh(x: Tensor) -> Tensor:
    """Return the hyperbolic sine, exact for small x."""
    size = x.abs()
    growth = expm1(size)
    small = (growth + growth / (growth + 1.0)) / 2.0
    return x.op("Sign") * (size > 40.0).where((size - np.log(2.0)).exp(), small)


def cosh(x: Tensor) -> Tensor:
    """Return the hyperbolic cosine."""
    half: Tensor = (x.abs() - np.log(2.0)).exp()
    return half + 0.25 / half


def asinh(x: Tensor) -> Tensor:
    """Return the inverse hyperbolic sine, exact for small x."""
    size = x.abs()
    bounded = size.op("Min", _LARGE)
    square = bounded * bounded
    small = log1p(bounded + square / ((square + 1.0).sqrt() + 1.0))
    return x.op("Sign") * (size > _LARGE).where(size.log() + float(np.log(2.0)), small)


def acosh(x: Tensor) -> Tensor:
    """Return the inverse hyperbolic cosine, NaN below 1, exact for numbers near 1."""
    excess = x.op("Min", _LARGE) - 1.0
    small = log1p(excess + (excess * 2.0 + excess * excess).sqrt())
    return (x > _LARGE).where(x.log() + float(np.log(2.0)), small)


def atanh(x: Tensor) -> Tensor:
    """Return the inverse hyperbolic tangent, NaN beyond 1, exact for small x."""
    return log1p(x * 2.0 / (1.0 - x)) / 2.0
