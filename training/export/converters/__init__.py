"""Converters from scikit-learn's classifiers to ONNX, in float64.

skl2onnx converts transformers and calls these for classifiers. Each module is named after
scikit-learn's module, and each converter is the classifier's formula in standard ONNX operators.

To add a classifier:

1. write a function ``(estimator, X) -> Outputs`` in the module of its name here, decorated with
   ``@converts(ItsClass)``; a new module goes into the import below;
2. raise NotImplementedError for parameters that it does not support;
3. add the classifier with a few parameters to ``VARIANTS`` in
   ``tests/training/test_converters.py``.

docs/how-to/add-a-converter.md has a complete example.
"""

from __future__ import annotations

# Each module registers its converters.
from training.export.converters import (  # noqa: F401
    calibration,
    discriminant_analysis,
    dummy,
    ensemble,
    frozen,
    gaussian_process,
    linear_model,
    model_selection,
    multiclass,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    semi_supervised,
    svm,
    tree,
)
from training.export.converters.skl2onnx_hooks import SKL2ONNX_HOOKS, converter_hooks

__all__ = ["SKL2ONNX_HOOKS", "converter_hooks"]
