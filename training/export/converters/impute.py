"""SimpleImputer in float64, which skl2onnx converts in float32 only: sklearn.impute."""

from __future__ import annotations

from typing import Any

import numpy as np
from skl2onnx.algebra.onnx_ops import OnnxIsNaN, OnnxWhere
from skl2onnx.common.utils import check_input_and_output_numbers


def infer_imputer_shape(operator: Any) -> None:
    """Set the type and shape of the output of a skl2onnx operator with a `SimpleImputer`."""
    check_input_and_output_numbers(operator, input_count_range=1, output_count_range=1)
    source, target = operator.inputs[0], operator.outputs[0]
    target.type = type(source.type)([None, len(operator.raw_operator.statistics_)])


def convert_imputer(scope: Any, operator: Any, container: Any) -> None:
    """Convert a `SimpleImputer` with `IsNaN` and `Where`, which ONNX Runtime has in float64.

    skl2onnx converts it to the operator ``Imputer``, which ONNX Runtime has in float32 only.

    Raises
    ------
    NotImplementedError
        If a parameter of the imputer is not supported.
    """
    imputer = operator.raw_operator
    drops_column = np.isnan(imputer.statistics_).any() and not imputer.keep_empty_features
    if imputer.add_indicator or drops_column or not np.isnan(imputer.missing_values):
        raise NotImplementedError(
            "SimpleImputer with add_indicator, with missing_values other than NaN, or fitted on a "
            "column without any value is not supported"
        )
    source = operator.inputs[0]
    dtype = np.float64 if "Double" in type(source.type).__name__ else np.float32
    opset = container.target_opset
    imputed = OnnxWhere(
        OnnxIsNaN(source, op_version=opset),
        np.nan_to_num(imputer.statistics_).astype(dtype).reshape(1, -1),
        source,
        op_version=opset,
        output_names=operator.outputs[:1],
    )
    imputed.add_to(scope, container)
