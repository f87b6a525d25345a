"""`POST /invocations` and its neighbours, as MLflow's and SageMaker's clients use them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chalicelib.csv_body import accepts_csv
from tests.conftest import APP, Answer, App, Trained
from tests.test_errors import is_error
from training.store import WritableStore

CSV = {"Content-Type": "text/csv"}
JSON = {"Content-Type": "application/json"}


def invoke(app: App, document: object, **headers: str) -> Answer:
    """Send JSON."""
    return app.request("POST", "/invocations", json.dumps(document).encode(), JSON | headers)


def invoke_csv(app: App, text: str) -> Answer:
    """Send CSV, and have JSON."""
    return app.request("POST", "/invocations", text.encode(), CSV)


def places(answer: Answer) -> list[str]:
    """Give the places of the problems in a 422."""
    assert answer.status == 422, answer.body
    assert is_error(answer.body)
    return [problem["at"] for problem in answer.body["problems"]]


@pytest.fixture
def names(trained: Trained) -> list[str]:
    """The features' names."""
    return list(trained.dataset.feature_names)


@pytest.fixture
def rows(trained: Trained) -> list[list[float]]:
    """Three wines."""
    chosen: list[list[float]] = trained.dataset.X[[0, 70, 150]].tolist()
    return chosen


@pytest.fixture
def expected(trained: Trained, rows: list[list[float]]) -> list[str]:
    """What scikit-learn says of them."""
    return [str(label) for label in trained.estimator.predict(rows)]


def test_every_form_is_answered_as_scikit_learn_does(
    app: App, names: list[str], rows: list[list[float]], expected: list[str]
) -> None:
    """Frames split or as records, instances and inputs by row or by column."""
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
        answer = invoke(app, form)
        assert (answer.status, answer.body) == (200, {"predictions": expected}), form


def test_a_bare_array_is_answered_with_one(
    app: App, names: list[str], rows: list[list[float]], expected: list[str]
) -> None:
    """As SageMaker's clients send it; one sample is a batch of one."""
    assert invoke(app, rows).body == expected
    assert invoke(app, [dict(zip(names, row, strict=True)) for row in rows]).body == expected
    assert invoke(app, rows[0]).body == expected[:1]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_csv_is_read_with_and_without_a_header(
    app: App, names: list[str], rows: list[list[float]], expected: list[str], end: str
) -> None:
    """By name in any order, or by position."""
    lines = [",".join(map(str, row)) for row in rows]
    backwards = [",".join(map(str, row[::-1])) for row in rows]
    quoted = ",".join(f'"{name}"' for name in names[::-1])
    for text in (lines, [",".join(names), *lines], [quoted, *backwards]):
        assert invoke_csv(app, end.join(text) + end).body == {"predictions": expected}


def test_an_empty_cell_is_a_missing_value(app: App) -> None:
    """Columns may be left out too, if the model can do without them."""
    alone = app.classify([{"alcohol": 13.0}]).body
    assert invoke_csv(app, "13.0" + "," * 12).body == alone
    assert invoke_csv(app, "ash,alcohol\n,13.0").body == alone
    assert invoke_csv(app, "alcohol\n13.0").body == alone


def test_csv_holds_every_kind_of_value(mixed_app: App) -> None:
    """Numbers, truth values as frames write them, and text."""
    answer = invoke_csv(mixed_app, "colour,old,count,size\nred,True,1,.1\nwhite,false,4,3e0\n")
    assert answer.body == {"predictions": ["no", "yes"]}
    answer = invoke_csv(mixed_app, "0.1,1,TRUE,red\n")
    assert answer.body == {"predictions": ["no"]}
    answer = invoke_csv(mixed_app, "x,1.5,maybe,rde\n")
    assert sorted(places(answer)) == [f"rows[0].{n}" for n in ("colour", "count", "old", "size")]


def test_the_answer_is_csv_if_it_is_asked_for(
    app: App, rows: list[list[float]], expected: list[str]
) -> None:
    """A label a line; whatever form the samples came in."""
    body = json.dumps({"inputs": rows}).encode()
    answer = app.send("POST", "/invocations", body, JSON | {"Accept": "text/csv"})
    assert answer.headers["Content-Type"] == "text/csv"
    assert answer.body.decode().split() == expected
    assert answer.headers["X-Model-Version"]


