"""Bodies of megabytes: each must be refused soon, in bounded memory, and in few words."""

from __future__ import annotations

from collections.abc import Callable

from tests.hostile_requests.request import CLASSIFY, CSV, INFER, INVOCATIONS, ROUTES, Request
from tests.hostile_requests.request import repeated as r

MILLION = 1_000_000
LAMBDA_BYTES = 6 * 1024 * 1024
LONG = "x" * 100_000


def numbered(unit: str, count: int, before: str, after: str) -> Callable[[], bytes]:
    """Make a body of many different names."""
    return lambda: (before + ",".join(unit % index for index in range(count)) + after).encode()


TENSOR = '{"name":"ash","shape":[%d],"datatype":"FP64","data":[1'
CLASSIFIED = [
    (400, r("[", 2 * MILLION)),
    (400, r('{"a":', MILLION)),
    (400, r('{"data":', 500_000)),
    (400, r("9", 2 * MILLION, '{"data":')),
    (400, r('"a":1,', 500_000, "{", '"a":1}')),
    (400, r('"ash":1,', 300_000, '{"data":{', '"ash":1}}')),
    (400, r("\n", 2 * MILLION, "{")),
    (400, r("\\u0041", 400_000, '{"data":"', '\\x"}')),
    (422, r("9", 2 * MILLION, '{"data":', "}")),
    (422, r("9", 2 * MILLION, '{"data":-1', "e9}")),
    (422, r("9" * 4_299 + ",", 600, '{"data":[', "1]}")),
    (422, r("9", 2 * MILLION, '{"data":"', 'x"}')),
    (422, r(" ", 2 * MILLION, '{"data":"1', 'x"}')),
    (422, r("\\u0041", 400_000, '{"data":"', '"}')),
    (422, r("\\ud83d\\ude00", 200_000, '{"data":{"', '":1}}')),
    (422, r(":", 2 * MILLION, '{"data":"', '"}')),
    (422, r("1,", MILLION, '{"data":[', "1]}")),
    (413, r("[],", MILLION, '{"data":[', "[]]}")),
    (413, r("{},", MILLION, '{"data":[', "{}]}")),
    (413, r("[[[[[[[[]]]]]]]],", 50_000, '{"data":[', "1]}")),
    (413, r("[[[[[[[[]]]]]]]],", 150_000, '{"data":[', "1]}")),
    (422, numbered('"alcohl%d":1', 100_000, '{"data":{', "}}")),
    (422, numbered('"alcohl%d:":1', 100_000, '{"data":{', "}}")),
    (422, numbered(f'"%d{LONG}":1', 20, '{"data":{', "}}")),
    (422, numbered(f'"%d{LONG}":1', 20, "{", "}")),
    (422, numbered('"alcohl%d":1', 100_000, "{", "}")),
    (422, numbered('{"alcohl%d":1}', 9_999, '{"data":[', "]}")),
    (422, r('["x",{}],', 9_999, '{"data":[', "[]]}")),
]
INFERRED = [
    (400, r("[", 2 * MILLION, '{"inputs":')),
    (413, r("{},", MILLION, '{"inputs":[', "{}]}")),
    (422, r("{},", 400_000, '{"inputs":[', "{}]}")),
    (422, r(TENSOR % 1 + "]},", 30_000, '{"inputs":[', "{}]}")),
    (422, r('"",', 500_000, f'{{"inputs":[{TENSOR % 1},', "1]}]}")),
    (422, r("[],", 400_000, f'{{"inputs":[{TENSOR % 1},', "1]}]}")),
    (422, r("1,", MILLION, '{"inputs":[{"name":"ash","shape":[', "1]}]}")),
    (422, r('{"name":"x"},', 150_000, f'{{"inputs":[{TENSOR % 1}]}}],"outputs":[', "{}]}")),
    (422, numbered('{"name":"%d"}', 100_000, f'{{"inputs":[{TENSOR % 1}]}}],"outputs":[', "]}")),
    (
        422,
        numbered(
            f'{{"name":"%d{LONG}","shape":[1],"datatype":"{LONG[:50_000]}","data":[1]}}',
            20,
            '{"inputs":[',
            "]}",
        ),
    ),
    (413, r(",1", MILLION, f'{{"inputs":[{TENSOR % (MILLION + 1)}', "]}]}")),
    (
        413,
        r(
            ",1",
            13 * 100_000 - 1,
            '{"inputs":[{"name":"x","shape":[100000,13],"datatype":"FP64","data":[1',
            "]}]}",
        ),
    ),
]
INVOKED = [
    (413, r("{},", MILLION, "[", "{}]")),
    (413, r("[],", MILLION, '{"instances":[', "[]]}")),
    (413, r("1,", MILLION, '{"dataframe_records":[', "1]}")),
    (413, r("1,", MILLION, '{"inputs":{"ash":[', "1]}}")),
    (413, r("[],", MILLION, '{"dataframe_split":{"columns":["ash"],"data":[', "[1]]}}")),
    (422, r("1,", MILLION, '{"dataframe_split":{"data":[],"columns":[', "1]}}")),
    (422, r("1,", MILLION, '{"dataframe_split":{"columns":["ash"],"data":[[1]],"index":[', "1]}}")),
    (422, numbered('"alcohl%d":[1]', 100_000, '{"inputs":{', "}}")),
    (422, numbered('"alcohl%d"', 100_000, '{"dataframe_split":{"data":[[1]],"columns":[', "]}}")),
    (422, numbered(f'"%d{LONG}":[1]', 20, '{"inputs":{', "}}")),
    (422, numbered('"alcohl%d":1', 100_000, "{", "}")),
]
TABLES = [
    (400, r('"', 2 * MILLION - 1)),
    (400, r("x\n", MILLION, '"')),
    (400, r("9", 2 * MILLION)),
    (422, r(",", MILLION)),
    (422, r('"",', MILLION)),
    (422, r("a,", MILLION, "ash,")),
    (422, r("\n", 2 * MILLION)),
    (422, r("x\n", 9_999, "ash\n")),
    (413, r("1\n", MILLION)),
    (413, r("1\n", MILLION, "ash\n")),
    (413, r("1,1\n", MILLION)),
]

REQUESTS = [
    *(
        Request(413, path, r(unit, LAMBDA_BYTES + 1))
        for path in ROUTES
        for unit in (" ", "[", "\xff")
    ),
    *(Request(status, CLASSIFY, body) for status, body in CLASSIFIED),
    *(Request(status, INFER, body) for status, body in INFERRED),
    *(Request(status, INVOCATIONS, body) for status, body in INVOKED),
    *(Request(status, INVOCATIONS, body, CSV) for status, body in TABLES),
]
