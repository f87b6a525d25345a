"""Bodies that are meant to do harm, to every route that reads one: a 4xx, small and soon."""

from __future__ import annotations

import gzip
import json
import time

import pytest

from chalicelib.errors import MalformedBody
from chalicelib.json_body import parse_json
from tests.conftest import Answer, App
from tests.test_errors import is_error

ROUTES = ["/classify", "/v2/models/wine/infer", "/invocations"]
JSON = {"Content-Type": "application/json"}

# Generous for a busy machine; what it must catch is time that grows faster than the body.
SECONDS = 20
ANSWER_BYTES = 10_000


def wrapped(path: str, value: str) -> bytes:
    """Write JSON, given as text, where the route's samples are."""
    if path.endswith("infer"):
        tensor = f'{{"name":"ash","shape":[1],"datatype":"FP64","data":[{value}]}}'
        return f'{{"inputs":[{tensor}]}}'.encode()
    if path == "/invocations":
        return f'{{"inputs":[{{"ash":{value}}}]}}'.encode()
    return f'{{"data":{{"ash":{value}}}}}'.encode()


def refused(app: App, path: str, body: bytes, headers: dict[str, str] | None = None) -> Answer:
    """Send a body, and see that what comes back is bounded and has the shape of an error."""
    start = time.monotonic()
    answer = app.request("POST", path, body, JSON if headers is None else headers)
    assert time.monotonic() - start < SECONDS
    assert is_error(answer.body)
    assert len(json.dumps(answer.body)) < ANSWER_BYTES
    return answer


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"\x00",
        b"{",
        b'{"data":1}}',
        b'{"data":1,}',
        b"{'data':1}",
        b'{"data":01}',
        b'{"data":.1}',
        b'{"data":"\x01"}',
        b'{"data":"\\x"}',
        b'{"data":"\\u12"}',
        b'{"data":1}//',
        b'{"data":1,"data":1}',
        b'{"data":{"ash":1,"ash":2}}',
        b'{"inputs":[{"a:b":1,"a:b":1}]}',
        b'{"data":{"as\\u0068":1,"ash":2}}',
        b"\xef\xbb\xbf" + b'{"data":1}',
        '{"data":1}'.encode("utf-16"),
        '{"data":1}'.encode("utf-16-le"),
        '{"data":1}'.encode("utf-32"),
        b'{"data":"\xed\xa0\x80"}',
        b'{"data":"\xc0\xaf"}',
        b'{"data":[' + b"9" * 5_000 + b",",
        b'{"data":[' + b"9" * 5_000 + b"]," + b'"data":[1]}',
        b'{"data":[{"a":1,"a":1},' + b"9" * 5_000 + b"," + b"[" * 100_000,
        gzip.compress(b'{"data":1}'),
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"data":' * 100_000 + b"1" + b"}" * 100_000,
    ],
)
def test_what_is_no_json_is_a_400(app: App, path: str, body: bytes) -> None:
    """Duplicate names, other encodings, marks, compression without a header, depth."""
    assert refused(app, path, body).status == 400


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    "value",
    [
        "9" * 5_000,
        "-" + "9" * 5_000,
        "9" * 1_000_000,
        "9" * 400,
        "1" + "0" * 309 + ".0",
        "1e999",
        "1e" + "9" * 1_000,
        '"\\ud800"',
        '"' + "x" * 100_000 + '"',
        "true",
        "{}",
        '{"a":1}',
        "[" * 50 + "]" * 50,
        "[1]",
        '"1"',
        '"NaN"',
    ],
)
def test_a_value_that_is_no_number_of_the_model_is_a_422(app: App, path: str, value: str) -> None:
    """Integers of thousands of digits, halves of characters, text, truth, containers."""
    assert refused(app, path, wrapped(path, value)).status == 422


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_what_json_does_not_have_is_a_400(app: App, path: str, value: str) -> None:
    """Python reads and writes it, the standard does not."""
    assert refused(app, path, wrapped(path, value)).status == 400


@pytest.mark.parametrize("path", ROUTES)
def test_a_name_of_100_kb_is_not_repeated(app: App, path: str) -> None:
    """Of a feature, of a field, of a category, of many at once."""
    name = "n" * 100_000
    many = {f"{index}{name[:20_000]}": 1 for index in range(100)}
    tensors = [{"name": n, "shape": [1], "datatype": n, "data": [1]} for n in many]
    columns = list(many)
    documents: list[object] = [
        {name: 1},
        {"data": {name: 1}},
        {"data": [many]},
        {"inputs": [{"name": name, "shape": [1], "datatype": "FP64", "data": [1]}]},
        {"inputs": tensors},
        {"inputs": [many]},
        {"inputs": {n: [1] for n in many}},
        {"inputs": {name: 1}},
        {"instances": [many]},
        {"dataframe_split": {"columns": columns, "data": [columns]}},
        {"dataframe_split": {name: 1}},
        {"id": name, "inputs": [], "outputs": [{"name": n} for n in many]},
    ]
    for document in documents:
        assert refused(app, path, json.dumps(document).encode()).status == 422


