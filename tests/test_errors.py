"""Every error, behind the Chalice test client: its status, one shape, and nothing that was sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import App
from training.artifact import Built
from training.store import WritableStore

JSON = "application/json"
CANARY = "canary-8471"


def is_error(body: object) -> bool:
    """Tell whether a body has the one shape of an error."""
    return (
        isinstance(body, dict)
        and isinstance(body["error"], str)
        and body.keys() <= {"error", "problems"}
        and all(problem.keys() == {"at", "problem"} for problem in body.get("problems", []))
    )


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b"alcohol=3", "line 1, column 1"),
        (b'{"data": 1', "line 1"),
        (b'{"data": NaN}', "NaN"),
        (b'{"data": [Infinity]}', "Infinity"),
        (b'{"data": -Infinity}', "-Infinity"),
        (b'{"data": "\xff"}', "UTF-8"),
        (b"\xef\xbb\xbf{}", "line 1"),
        ('{"data": 1}'.encode("utf-16"), "UTF-8"),
        (b"[" * 200_000, "nested"),
        (b'{"data":' * 200_000, "nested"),
    ],
)
def test_a_malformed_body_is_a_400(app: App, body: bytes, says: str) -> None:
    """What is not JSON in UTF-8 says where or why."""
    answer = app.request("POST", "/classify", body)
    assert answer.status == 400
    assert is_error(answer.body)
    assert says in answer.body["error"]


@pytest.mark.parametrize(
    ("document", "at"),
    [
        ([], [""]),
        (3, [""]),
        ({}, ["data"]),
        ({"dta": 1}, ["dta", "data"]),
        ({"data": 1, "probabilities": "yes"}, ["probabilities"]),
        ({"data": 1, "probabilities": None}, ["probabilities"]),
        ({"data": None}, ["data"]),
        ({"data": True}, ["data"]),
        ({"data": ""}, ["data.alcohol"]),
        ({"data": "abc"}, ["data.alcohol"]),
        ({"data": "1_0"}, ["data.alcohol"]),
        ({"data": "nan"}, ["data.alcohol"]),
        ({"data": []}, ["data"]),
        ({"data": [1, 2]}, ["data"]),
        ({"data": [[]]}, ["data[0]"]),
        ({"data": [[1] * 12]}, ["data[0]"]),
        ({"data": [[1] * 13, [1] * 14]}, ["data[1]"]),
        ({"data": [[1] * 13, 3, None]}, ["data[1]", "data[2]"]),
        ({"data": {"alcohol": "13"}}, ["data.alcohol"]),
        ({"data": {"alcohol": True}}, ["data.alcohol"]),
        ({"data": {"alcohol": [1]}}, ["data.alcohol"]),
        ({"data": {"alcohol": {}}}, ["data.alcohol"]),
        ({"data": {"alcohl": 1, "ash": "x"}}, ["data.alcohl", "data.ash"]),
        ({"data": [{"ash": 1}, {"ash": {}, "hue": []}]}, ["data[1].ash", "data[1].hue"]),
        ({"data": {"ash": 10**400}}, ["data.ash"]),
        ({"data": 10**400}, ["data.alcohol"]),
    ],
)
def test_what_the_model_does_not_take_is_a_422(app: App, document: object, at: list[str]) -> None:
    """All problems at once, each with its place."""
    answer = app.request("POST", "/classify", json.dumps(document).encode())
    assert answer.status == 422
    assert is_error(answer.body)
    assert [problem["at"] for problem in answer.body["problems"]] == at


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1.1e300", "9" * 5000])
def test_a_number_that_is_too_large_is_a_422(app: App, number: str) -> None:
    """JSON may hold numbers that no float can."""
    answer = app.request("POST", "/classify", f'{{"data": {{"ash": {number}}}}}'.encode())
    assert answer.status == 422
    assert answer.body["problems"] == [
        {"at": "data.ash", "problem": "is too large: a number may be up to 1e300"}
    ]


def test_a_near_miss_in_a_name_is_suggested(app: App) -> None:
    """Both for features and for the request's own fields."""
    problem = app.classify({"alcohl": 1}).body["problems"][0]["problem"]
    assert problem == "is not a feature of this model; did you mean 'alcohol'?"
    problem = app.classify(1, probabilites=True).body["problems"][0]["problem"]
    assert problem == "is not a field of a request; did you mean 'probabilities'?"


