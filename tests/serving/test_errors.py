"""Errors through the Chalice test client: status, shape and message."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from math import inf, nan
from pathlib import Path

import pytest

from chalicelib.errors import MAX_COUNTED_PROBLEMS, BodyTooLarge, InvalidRequest
from chalicelib.inputs.problems import Problems
from chalicelib.inputs.signature import Feature, Signature
from chalicelib.rest.responses import check_label_size, encode_json
from tests.hostile_requests.request import CANARY
from tests.support.app import App
from tests.support.errors import is_error
from tests.support.log import logged
from training.artifact import BuiltModel
from training.registry import ModelRegistry


@pytest.mark.parametrize(
    ("body", "expected_text"),
    [
        (b"", "empty"),
        (b'{"data": 1', "line 1, column 11"),
        (b'{"data": [-Infinity]}', "-Infinity"),
        (b'{"data": "\xff"}', "UTF-8"),
        (b"[" * 200_000, "nested"),
        (b'{"data":1,"data":1}', "twice"),
    ],
)
def test_malformed_json_gets_a_position_or_a_reason(
    app: App, body: bytes, expected_text: str
) -> None:
    """The message does not repeat the body."""
    response = app.request("POST", "/classify", body)
    assert (response.status, expected_text in response.body["error"]) == (400, True), response.body


def test_a_number_beyond_float64_gets_the_limit(app: App) -> None:
    """JSON numbers have no limit of their own."""
    problem = app.classify({"ash": 10**400}).body["problems"][0]["problem"]
    assert problem == "is too large: a number may be up to 1e300"


def test_a_misspelt_name_gets_a_suggestion(app: App) -> None:
    """For features and for fields of the request."""
    problem = app.classify({"alcohl": 1}).body["problems"][0]["problem"]
    assert problem == "is not a feature of this model; did you mean 'alcohol'?"
    problem = app.classify(1, probabilites=True).body["problems"][0]["problem"]
    assert problem == "is not a field of a request; did you mean 'probabilities'?"


def test_the_first_20_problems_are_listed_and_all_counted(app: App) -> None:
    """The response stays small."""
    response = app.classify([{"ash": "x"}] * 1000)
    assert response.body["error"] == (
        "The request has 1,000 problems (20 are listed), "
        "the first: data[0].ash must be a number, not text."
    )
    assert len(response.body["problems"]) == 20


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
def test_the_error_sentence_has_the_first_problem(
    app: App, document: object, sentence: str
) -> None:
    """Some clients show this sentence only."""
    response = app.request("POST", "/classify", json.dumps(document).encode())
    assert response.body["error"] == sentence


def test_only_listed_problems_get_suggestions(app: App) -> None:
    """So 100,000 unknown names cost no more time than 20."""
    names = {f"alcohl{index}": 1 for index in range(100_000)}
    problems = app.classify(names).body["problems"]
    assert len(problems) == 20
    assert all("did you mean" in problem["problem"] for problem in problems)


@pytest.mark.parametrize(
    ("colour", "problem"),
    [
        ("\ud800", "must be text that UTF-8 can encode"),
        ("red\0", "is not a known category; did you mean 'red'?"),
    ],
)
def test_text_with_surrogates_or_nul_is_rejected(mixed_app: App, colour: str, problem: str) -> None:
    """UTF-8 has no lone surrogates; a text with NUL is not the text before it."""
    response = mixed_app.classify([1.0, 1, True, colour])
    assert response.body["problems"][0]["problem"] == problem


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD"])
def test_another_method_is_a_405(app: App, method: str) -> None:
    """The `Allow` header lists the right methods."""
    response = app.request(method, "/classify")
    assert (response.status, response.headers["Allow"]) == (405, "POST")
    assert is_error(response.body)


def test_every_path_fits_api_gateway(app: App) -> None:
    """API Gateway allows one parameter name per path segment."""
    names: dict[str, str] = {}
    for path in app.module.app.routes:
        parent = ""
        for part in path.split("/"):
            if part.startswith("{"):
                assert names.setdefault(parent, part) == part
            parent += f"/{part}"


def test_more_rows_than_allowed_is_a_413(
    start_app: Callable[..., App], wine_store: ModelRegistry
) -> None:
    """`MODEL_MAX_ROWS` is the limit."""
    app = start_app(MODEL_URL=wine_store.url, MODEL_MAX_ROWS="3")
    assert app.classify([{"ash": 1}] * 3).status == 200
    response = app.classify([{"ash": 1}] * 4)
    assert response.status == 413
    assert response.body == {"error": "A batch may hold at most 3 samples."}


def test_a_response_over_the_lambda_limit_is_a_413(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise API Gateway reports a failed function."""
    monkeypatch.setattr("chalicelib.rest.middleware.LAMBDA_PAYLOAD_BYTES", 1000)
    monkeypatch.setattr("chalicelib.rest.responses.LAMBDA_PAYLOAD_BYTES", 1000)
    assert app.classify([{"ash": 1}] * 50).status == 200
    response = app.classify([{"ash": 1}] * 50, probabilities=True)
    assert response.status == 413
    assert response.body == {
        "error": "A response may hold at most 1,000 bytes: send fewer samples at a time."
    }


