"""Conversions to ONNX that skl2onnx lacks, has only in 32 bits, or makes wrong.

Almost every classifier is written here, as a formula in float64 out of standard operators, because
classifiers are parts of each other: a calibrated one asks for another's scores, a vote for its
labels. `CONVERSIONS` and `SHAPES` are passed to `skl2onnx.convert_sklearn`; nothing is registered
globally. Transformers are left to skl2onnx, but for `SimpleImputer`.
"""

from __future__ import annotations

from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline

# Each module adds its classifiers to WRITERS.
from training.export.converters import (  # noqa: F401
    boosting,
    dummy,
    ensembles,
    gaussian_process,
    linear_model,
    multiclass,
    naive_bayes,
    neighbors,
    neural_network,
    svm,
    thresholds,
    tree,
)
from training.export.converters.impute import convert_imputer, imputer_shape
from training.export.converters.registry import WRITERS
from training.export.converters.skl2onnx_hooks import (
    classifier_shape,
    convert_classifier,
    parse_classifier,
)

__all__ = ["CONVERSIONS", "PARSERS", "SHAPES", "STOCK_CONVERSIONS", "STOCK_SHAPES"]

# skl2onnx takes a pipeline apart by itself, and needs to.
_CLASSIFIERS = [each for each in WRITERS if each is not Pipeline]

# What is mended even where skl2onnx writes the classifier.
STOCK_SHAPES = {SimpleImputer: imputer_shape}
STOCK_CONVERSIONS = {SimpleImputer: convert_imputer}

SHAPES = STOCK_SHAPES | dict.fromkeys(_CLASSIFIERS, classifier_shape)
CONVERSIONS = STOCK_CONVERSIONS | dict.fromkeys(_CLASSIFIERS, convert_classifier)
PARSERS = dict.fromkeys(_CLASSIFIERS, parse_classifier)