def test_many_problems_are_counted_and_the_first_20_listed(app: App) -> None:
    """The answer to a bad request stays small."""
    answer = app.classify([{"ash": "x"}] * 1000)
    assert answer.body["error"] == (
        "The request has 1,000 problems (20 are listed), "
        "the first: data[0].ash must be a number, not text."
    )
    assert len(answer.body["problems"]) == 20


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"data": {"ash": "x"}}, "data.ash must be a number, not text."),
        (
            {"data": {"alcohl": 1}},
            "data.alcohl is not a feature of this model; did you mean 'alcohol'?",
        ),
        ([], 'The body must be an object, as in {"data": ...}.'),
        (
            {"data": {"ash": "x", "hue": []}},
            "The request has 2 problems, the first: data.ash must be a number, not text.",
        ),
    ],
)
def test_the_sentence_says_what_is_wrong(app: App, document: object, sentence: str) -> None:
    """Some clients show nothing else."""
    answer = app.request("POST", "/classify", json.dumps(document).encode())
    assert answer.body["error"] == sentence


def test_a_long_name_is_cut(app: App) -> None:
    """The answer to a bad request stays small."""
    answer = app.classify({"a" * 100_000: 1})
    assert len(answer.body["problems"][0]["at"]) < 100


@pytest.mark.parametrize(
    "data",
    [
        CANARY,
        {"ash": CANARY},
        {"ash": [CANARY]},
        {"ash": {CANARY: 1}},
        [CANARY],
        [[CANARY] * 13],
        [CANARY, [1]],
    ],
)
def test_no_value_is_repeated(app: App, data: object, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither in the answer nor in the log."""
    answer = app.classify(data)
    assert answer.status == 422
    assert CANARY not in json.dumps(answer.body)
    assert CANARY not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "text/csv"},
        {"Content-Type": "application/jsonx"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "text/plain, application/json"},
        {"Content-Type": "*/*"},
        {"Content-Type": JSON, "Content-Encoding": "gzip"},
    ],
)
def test_another_media_type_is_a_415(app: App, headers: dict[str, str]) -> None:
    """Only JSON in UTF-8, uncompressed."""
    answer = app.request("POST", "/classify", b'{"data": 1}', headers=headers)
    assert answer.status == 415
    assert is_error(answer.body)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD"])
def test_another_method_is_a_405(app: App, method: str) -> None:
    """The header `Allow` says which method is right."""
    answer = app.request(method, "/classify")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert is_error(answer.body)


@pytest.mark.parametrize("path", ["/", "/clasify", "/classify/1", "/a/b/c/d/e/f"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_path_is_a_404(app: App, path: str, method: str) -> None:
    """API Gateway and `chalice local` alone would speak of a missing token."""
    answer = app.request(method, path, headers={"Content-Type": "text/plain"})
    assert answer.status == 404
    assert is_error(answer.body)


def test_api_gateway_could_serve_every_path(app: App) -> None:
    """It allows one name for the parameter at a place in a path."""
    names: dict[str, str] = {}
    for path in app.module.app.routes:
        parent = ""
        for part in path.split("/"):
            if part.startswith("{"):
                assert names.setdefault(parent, part) == part
            parent += f"/{part}"


def test_a_path_without_a_route_is_a_404_for_the_lambda_handler(app: App) -> None:
    """Even an event for a path that the app has no route for."""
    event = {
        "requestContext": {"httpMethod": "POST", "resourcePath": "/x/{proxy+}"},
        "headers": {},
        "multiValueQueryStringParameters": None,
        "pathParameters": {},
        "stageVariables": None,
        "body": "",
    }
    for _ in range(2):
        response = app.module.app(event, None)
        assert response["statusCode"] == 404
        assert is_error(json.loads(response["body"]))


@pytest.mark.parametrize("body", ['{"data": "\ud800"}', "#"])
def test_an_event_that_holds_no_bytes_is_a_400(app: App, body: str) -> None:
    """Text that UTF-8 cannot encode, and broken base64."""
    event = {
        "requestContext": {"httpMethod": "POST", "resourcePath": "/classify"},
        "headers": {},
        "multiValueQueryStringParameters": None,
        "pathParameters": {},
        "stageVariables": None,
        "body": body,
        "isBase64Encoded": body == "#",
    }
    assert app.module.app(event, None)["statusCode"] == 400


def test_more_rows_than_allowed_is_a_413(
    start_app: Callable[..., App], wine_store: WritableStore
) -> None:
    """`MODEL_MAX_ROWS` is the most."""
    app = start_app(MODEL_URL=wine_store.url, MODEL_MAX_ROWS="3")
    assert app.classify([{"ash": 1}] * 3).status == 200
    answer = app.classify([{"ash": 1}] * 4)
    assert answer.status == 413
    assert answer.body == {"error": "A batch may hold at most 3 samples."}


def test_a_body_over_lambdas_limit_is_a_413(app: App) -> None:
    """The same on every server, not on Lambda alone."""
    answer = app.request("POST", "/classify", b" " * (6 * 1024 * 1024 + 1))
    assert answer.status == 413
    assert is_error(answer.body)


def test_a_required_feature_must_be_there(
    start_app: Callable[..., App], needy: Built, tmp_path: Path
) -> None:
    """For a model that can do without no feature, absent and null are a 422."""
    store = WritableStore(str(tmp_path))
    store.publish(needy.artifact)
    app = start_app(MODEL_URL=store.url)
    assert len(app.classify({"alcohol": 1.0}).body["problems"]) == 12
    answer = app.classify([[None] + [1.0] * 12])
    assert answer.body["problems"] == [{"at": "data[0].alcohol", "problem": "is required"}]
    assert app.classify(".10").status == 422
    assert app.classify([1.0] * 13).status == 200


def test_no_model_is_a_503(start_app: Callable[..., App], tmp_path: Path) -> None:
    """With `Retry-After`, and a reason that a client may know."""
    answer = start_app(MODEL_URL=tmp_path.as_uri()).classify(1)
    assert answer.status == 503
    assert answer.body == {"error": "No model could be loaded: not found."}
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("environment", [{}, {"MODEL_URL": "x"}, {"MODEL_MAX_ROWS": "0"}])
def test_a_wrong_setting_is_a_503_and_named_in_the_log(
    start_app: Callable[..., App],
    environment: dict[str, str],
    wine_store: WritableStore,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The client learns that it is not its fault, the operator which variable it is."""
    if "MODEL_MAX_ROWS" in environment:
        environment = environment | {"MODEL_URL": wine_store.url}
    answer = start_app(**environment).classify(1)
    assert answer.status == 503
    assert answer.body == {"error": "No model could be loaded: misconfigured."}
    logged = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert logged["event"] == "invalid setting"
    assert next(iter(environment), "MODEL_URL") in logged["detail"]


def test_a_fault_of_ours_is_a_500_that_tells_nothing(
    app: App, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The log says what kind of error and where, but no value."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(app.module, "classify_samples", fail)
    answer = app.classify(1)
    assert answer.status == 500
    assert is_error(answer.body)
    output = capfd.readouterr().out
    assert CANARY not in output + json.dumps(answer.body)
    logged = json.loads(output.splitlines()[-1])
    assert logged["error"] == "RuntimeError"
    assert logged["at"][-1].startswith("test_errors.py:")
