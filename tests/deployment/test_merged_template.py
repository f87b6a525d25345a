"""What is merged into the SAM template: API Gateway's own answers, and the alarms of stage prod."""

from __future__ import annotations

import fnmatch
import json
import re
from typing import Any

import boto3
import pytest

from chalicelib.errors import ModelUnavailable, StoreError
from chalicelib.settings import Settings
from chalicelib.store.model_store import ModelStore
from chalicelib.store.object_store import StoredObject
from deployment.sam_template import what_is_merged
from tests.support.models import Trained
from tests.support.paths import APP, ROOT
from training.artifact import BuiltModel

EVERY_STAGE, PROD = (what_is_merged(APP / ".chalice", stage)["Resources"] for stage in ("", "prod"))
ANSWERS = EVERY_STAGE["RestAPI"]["Properties"]["GatewayResponses"]


class ObjectReader:
    """A store whose answers are given one after another."""

    def __init__(self, *answers: bytes | Exception) -> None:
        self._answers = list(answers)

    def fetch(
        self, name: str, *, if_none_match: str | None = None, max_bytes: int | None = None
    ) -> StoredObject | None:
        """Give the next answer."""
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return StoredObject(answer, etag=str(len(self._answers)))


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def matches(pattern: str, line: str) -> bool:
    """Match a line as CloudWatch does, for the part of its patterns that is used here.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
    """
    fields = json.loads(line)
    inner = re.fullmatch(r"\{ (.+) \}", pattern)
    assert inner is not None
    joins = set(re.findall(r"&&|\|\|", inner[1]))
    found = []
    for comparison in re.split(r" (?:&&|\|\|) ", inner[1]):
        parts = re.fullmatch(r'\(\$\.(\w+) = "([^"]+)"\)', comparison)
        assert parts is not None, comparison
        value = fields.get(parts[1])
        found.append(isinstance(value, str) and fnmatch.fnmatchcase(value, parts[2]))
    assert len(joins) == 1
    return all(found) if joins == {"&&"} else any(found)


def metric(line: str) -> list[str]:
    """Give what a line of the log adds to the metric of the alarm on an old model."""
    filters = (PROD[name]["Properties"] for name in ("StaleModelFilter", "FreshModelFilter"))
    return [
        of_filter["MetricTransformations"][0]["MetricValue"]
        for of_filter in filters
        if matches(of_filter["FilterPattern"], line)
    ]


