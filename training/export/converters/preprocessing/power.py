"""Features made more normal: sklearn.preprocessing.PowerTransformer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.preprocessing import PowerTransformer

from training.export.converters.features import Features, from_tensor
from training.export.converters.registry import transform, transforms
from training.export.converters.special_functions import expm1, log1p
from training.export.converters.tensor import Operand, Tensor


@transforms(PowerTransformer)
def _power_transformer(transformer: PowerTransformer, X: Features) -> Features:
    lambdas = np.asarray(transformer.lambdas_, dtype=np.float64)
    if not np.isfinite(lambdas).all():
        raise NotImplementedError("PowerTransformer of an empty column is not supported")
    values = X.numbers()
    if transformer.method == "box-cox":
        values.graph.reject(values <= 0.0)
        power = _power(values.log(), lambdas)
    else:
        power = _yeo_johnson(values, lambdas)
    features = from_tensor(power.reject_infinity(), len(X))
    return transform(transformer._scaler, features) if transformer.standardize else features


def _yeo_johnson(values: Tensor, lambdas: npt.NDArray[np.float64]) -> Tensor:
    is_negative = values < 0.0
    exponents = is_negative.where(2.0 - lambdas, lambdas)
    size = _power(log1p(values.abs()), exponents)
    return is_negative.where(-size, size)


def _power(logarithm: Tensor, exponents: Operand) -> Tensor:
    """Return (exp(logarithm) ** exponent - 1) / exponent, the logarithm itself for exponent 0."""
    exponents = logarithm.graph.tensor(exponents)
    is_zero = exponents.abs() < np.finfo(np.float64).eps
    divisor = is_zero.where(1.0, exponents)
    power: Tensor = is_zero.where(logarithm, expm1(divisor * logarithm) / divisor)
    return power
