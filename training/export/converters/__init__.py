"""Converters from scikit-learn's estimators to ONNX, in float64.

Each module is named after scikit-learn's module; each converter is the estimator's formula in
standard ONNX operators. Transformers without one are converted by skl2onnx.

To add an estimator:

1. write a function in the module of its name: for a classifier ``(estimator, X: Tensor) ->
   Outputs``, decorated with ``@converts(ItsClass)``; for a transformer ``(transformer, X: Features)
   -> Features``, decorated with ``@transforms(ItsClass)``; a new module goes into the import below;
2. raise NotImplementedError for parameters that it does not support;
3. add the estimator with a few parameters to ``VARIANTS`` in
   ``tests/training/test_converters.py``, a transformer to ``tests/training/test_transformers.py``.

docs/how-to/add-a-converter.md has a complete example.
"""

from __future__ import annotations

# Each module registers its converters.
from training.export.converters import (  # noqa: F401
    calibration,
    catboost,
    cluster,
    compose,
    decomposition,
    discriminant_analysis,
    dummy,
    ensemble,
    ensemble_transformers,
    feature_extraction,
    feature_selection,
    frozen,
    gaussian_process,
    hist_gradient_boosting,
    impute,
    kernel_approximation,
    lightgbm,
    linear_model,
    model_selection,
    multiclass,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    projections,
    semi_supervised,
    svm,
    tree,
    xgboost,
)
from training.export.converters.preprocessing import (  # noqa: F401
    discretization,
    encoders,
    functions,
    polynomial,
    power,
    quantile,
    scaling,
    spline,
)
