"""Every error, behind the Chalice test client: its status, one shape, and nothing that was sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hostile_requests.request import CANARY
from tests.support.app import App
from tests.support.errors import is_error
from training.artifact import BuiltModel
from training.registry import ModelRegistry


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b'{"data": 1', "line 1, column 11"),
        (b'{"data": [-Infinity]}', "-Infinity"),
        (b'{"data": "\xff"}', "UTF-8"),
        (b"[" * 200_000, "nested"),
        (b'{"data":1,"data":1}', "twice"),
    ],
)
def test_what_is_no_json_is_told_where_or_why(app: App, body: bytes, says: str) -> None:
    """As far as can be told without repeating it."""
    answer = app.request("POST", "/classify", body)
    assert (answer.status, says in answer.body["error"]) == (400, True), answer.body


def test_a_number_that_is_too_large_is_told_the_limit(app: App) -> None:
    """JSON may hold numbers that no float can."""
    problem = app.classify({"ash": 10**400}).body["problems"][0]["problem"]
    assert problem == "is too large: a number may be up to 1e300"


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


def test_suggestions_are_made_for_what_is_listed_alone(app: App) -> None:
    """A hundred thousand names are refused as fast as twenty."""
    names = {f"alcohl{index}": 1 for index in range(100_000)}
    problems = app.classify(names).body["problems"]
    assert len(problems) == 20
    assert all("did you mean" in problem["problem"] for problem in problems)


@pytest.mark.parametrize(
    ("colour", "problem"),
    [
        ("\ud800", "must be text that UTF-8 can hold"),
        ("red\0", "must be text without NUL characters"),
    ],
)
def test_not_all_that_json_calls_text_is_text(mixed_app: App, colour: str, problem: str) -> None:
    """Half of a character is none; and text does not end where C says that it does."""
    answer = mixed_app.classify([1.0, 1, True, colour])
    assert answer.body["problems"][0]["problem"] == problem


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD"])
def test_another_method_is_a_405(app: App, method: str) -> None:
    """The header `Allow` says which method is right."""
    answer = app.request(method, "/classify")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
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


def test_more_rows_than_allowed_is_a_413(
    start_app: Callable[..., App], wine_store: ModelRegistry
) -> None:
    """`MODEL_MAX_ROWS` is the most."""
    app = start_app(MODEL_URL=wine_store.url, MODEL_MAX_ROWS="3")
    assert app.classify([{"ash": 1}] * 3).status == 200
    answer = app.classify([{"ash": 1}] * 4)
    assert answer.status == 413
    assert answer.body == {"error": "A batch may hold at most 3 samples."}


def test_an_answer_that_lambda_would_not_hand_on_is_a_413(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """API Gateway would say that the function failed, which it did not."""
    monkeypatch.setattr("chalicelib.rest.middleware.LAMBDA_PAYLOAD_BYTES", 1000)
    assert app.classify([{"ash": 1}] * 50).status == 200
    answer = app.classify([{"ash": 1}] * 50, probabilities=True)
    assert answer.status == 413
    assert answer.body == {
        "error": "An answer may hold at most 1,000 bytes: ask about fewer samples at a time."
    }


def test_a_required_feature_must_be_there(
    start_app: Callable[..., App], needy: BuiltModel, tmp_path: Path
) -> None:
    """For a model that can do without no feature, absent and null are a 422."""
    store = ModelRegistry(str(tmp_path))
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
    wine_store: ModelRegistry,
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
