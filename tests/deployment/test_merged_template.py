"""The parts of the SAM template: API Gateway's error responses, and the alarms of stage prod."""

from __future__ import annotations

import fnmatch
import json
import re
from typing import Any

import boto3
import pytest

from chalicelib.errors import ModelUnavailable, StoreError
from chalicelib.rest.responses import json_response
from chalicelib.settings import Settings
from chalicelib.store.model_store import ModelStore
from chalicelib.store.object_store import StoredObject
from deployment import access
from deployment.sam_template import add_cors_headers, read_overlay
from tests.support.models import WineModel
from tests.support.paths import APP, ROOT
from training.artifact import BuiltModel

EVERY_STAGE, DEV, PROD = (
    read_overlay(APP / ".chalice", stage)["Resources"] for stage in ("", "dev", "prod")
)
GATEWAY_RESPONSES = EVERY_STAGE["RestAPI"]["Properties"]["GatewayResponses"]


class ObjectReader:
    """A store that returns or raises the results of a list."""

    def __init__(self, *results: bytes | Exception) -> None:
        self._results = list(results)

    def fetch(
        self, name: str, *, if_none_match: str | None = None, max_bytes: int | None = None
    ) -> StoredObject | None:
        """Return or raise the next result."""
        result = self._results.pop(0)
        if isinstance(result, Exception):
            raise result
        return StoredObject(result, etag=str(len(self._results)))


class Clock:
    """A clock that the test sets."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now


def matches(pattern: str, line: str) -> bool:
    """Match a log line as CloudWatch does, for the subset of its patterns in this template.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
    """
    fields = json.loads(line)
    inner = re.fullmatch(r"\{ (.+) \}", pattern)
    assert inner is not None
    operators = set(re.findall(r"&&|\|\|", inner[1]))
    results = []
    for comparison in re.split(r" (?:&&|\|\|) ", inner[1]):
        parts = re.fullmatch(r'\(\$\.(\w+) = "([^"]+)"\)', comparison)
        assert parts is not None, comparison
        value = fields.get(parts[1])
        results.append(isinstance(value, str) and fnmatch.fnmatchcase(value, parts[2]))
    assert len(operators) == 1
    return all(results) if operators == {"&&"} else any(results)


def stale_model_values(line: str) -> list[str]:
    """Return the values of the metric StaleModel for a log line."""
    return [
        transformation["MetricValue"]
        for resource in PROD.values()
        if resource.get("Type") == "AWS::Logs::MetricFilter"
        for transformation in resource["Properties"]["MetricTransformations"]
        if transformation["MetricName"] == "StaleModel"
        and matches(resource["Properties"]["FilterPattern"], line)
    ]


def test_a_failure_of_the_store_counts_only_if_a_model_is_served(
    trained: WineModel, all_required: BuiltModel, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every line of the log; a store without a model is a 503, which has another alarm."""
    down = StoreError("unreachable", "No connection could be made.")
    first, second = trained.built.artifact, all_required.artifact
    clock = Clock()
    store = make_store(clock, first, down, second, down, b"", first)
    for _ in range(6):
        store.current()
        clock.now += 1_000
    lines = capsys.readouterr().out.splitlines()
    assert [(json.loads(line)["event"], stale_model_values(line)) for line in lines] == [
        ("model loaded", []),
        ("model store failure", ["1"]),
        ("model loaded", []),
        ("model store recovered", []),
        ("model store failure", ["1"]),
        ("model store failure", ["1"]),
        ("model loaded", []),
        ("model store recovered", []),
    ]
    with pytest.raises(ModelUnavailable):
        make_store(clock, down).current()
    [line] = capsys.readouterr().out.splitlines()
    assert stale_model_values(line) == []


