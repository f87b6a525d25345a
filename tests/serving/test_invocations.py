"""`/invocations`, `/ping` and `/version`, as MLflow's and SageMaker's clients use them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chalicelib.inputs.signature import Feature, Signature
from chalicelib.protocols.invocations.csv_format import read_csv
from tests.support.app import App, Response
from tests.support.errors import problem_paths
from tests.support.models import WineModel
from tests.support.paths import APP
from training.registry import ModelRegistry

CSV = {"Content-Type": "text/csv"}
ONES = [1.0] * 13
JSON = {"Content-Type": "application/json"}


def invoke(app: App, document: object, **headers: str) -> Response:
    """Post JSON."""
    return app.request("POST", "/invocations", json.dumps(document).encode(), JSON | headers)


def invoke_csv(app: App, text: str) -> Response:
    """Post CSV and parse the JSON response."""
    return app.request("POST", "/invocations", text.encode(), CSV)


@pytest.fixture
def names(trained: WineModel) -> list[str]:
    """Feature names."""
    return list(trained.dataset.feature_names)


@pytest.fixture
def rows(trained: WineModel) -> list[list[float]]:
    """Three wines."""
    chosen: list[list[float]] = trained.dataset.X[[0, 70, 150]].tolist()
    return chosen


@pytest.fixture
def expected(trained: WineModel, rows: list[list[float]]) -> list[str]:
    """Labels by scikit-learn."""
    return [str(label) for label in trained.estimator.predict(rows)]


def test_every_format_equals_scikit_learn(
    app: App, names: list[str], rows: list[list[float]], expected: list[str]
) -> None:
    """dataframe_split, dataframe_records, instances and inputs, by row and by column."""
    records = [dict(zip(names, row, strict=True)) for row in rows]
    columns = {name: [record[name] for record in records] for name in reversed(names)}
    forms = [
        {"dataframe_split": {"columns": names, "data": rows}},
        {"dataframe_split": {"columns": names, "data": rows, "index": [5, 6, 7]}},
        {
            "dataframe_split": {
                "columns": names[::-1],
                "data": [row[::-1] for row in rows],
            }
        },
        {"dataframe_split": {"columns": list(range(13)), "data": rows}},
        {"dataframe_records": records},
        {"instances": rows},
        {"instances": records},
        {"inputs": rows},
        {"inputs": columns},
        {"inputs": columns, "params": None},
    ]
    for form in forms:
        response = invoke(app, form)
        assert (response.status, response.body) == (200, {"predictions": expected}), form


@pytest.mark.parametrize("name", ["params_", "x", "a"])
def test_an_empty_field_of_another_name_is_rejected(app: App, name: str) -> None:
    """Only MLflow's `params` may be empty."""
    assert problem_paths(invoke(app, {"instances": [ONES], name: None})) == [name]


def test_a_bare_array_gets_a_bare_array(
    app: App, names: list[str], rows: list[list[float]], expected: list[str]
) -> None:
    """SageMaker's clients send one; one sample is a batch of one."""
    assert invoke(app, rows).body == expected
    assert invoke(app, [dict(zip(names, row, strict=True)) for row in rows]).body == expected
    assert invoke(app, rows[0]).body == expected[:1]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_csv_works_with_and_without_a_header(
    app: App, names: list[str], rows: list[list[float]], expected: list[str], end: str
) -> None:
    """By name in any order, or by position; with any line ends."""
    lines = [",".join(map(str, row)) for row in rows]
    backwards = [",".join(map(str, row[::-1])) for row in rows]
    quoted = ",".join(f'"{name}"' for name in names[::-1])
    for text in (lines, [",".join(names), *lines], [quoted, *backwards]):
        assert invoke_csv(app, end.join(text) + end).body == {"predictions": expected}


def test_an_empty_cell_is_a_missing_value(app: App) -> None:
    """Optional columns may be absent too."""
    alone = app.classify([{"alcohol": 13.0}]).body
    assert invoke_csv(app, "13.0" + "," * 12).body == alone
    assert invoke_csv(app, "ash,alcohol\n,13.0").body == alone
    assert invoke_csv(app, "alcohol\n13.0").body == alone


def test_csv_supports_every_kind_of_feature(mixed_app: App) -> None:
    """Numbers, booleans as pandas writes them, and text."""
    response = invoke_csv(mixed_app, "colour,old,count,size\nred,True,1,.1\nwhite,false,4,3e0\n")
    assert response.body == {"predictions": ["no", "yes"]}
    response = invoke_csv(mixed_app, "0.1,1,TRUE,red\n")
    assert response.body == {"predictions": ["no"]}
    response = invoke_csv(mixed_app, "x,1.5,maybe,rde\n")
    assert sorted(problem_paths(response)) == [
        f"rows[0].{n}" for n in ("colour", "count", "old", "size")
    ]


CELLS = Signature(
    (
        Feature("colour", "categorical", required=False),
        Feature("size", "numeric", required=False),
        Feature("old", "boolean", required=False),
    ),
    ("no", "yes"),
)


