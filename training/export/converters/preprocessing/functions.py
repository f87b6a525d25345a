"""Functions of features: sklearn.preprocessing.FunctionTransformer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special
from sklearn.preprocessing import FunctionTransformer

from training.export.converters.error_function import erf
from training.export.converters.features import Features, from_tensor
from training.export.converters.registry import transforms
from training.export.converters.special_functions import (
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atanh,
    cosh,
    expm1,
    limit,
    log1p,
    sinh,
)
from training.export.converters.tensor import Tensor

# NumPy's functions of one number. np.abs is np.absolute; scipy.special.expit is the sigmoid.
_FUNCTIONS: dict[Any, Callable[[Tensor], Tensor]] = {
    np.absolute: Tensor.abs,
    np.arccos: acos,
    np.arccosh: acosh,
    np.arcsin: asin,
    np.arcsinh: asinh,
    np.arctan: atan,
    np.arctanh: atanh,
    np.cbrt: lambda x: x.op("Sign") * x.abs().op("Pow", 1.0 / 3.0),
    np.ceil: lambda x: x.op("Ceil"),
    np.cos: lambda x: x.op("Cos"),
    np.cosh: cosh,
    np.deg2rad: lambda x: x * float(np.pi / 180.0),
    np.degrees: lambda x: x * float(180.0 / np.pi),
    np.exp: Tensor.exp,
    np.exp2: lambda x: x.graph.tensor(2.0).op("Pow", x),
    np.expm1: expm1,
    np.fabs: Tensor.abs,
    np.floor: lambda x: x.op("Floor"),
    np.isfinite: lambda x: 1.0 - x.op("IsInf").op("Or", x.is_nan()).cast(np.float64),
    np.isnan: lambda x: x.is_nan().cast(np.float64),
    np.log: Tensor.log,
    np.log10: lambda x: x.log() / float(np.log(10.0)),
    np.log1p: log1p,
    np.log2: lambda x: x.log() / float(np.log(2.0)),
    np.negative: lambda x: -x,
    np.positive: lambda x: x,
    np.rad2deg: lambda x: x * float(180.0 / np.pi),
    np.radians: lambda x: x * float(np.pi / 180.0),
    np.reciprocal: lambda x: 1.0 / x,
    np.rint: lambda x: x.op("Round"),
    np.sign: lambda x: x.is_nan().where(x, x.op("Sign")),
    np.sin: lambda x: x.op("Sin"),
    np.sinh: sinh,
    np.sqrt: Tensor.sqrt,
    np.square: lambda x: x * x,
    np.tan: lambda x: x.op("Sin") / x.op("Cos"),
    np.tanh: lambda x: x.op("Tanh"),
    np.trunc: lambda x: x.op("Sign") * x.abs().op("Floor"),
    scipy.special.erf: erf,
    scipy.special.expit: Tensor.sigmoid,
    scipy.special.expm1: expm1,
    scipy.special.log1p: log1p,
    scipy.special.logit: lambda x: (x / (1.0 - x)).log(),
}

# Infinite for 0, 1 or -1, which the next estimator rejects.
_INFINITE = (
    np.arctanh,
    np.log,
    np.log10,
    np.log1p,
    np.log2,
    np.reciprocal,
    scipy.special.log1p,
    scipy.special.logit,
)


@transforms(FunctionTransformer)
def _function_transformer(transformer: FunctionTransformer, X: Features) -> Features:
    function, options = transformer.func, dict(transformer.kw_args or {})
    if function is None and not transformer.validate:
        return X
    values = X.numbers()
    if transformer.validate:
        values.graph.reject(values.is_nan())
    if function is None:
        return X
    result = _apply(function, values, options)
    is_overflow = not any(function is each for each in _INFINITE)
    return from_tensor(result.reject_infinity(is_overflow=is_overflow), len(X))


def _apply(function: Any, values: Tensor, options: dict[str, Any]) -> Tensor:
    if function is np.clip:
        return _clip(values, **options)
    if function is np.nan_to_num and set(options) <= {"nan", "copy"}:
        return values.is_nan().where(float(options.get("nan", 0.0)), values)
    name = getattr(function, "__name__", type(function).__name__)
    # Functions of your own may be unhashable.
    known = next((_FUNCTIONS[each] for each in _FUNCTIONS if each is function), None)
    if known is None or options:
        given = f" with {', '.join(options)}" if options else ""
        raise NotImplementedError(f"FunctionTransformer of {name}{given} is not supported")
    return known(values)


def _clip(values: Tensor, a_min: Any = None, a_max: Any = None, **bounds: Any) -> Tensor:
    low, high = bounds.pop("min", a_min), bounds.pop("max", a_max)
    if bounds:
        raise NotImplementedError(
            f"FunctionTransformer of clip with {', '.join(bounds)} is not supported"
        )
    low, high = (-np.inf if low is None else low), (np.inf if high is None else high)
    return limit(values, np.asarray(low, np.float64), np.asarray(high, np.float64))
