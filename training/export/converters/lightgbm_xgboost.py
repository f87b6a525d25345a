"""LightGBM's and XGBoost's classifiers, converted by onnxmltools, if they are installed."""

from __future__ import annotations

from importlib.util import find_spec

from skl2onnx import update_registered_converter
from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes

# The options that onnxmltools' converters read.
_OPTIONS = {"nocl": [True, False], "zipmap": [True, False, "columns"]}

# The latest operators that onnxmltools' converters support.
OPSETS = {"": 15, "ai.onnx.ml": 3}


def boosting_classifiers() -> tuple[type, ...]:
    """Return the classifiers of the installed libraries, after registering their converters.

    They are registered in skl2onnx globally, because it reads their options from there only.
    """
    classifiers = []
    if find_spec("onnxmltools") and find_spec("lightgbm"):
        from lightgbm import LGBMClassifier
        from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm

        _register(LGBMClassifier, "LightGbmLGBMClassifier", convert_lightgbm)
        classifiers.append(LGBMClassifier)
    if find_spec("onnxmltools") and find_spec("xgboost"):
        from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
        from xgboost import XGBClassifier

        _register(XGBClassifier, "XGBoostXGBClassifier", convert_xgboost)
        classifiers.append(XGBClassifier)
    return tuple(classifiers)


def _register(classifier: type, alias: str, converter: object) -> None:
    update_registered_converter(
        classifier,
        alias,
        calculate_linear_classifier_output_shapes,
        converter,
        options=_OPTIONS,
    )