def test_the_log_raises_the_alarm_on_an_old_model_and_ends_it(
    trained: Trained, needy: BuiltModel, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each state that the log tells of; a store without any model is a 503, which has its alarm."""
    down = StoreError("unreachable", "No connection could be made.")
    first, second = trained.built.artifact, needy.artifact
    clock = Clock()
    store = ModelStore(
        ObjectReader(first, down, second, down, b"", first), Settings("s3://b/p"), clock
    )
    for _ in range(6):
        store.current()
        clock.now += 1_000
    lines = capsys.readouterr().out.splitlines()
    assert [(json.loads(line)["event"], metric(line)) for line in lines] == [
        ("model loaded", ["0"]),
        ("model store failure", ["1"]),
        ("model loaded", ["0"]),
        ("model store recovered", ["0"]),
        ("model store failure", ["1"]),
        ("model store failure", ["1"]),
        ("model loaded", ["0"]),
        ("model store recovered", ["0"]),
    ]
    with pytest.raises(ModelUnavailable):
        ModelStore(ObjectReader(down), Settings("s3://b/p")).current()
    [line] = capsys.readouterr().out.splitlines()
    assert metric(line) == []


def test_an_old_model_is_well_again_in_a_later_minute_than_it_was_in_trouble() -> None:
    """Of a minute, the alarm sees the highest value only; what comes after it has to end it."""
    config = json.loads((APP / ".chalice" / "config.json").read_text())
    seconds = config["stages"]["prod"]["environment_variables"]["MODEL_REFRESH_SECONDS"]
    alarm = PROD["StaleModelAlarm"]["Properties"]
    assert alarm["Statistic"] == "Maximum"
    assert alarm["TreatMissingData"] == "ignore"  # it stays as it is until a line says otherwise
    assert float(seconds) >= alarm["Period"]


def test_prod_raises_alarms() -> None:
    """On crashes, 5xx answers, throttles, slow answers and an old model, to a topic if there is."""
    alarms = {
        name: resource["Properties"]
        for name, resource in PROD.items()
        if resource.get("Type") == "AWS::CloudWatch::Alarm"
    }
    assert {alarm["MetricName"] for alarm in alarms.values()} == {
        "Errors", "5XXError", "Throttles", "Latency", "StaleModel",
    }  # fmt: skip
    assert alarms["LatencyAlarm"]["ExtendedStatistic"] == "p95"
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == alarm["OKActions"]
        assert alarm["AlarmActions"]["Fn::If"][0] == "HasAlarmTopic"


def test_alarms_look_at_this_stack_alone() -> None:
    """API Gateway's metrics go by the API's name, which is the stack's therefore."""
    name = {"Fn::Sub": "${AWS::StackName}"}
    assert PROD["RestAPI"]["Properties"]["DefinitionBody"]["info"]["title"] == name
    for alarm in ("LatencyAlarm", "ServerErrorsAlarm"):
        assert {"Name": "ApiName", "Value": name} in PROD[alarm]["Properties"]["Dimensions"]


def answer_to(kind: str) -> tuple[str | None, dict[str, Any]]:
    """Give the status that a kind of answer is changed to, and what its body holds."""
    default = "DEFAULT_5XX" if kind in SERVER_FAULTS else "DEFAULT_4XX"
    answer = ANSWERS.get(kind, ANSWERS[default])
    [(media_type, body)] = answer["ResponseTemplates"].items()
    assert media_type == "application/json"
    # What API Gateway puts in for this variable is quoted already.
    parsed: dict[str, Any] = json.loads(body.replace("$context.error.messageString", '"Forbidden"'))
    return answer.get("StatusCode"), parsed


# https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
SERVER_FAULTS = {
    "API_CONFIGURATION_ERROR", "AUTHORIZER_CONFIGURATION_ERROR", "AUTHORIZER_FAILURE",
    "DEFAULT_5XX", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT",
}  # fmt: skip
KINDS: list[str] = (
    boto3.client("apigateway", region_name="us-east-1")
    .meta.service_model.shape_for("GatewayResponseType")
    .enum
)


@pytest.mark.parametrize("kind", KINDS)
def test_api_gateways_own_answers_have_the_one_error_shape(kind: str) -> None:
    """All that API Gateway knows, as JSON."""
    _, body = answer_to(kind)
    assert body.keys() == {"error"}
    assert body["error"]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("MISSING_AUTHENTICATION_TOKEN", "404"),
        ("REQUEST_TOO_LARGE", "413"),
        ("UNSUPPORTED_MEDIA_TYPE", "415"),
        ("THROTTLED", "429"),
        ("QUOTA_EXCEEDED", "429"),
        ("INTEGRATION_TIMEOUT", "504"),
    ],
)
def test_api_gateways_own_answers_have_a_status_that_says_what_is_wrong(
    kind: str, status: str
) -> None:
    """An unknown path is not a 403, and each has a sentence of its own."""
    assert answer_to(kind)[0] == status
    assert kind in KINDS
    assert "$context" not in json.dumps(ANSWERS[kind])


def test_the_rest_keep_their_status() -> None:
    """A status here would be that of every kind that is not named."""
    assert answer_to("DEFAULT_4XX")[0] is answer_to("DEFAULT_5XX")[0] is None


def test_the_api_has_one_stage() -> None:
    """Without this, SAM adds another one, `Stage`, which no limit on requests holds for."""
    assert EVERY_STAGE["RestAPI"]["Properties"]["OpenApiVersion"] == "2.0"


def test_prod_limits_how_many_requests_it_takes() -> None:
    """Anybody may ask; this keeps what it can cost within bounds."""
    [settings] = PROD["RestAPI"]["Properties"]["MethodSettings"]
    assert (settings["HttpMethod"], settings["ResourcePath"]) == ("*", "/*")
    assert settings["ThrottlingRateLimit"] == {"Ref": "RequestsPerSecond"}


def test_every_parameter_is_documented() -> None:
    """The README names what a stack can be given."""
    readme = (ROOT / "docs/how-to/deploy.md").read_text()
    for name in what_is_merged(APP / ".chalice", "prod")["Parameters"]:
        assert f"`{name}`" in readme
