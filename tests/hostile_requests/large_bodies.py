"""Bodies of megabytes, which must be rejected quickly, in bounded memory, with a short error."""

from __future__ import annotations

from collections.abc import Callable

from tests.hostile_requests.request import (
    CLASSIFY,
    CSV,
    INFER,
    INVOCATIONS,
    LONG_NAME,
    ROUTES,
    Request,
    repeat,
)

MILLION = 1_000_000
LAMBDA_BYTES = 6 * 1024 * 1024


def repeat_numbered(unit: str, count: int, before: str, after: str) -> Callable[[], bytes]:
    """Return a function that makes a large body of numbered units."""
    return lambda: (before + ",".join(unit % index for index in range(count)) + after).encode()


TENSOR_START = '{"name":"ash","shape":[%d],"datatype":"FP64","data":[1'
CLASSIFY_BODIES = [
    (400, repeat("[", 2 * MILLION)),
    (400, repeat('{"a":', MILLION)),
    (400, repeat('{"data":', 500_000)),
    (400, repeat("9", 2 * MILLION, '{"data":')),
    (400, repeat('"a":1,', 500_000, "{", '"a":1}')),
    (400, repeat('"ash":1,', 300_000, '{"data":{', '"ash":1}}')),
    (400, repeat("\n", 2 * MILLION, "{")),
    (400, repeat("\\u0041", 400_000, '{"data":"', '\\x"}')),
    (422, repeat("9", 2 * MILLION, '{"data":', "}")),
    (422, repeat("9", 2 * MILLION, '{"data":-1', "e9}")),
    (422, repeat("9" * 4_299 + ",", 600, '{"data":[', "1]}")),
    (422, repeat("9", 2 * MILLION, '{"data":"', 'x"}')),
    (422, repeat(" ", 2 * MILLION, '{"data":"1', 'x"}')),
    (422, repeat("\\u0041", 400_000, '{"data":"', '"}')),
    (422, repeat("\\ud83d\\ude00", 200_000, '{"data":{"', '":1}}')),
    (422, repeat(":", 2 * MILLION, '{"data":"', '"}')),
    (422, repeat("1,", MILLION, '{"data":[', "1]}")),
    (413, repeat("[],", MILLION, '{"data":[', "[]]}")),
    (413, repeat("{},", MILLION, '{"data":[', "{}]}")),
    (413, repeat("[[[[[[[[]]]]]]]],", 50_000, '{"data":[', "1]}")),
    (413, repeat("[[[[[[[[]]]]]]]],", 150_000, '{"data":[', "1]}")),
    (422, repeat_numbered('"alcohl%d":1', 100_000, '{"data":{', "}}")),
    (422, repeat_numbered('"alcohl%d:":1', 100_000, '{"data":{', "}}")),
    (422, repeat_numbered(f'"%d{LONG_NAME}":1', 20, '{"data":{', "}}")),
    (422, repeat_numbered(f'"%d{LONG_NAME}":1', 20, "{", "}")),
    (422, repeat_numbered('"alcohl%d":1', 100_000, "{", "}")),
    (422, repeat_numbered('{"alcohl%d":1}', 9_999, '{"data":[', "]}")),
    (422, repeat('["x",{}],', 9_999, '{"data":[', "[]]}")),
    # Samples that are cheap to write and expensive to hold.
    (422, repeat("{},", 9_999, '{"data":[', "{}]}")),
    (422, repeat('{"ash":"x"},', 9_999, '{"data":[', "{}]}")),
    (422, repeat('["x",1,1,1,1,1,1,1,1,1,1,1,1],', 9_999, '{"data":[', "[]]}")),
    (413, repeat('{"ash":1},', 300_000, '{"data":[', "{}]}")),
]
INFER_BODIES = [
    (400, repeat("[", 2 * MILLION, '{"inputs":')),
    (413, repeat("{},", MILLION, '{"inputs":[', "{}]}")),
    (422, repeat("{},", 200_000, '{"inputs":[', "{}]}")),
    (422, repeat(TENSOR_START % 1 + "]},", 30_000, '{"inputs":[', "{}]}")),
    (422, repeat('"",', 500_000, f'{{"inputs":[{TENSOR_START % 1},', "1]}]}")),
    (422, repeat("[],", 200_000, f'{{"inputs":[{TENSOR_START % 1},', "1]}]}")),
    (422, repeat("1,", MILLION, '{"inputs":[{"name":"ash","shape":[', "1]}]}")),
    (
        422,
        repeat('{"name":"x"},', 150_000, f'{{"inputs":[{TENSOR_START % 1}]}}],"outputs":[', "{}]}"),
    ),
    (
        422,
        repeat_numbered(
            '{"name":"%d"}', 100_000, f'{{"inputs":[{TENSOR_START % 1}]}}],"outputs":[', "]}"
        ),
    ),
    (
        422,
        repeat_numbered(
            f'{{"name":"%d{LONG_NAME}","shape":[1],"datatype":"{LONG_NAME[:50_000]}","data":[1]}}',
            20,
            '{"inputs":[',
            "]}",
        ),
    ),
    (413, repeat(",1", MILLION, f'{{"inputs":[{TENSOR_START % (MILLION + 1)}', "]}]}")),
    (
        413,
        repeat(
            ",1",
            13 * 100_000 - 1,
            '{"inputs":[{"name":"x","shape":[100000,13],"datatype":"FP64","data":[1',
            "]}]}",
        ),
    ),
]
INVOCATION_BODIES = [
    (413, repeat("{},", MILLION, "[", "{}]")),
    (413, repeat("[],", MILLION, '{"instances":[', "[]]}")),
    (413, repeat("1,", MILLION, '{"dataframe_records":[', "1]}")),
    (413, repeat("1,", MILLION, '{"inputs":{"ash":[', "1]}}")),
    (413, repeat("[],", MILLION, '{"dataframe_split":{"columns":["ash"],"data":[', "[1]]}}")),
    (422, repeat("1,", MILLION, '{"dataframe_split":{"data":[],"columns":[', "1]}}")),
    (
        422,
        repeat(
            "1,", MILLION, '{"dataframe_split":{"columns":["ash"],"data":[[1]],"index":[', "1]}}"
        ),
    ),
    (422, repeat_numbered('"alcohl%d":[1]', 100_000, '{"inputs":{', "}}")),
    (
        422,
        repeat_numbered(
            '"alcohl%d"', 100_000, '{"dataframe_split":{"data":[[1]],"columns":[', "]}}"
        ),
    ),
    (422, repeat_numbered(f'"%d{LONG_NAME}":[1]', 20, '{"inputs":{', "}}")),
    (422, repeat_numbered('"alcohl%d":1', 100_000, "{", "}")),
]
CSV_BODIES = [
    (400, repeat('"', 2 * MILLION - 1)),
    (400, repeat("x\n", MILLION, '"')),
    (400, repeat("9", 2 * MILLION)),
    (422, repeat(",", MILLION)),
    (422, repeat('"",', MILLION)),
    (422, repeat("a,", MILLION, "ash,")),
    (422, repeat("\n", 2 * MILLION)),
    (422, repeat("x\n", 9_999, "ash\n")),
    (413, repeat("1\n", MILLION)),
    (413, repeat("1\n", MILLION, "ash\n")),
    (413, repeat("1,1\n", MILLION)),
]

REQUESTS = [
    *(
        Request(413, path, repeat(unit, LAMBDA_BYTES + 1))
        for path in ROUTES
        for unit in (" ", "[", "\xff")
    ),
    *(Request(status, CLASSIFY, body) for status, body in CLASSIFY_BODIES),
    *(Request(status, INFER, body) for status, body in INFER_BODIES),
    *(Request(status, INVOCATIONS, body) for status, body in INVOCATION_BODIES),
    *(Request(status, INVOCATIONS, body, CSV) for status, body in CSV_BODIES),
]
