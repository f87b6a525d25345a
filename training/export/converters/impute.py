"""Imputing in float64, which skl2onnx has only in 32 bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from skl2onnx.algebra.onnx_ops import OnnxIsNaN, OnnxWhere
from skl2onnx.common.utils import check_input_and_output_numbers


def imputer_shape(operator: Any) -> None:
    """Say what an imputer's output is.

    Parameters
    ----------
    operator : skl2onnx.common._topology.Operator
        With a fitted `SimpleImputer` in it.
    """
    check_input_and_output_numbers(operator, input_count_range=1, output_count_range=1)
    source, target = operator.inputs[0], operator.outputs[0]
    target.type = type(source.type)([None, len(operator.raw_operator.statistics_)])


def convert_imputer(scope: Any, operator: Any, container: Any) -> None:
    """Write a `SimpleImputer` with operators that ONNX Runtime has for float64 too.

    skl2onnx writes the operator ``Imputer``, which ONNX Runtime runs in float32 only.

    Parameters
    ----------
    scope : skl2onnx.common._topology.Scope
        What gives names.
    operator : skl2onnx.common._topology.Operator
        With a fitted `SimpleImputer` in it.
    container : skl2onnx.common._container.ModelComponentContainer
        What takes the nodes.

    Raises
    ------
    NotImplementedError
        If it is fitted with parameters that are not written.
    """
    imputer = operator.raw_operator
    dropped = np.isnan(imputer.statistics_).any() and not imputer.keep_empty_features
    if imputer.add_indicator or dropped or not np.isnan(imputer.missing_values):
        raise NotImplementedError(
            "SimpleImputer with add_indicator, another missing_values than NaN, or a column that "
            "held no value when it was fitted"
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