@pytest.mark.parametrize("path", ROUTES)
def test_half_a_character_in_a_name_is_a_422(app: App, path: str) -> None:
    """And what is told of it can be written."""
    for text in (r'{"\ud800":1}', r'{"data":{"\udfff":1}}', r'{"inputs":{"\ud800":[1]}}'):
        assert refused(app, path, text.encode()).status == 422


def test_text_does_not_end_at_a_nul_character(mixed_app: App) -> None:
    """What comes before it may be a category; all of it is not."""
    body = rb'{"data":[1.0,1,true,"red\u0000"]}'
    answer = refused(mixed_app, "/classify", body)
    assert answer.body["problems"][0]["problem"] == "must be text without NUL characters"


def test_half_a_character_is_no_category(mixed_app: App) -> None:
    """Nor is it text that a model could be given."""
    body = rb'{"data":[1.0,1,true,"\ud800"]}'
    answer = refused(mixed_app, "/classify", body)
    assert answer.body["problems"][0]["problem"] == "must be text that UTF-8 can hold"


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Encoding": "gzip"},
        {"Content-Encoding": "br, identity"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "text/html"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/octet-stream"},
        {"Content-Type": "json"},
        {"Content-Type": ""},
        {"Content-Type": "x" * 5_000},
    ],
)
def test_another_type_is_a_415(app: App, path: str, headers: dict[str, str]) -> None:
    """However good the body is."""
    assert refused(app, path, wrapped(path, "1"), headers).status == 415


@pytest.mark.parametrize("path", ROUTES)
def test_a_body_over_6_mb_is_a_413(app: App, path: str) -> None:
    """Without a look at it."""
    for body in (b" ", b"[", b"\xff"):
        assert refused(app, path, body * (6 * 1024 * 1024 + 1)).status == 413


MILLION = 1_000_000


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("/classify", b'{"data":[' + b"[]," * MILLION + b"[]]}", JSON),
        ("/classify", b'{"data":[' + b"{}," * MILLION + b"{}]}", JSON),
        ("/invocations", b"[" + b"{}," * MILLION + b"{}]", JSON),
        ("/invocations", b'{"inputs":{"ash":[' + b"1," * MILLION + b"1]}}", JSON),
        ("/invocations", b"ash\n" + b"1\n" * MILLION, {"Content-Type": "text/csv"}),
        ("/invocations", b"1,1\n" * MILLION, {"Content-Type": "text/csv"}),
        (
            "/v2/models/wine/infer",
            b'{"inputs":[{"name":"ash","shape":[1000001],"datatype":"FP64","data":['
            + b"1," * MILLION
            + b"1]}]}",
            JSON,
        ),
    ],
    ids=["lists", "objects", "bare", "column", "csv", "csv by position", "tensor"],
)
def test_a_million_rows_are_a_413(
    app: App, path: str, body: bytes, headers: dict[str, str]
) -> None:
    """Counted before they are read."""
    assert refused(app, path, body, headers).status == 413


def test_a_shape_reserves_nothing(app: App) -> None:
    """It is compared with the data, and never believed."""
    tensor = '{"name":"x","shape":[1000000000000,13],"datatype":"FP64","data":[1]}'
    body = f'{{"inputs":[{tensor}]}}'.encode()
    assert refused(app, "/v2/models/wine/infer", body).status == 422


def test_many_problems_are_found_in_bounded_time(app: App) -> None:
    """The first 20 are listed, and suggestions made for those alone."""
    names = {f"alcohl{index}": 1 for index in range(100_000)}
    for path, document in (
        ("/classify", {"data": names}),
        ("/invocations", {"inputs": {name: [1] for name in names}}),
        ("/invocations", {"dataframe_split": {"columns": list(names), "data": [[1]]}}),
        ("/invocations", names),
        ("/v2/models/wine/infer", {"inputs": [], "outputs": [{"name": n} for n in names]}),
    ):
        answer = refused(app, path, json.dumps(document).encode())
        assert answer.status == 422
        assert len(answer.body["problems"]) == 20


@pytest.mark.parametrize(
    "text", ['{"a":":"}', '{"a":1,"b":{"a":2}}', '[{"a":"x:y"},{"a":":"}]', '":"', '{"a:b":1}']
)
def test_a_colon_in_a_string_is_no_duplicate(text: str) -> None:
    """Nor is the same name in two objects."""
    assert parse_json(text) == json.loads(text)


@pytest.mark.parametrize("text", ['{"a":1,"a":1}', '[{"b":{"":":","":2}}]', '{"a":{},"\\u0061":1}'])
def test_a_name_that_is_there_twice_is_malformed(text: str) -> None:
    """However deep, however it is written."""
    with pytest.raises(MalformedBody, match="twice"):
        parse_json(text)
