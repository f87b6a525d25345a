"""Tensors in JSON: shapes and data that fit each other, and those that do not."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.errors import InvalidRequest, Problem
from chalicelib.inputs.problems import Problems
from chalicelib.inputs.signature import Feature, Signature
from chalicelib.protocols.open_inference.request import (
    MAX_ID_CHARACTERS,
    InferRequest,
    read_infer_request,
)
from chalicelib.protocols.open_inference.tensors import read_tensor

ONE = Signature((Feature("x", "numeric", required=False),), ("0", "1"))
TWO = Signature(
    (Feature("x", "numeric", required=False), Feature("y", "numeric", required=False)), ("0", "1")
)


def tensor(data: Any, shape: Any, datatype: str = "FP64", name: str = "t") -> dict[str, Any]:
    """Return a tensor."""
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


def read(document: dict[str, Any], signature: Signature = TWO) -> InferRequest:
    """Parse a request."""
    return read_infer_request(document, signature, max_rows=10)


def problems_of(document: dict[str, Any], signature: Signature = TWO) -> list[Problem]:
    """Return the problems of a request."""
    with pytest.raises(InvalidRequest) as caught:
        read(document, signature)
    return caught.value.problems


@pytest.mark.parametrize("datatype", ["FP64", "FP32", "INT64", "UINT8"])
@pytest.mark.parametrize(
    ("shape", "data", "expected"),
    [
        ([3], [1, 2, 3], [1, 2, 3]),
        ([1], [1], [1]),
        ([0], [], []),
        ([3, 1], [1, 2, 3], [1, 2, 3]),
        ([3, 1], [[1], [2], [3]], [1, 2, 3]),
        ([1, 3], [[1, 2, 3]], [1, 2, 3]),
        ([2, 2], [1, 2, 3, 4], [1, 2, 3, 4]),
        ([2, 2], [[1, 2], [3, 4]], [1, 2, 3, 4]),
        ([2, 0], [[], []], []),
        ([0, 2], [], []),
    ],
)
def test_data_is_flat_or_nested(
    datatype: str, shape: list[int], data: list[Any], expected: list[int]
) -> None:
    """In row-major order."""
    problems = Problems()
    parsed = read_tensor(tensor(data, shape, datatype), "inputs[0]", problems, None)
    problems.raise_if_any()
    assert parsed is not None
    assert (parsed.name, parsed.shape, parsed.path) == ("t", shape, "inputs[0]")
    assert [*parsed.column.values] == expected
    assert [*parsed.column.to_floats()] == expected


@pytest.mark.parametrize("datatype", ["FP64", "INT64"])
@pytest.mark.parametrize(
    ("shape", "data", "path", "problem"),
    [
        ([3], [1, 2], "shape", "does not match the data, which has 2 values"),
        ([3], [1, 2, 3, 4], "shape", "does not match the data, which has 4 values"),
        ([2, 2], [1, 2, 3], "shape", "does not match the data, which has 3 values"),
        ([2, 2], [1, 2, 3, 4, 5], "shape", "does not match the data, which has 5 values"),
        ([2], [[1], [2]], "shape", "does not match the data"),
        ([2, 2], [[1, 2]], "shape", "does not match the data"),
        ([2, 2], [[1, 2], [3, 4], [5, 6]], "shape", "does not match the data"),
        ([2, 2], [[1, 2], [3]], "data[1]", "must be a list as long as the shape says"),
        ([2, 2], [[1, 2], [3, 4, 5]], "data[1]", "must be a list as long as the shape says"),
        ([2, 2], [[1, 2], 3], "data[1]", "must be a list as long as the shape says"),
        ([2, 1], [1, [2]], "data[0]", "must be a list as long as the shape says"),
        ([], [], "shape", "must be a list of one or two sizes, as in [1, 13]"),
        ([1, 1, 1], [1], "shape", "must be a list of one or two sizes, as in [1, 13]"),
        (1, [1], "shape", "must be a list of one or two sizes, as in [1, 13]"),
        ([-1], [], "shape", "must hold whole numbers that are not negative"),
        ([1.0], [1], "shape", "must hold whole numbers that are not negative"),
        ([True], [1], "shape", "must hold whole numbers that are not negative"),
        ([1], 1, "data", "must be a list"),
    ],
)
def test_a_shape_that_does_not_fit_the_data_is_named(
    datatype: str, shape: Any, data: Any, path: str, problem: str
) -> None:
    """It is the only problem."""
    problems = Problems()
    assert read_tensor(tensor(data, shape, datatype), "inputs[0]", problems, None) is None
    with pytest.raises(InvalidRequest) as caught:
        problems.raise_if_any()
    assert caught.value.problems == [(f"inputs[0].{path}", problem)]


@pytest.mark.parametrize("shape", [[2], [2, 1]])
def test_the_one_feature_is_a_column_of_its_name_or_a_matrix_of_another(shape: list[int]) -> None:
    """A column of another name is no feature, and of two features there is no such matrix."""
    request = read({"inputs": [tensor([1, 2], shape, name="x")]}, ONE)
    assert request.samples.numbers.tolist() == [1, 2]
    assert request.locate(1, "x") == "inputs[0].data[1]"
    if len(shape) == 2:
        request = read({"inputs": [tensor([1, 2], shape, name="any")]}, ONE)
        assert request.samples.numbers.tolist() == [1, 2]
    else:
        [problem] = problems_of({"inputs": [tensor([1, 2], shape, name="any")]}, ONE)
        assert problem.at == "inputs[0].name"
    [problem] = problems_of({"inputs": [tensor([1, 2], shape, name="any")]})
    assert problem.at == "inputs[0].name"


@pytest.mark.parametrize(("width", "is_valid"), [(0, False), (2, True), (3, False)])
def test_a_matrix_is_as_wide_as_the_model(width: int, is_valid: bool) -> None:
    """Neither narrower nor wider."""
    document = {"inputs": [tensor([1] * 2 * width, [2, width])]}
    if is_valid:
        assert read(document).samples.rows == 2
    else:
        assert problems_of(document) == [
            ("inputs[0].shape", "must be [samples, 2]: the model has 2 features")
        ]


@pytest.mark.parametrize("shape", [[1], [3], [3, 1]])
def test_columns_have_as_many_samples_as_the_first(shape: list[int]) -> None:
    """In one dimension or in two."""
    first, other = tensor([1, 2], [2], name="y"), tensor([1] * shape[0], shape, name="x")
    problem = "has another number of samples than the first"
    assert problems_of({"inputs": [first, other]}) == [("inputs[1].shape", problem)]
    same = tensor([3, 4], [2, 1], name="x")
    assert read({"inputs": [first, same]}).samples.numbers.tolist() == [3, 1, 4, 2]
    wide = tensor([1] * 4, [2, 2], name="x")
    [problem_of_width] = problems_of({"inputs": [first, wide]})
    assert problem_of_width.problem.startswith("must be [samples, 1] or [samples]")


@pytest.mark.parametrize(("length", "is_valid"), [(0, True), (1_024, True), (1_025, False)])
def test_an_id_is_no_longer_than_the_limit(length: int, is_valid: bool) -> None:
    """It is echoed in the response."""
    assert MAX_ID_CHARACTERS == 1_024
    document = {"id": "i" * length, "inputs": [tensor([1, 2], [1, 2])]}
    if is_valid:
        assert read(document).id == "i" * length
    else:
        assert problems_of(document) == [("id", "may have at most 1,024 characters")]
