"""The Open Inference Protocol's documents: tensors to samples, predictions to tensors.

The format: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import chain
from typing import Any, NamedTuple

from chalicelib.classification import probability_rows
from chalicelib.columns import order_columns, transposed, within, within_columns
from chalicelib.errors import BinaryTensors, Problems
from chalicelib.manifest import Manifest
from chalicelib.model import Prediction
from chalicelib.names import did_you_mean
from chalicelib.signature import Feature, Signature

LABELS = "predict"
PROBABILITIES = "predict_proba"

# The name of the one input of a model that takes a matrix; a request may name it as it likes.
MATRIX = "input"

# An id is repeated in the answer.
MAX_ID_CHARACTERS = 1024

_FLOATS = {"FP16": 65504.0, "FP32": 3.4028234663852886e38, "FP64": 1.7976931348623157e308}
_INTEGERS = {
    **{f"INT{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)},
}
DATATYPES = ("BOOL", "BYTES", *_FLOATS, *_INTEGERS)
_DATATYPE_OF_KIND = {"numeric": "FP64", "integer": "INT64", "boolean": "BOOL"}
_PLATFORMS = {"onnx": "onnxruntime_onnx", "sklearn": "sklearn"}


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


class _Tensor(NamedTuple):
    at: str
    name: str
    shape: list[int]
    values: list[Any]


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
        document = {"inputs": [{}]}
    request_id = _id(document.get("id"), problems)
    _check_parameters(document, "parameters", problems)
    outputs = _outputs(document.get("outputs"), signature, problems)
    tensors = _tensors(document, problems)
    problems.raise_if_any()
    if _is_matrix(tensors, signature):
        samples = _rows_of(tensors[0], signature, problems)
        place = within(f"{tensors[0].at}.data")
    else:
        samples = _rows_of_columns(tensors, signature, problems, max_rows=max_rows)
        at = {tensor.name: f"{tensor.at}.data" for tensor in tensors}
        place = within_columns("inputs", lambda name: at.get(name, f"inputs.{name}"))
    problems.raise_if_any()
    return InferRequest(request_id, samples, outputs, place)


def infer_response(
    request: InferRequest, prediction: Prediction, manifest: Manifest
) -> dict[str, Any]:
    """Answer a request for inference.

    Parameters
    ----------
    request : InferRequest
        What was asked for.
    prediction : Prediction
        The answer.
    manifest : Manifest
        What answered.

    Returns
    -------
    dict
    """
    rows = len(prediction.labels)
    outputs = []
    for name in request.outputs:
        if name == LABELS:
            tensor = {"shape": [rows], "datatype": "BYTES", "data": prediction.labels}
        else:
            probabilities = probability_rows(prediction, manifest.signature)
            shape = [rows, len(manifest.signature.classes)]
            data = list(chain.from_iterable(probabilities))
            tensor = {"shape": shape, "datatype": "FP64", "data": data}
        outputs.append({"name": name, **tensor})
    answer: dict[str, Any] = {"model_name": manifest.name, "model_version": manifest.version}
    if request.id is not None:
        answer["id"] = request.id
    return answer | {"outputs": outputs}


def model_metadata(manifest: Manifest) -> dict[str, Any]:
    """Describe a model in the protocol's words.

    Parameters
    ----------
    manifest : Manifest
        What the model says of itself.

    Returns
    -------
    dict
        With a matrix as its input if every feature is a number, else an input for each feature.
    """
    signature = manifest.signature
    if signature.takes_only_numeric:
        inputs = [{"name": MATRIX, "datatype": "FP64", "shape": [-1, len(signature.features)]}]
    else:
        inputs = [
            {"name": feature.name, "datatype": _datatype(feature), "shape": [-1, 1]}
            for feature in signature.features
        ]
    outputs = [{"name": LABELS, "datatype": "BYTES", "shape": [-1]}]
    if signature.has_probabilities:
        shape = [-1, len(signature.classes)]
        outputs.append({"name": PROBABILITIES, "datatype": "FP64", "shape": shape})
    return {
        "name": manifest.name,
        "versions": [manifest.version],
        "platform": _PLATFORMS.get(manifest.runtime, manifest.runtime),
        "inputs": inputs,
        "outputs": outputs,
    }


def _datatype(feature: Feature) -> str:
    return _DATATYPE_OF_KIND.get(feature.kind, "BYTES")


def _id(sent: object, problems: Problems) -> str | None:
    if sent is None:
        return None
    if not isinstance(sent, str):
        problems.add("id", "must be text")
    elif len(sent) > MAX_ID_CHARACTERS:
        problems.add("id", f"may have at most {MAX_ID_CHARACTERS:,} characters")
    return str(sent) if isinstance(sent, str) else None


def _check_parameters(holder: dict[str, Any], at: str, problems: Problems) -> None:
    if not isinstance(holder.get("parameters"), dict | None):
        problems.add(at, "must be an object")


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
            _check_parameters(output, f"outputs[{index}].parameters", problems)
            asked.append(name)
    return list(dict.fromkeys(asked))


def _tensors(document: dict[str, Any], problems: Problems) -> list[_Tensor]:
    sent = document.get("inputs")
    if not isinstance(sent, list):
        problems.add("inputs", "is required" if sent is None else "must be a list")
        return []
    if not sent:
        problems.add("inputs", "holds no tensors")
    read = (_tensor(f"inputs[{index}]", tensor, problems) for index, tensor in enumerate(sent))
    return [tensor for tensor in read if tensor is not None]


def _tensor(at: str, sent: object, problems: Problems) -> _Tensor | None:
    """Read a tensor, or note all that is wrong with it."""
    if not isinstance(sent, dict):
        problems.add(at, "must be an object")
        return None
    _check_parameters(sent, f"{at}.parameters", problems)
    if "data" not in sent and "binary_data_size" in (sent.get("parameters") or {}):
        raise BinaryTensors
    name, datatype = sent.get("name"), sent.get("datatype")
    if not isinstance(name, str):
        problems.add(f"{at}.name", "must be text")
    if not isinstance(datatype, str) or datatype not in DATATYPES:
        may_hint = isinstance(datatype, str) and not problems.list_is_full()
        hint = did_you_mean(str(datatype), DATATYPES) if may_hint else ""
        problems.add(f"{at}.datatype", f"must be one of {', '.join(DATATYPES)}{hint}")
        datatype = None
    shape = _shape(at, sent.get("shape"), problems)
    data = sent.get("data")
    if not isinstance(data, list):
        problems.add(f"{at}.data", "must be a list")
        return None
    values = data if shape is None else _flat(at, data, shape, problems)
    if values is not None and datatype is not None:
        _check_values(f"{at}.data", values, datatype, problems)
    if shape is None or values is None or not isinstance(name, str):
        return None
    return _Tensor(at, name, shape, values)


def _shape(at: str, sent: object, problems: Problems) -> list[int] | None:
    if not (isinstance(sent, list) and len(sent) in (1, 2)):
        problems.add(f"{at}.shape", "must be a list of one or two sizes, as in [1, 13]")
        return None
    if not all(type(size) is int and size >= 0 for size in sent):
        problems.add(f"{at}.shape", "must hold whole numbers, none of them negative")
        return None
    return sent


def _flat(at: str, data: list[Any], shape: list[int], problems: Problems) -> list[Any] | None:
    """Give the values of a tensor one after another, whether they came nested or flat."""
    values = data
    if any(isinstance(row, list) for row in data):
        if len(shape) != 2 or len(data) != shape[0]:
            problems.add(f"{at}.shape", "does not agree with the data")
            return None
        for index, row in enumerate(data):
            if not isinstance(row, list) or len(row) != shape[1]:
                problems.add(f"{at}.data[{index}]", "must be a list as long as the shape says")
                return None
        values = [value for row in data for value in row]
    if len(values) != math.prod(shape):
        problems.add(f"{at}.shape", f"does not agree with the data, which is {len(values)} values")
        return None
    return values


def _check_values(at: str, values: list[Any], datatype: str, problems: Problems) -> None:
    """Note each value that is not of the datatype; null is a missing value of any."""
    if datatype in ("BOOL", "BYTES"):
        kind, says = (bool, "true or false") if datatype == "BOOL" else (str, "text")
        for index, value in enumerate(values):
            if value is not None and type(value) is not kind:
                problems.add(f"{at}[{index}]", f"must be {says}, as the datatype is {datatype}")
        return
    least, most = _INTEGERS.get(datatype) or (-_FLOATS[datatype], _FLOATS[datatype])
    whole = datatype in _INTEGERS
    for index, value in enumerate(values):
        if value is None:
            continue
        if type(value) is not int and type(value) is not float:
            problems.add(f"{at}[{index}]", f"must be a number, as the datatype is {datatype}")
        elif not least <= value <= most:
            problems.add(f"{at}[{index}]", f"is out of the range of {datatype}")
        elif whole and value != int(value):
            problems.add(f"{at}[{index}]", f"must be a whole number, as the datatype is {datatype}")


def _is_matrix(tensors: list[_Tensor], signature: Signature) -> bool:
    """Tell a matrix of all features from the column of one."""
    if len(tensors) != 1 or len(tensors[0].shape) != 2:
        return False
    width = tensors[0].shape[1]
    return width != 1 or (
        len(signature.features) == 1 and tensors[0].name not in signature.known_names
    )


def _rows_of(tensor: _Tensor, signature: Signature, problems: Problems) -> list[list[Any]]:
    rows, width = tensor.shape
    takes = len(signature.features)
    if width != takes:
        problems.add(f"{tensor.at}.shape", f"must be [samples, {takes}]: the model's features")
        return []
    values = tensor.values
    return [values[row * width : (row + 1) * width] for row in range(rows)]


def _rows_of_columns(
    tensors: list[_Tensor], signature: Signature, problems: Problems, *, max_rows: int
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
    return transposed([tensor.values for tensor in tensors], order, max_rows=max_rows)
