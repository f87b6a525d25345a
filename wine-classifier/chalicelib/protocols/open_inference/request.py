"""The body of an inference request: tensors to samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib.inputs.columns import order_columns, read_columns
from chalicelib.inputs.problems import (
    MAX_LISTED_PROBLEMS,
    Locate,
    Problems,
    locate_in_columns,
    locate_in_rows,
    member_path,
)
from chalicelib.inputs.samples import Samples
from chalicelib.inputs.signature import Signature
from chalicelib.inputs.values import Column
from chalicelib.named_tuple import NamedTuple
from chalicelib.protocols.open_inference.response import LABELS, PROBABILITIES
from chalicelib.protocols.open_inference.tensors import Tensor, check_parameters, read_tensor

if TYPE_CHECKING:
    from chalicelib.protocols.open_inference.binary import BinaryData

# The id is echoed in the response.
MAX_ID_CHARACTERS = 1024


class InferRequest(NamedTuple):
    """An inference request.

    Parameters
    ----------
    id : str or None
    samples : Samples
    outputs : dict of str to bool
        Requested outputs, `LABELS` or `PROBABILITIES`, in order, and whether as bytes.
    locate : Locate
        Returns the path of a value in the request.
    """

    id: str | None
    samples: Samples
    outputs: dict[str, bool]
    locate: Locate


def read_infer_request(
    document: object, signature: Signature, *, max_rows: int, data: BinaryData | None = None
) -> InferRequest:
    """Parse the body: its JSON, and the bytes that follow if it has some.

    Raises
    ------
    InvalidRequest
        If it does not fit the protocol or the model; lists all problems.
    TooManySamples
    """
    problems = Problems()
    if not isinstance(document, dict):
        problems.add("", 'The body must be an object, as in {"inputs": [...]}')
        problems.raise_if_any()
    assert isinstance(document, dict)  # rejected above
    request_id = _read_id(document.get("id"), problems)
    check_parameters(document, "parameters", problems)
    outputs = _read_outputs(document, signature, problems)
    tensors = _read_tensors(document.get("inputs"), signature, problems, data)
    problems.raise_if_any()
    read = _read_matrix if _is_matrix(tensors, signature) else _read_inputs
    samples, locate = read(tensors, signature, max_rows=max_rows)
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


def _read_outputs(
    document: dict[str, Any], signature: Signature, problems: Problems
) -> dict[str, bool]:
    """Return the names of the requested outputs, of all by default, and whether as bytes."""
    known = [LABELS, PROBABILITIES] if signature.has_probabilities else [LABELS]
    default = _read_flag(document, "", "binary_data_output", False, problems)
    value = document.get("outputs")
    if value is None or value == []:
        return dict.fromkeys(known, default)
    if not isinstance(value, list):
        problems.add("outputs", "must be a list")
        return {}
    outputs: dict[str, bool] = {}
    for index, output in enumerate(value):
        path = f"outputs[{index}]"
        name = output.get("name") if isinstance(output, dict) else None
        if not isinstance(name, str):
            problems.add(path, 'must be an object with a name, as {"name": ...}')
        elif name not in known:
            problems.add_unknown(f"{path}.name", name, known, "is not an output of this model")
        else:
            check_parameters(output, f"{path}.parameters", problems)
            outputs[name] = _read_flag(output, path, "binary_data", default, problems)
    return outputs


def _read_flag(
    owner: dict[str, Any], path: str, name: str, default: bool, problems: Problems
) -> bool:
    """Return a parameter that is true or false."""
    parameters = owner.get("parameters")
    if not isinstance(parameters, dict) or name not in parameters:
        return default
    if not isinstance(parameters[name], bool):
        problems.add(member_path(path, f"parameters.{name}"), "must be true or false")
    return parameters[name] is True


def _read_tensors(
    value: object, signature: Signature, problems: Problems, data: BinaryData | None
) -> list[Tensor]:
    if not isinstance(value, list):
        problems.add("inputs", "is required" if value is None else "must be a list")
        return []
    if not value:
        problems.add("inputs", "has no tensors")
    maximum = len(signature.features)
    if len(value) > maximum + MAX_LISTED_PROBLEMS:  # too many to report each
        problems.add("inputs", f"has {len(value):,} tensors; the model takes at most {maximum}")
        return []
    tensors = [
        read_tensor(tensor, f"inputs[{index}]", problems, data)
        for index, tensor in enumerate(value)
    ]
    found = [tensor for tensor in tensors if tensor is not None]
    if data is not None and len(found) == len(tensors):
        data.check_end(problems)
    return found


def _is_matrix(tensors: list[Tensor], signature: Signature) -> bool:
    """Check for a matrix of all features, as opposed to the column of one."""
    if len(tensors) != 1 or len(tensors[0].shape) != 2:
        return False
    width = tensors[0].shape[1]
    return width != 1 or (
        len(signature.features) == 1 and tensors[0].name not in signature.known_names
    )


def _read_matrix(
    tensors: list[Tensor], signature: Signature, *, max_rows: int
) -> tuple[Samples, Locate]:
    """Read the samples of the one tensor that holds all features."""
    tensor, problems = tensors[0], Problems()
    rows, width = tensor.shape
    expected = len(signature.features)
    if width != expected:
        problem = f"must be [samples, {expected}]: the model has {expected} features"
        problems.add(f"{tensor.path}.shape", problem)
        problems.raise_if_any()
    locate = locate_in_rows(f"{tensor.path}.data")
    if signature.is_unconstrained:
        from chalicelib.inputs.matrix import read_matrix

        return read_matrix(tensor.column, signature, locate, rows=rows, max_rows=max_rows), locate
    values = tensor.column.values
    columns = [Column(values[index::width]) for index in range(width)]
    order = [*range(width)]
    return read_columns(columns, order, signature, locate, rows=rows, max_rows=max_rows), locate


def _read_inputs(
    tensors: list[Tensor], signature: Signature, *, max_rows: int
) -> tuple[Samples, Locate]:
    """Read the samples of tensors that hold a feature each."""
    problems = Problems()
    order = order_columns(
        [tensor.name for tensor in tensors],
        signature,
        problems,
        path="inputs",
        name_path=lambda index: f"inputs[{index}].name",
    )
    rows = tensors[0].shape[0]
    for tensor in tensors:
        if len(tensor.shape) == 2 and tensor.shape[1] != 1:
            problem = "must be [samples, 1] or [samples]: the input of one feature"
            problems.add(f"{tensor.path}.shape", problem)
        elif tensor.shape[0] != rows:
            problems.add(f"{tensor.path}.shape", "has another number of samples than the first")
    problems.raise_if_any()
    paths = {tensor.name: f"{tensor.path}.data" for tensor in tensors}
    locate = locate_in_columns("inputs", lambda name: paths.get(name, member_path("inputs", name)))
    columns = [tensor.column for tensor in tensors]
    return read_columns(columns, order, signature, locate, rows=rows, max_rows=max_rows), locate
