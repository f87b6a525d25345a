"""The other protocols with bodies that hypothesis makes up."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.app import App, Response
from tests.support.errors import is_error

NAMES = ("alcohol", "ash", "hue", "alcohl")

many = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(NAMES)
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=3) | st.sampled_from(NAMES), inner, max_size=3)
    ),
    max_leaves=8,
)
names = st.sampled_from(NAMES) | anything
values = st.lists(scalars | st.lists(scalars, max_size=3), max_size=4) | anything
tensors = st.fixed_dictionaries(
    {
        "name": names,
        "shape": st.lists(st.integers(-2, 4), max_size=3) | st.just([1, 13]) | anything,
        "datatype": st.sampled_from(["FP64", "FP32", "INT8", "UINT64", "BOOL", "BYTES"]) | anything,
        "data": st.lists(scalars, min_size=13, max_size=13) | values,
    },
    optional={"parameters": anything},
)
infer_requests = st.fixed_dictionaries(
    {"inputs": st.lists(tensors | anything, max_size=3) | anything},
    optional={
        "id": anything,
        "parameters": anything,
        "outputs": anything | st.lists(st.fixed_dictionaries({"name": names}), max_size=2),
    },
)
forms = st.sampled_from(["dataframe_split", "dataframe_records", "instances", "inputs", "params"])
splits = st.fixed_dictionaries(
    {"columns": st.lists(names, max_size=3) | anything, "data": st.lists(values) | anything},
    optional={"index": anything},
)
columns = st.dictionaries(st.sampled_from(NAMES), values, max_size=3)
invocations = st.dictionaries(forms, splits | columns | values, max_size=2) | values
cells = st.sampled_from([*NAMES, "1", "-.5", "", '"', "1e999", "nan", "true"]) | st.text(max_size=3)
tables = st.lists(st.lists(cells, max_size=4).map(",".join), max_size=4).map("\n".join)


def assert_handled(response: Response) -> None:
    """Check for a success, or a 4xx with the error shape."""
    assert response.status in (200, 400, 422), response
    assert response.status == 200 or is_error(response.body)


@many
@given(infer_requests | anything)
def test_random_tensors_never_cause_a_500(app: App, document: object) -> None:
    """Tensors of any name, shape, datatype and data."""
    assert_handled(app.request("POST", "/v2/models/wine/infer", json.dumps(document).encode()))


@many
@given(invocations | anything)
def test_random_invocations_never_cause_a_500(app: App, document: object) -> None:
    """Every format, with any values."""
    assert_handled(app.request("POST", "/invocations", json.dumps(document).encode()))


@many
@given(tables | st.text())
def test_random_csv_never_causes_a_500(app: App, text: str) -> None:
    """Tables of any cells."""
    headers = {"Content-Type": "text/csv"}
    assert_handled(app.request("POST", "/invocations", text.encode(), headers))


@many
@given(st.sampled_from(["/v2/models/wine/infer", "/invocations"]), st.binary())
def test_random_bytes_never_cause_a_500(app: App, path: str, body: bytes) -> None:
    """Hardly any of them are JSON."""
    assert_handled(app.request("POST", path, body))


@many
@given(
    st.lists(st.tuples(st.floats(0, 1e6), st.none() | st.floats(0, 1e6)), min_size=1, max_size=4)
)
def test_every_format_gives_the_same_labels(
    app: App, wines: list[tuple[float, float | None]]
) -> None:
    """For the same samples."""
    expected = app.classify([{"alcohol": a, "ash": b} for a, b in wines]).body["predictions"]
    alcohol, ash = ([wine[column] for wine in wines] for column in (0, 1))
    for document in (
        {"dataframe_split": {"columns": ["ash", "alcohol"], "data": [[b, a] for a, b in wines]}},
        {"dataframe_records": [{"ash": b, "alcohol": a} for a, b in wines]},
        {"inputs": {"ash": ash, "alcohol": alcohol}},
    ):
        response = app.request("POST", "/invocations", json.dumps(document).encode())
        assert response.body == {"predictions": expected}
    table = "alcohol,ash\n" + "".join(f"{a!r},{'' if b is None else b}\n" for a, b in wines)
    headers = {"Content-Type": "text/csv"}
    assert app.request("POST", "/invocations", table.encode(), headers).body == {
        "predictions": expected
    }
    inputs = [
        {"name": name, "shape": [len(wines), 1], "datatype": "FP64", "data": column}
        for name, column in (("ash", ash), ("alcohol", alcohol))
    ]
    body = json.dumps({"inputs": inputs}).encode()
    response = app.request("POST", "/v2/models/wine/infer", body)
    assert response.body["outputs"][0]["data"] == expected
