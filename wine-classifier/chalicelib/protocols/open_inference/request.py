"""The body of an inference request: tensors to rows."""

from __future__ import annotations

from typing import Any, NamedTuple

from chalicelib.inputs.columns import columns_to_rows, order_columns
from chalicelib.inputs.problems import (
    MAX_LISTED_PROBLEMS,
    Locate,
    Problems,
    locate_in_columns,
    locate_in_rows,
    member_path,
)
from chalicelib.inputs.samples import check_row_count
from chalicelib.inputs.signature import Signature
from chalicelib.protocols.open_inference.response import LABELS, PROBABILITIES
from chalicelib.protocols.open_inference.tensors import Tensor, check_parameters, read_tensor

# The id is echoed in the response.
MAX_ID_CHARACTERS = 1024


class InferRequest(NamedTuple):
    """An inference request.

    Parameters
    ----------
    id : str or None
    samples : list of list
        Shape (samples, features), not parsed yet.
    outputs : list of str
        Requested outputs, `LABELS` or `PROBABILITIES`, in order.
    locate : Locate
        Returns the path of a value in the request.
    """

    id: str | None
    samples: list[list[Any]]
    outputs: list[str]
    locate: Locate


def read_infer_request(document: object, signature: Signature, *, max_rows: int) -> InferRequest:
    """Parse the body.

    Raises
    ------
    InvalidRequest
        If it does not fit the protocol or the model; lists all problems.
    BinaryTensors
        If the data of a tensor is not in the JSON.
    TooManySamples
    """
    problems = Problems()
    if not isinstance(document, dict):
        problems.add("", 'The body must be an object, as in {"inputs": [...]}')
        problems.raise_if_any()
    assert isinstance(document, dict)  # rejected above
    request_id = _read_id(document.get("id"), problems)
    check_parameters(document, "parameters", problems)
    outputs = _read_outputs(document.get("outputs"), signature, problems)
    tensors = _read_tensors(document.get("inputs"), signature, problems)
    problems.raise_if_any()
    if _is_matrix(tensors, signature):
        samples = _matrix_to_rows(tensors[0], signature, problems, max_rows=max_rows)
        locate = locate_in_rows(f"{tensors[0].path}.data")
    else:
        samples = _tensors_to_rows(tensors, signature, problems, max_rows=max_rows)
        paths = {tensor.name: f"{tensor.path}.data" for tensor in tensors}
        locate = locate_in_columns(
            "inputs", lambda name: paths.get(name, member_path("inputs", name))
        )
    problems.raise_if_any()
    return InferRequest(request_id, samples, outputs, locate)


def _read_id(value: object, problems: Problems) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        problems.add("id", "must be text")
        return None
    if len(value) > MAX_ID_CHARACTERS:
        problems.add("id", f"may have at most {MAX_ID_CHARACTERS:,} characters")
    return value


def _read_outputs(value: object, signature: Signature, problems: Problems) -> list[str]:
    """Return the names of the requested outputs; of all outputs by default."""
    known = [LABELS, PROBABILITIES] if signature.has_probabilities else [LABELS]
    if value is None or value == []:
        return known
    if not isinstance(value, list):
        problems.add("outputs", "must be a list")
        return known
    names: list[str] = []
    for index, output in enumerate(value):
        path = f"outputs[{index}]"
        name = output.get("name") if isinstance(output, dict) else None
        if not isinstance(name, str):
            problems.add(path, 'must be an object with a name, as {"name": ...}')
        elif name not in known:
            problems.add_unknown(f"{path}.name", name, known, "is not an output of this model")
        else:
            check_parameters(output, f"{path}.parameters", problems)
            names.append(name)
    return list(dict.fromkeys(names))


def _read_tensors(value: object, signature: Signature, problems: Problems) -> list[Tensor]:
    if not isinstance(value, list):
        problems.add("inputs", "is required" if value is None else "must be a list")
        return []
    if not value:
        problems.add("inputs", "has no tensors")
    maximum = len(signature.features)
    if len(value) > maximum + MAX_LISTED_PROBLEMS:  # too many to report each
        problems.add("inputs", f"has {len(value):,} tensors; the model takes at most {maximum}")
        return []
    tensors = (
        read_tensor(tensor, f"inputs[{index}]", problems) for index, tensor in enumerate(value)
    )
    return [tensor for tensor in tensors if tensor is not None]


def _is_matrix(tensors: list[Tensor], signature: Signature) -> bool:
    """Check for a matrix of all features, as opposed to the column of one."""
    if len(tensors) != 1 or len(tensors[0].shape) != 2:
        return False
    width = tensors[0].shape[1]
    return width != 1 or (
        len(signature.features) == 1 and tensors[0].name not in signature.known_names
    )


def _matrix_to_rows(
    tensor: Tensor, signature: Signature, problems: Problems, *, max_rows: int
) -> list[list[Any]]:
    row_count, width = tensor.shape
    expected = len(signature.features)
    if width != expected:
        problem = f"must be [samples, {expected}]: the model has {expected} features"
        problems.add(f"{tensor.path}.shape", problem)
        return []
    check_row_count(row_count, max_rows)
    values = tensor.values
    return [values[row * width : (row + 1) * width] for row in range(row_count)]


def _tensors_to_rows(
    tensors: list[Tensor], signature: Signature, problems: Problems, *, max_rows: int
) -> list[list[Any]]:
    order = order_columns(
        [tensor.name for tensor in tensors],
        signature,
        problems,
        path="inputs",
        name_path=lambda index: f"inputs[{index}].name",
    )
    row_count = tensors[0].shape[0]
    for tensor in tensors:
        if len(tensor.shape) == 2 and tensor.shape[1] != 1:
            problem = "must be [samples, 1] or [samples]: the input of one feature"
            problems.add(f"{tensor.path}.shape", problem)
        elif tensor.shape[0] != row_count:
            problems.add(f"{tensor.path}.shape", "has another number of samples than the first")
    problems.raise_if_any()
    return columns_to_rows([tensor.values for tensor in tensors], order, max_rows=max_rows)