@pytest.mark.parametrize(
    ("accept", "is_csv"),
    [
        ("text/csv", True),
        ("Text/CSV; header=absent", True),
        ("text/csv, application/json", True),
        ("application/json, text/csv", False),
        ("application/json;q=0.5, text/csv;q=0.6", True),
        ("text/csv;q=0", False),
        ("text/csv;q=x", False),
        ("*/*", False),
        ("image/png", False),
        ("", False),
    ],
)
def test_accept_says_in_which_form_to_answer(accept: str, is_csv: bool) -> None:
    """JSON unless CSV is liked better."""
    assert accepts_csv({"accept": accept}) is is_csv


def test_an_error_is_json_even_where_csv_is_asked_for(app: App) -> None:
    """There is one shape of errors."""
    answer = app.request("POST", "/invocations", b"1,2\n", CSV | {"Accept": "text/csv"})
    assert places(answer) == ["rows[0]"]


ONES = [1.0] * 13


@pytest.mark.parametrize(
    ("document", "at"),
    [
        (3, [""]),
        ("abc", [""]),
        ({}, [""]),
        ({"instnces": [ONES]}, ["instnces", ""]),
        ({"instances": [ONES], "inputs": [ONES]}, [""]),
        ({"instances": [ONES], "params": {"x": 1}}, ["params"]),
        ({"instances": 3}, ["instances"]),
        ({"instances": {"ash": 1}}, ["instances"]),
        ({"instances": None}, ["instances"]),
        ({"instances": []}, ["instances"]),
        ({"instances": [ONES, ONES[1:]]}, ["instances[1]"]),
        ({"instances": [{"alcohl": 1}]}, ["instances[0].alcohl"]),
        ({"instances": ["abc"]}, ["instances"]),
        ({"dataframe_records": [ONES]}, ["dataframe_records[0]"]),
        ({"dataframe_records": {"ash": 1}}, ["dataframe_records"]),
        ({"dataframe_records": [{"ash": True}]}, ["dataframe_records[0].ash"]),
        ({"inputs": {}}, ["inputs"]),
        ({"inputs": "abc"}, ["inputs"]),
        ({"inputs": {"ash": []}}, ["inputs"]),
        ({"inputs": {"ash": 1}}, ["inputs.ash"]),
        ({"inputs": {"ash": [1], "hue": [1, 2]}}, ["inputs.hue"]),
        ({"inputs": {"ash": [1, "x"]}}, ["inputs.ash[1]"]),
        ({"inputs": {"alcohl": [1]}}, ["inputs.alcohl"]),
        ({"dataframe_split": []}, ["dataframe_split"]),
        ({"dataframe_split": {}}, ["dataframe_split.columns", "dataframe_split.data"]),
        ({"dataframe_split": {"columns": ["ash"], "data": []}}, ["dataframe_split.data"]),
        ({"dataframe_split": {"columns": [], "data": [[]]}}, ["dataframe_split.columns"]),
        (
            {"dataframe_split": {"columns": ["ash"], "data": [[1]], "index": [1, 2]}},
            ["dataframe_split.index"],
        ),
        (
            {"dataframe_split": {"columns": ["ash"], "data": [[1]], "dta": 1}},
            ["dataframe_split.dta"],
        ),
        (
            {"dataframe_split": {"columns": ["ash", "ash", 3, "x"], "data": [[1]]}},
            [f"dataframe_split.{at}" for at in ("columns[1]", "columns[2]", "columns[3]")]
            + ["dataframe_split.data[0]"],
        ),
        ({"dataframe_split": {"columns": ["ash"], "data": [3]}}, ["dataframe_split.data[0]"]),
        (
            {"dataframe_split": {"columns": ["ash"], "data": [["x"]]}},
            ["dataframe_split.data[0].ash"],
        ),
        ({"dataframe_split": {"columns": [0, 1], "data": [[1, 2]]}}, ["dataframe_split.data[0]"]),
        ({"dataframe_split": {"columns": [0], "data": [{}]}}, ["dataframe_split.data[0]"]),
        ([], [""]),
        ([ONES[1:]], ["[0]"]),
        ([{"ash": "x"}], ["[0].ash"]),
    ],
)
def test_what_is_of_no_form_is_a_422(app: App, document: object, at: list[str]) -> None:
    """All problems at once, each with its place in the form that was sent."""
    answer = invoke(app, document)
    assert places(answer) == at


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("\n", ["rows"]),
        ("alcohol,ash\n", ["rows"]),
        ("alcohol,ahs\n1,2\n", ["header[1]"]),
        ("alcohol,alcohol\n1,2\n", ["header[1]"]),
        ("alcohol,ash\n1,2,3\n", ["rows[0]"]),
        ("alcohol,ash\n1,2\n1,x\n", ["rows[1].ash"]),
        ("alcohol,ash\n1,nan\n", ["rows[0].ash"]),
        ("alcohol,ash\n1,1e999\n", ["rows[0].ash"]),
        ("alcohol,ash\n1,0x1F\n", ["rows[0].ash"]),
        ("1,2\n", ["rows[0]"]),
    ],
)
def test_csv_that_the_model_does_not_take_is_a_422(app: App, text: str, at: list[str]) -> None:
    """Rows are counted without the header."""
    assert places(invoke_csv(app, text)) == at


