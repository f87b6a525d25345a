"""Bodies for ``POST /invocations`` that are of no form, or not what the wine model takes."""

from __future__ import annotations

from tests.hostile_requests.request import CANARY, CSV, INVOCATIONS, Request, as_json
from training.wine.dataset import wine

ONES = [1.0] * 13
N = "n" * 100_000

DOCUMENTS: list[tuple[object, list[str]]] = [
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
    (None, [""]),
    ([CANARY], [""]),
    ([None], [""]),
    ([[[]]], ["[0]"]),
    ([{}, 3], ["[1]"]),
    ({"instances": CANARY}, ["instances"]),
    ({"instances": [[CANARY] * 13]}, [f"instances[0].{name}" for name in wine().feature_names]),
    ({"inputs": {N: [1]}}, [f"inputs.{N[:80]}…"]),
    ({"inputs": {"\ud800": [1]}}, ["inputs.\ud800"]),
    ({"inputs": {"ash": None}}, ["inputs.ash"]),
    ({"inputs": {"ash": [[1]]}}, ["inputs.ash[0]"]),
    ({"inputs": {f"a{index}": [1] for index in range(1000)}}, ["inputs"]),
    (
        {"dataframe_split": {N: 1, "columns": ["ash"], "data": [[1]]}},
        [f"dataframe_split.{N[:80]}…"],
    ),
    ({"dataframe_split": {"columns": ["ash"], "data": {"ash": [1]}}}, ["dataframe_split.data"]),
    ({"dataframe_split": {"columns": "ash", "data": [[1]]}}, ["dataframe_split.columns"]),
    ({"dataframe_split": {"columns": [["ash"]], "data": [[1]]}}, ["dataframe_split.columns[0]"]),
    ({"dataframe_split": {"columns": [N], "data": [[1]]}}, ["dataframe_split.columns[0]"]),
    ({"dataframe_split": {"columns": list("abc") * 20, "data": []}}, ["dataframe_split.columns"]),
]

TABLES: list[tuple[str, list[str]]] = [
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
    ("\r\r\r", ["rows"]),
    (" ", ["rows[0]"]),
    ("\x00", ["rows[0]"]),
    (CANARY, ["rows[0]"]),
    (",", ["rows[0]"]),
    ("ash;hue\n1;2\n", ["rows[0]", "rows[1]"]),
    ("ash\thue\n1\t2\n", ["rows[0]", "rows[1]"]),
    ("ash,ash,ash\n1,1,1\n", ["header[1]", "header[2]"]),
    ("ash,\n1,2\n", ["header[1]"]),
    (f"ash,{N}\n1,2\n", ["header[1]"]),
    (f"ash\n{CANARY}\n", ["rows[0].ash"]),
    ("ash\n-\n", ["rows[0].ash"]),
    ("ash\n1_0\n", ["rows[0].ash"]),
    ("ash\n\u0661\n", ["rows[0].ash"]),
    ("ash\n=1+1\n", ["rows[0].ash"]),
    ("ash\n" + "9" * 100_000 + "\n", ["rows[0].ash"]),
    ("ash\ntrue\n", ["rows[0].ash"]),
    ("ash" + ",x" * 50 + "\n1\n", ["header"]),
    ("1" + ",1" * 13 + "\n", ["rows[0]"]),
]

NO_CSV = [
    b"",
    b'"',
    b'"ash\n1',
    b'a"b,"c"d\n',
    b"\xff\xfe1\x00",
    b"\xef\xbb\xbfash\n1",
    "ash\n1".encode("utf-16"),
    "é\n1".encode("latin-1"),
    b"a" * 200_000,
]

REQUESTS = [
    *(Request(422, INVOCATIONS, as_json(document), at=tuple(at)) for document, at in DOCUMENTS),
    *(Request(422, INVOCATIONS, text.encode(), CSV, at=tuple(at)) for text, at in TABLES),
    *(Request(400, INVOCATIONS, body, CSV) for body in NO_CSV),
    # An error is JSON even where CSV is asked for.
    Request(422, INVOCATIONS, b"1,2\n", (*CSV, ("Accept", "text/csv")), at=("rows[0]",)),
]
