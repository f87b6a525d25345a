"""`POST /invocations` and its neighbours, as MLflow's and SageMaker's clients use them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chalicelib.protocols.invocations.csv_format import accepts_csv
from tests.support.app import App, Response
from tests.support.errors import is_error
from tests.support.models import Trained
from tests.support.paths import APP
from training.registry import ModelRegistry

CSV = {"Content-Type": "text/csv"}
ONES = [1.0] * 13
JSON = {"Content-Type": "application/json"}


def invoke(app: App, document: object, **headers: str) -> Response:
    """Send JSON."""
    return app.request("POST", "/invocations", json.dumps(document).encode(), JSON | headers)


def invoke_csv(app: App, text: str) -> Response:
    """Send CSV, and have JSON."""
    return app.request("POST", "/invocations", text.encode(), CSV)


def places(answer: Response) -> list[str]:
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


def test_another_media_type_is_told_both_that_are_read(app: App) -> None:
    """With a 415."""
    answer = app.request("POST", "/invocations", b"1", {"Content-Type": "text/plain"})
    assert answer.status == 415
    assert "application/json or text/csv" in answer.body["error"]


def test_more_rows_than_allowed_is_a_413(
    start_app: Callable[..., App], wine_store: ModelRegistry
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