def make_store(clock: Clock, *results: bytes | Exception) -> ModelStore:
    """Return a model store with the settings of stage prod, which checks in its requests."""
    config = json.loads((APP / ".chalice" / "config.json").read_text())
    variables = config["stages"]["prod"]["environment_variables"]
    settings = Settings("s3://b/p", refresh_seconds=float(variables["MODEL_REFRESH_SECONDS"]))
    return ModelStore(ObjectReader(*results), settings, clock, start=lambda check: check())


def is_in_alarm(breaches: list[float], now: float) -> bool:
    """Evaluate the alarm as CloudWatch does, from the times of the values that breach it.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
    """
    alarm = PROD["StaleModelAlarm"]["Properties"]
    assert (alarm["Statistic"], alarm["TreatMissingData"]) == ("Maximum", "notBreaching")
    period = now // alarm["Period"]
    breaching = {time // alarm["Period"] for time in breaches if time <= now}
    recent = {period - age for age in range(alarm["EvaluationPeriods"])}
    return len(breaching & recent) >= int(alarm["DatapointsToAlarm"])


def test_one_stuck_instance_keeps_the_alarm_up(
    trained: WineModel, capsys: pytest.CaptureFixture[str]
) -> None:
    """While others start and load the new model, for hours; it clears when no one is stuck."""
    clock = Clock()
    down = StoreError("unreachable", "No connection could be made.")
    good = trained.built.artifact
    stuck = make_store(clock, good, *[down] * 1_000)
    stuck.current()
    breaches: list[float] = []
    capsys.readouterr()
    minutes = range(60, 4 * 3600, 60)
    for clock.now in minutes:
        stuck.current()
        make_store(clock, good).current()
        for line in capsys.readouterr().out.splitlines():
            breaches += [clock.now for value in stale_model_values(line) if float(value) >= 1]
        assert is_in_alarm(breaches, clock.now)
    assert not is_in_alarm(breaches, clock.now + 30 * 60)
    assert len(breaches) < len(minutes) / 4


def test_prod_raises_alarms() -> None:
    """On crashes, 5xx, throttles, latency and a stale model; the SNS topic is optional."""
    alarms = {
        name: resource["Properties"]
        for name, resource in PROD.items()
        if resource.get("Type") == "AWS::CloudWatch::Alarm"
    }
    assert {alarm["MetricName"] for alarm in alarms.values()} == {
        "Errors", "5XXError", "Throttles", "Latency", "StaleModel", "DriftIndex",
    }  # fmt: skip
    assert alarms["LatencyAlarm"]["ExtendedStatistic"] == "p95"
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == alarm["OKActions"]
        assert alarm["AlarmActions"]["Fn::If"][0] == "HasAlarmTopic"


def test_alarms_watch_this_stack_only() -> None:
    """API Gateway's metrics have the API's name as a dimension, so it is the stack's name."""
    name = {"Fn::Sub": "${AWS::StackName}"}
    assert PROD["RestAPI"]["Properties"]["DefinitionBody"]["info"]["title"] == name
    for alarm in ("LatencyAlarm", "ServerErrorsAlarm"):
        assert {"Name": "ApiName", "Value": name} in PROD[alarm]["Properties"]["Dimensions"]


def gateway_response(
    response_type: str, auth: str = access.KEY
) -> tuple[str | None, dict[str, Any]]:
    """Return the status, if the template sets one, and the body of a gateway response."""
    overlay = read_overlay(APP / ".chalice", "prod", auth=auth)
    responses = overlay["Resources"]["RestAPI"]["Properties"]["GatewayResponses"]
    default = "DEFAULT_5XX" if response_type in SERVER_ERRORS else "DEFAULT_4XX"
    response = responses.get(response_type, responses[default])
    [(media_type, body)] = response["ResponseTemplates"].items()
    assert media_type == "application/json"
    # The one variable: a name of the list below, never a part of the request.
    parsed: dict[str, Any] = json.loads(body.replace("$context.error.responseType", response_type))
    assert "$" not in parsed["error"]
    return response.get("StatusCode"), parsed


# https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
SERVER_ERRORS = {
    "API_CONFIGURATION_ERROR", "AUTHORIZER_CONFIGURATION_ERROR", "AUTHORIZER_FAILURE",
    "DEFAULT_5XX", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT",
}  # fmt: skip
RESPONSE_TYPES: list[str] = (
    boto3.client("apigateway", region_name="us-east-1")
    .meta.service_model.shape_for("GatewayResponseType")
    .enum
)


@pytest.mark.parametrize("auth", access.ACCESS)
@pytest.mark.parametrize("response_type", RESPONSE_TYPES)
def test_every_gateway_response_has_the_error_shape(response_type: str, auth: str) -> None:
    """Every response type of API Gateway has a JSON body, which repeats nothing of the request."""
    _, body = gateway_response(response_type, auth)
    assert body.keys() == {"error"}
    assert body["error"]


@pytest.mark.parametrize(
    ("response_type", "status"),
    [
        ("MISSING_AUTHENTICATION_TOKEN", "404"),
        ("REQUEST_TOO_LARGE", "413"),
        ("UNSUPPORTED_MEDIA_TYPE", "415"),
        ("THROTTLED", "429"),
        ("QUOTA_EXCEEDED", "429"),
        ("INTEGRATION_TIMEOUT", "504"),
    ],
)
def test_gateway_responses_have_a_specific_status_and_message(
    response_type: str, status: str
) -> None:
    """An unknown path is a 404, not API Gateway's 403."""
    assert gateway_response(response_type)[0] == status
    assert response_type in RESPONSE_TYPES
    assert "$context" not in json.dumps(GATEWAY_RESPONSES[response_type])


@pytest.mark.parametrize(
    ("auth", "response_type", "sends"),
    [
        (access.KEY, "INVALID_API_KEY", "X-Api-Key"),
        (access.IAM, "MISSING_AUTHENTICATION_TOKEN", "AWS Signature Version 4"),
        (access.IAM, "INVALID_SIGNATURE", "AWS Signature Version 4"),
        (access.IAM, "EXPIRED_TOKEN", "sign again"),
        (access.IAM, "ACCESS_DENIED", "execute-api:Invoke"),
    ],
)
def test_a_403_says_what_to_send(auth: str, response_type: str, sends: str) -> None:
    """With signatures, API Gateway responds to an unsigned request as to an unknown path."""
    status, body = gateway_response(response_type, auth)
    assert status == "403"
    assert sends in body["error"]
    assert response_type in RESPONSE_TYPES


def test_the_default_responses_keep_their_status() -> None:
    """A status here would apply to every other response type."""
    assert gateway_response("DEFAULT_4XX")[0] is gateway_response("DEFAULT_5XX")[0] is None


def test_the_api_has_one_stage() -> None:
    """Without `OpenApiVersion`, SAM adds a second stage, `Stage`, without limits on requests."""
    assert EVERY_STAGE["RestAPI"]["Properties"]["OpenApiVersion"] == "2.0"


def test_every_stage_limits_the_rate_of_requests() -> None:
    """The page and the health are open; the limit bounds the cost."""
    [settings] = EVERY_STAGE["RestAPI"]["Properties"]["MethodSettings"]
    assert (settings["HttpMethod"], settings["ResourcePath"]) == ("*", "/*")
    assert settings["ThrottlingRateLimit"] == {"Ref": "RequestsPerSecond"}


def test_prod_serves_signed_models_only_unless_it_is_packaged_as_unsigned() -> None:
    """One variable or the other; without signatures no secret is made, which costs money."""
    environments = []
    for unsigned in (False, True):
        overlay = read_overlay(APP / ".chalice", "prod", unsigned=unsigned)
        function = overlay["Resources"]["APIHandler"]["Properties"]
        environments.append(function["Environment"]["Variables"].keys() - {"MODEL_URL"})
        assert ("SigningKeySecret" in overlay["Resources"]) is not unsigned
        assert ("SigningKey" in overlay["Parameters"]) is not unsigned
    keys = {"MODEL_SIGNING_KEY", "MODEL_SIGNING_KEY_PREVIOUS"}
    assert environments == [keys, {"MODEL_UNSIGNED"}]
    config = json.loads((APP / ".chalice" / "config.json").read_text())["stages"]
    stages = {name: stage.get("environment_variables", {}) for name, stage in config.items()}
    assert stages["prod"]["MODEL_STAGE"] == "prod"  # in which the server itself requires a key


@pytest.mark.parametrize(
    ("origins", "expected"),
    [
        ("https://example.org", "'https://example.org'"),
        ("*", "'*'"),
        ("https://example.org, http://localhost:3000", "'*'"),
    ],
)
def test_pages_that_may_call_the_api_can_read_the_responses_of_api_gateway(
    origins: str, expected: str
) -> None:
    """Its headers are fixed: several origins become all, as these responses hold no data."""
    overlay = read_overlay(APP / ".chalice", "prod")
    add_cors_headers(overlay, origins)
    responses = overlay["Resources"]["RestAPI"]["Properties"]["GatewayResponses"]
    assert {"INVALID_API_KEY", "DEFAULT_4XX", "DEFAULT_5XX"} <= responses.keys()
    for response in responses.values():
        assert response["ResponseParameters"]["Headers"]["Access-Control-Allow-Origin"] == expected
    headers = responses["THROTTLED"]["ResponseParameters"]["Headers"]
    assert headers["Retry-After"] == "'1'"
    assert headers["Access-Control-Expose-Headers"] == "'Retry-After'"


@pytest.mark.parametrize("auth", access.ACCESS)
def test_responses_of_api_gateway_have_the_headers_of_the_apps(auth: str) -> None:
    """No cache keeps them, no browser guesses their type."""
    overlay = read_overlay(APP / ".chalice", "prod", auth=auth)
    app = json_response({}).headers
    for response in overlay["Resources"]["RestAPI"]["Properties"]["GatewayResponses"].values():
        headers = response["ResponseParameters"]["Headers"]
        for name in app.keys() - {"Content-Type"}:
            assert headers[name] == f"'{app[name]}'"


def test_without_allowed_origins_api_gateway_sends_no_cors_headers() -> None:
    """As the app."""
    overlay = read_overlay(APP / ".chalice", "prod")
    add_cors_headers(overlay, "")
    assert "Access-Control" not in json.dumps(overlay)


@pytest.mark.parametrize("resources", [DEV, PROD], ids=["dev", "prod"])
def test_each_stage_reads_its_own_models_and_writes_its_own_log(resources: dict[str, Any]) -> None:
    """No other object or log of the account."""
    [policy] = resources["ApiHandlerRole"]["Properties"]["Policies"]
    read, write = policy["PolicyDocument"]["Statement"]
    assert read["Action"] == ["s3:GetObject"]
    assert read["Resource"]["Fn::Sub"].endswith("/wine/*")
    assert "::*" not in json.dumps(read["Resource"])
    assert write["Resource"] == {"Fn::GetAtt": ["FunctionLog", "Arn"]}


def test_old_versions_of_models_and_incomplete_uploads_expire() -> None:
    """The bucket has versions: without a rule they are kept, and paid for, for ever."""
    rules = PROD["ModelBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert all(rule["Status"] == "Enabled" for rule in rules)
    assert {"NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"} <= {
        key for rule in rules for key in rule
    }
    assert not any("ExpirationInDays" in rule for rule in rules)  # what is live never expires


def test_every_parameter_is_documented() -> None:
    """In the README or a page of the docs."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    text = "".join(page.read_text() for page in pages)
    for name in read_overlay(APP / ".chalice", "prod")["Parameters"]:
        assert f"`{name}`" in text
