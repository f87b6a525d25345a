"""Recognize an estimator that another release of scikit-learn fitted.

scikit-learn removes the version from an estimator when it is unpickled and only warns, so the
attributes have to tell. A release may ignore a parameter that it does not know, and predict
something else: AdaBoost of 1.5 does, if its `algorithm` was SAMME.R.
"""

from __future__ import annotations

import inspect
from typing import Any

import sklearn
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from training.data.parts import iterate_parts
from training.errors import FittedElsewhere

# Of classes that a classifier may hold, the parameters that not every release from 1.5 on has.
_CHANGED_PARAMETERS = {
    "AdaBoostClassifier": ("algorithm",),
    "Birch": ("copy",),
    "ColumnTransformer": ("force_int_remainder_cols",),
    "KBinsDiscretizer": ("quantile_method",),
    "LinearRegression": ("tol",),
    "LogisticRegression": ("multi_class",),
    "LogisticRegressionCV": ("multi_class", "use_legacy_attributes"),
    "MaxAbsScaler": ("clip",),
    "NearestCentroid": ("priors",),
    "Pipeline": ("transform_input",),
    "QuadraticDiscriminantAnalysis": ("covariance_estimator", "shrinkage", "solver"),
    "RidgeCV": ("store_cv_values",),
    "RidgeClassifierCV": ("store_cv_values",),
    "SelfTrainingClassifier": ("base_estimator", "estimator"),
    "SplineTransformer": ("handle_missing",),
}


def check_release(estimator: Any) -> None:
    """Raise `FittedElsewhere` if a part's parameters are not those of the installed release."""
    for part in iterate_parts(estimator):
        if not _is_from_sklearn(part):
            continue
        kind = type(part)
        known = [name for name in inspect.signature(kind).parameters if name != "kwargs"]
        missing = [name for name in known if not hasattr(part, name)]
        unknown = [
            name
            for name in _CHANGED_PARAMETERS.get(kind.__name__, ())
            if name in vars(part) and name not in known
        ]
        if missing or unknown:
            raise FittedElsewhere(kind.__name__, (missing + unknown)[0], sklearn.__version__)


def check_attribute(error: BaseException) -> None:
    """Raise `FittedElsewhere` if scikit-learn misses an attribute of a fitted part of its own."""
    part, name = getattr(error, "obj", None), getattr(error, "name", None)
    if not isinstance(error, AttributeError) or not name or not _is_from_sklearn(part):
        return
    if not hasattr(type(part), name) and _is_fitted(part):
        raise FittedElsewhere(type(part).__name__, name, sklearn.__version__) from error


def _is_from_sklearn(part: Any) -> bool:
    return isinstance(part, BaseEstimator) and type(part).__module__.startswith("sklearn.")


def _is_fitted(part: Any) -> bool:
    try:
        check_is_fitted(part)
    except NotFittedError:
        return False
    return True
