"""The body of a request for inference in the Open Inference Protocol: tensors in, samples out.

The format: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from chalicelib.errors import BodyTooLarge
from chalicelib.inputs.columns import columns_to_rows, order_columns, within, within_columns
from chalicelib.inputs.problems import MAX_LISTED_PROBLEMS, Problems
from chalicelib.inputs.signature import Signature
from chalicelib.inputs.suggestions import did_you_mean
from chalicelib.protocols.open_inference.response import LABELS, PROBABILITIES
from chalicelib.protocols.open_inference.tensors import Tensor, check_parameters, read_tensor

# An id is repeated in the answer.
MAX_ID_CHARACTERS = 1024


class InferRequest(NamedTuple):
    """What a client asks for.

    Parameters
    ----------
    id : str or None
        What it calls the request.
    samples : list of list
        The samples by position.
    outputs : list of str
        Which of `LABELS` and `PROBABILITIES` to answer, in order.
    place : callable
        Says where in the request a place is that `chalicelib.samples` names.
    """

    id: str | None
    samples: list[list[Any]]
    outputs: list[str]
    place: Callable[[str], str]


def read_infer_request(document: object, signature: Signature, *, max_rows: int) -> InferRequest:
    """Read a request for inference.

    Parameters
    ----------
    document : object
        The JSON that was sent.
    signature : Signature
        What the model takes.
    max_rows : int
        The most samples that one request may hold.

    Returns
    -------
    InferRequest

    Raises
    ------
    InvalidRequest
        If it is not what the protocol or the model takes; with all the problems at once.
    BinaryTensors
        If the data of a tensor is not in the JSON.
    BodyTooLarge
        If there are more than `max_rows` samples.
    """
    problems = Problems()
    if not isinstance(document, dict):
        problems.add("", 'The body must be an object, as in {"inputs": [...]}')
        problems.raise_if_any()
    assert isinstance(document, dict)  # refused above
    request_id = _id(document.get("id"), problems)
    check_parameters(document, "parameters", problems)
    outputs = _outputs(document.get("outputs"), signature, problems)
    tensors = _tensors(document, signature, problems)
    problems.raise_if_any()
    if _is_matrix(tensors, signature):
        samples = _rows_of(tensors[0], signature, problems, max_rows=max_rows)
        place = within(f"{tensors[0].at}.data")
    else:
        samples = _rows_of_columns(tensors, signature, problems, max_rows=max_rows)
        at = {tensor.name: f"{tensor.at}.data" for tensor in tensors}
        place = within_columns("inputs", lambda name: at.get(name, f"inputs.{name}"))
    problems.raise_if_any()
    return InferRequest(request_id, samples, outputs, place)


def _id(sent: object, problems: Problems) -> str | None:
    if sent is None:
        return None
    if not isinstance(sent, str):
        problems.add("id", "must be text")
    elif len(sent) > MAX_ID_CHARACTERS:
        problems.add("id", f"may have at most {MAX_ID_CHARACTERS:,} characters")
    return str(sent) if isinstance(sent, str) else None


def _outputs(sent: object, signature: Signature, problems: Problems) -> list[str]:
    """Say which outputs to answer: those asked for, or all."""
    known = [LABELS, PROBABILITIES] if signature.has_probabilities else [LABELS]
    if sent is None or sent == []:
        return known
    if not isinstance(sent, list):
        problems.add("outputs", "must be a list")
        return known
    asked: list[str] = []
    for index, output in enumerate(sent):
        name = output.get("name") if isinstance(output, dict) else None
        if not isinstance(name, str):
            problems.add(f"outputs[{index}]", 'must be an object with a name, as {"name": ...}')
        elif name not in known:
            hint = "" if problems.list_is_full() else did_you_mean(name, known)
            problems.add(f"outputs[{index}].name", f"is not an output of this model{hint}")
        else:
            check_parameters(output, f"outputs[{index}].parameters", problems)
            asked.append(name)
    return list(dict.fromkeys(asked))


def _tensors(document: dict[str, Any], signature: Signature, problems: Problems) -> list[Tensor]:
    sent = document.get("inputs")
    if not isinstance(sent, list):
        problems.add("inputs", "is required" if sent is None else "must be a list")
        return []
    if not sent:
        problems.add("inputs", "holds no tensors")
    most = len(signature.features)
    if len(sent) > most + MAX_LISTED_PROBLEMS:  # then it would not help to name each that is wrong
        problems.add("inputs", f"holds {len(sent):,} tensors; the model takes at most {most}")
        return []
    read = (read_tensor(f"inputs[{index}]", tensor, problems) for index, tensor in enumerate(sent))
    return [tensor for tensor in read if tensor is not None]


def _is_matrix(tensors: list[Tensor], signature: Signature) -> bool:
    """Tell a matrix of all features from the column of one."""
    if len(tensors) != 1 or len(tensors[0].shape) != 2:
        return False
    width = tensors[0].shape[1]
    return width != 1 or (
        len(signature.features) == 1 and tensors[0].name not in signature.known_names
    )


def _rows_of(
    tensor: Tensor, signature: Signature, problems: Problems, *, max_rows: int
) -> list[list[Any]]:
    rows, width = tensor.shape
    takes = len(signature.features)
    if width != takes:
        problems.add(f"{tensor.at}.shape", f"must be [samples, {takes}]: the model's features")
        return []
    if rows > max_rows:
        raise BodyTooLarge("A batch", max_rows, "samples")
    values = tensor.values
    return [values[row * width : (row + 1) * width] for row in range(rows)]


def _rows_of_columns(
    tensors: list[Tensor], signature: Signature, problems: Problems, *, max_rows: int
) -> list[list[Any]]:
    order = order_columns(
        [tensor.name for tensor in tensors],
        signature,
        problems,
        lambda index: f"inputs[{index}].name",
        missing_at="inputs",
    )
    rows = tensors[0].shape[0]
    for tensor in tensors:
        if len(tensor.shape) == 2 and tensor.shape[1] != 1:
            says = "must be [samples, 1] or [samples]: the input of one feature"
            problems.add(f"{tensor.at}.shape", says)
        elif tensor.shape[0] != rows:
            problems.add(f"{tensor.at}.shape", "holds another number of samples than the first")
    problems.raise_if_any()
    return columns_to_rows([tensor.values for tensor in tensors], order, max_rows=max_rows)