def test_a_missing_required_feature_is_a_422(
    start_app: Callable[..., App], all_required: BuiltModel, tmp_path: Path
) -> None:
    """Absent or null, for a model that requires every feature."""
    store = ModelRegistry(str(tmp_path))
    store.publish(all_required.artifact)
    app = start_app(MODEL_URL=store.url)
    assert len(app.classify({"alcohol": 1.0}).body["problems"]) == 12
    response = app.classify([[None] + [1.0] * 12])
    assert response.body["problems"] == [{"at": "data[0].alcohol", "problem": "is required"}]
    assert app.classify(".10").status == 422
    assert app.classify([1.0] * 13).status == 200


@pytest.mark.parametrize(("count", "is_too_large"), [(10_000, True), (10, False)])
def test_labels_that_are_too_long_for_a_response_are_rejected(
    count: int, is_too_large: bool
) -> None:
    """Before the response is built."""
    label = "x" * 1_000
    signature = Signature((Feature("x", "numeric", required=True),), (label, "y"))
    with pytest.raises(BodyTooLarge) if is_too_large else nullcontext():
        check_label_size([label] * count, signature)


@pytest.mark.parametrize("number", [nan, inf, -inf])
def test_a_response_never_holds_what_json_lacks(number: float) -> None:
    """A fault that would write it becomes a 500."""
    with pytest.raises(ValueError, match="JSON"):
        encode_json({"probabilities": [number]})


def test_problems_are_counted_to_a_limit() -> None:
    """The one after the last that counts ends the count."""
    problems = Problems()
    for number in range(MAX_COUNTED_PROBLEMS):
        problems.add(f"data[{number}]", "is wrong")
    with pytest.raises(InvalidRequest, match=f"has more than {MAX_COUNTED_PROBLEMS:,} problems"):
        problems.add("data", "is wrong")


def test_no_model_is_a_503(start_app: Callable[..., App], tmp_path: Path) -> None:
    """With `Retry-After`, and a reason without details."""
    response = start_app(MODEL_URL=tmp_path.as_uri()).classify(1)
    assert response.status == 503
    assert response.body == {"error": "No model could be loaded: not found."}
    assert int(response.headers["Retry-After"]) > 0


@pytest.mark.parametrize("environment", [{}, {"MODEL_URL": "x"}, {"MODEL_MAX_ROWS": "0"}])
def test_an_invalid_setting_is_a_503_and_logged(
    start_app: Callable[..., App],
    environment: dict[str, str],
    wine_store: ModelRegistry,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The client learns that it is not its fault, the operator which variable it is."""
    if "MODEL_MAX_ROWS" in environment:
        environment = environment | {"MODEL_URL": wine_store.url}
    response = start_app(**environment).classify(1)
    assert response.status == 503
    assert response.body == {"error": "No model could be loaded: misconfigured."}
    event = logged(capfd.readouterr().out, "invalid setting")[-1]
    assert next(iter(environment), "MODEL_URL") in event["detail"]


def test_an_unexpected_error_is_a_500_without_details(
    app: App, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The log has its type and traceback, but no values."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(app.module, "classify_samples", fail)
    response = app.classify(1)
    assert response.status == 500
    assert is_error(response.body)
    output = capfd.readouterr().out
    assert CANARY not in output + json.dumps(response.body)
    [event] = logged(output, "internal error")
    assert event["request_id"] == response.headers["X-Request-Id"]
    assert event["error"] == "RuntimeError"
    assert event["at"][-1].startswith("test_errors.py:")
