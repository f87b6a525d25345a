"""The Open Inference Protocol through the Chalice test client."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import inf, nextafter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chalicelib.inputs.problems import MAX_LISTED_PROBLEMS
from tests.support.app import App, Response
from tests.support.errors import problem_paths
from tests.support.models import WineModel
from tests.support.paths import ROOT
from training.registry import ModelRegistry

INFER = "/v2/models/wine/infer"
ONES = [1.0] * 13


def post(app: App, document: object, path: str = INFER) -> Response:
    """Post a request as tritonclient does: without a Content-Type."""
    return app.request("POST", path, json.dumps(document).encode(), headers={})


def tensor(data: Any, shape: list[Any], datatype: Any = "FP64", name: Any = "x") -> dict[str, Any]:
    """Return a tensor."""
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


def infer(app: App, *inputs: object, **fields: object) -> Response:
    """Post tensors."""
    return post(app, {"inputs": list(inputs), **fields})


def test_server_metadata_has_the_project_version(app: App) -> None:
    """The same as in pyproject.toml."""
    body = app.request("GET", "/v2").body
    assert body == {
        "name": "wine-classifier",
        "version": "0.1.0",
        "extensions": ["binary_tensor_data"],
    }
    pyproject = (ROOT / "pyproject.toml").read_text()
    assert f'version = "{body["version"]}"' in pyproject


def test_the_server_has_the_name_that_is_configured(start_app: Callable[..., App]) -> None:
    """Without a model too."""
    app = start_app(MODEL_NAME="churn")
    assert app.request("GET", "/v2").body["name"] == "churn"


def test_health_has_the_fields_that_clients_read(app: App) -> None:
    """`live` for liveness, `live` and `ready` for readiness."""
    assert app.request("GET", "/v2/health/live").body == {"live": True}
    ready = app.request("GET", "/v2/health/ready").body
    assert (ready["live"], ready["ready"]) == (True, True)


def test_without_a_model_it_is_live_but_not_ready(
    start_app: Callable[..., App], tmp_path: Path
) -> None:
    """Only routes that need no model succeed."""
    app = start_app(MODEL_URL=tmp_path.as_uri())
    assert app.request("GET", "/v2").status == 200
    assert app.request("GET", "/v2/health/live").status == 200
    for path in ("/v2/health/ready", "/v2/models/wine", "/v2/models/wine/ready"):
        response = app.request("GET", path)
        assert (response.status, "error" in response.body) == (503, True)
    assert post(app, {}).status == 503


def test_model_metadata_is_served_with_and_without_a_version(app: App, trained: WineModel) -> None:
    """Its input matrix and its outputs."""
    version = trained.built.version
    expected = {
        "name": "wine",
        "versions": [version],
        "platform": "onnxruntime_onnx",
        "inputs": [{"name": "input", "datatype": "FP64", "shape": [-1, 13]}],
        "outputs": [
            {"name": "predict", "datatype": "BYTES", "shape": [-1]},
            {"name": "predict_proba", "datatype": "FP64", "shape": [-1, 3]},
        ],
    }
    for path in ("/v2/models/wine", f"/v2/models/wine/versions/{version}"):
        assert app.request("GET", path).body == expected
        assert app.request("GET", f"{path}/ready").body == {"name": "wine", "ready": True}


def test_a_matrix_equals_scikit_learn(
    app: App, trained: WineModel, wines: list[list[float]]
) -> None:
    """Flat and nested, with and without a version; the id is echoed."""
    flat = [value for row in wines for value in row]
    paths = [INFER, f"/v2/models/wine/versions/{trained.built.version}/infer"]
    bodies = [
        post(app, {"id": "7", "inputs": [tensor(data, [3, 13])]}, path).body
        for data in (flat, wines)
        for path in paths
    ]
    assert all(body == bodies[0] for body in bodies)
    assert bodies[0].keys() == {"model_name", "model_version", "id", "outputs"}
    assert (bodies[0]["model_name"], bodies[0]["id"]) == ("wine", "7")
    assert bodies[0]["model_version"] == trained.built.version
    labels, probabilities = bodies[0]["outputs"]
    expected = [str(label) for label in trained.estimator.predict(wines)]
    assert labels == {"name": "predict", "shape": [3], "datatype": "BYTES", "data": expected}
    assert (probabilities["shape"], probabilities["datatype"]) == ([3, 3], "FP64")
    np.testing.assert_allclose(
        np.reshape(probabilities["data"], (3, 3)), trained.estimator.predict_proba(wines), atol=1e-5
    )


@pytest.mark.parametrize("nested", [False, True])
def test_the_order_of_columns_does_not_matter(
    app: App, trained: WineModel, wines: list[list[float]], nested: bool
) -> None:
    """One input per feature, of shape [n] or [n, 1]."""
    columns = dict(zip(trained.dataset.feature_names, zip(*wines, strict=True), strict=True))
    inputs = [
        tensor([[v] for v in column] if nested else list(column), [3, 1] if nested else [3], name=n)
        for n, column in reversed(columns.items())
    ]
    assert infer(app, *inputs).body == infer(app, tensor(wines, [3, 13])).body


def test_an_optional_feature_may_be_absent_or_null(app: App) -> None:
    """The same as in `/classify`."""
    alone = infer(app, tensor([13.0], [1], name="alcohol"))
    assert alone.status == 200
    assert infer(app, tensor([13.0] + [None] * 12, [1, 13])).body == alone.body


@pytest.mark.parametrize(
    "datatype",
    ["FP16", "FP32", "FP64", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32"],
)
def test_every_numeric_datatype_is_supported(app: App, datatype: str) -> None:
    """With whole numbers, which all of them hold."""
    assert infer(app, tensor([1] * 13, [1, 13], datatype)).status == 200


LIMITS = {
    "INT8": (-128, 127),
    "INT16": (-32_768, 32_767),
    "INT32": (-2_147_483_648, 2_147_483_647),
    "INT64": (-9_223_372_036_854_775_808, 9_223_372_036_854_775_807),
    "UINT8": (0, 255),
    "UINT16": (0, 65_535),
    "UINT32": (0, 4_294_967_295),
    "UINT64": (0, 18_446_744_073_709_551_615),
    "FP16": (-65_504.0, 65_504.0),
    "FP32": (-3.4028234663852886e38, 3.4028234663852886e38),
}


@pytest.mark.parametrize(("datatype", "limits"), LIMITS.items(), ids=list(LIMITS))
@pytest.mark.parametrize("missing", [False, True])
def test_numbers_are_in_the_range_of_their_datatype(
    app: App, datatype: str, limits: tuple[float, float], missing: bool
) -> None:
    """Both ends are; what is beyond one of them is not, beside missing values too."""
    others = [None if missing else 1] * 12
    for limit, step in zip(limits, (-1, 1), strict=True):
        beyond = limit + step if isinstance(limit, int) else nextafter(limit, step * inf)
        assert infer(app, tensor([limit, *others], [1, 13], datatype)).status == 200
        response = infer(app, tensor([beyond, *others], [1, 13], datatype))
        problem = {"at": "inputs[0].data[0]", "problem": f"is out of the range of {datatype}"}
        assert (response.status, response.body["problems"]) == (422, [problem])


@pytest.mark.parametrize(
    ("datatype", "value", "problem"),
    [
        ("INT8", 1.5, "must be a whole number, as the datatype is INT8"),
        ("INT8", True, "must be a number, as the datatype is INT8"),
        ("FP64", "1", "must be a number, as the datatype is FP64"),
        ("BOOL", 1, "must be true or false, as the datatype is BOOL"),
        ("BYTES", 1, "must be text, as the datatype is BYTES"),
    ],
)
def test_a_value_must_be_of_its_datatype(
    app: App, datatype: str, value: object, problem: str
) -> None:
    """Only the values that are not are named."""
    usual = {"BOOL": True, "BYTES": "x"}.get(datatype, 2)
    response = infer(app, tensor([usual, value, None, usual], [4], datatype, "ash"))
    assert response.body["problems"] == [{"at": "inputs[0].data[1]", "problem": problem}]


def test_only_requested_outputs_are_returned(app: App) -> None:
    """In the requested order; all by default."""
    one = tensor([1] * 13, [1, 13])

    def names(*outputs: str) -> list[str]:
        requested = [{"name": name, "parameters": {"binary_data": False}} for name in outputs]
        return [output["name"] for output in infer(app, one, outputs=requested).body["outputs"]]

    assert names("predict") == ["predict"]
    assert names("predict_proba", "predict") == ["predict_proba", "predict"]
    assert names() == ["predict", "predict_proba"]


def test_a_mixed_table_has_one_input_per_feature(mixed_app: App) -> None:
    """With the datatype of its kind."""
    described = mixed_app.request("GET", "/v2/models/mixed").body["inputs"]
    datatypes = {column["name"]: column["datatype"] for column in described}
    assert datatypes == {"size": "FP64", "count": "INT64", "old": "BOOL", "colour": "BYTES"}
    assert [column["shape"] for column in described] == [[-1, 1]] * 4
    columns = {"size": [0.1, 3.0], "count": [1, 4], "old": [True, False], "colour": ["red"] * 2}
    inputs = [tensor(columns[name], [2, 1], datatypes[name], name) for name in columns]
    response = post(mixed_app, {"inputs": inputs}, "/v2/models/mixed/infer")
    assert response.body["outputs"][0]["data"] == ["no", "yes"]


def test_a_matrix_is_the_only_input(app: App) -> None:
    """Beside another input it is a column, of a feature that does not exist."""
    inputs = [tensor(ONES * 2, [2, 13]), tensor([1, 1], [2], name="ash")]
    response = post(app, {"inputs": inputs})
    assert response.status == 422
    assert problem_paths(response) == ["inputs[0].name", "inputs[0].shape"]


@pytest.mark.parametrize(
    ("document", "problem"),
    [({}, "is required"), ({"inputs": None}, "is required"), ({"inputs": 1}, "must be a list")],
)
def test_inputs_are_a_list(app: App, document: object, problem: str) -> None:
    """Without them there is nothing to classify."""
    response = post(app, document)
    assert response.status == 422
    assert response.body["problems"] == [{"at": "inputs", "problem": problem}]


def test_values_after_a_missing_one_are_checked(app: App) -> None:
    """Null is a value of every datatype."""
    response = infer(app, tensor([None, "x", None, True], [4], name="ash"))
    assert problem_paths(response) == ["inputs[0].data[1]", "inputs[0].data[3]"]


def test_inputs_of_other_names_are_each_named_if_they_are_few(app: App) -> None:
    """As many as a response lists, beside those of the model."""
    maximum = 13 + MAX_LISTED_PROBLEMS
    for count, paths in ((maximum, ["inputs[0].name"]), (maximum + 1, ["inputs"])):
        response = infer(app, *[tensor([1.0], [1], name=f"column {i}") for i in range(count)])
        assert response.status == 422
        assert problem_paths(response)[:1] == paths


def test_a_column_of_another_name_is_no_matrix(app: App) -> None:
    """The model has more than one feature."""
    response = infer(app, tensor([1.0, 2.0], [2, 1], name="asch"))
    assert response.status == 422
    assert problem_paths(response) == ["inputs[0].name"]


def test_problems_have_the_path_of_the_input(mixed_app: App) -> None:
    """Not of the sample that it is transposed to."""
    inputs = [
        tensor([0.1, 3.0], [2], name="size"),
        tensor(["red", "rde"], [2], "BYTES", "colour"),
        tensor([True, True], [2], "BOOL", "old"),
        tensor([1.0, 1.5], [2], "FP64", "count"),
    ]
    response = post(mixed_app, {"inputs": inputs}, "/v2/models/mixed/infer")
    assert sorted(problem_paths(response)) == ["inputs[1].data[1]", "inputs[3].data[1]"]
    response = post(mixed_app, {"inputs": inputs[:2]}, "/v2/models/mixed/infer")
    assert problem_paths(response) == ["inputs.count", "inputs.old"]


def test_more_rows_than_allowed_is_a_413(
    start_app: Callable[..., App], wine_store: ModelRegistry
) -> None:
    """As a matrix and as columns."""
    app = start_app(MODEL_URL=wine_store.url, MODEL_MAX_ROWS="3")
    assert infer(app, tensor(ONES * 3, [3, 13])).status == 200
    assert infer(app, tensor(ONES * 4, [4, 13])).status == 413
    assert infer(app, tensor(ONES[:4], [4], name="ash")).status == 413