@pytest.mark.parametrize(
    ("row", "values"),
    [
        ("red,1.5,true", ["red", 1.5, True]),
        (" red ,-.5e1,false", [" red ", -5.0, False]),
        ("1, 2 , True ", ["1", 2.0, True]),
        ("nan,nan,FALSE", ["nan", "nan", False]),
        ("true,true,0", ["true", "true", "0"]),
        (",,", [None, None, None]),
        ('"a,""b""\nc",1e3,yes', ['a,"b"\nc', 1000.0, "yes"]),
    ],
)
def test_a_cell_is_what_its_feature_makes_of_it(row: str, values: list[object]) -> None:
    """The value that JSON has, or the text if it does not fit; by position and by name."""
    assert read_csv(f"{row}\n", CELLS, max_rows=1) == [values]
    assert read_csv(f"colour,size,old\n{row}\n", CELLS, max_rows=1) == [values]
    by_name = read_csv(
        f" old ,colour,size\nfalse,x,1\n,{row.rpartition(',')[0]}", CELLS, max_rows=2
    )
    assert by_name == [["x", 1.0, False], [*values[:2], None]]


@pytest.mark.parametrize(
    ("header", "paths"),
    [
        ("alcohol,ahs", ["header[1]"]),
        ("ahs,hsa,alcohol", ["header[0]", "header[1]"]),
        ("alcohol,", ["header[1]"]),
        ("ash,ash", ["header[1]"]),
        # Not a header: no name is known, or a cell is a number.
        ("alcohl,ahs", ["rows[0]", "rows[1]"]),
        ("alcohol,1", ["rows[0]", "rows[1]"]),
    ],
)
def test_a_header_may_be_known_only_in_part(app: App, header: str, paths: list[str]) -> None:
    """Then its other names are wrong, not the samples below it."""
    values = ",".join("1" for _ in header.split(","))
    assert problem_paths(invoke_csv(app, f"{header}\n{values}\n")) == paths


def test_the_response_is_csv_if_accept_prefers_it(
    app: App, rows: list[list[float]], expected: list[str]
) -> None:
    """One label per line, for any format of the request."""
    body = json.dumps({"inputs": rows}).encode()
    response = app.send("POST", "/invocations", body, JSON | {"Accept": "text/csv"})
    assert response.headers["Content-Type"] == "text/csv"
    assert response.body.decode().split() == expected
    assert response.headers["X-Model-Version"]


def test_a_text_of_digits_is_a_text() -> None:
    """Where the model takes a text; the other cells are numbers."""
    assert read_csv("12,3,\n", CELLS, max_rows=1) == [["12", 3.0, None]]


def test_a_row_of_a_table_without_names_is_a_list(app: App) -> None:
    """Though a list of objects would be a batch elsewhere."""
    split = {"columns": list(range(13)), "data": [ONES, {"ash": 1}, 1]}
    response = invoke(app, {"dataframe_split": split})
    assert problem_paths(response) == ["dataframe_split.data[1]", "dataframe_split.data[2]"]


@pytest.mark.parametrize(("value", "status"), [(None, 200), ("x", 422), (1e308, 422)])
def test_a_table_with_all_columns_may_lack_a_value(
    app: App, names: list[str], rows: list[list[Any]], value: object, status: int
) -> None:
    """Of a model that takes missing values; another value is a problem of its cell."""
    rows[1][2] = value
    response = invoke(app, {"dataframe_split": {"columns": names, "data": rows}})
    assert response.status == status
    if status == 422:
        assert problem_paths(response) == ["dataframe_split.data[1].ash"]


def test_a_body_without_a_media_type_is_json(app: App) -> None:
    """As the clients of MLflow send it."""
    body = json.dumps({"inputs": [ONES]}).encode()
    assert app.request("POST", "/invocations", body, {}).status == 200


def test_another_media_type_is_a_415_that_names_both(app: App) -> None:
    """JSON and CSV."""
    response = app.request("POST", "/invocations", b"1", {"Content-Type": "text/plain"})
    assert response.status == 415
    assert "application/json or text/csv" in response.body["error"]


def test_more_rows_than_allowed_is_a_413(
    start_app: Callable[..., App], wine_store: ModelRegistry
) -> None:
    """In every format."""
    app = start_app(MODEL_URL=wine_store.url, MODEL_MAX_ROWS="3")
    for count, status in ((3, 200), (4, 413)):
        assert invoke(app, [ONES] * count).status == status
        assert invoke(app, {"inputs": {"ash": [1] * count}}).status == status
        assert invoke_csv(app, "ash\n" + "1\n" * count).status == status
        assert invoke_csv(app, ("1," * 12 + "1\n") * count).status == status


def test_ping_reports_whether_a_model_is_loaded(
    app: App, start_app: Callable[..., App], tmp_path: Path
) -> None:
    """200 or 503, as SageMaker expects."""
    assert app.request("GET", "/ping").status == 200
    assert start_app(MODEL_URL=tmp_path.as_uri()).request("GET", "/ping").status == 503


def test_version_returns_the_live_model(app: App, trained: WineModel) -> None:
    """Its name and version."""
    body = app.request("GET", "/version").body
    assert body == {"name": "wine", "version": trained.built.version}


def test_the_app_imports_no_module_that_classify_does_not_need() -> None:
    """The first request of another protocol imports them."""
    lazy = {"csv", "difflib", "chalice.local"} | {
        f"chalicelib.{name}"
        for name in (
            "inputs.columns",
            "local.http_body",
            "local.server",
            "openapi.document",
            "protocols.invocations.csv_format",
            "protocols.invocations.request",
            "protocols.open_inference.metadata",
            "protocols.open_inference.request",
            "protocols.open_inference.response",
            "protocols.open_inference.tensors",
        )
    }
    code = f"import sys; import app; print(sorted(sys.modules.keys() & {lazy}))"
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=APP, check=True, capture_output=True, text=True
    ).stdout
    assert printed == "[]\n"