@pytest.mark.parametrize(
    "body",
    [b"", b'"ash\n1', b'a"b,"c"d\n', b"\xff\xfe1\x00", b"\xef\xbb\xbfash\n1", b"a" * 200_000],
)
def test_malformed_csv_is_a_400(app: App, body: bytes) -> None:
    """Quotes that do not end, another charset, a byte order mark, a cell without an end."""
    answer = app.request("POST", "/invocations", body, CSV)
    assert (answer.status, is_error(answer.body)) == (400, True)


def test_another_media_type_is_a_415(app: App) -> None:
    """The error names both that are read."""
    answer = app.request("POST", "/invocations", b"1", {"Content-Type": "text/plain"})
    assert answer.status == 415
    assert "application/json or text/csv" in answer.body["error"]
    for headers in (CSV | {"Content-Encoding": "gzip"}, {"Content-Type": "text/csv;charset=ascii"}):
        assert app.request("POST", "/invocations", b"1", headers).status == 415


def test_more_rows_than_allowed_is_a_413(
    start_app: Callable[..., App], wine_store: WritableStore
) -> None:
    """In every form."""
    app = start_app(MODEL_URL=wine_store.url, MODEL_MAX_ROWS="3")
    for count, status in ((3, 200), (4, 413)):
        assert invoke(app, [ONES] * count).status == status
        assert invoke(app, {"inputs": {"ash": [1] * count}}).status == status
        assert invoke_csv(app, "ash\n" + "1\n" * count).status == status
        assert invoke_csv(app, ("1," * 12 + "1\n") * count).status == status


def test_ping_tells_whether_there_is_a_model(
    app: App, start_app: Callable[..., App], tmp_path: Path
) -> None:
    """200 or 503, as SageMaker asks it."""
    assert app.request("GET", "/ping").status == 200
    assert start_app(MODEL_URL=tmp_path.as_uri()).request("GET", "/ping").status == 503


def test_version_names_the_live_model(app: App, trained: Trained) -> None:
    """By its name and version."""
    body = app.request("GET", "/version").body
    assert body == {"name": "wine", "version": trained.built.version}


def test_a_plain_classify_imports_nothing_of_the_protocols() -> None:
    """They are imported by the first request that speaks them."""
    lazy = {"csv", "difflib", "chalice.local"} | {
        f"chalicelib.{name}"
        for name in (
            "columns",
            "csv_body",
            "http_body",
            "infer_answer",
            "infer_request",
            "invocation_forms",
            "local_server",
            "openapi",
            "tensors",
        )
    }
    code = f"import sys; import app; print(sorted(sys.modules.keys() & {lazy}))"
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=APP, check=True, capture_output=True, text=True
    ).stdout
    assert printed == "[]\n"
