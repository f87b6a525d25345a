"""A stack with another front door than the REST API that Chalice writes."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from deployment import access, front_doors
from deployment.errors import PackagingError
from deployment.sam_template import read_overlay
from tests.support.paths import APP

FOLDER = APP / ".chalice"
METRICS = {
    front_doors.FUNCTION: ("AWS/Lambda", "Url5xxCount", "FunctionName"),
    front_doors.HTTP: ("AWS/ApiGateway", "5xx", "ApiId"),
}

doors = pytest.mark.parametrize("door", METRICS)


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    """The parts of stage prod, with what Chalice writes around them."""
    template = read_overlay(FOLDER, "prod", auth=access.IAM)
    template["Resources"]["APIHandlerInvokePermission"] = {"Type": "AWS::Lambda::Permission"}
    for name in ("RestAPIId", "EndpointURL"):
        template["Outputs"][name] = {"Value": {"Fn::Sub": "${RestAPI}"}}
    return template


def replace(written: dict[str, Any], door: str, auth: str) -> Any:
    """Return the template with another front door."""
    return front_doors.replace_rest_api(copy.deepcopy(written), FOLDER, door, auth)


@doors
def test_nothing_of_the_rest_api_is_left(written: dict[str, Any], door: str) -> None:
    """Neither resources nor references to them, nor parameters without use."""
    template = replace(written, door, access.IAM)
    text = json.dumps(template)
    assert "RestAPI" not in text
    assert "AccessLog" not in template["Parameters"]
    assert "HasAccessLog" not in template["Conditions"]
    for name in template["Parameters"]:
        assert f'{{"Ref": "{name}"}}' in text or f"${{{name}}}" in text
    assert set(template["Outputs"]) >= {"EndpointURL", "ClassifyURL", "ModelURL"}


@doors
def test_alarms_and_dashboard_have_the_metrics_that_exist(
    written: dict[str, Any], door: str
) -> None:
    """Those of a REST API never get a value."""
    resources = replace(written, door, access.IAM)["Resources"]
    alarm = resources["ServerErrorsAlarm"]["Properties"]
    namespace, metric, dimension = METRICS[door]
    assert (alarm["Namespace"], alarm["MetricName"]) == (namespace, metric)
    assert [each["Name"] for each in alarm["Dimensions"]] == [dimension]
    body = resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    assert metric in body
    for old in ("ApiName", "4XXError", "5XXError", "3.5 /"):
        assert old not in body
    json.loads(body)


def test_a_function_url_requires_signatures_unless_it_is_public(written: dict[str, Any]) -> None:
    """Of everything, the page too."""
    for auth, auth_type in ((access.IAM, "AWS_IAM"), (access.PUBLIC, "NONE")):
        function = replace(written, front_doors.FUNCTION, auth)["Resources"]["APIHandler"]
        assert function["Properties"]["FunctionUrlConfig"]["AuthType"] == auth_type


def test_an_http_api_has_the_open_paths_of_a_rest_api(written: dict[str, Any]) -> None:
    """And no authorizer if it is public."""
    resources = replace(written, front_doors.HTTP, access.IAM)["Resources"]
    assert resources["HttpAPI"]["Properties"]["Auth"]["DefaultAuthorizer"] == "AWS_IAM"
    events = [
        event["Properties"] for event in resources["APIHandler"]["Properties"]["Events"].values()
    ]
    opened = {(e["Path"], e["Method"]) for e in events if e.get("Auth") == {"Authorizer": "NONE"}}
    assert opened == {("/", "GET"), ("/health", "GET"), ("/{path+}", "OPTIONS")}
    assert sum("Auth" not in event for event in events) == 1  # all other paths
    public = replace(written, front_doors.HTTP, access.PUBLIC)["Resources"]
    assert "Auth" not in public["HttpAPI"]["Properties"]
    assert list(public["APIHandler"]["Properties"]["Events"]) == ["Default"]


@doors
def test_only_a_rest_api_has_keys(door: str) -> None:
    """A signature is the default of the others."""
    assert front_doors.get_access(front_doors.REST, None) == access.KEY
    assert front_doors.get_access(door, None) == access.IAM
    with pytest.raises(PackagingError, match="has no API keys"):
        front_doors.get_access(door, access.KEY)


def test_another_front_door_is_an_error() -> None:
    """Which names those that there are."""
    assert front_doors.get(None) == front_doors.REST
    with pytest.raises(PackagingError, match="rest, http, function"):
        front_doors.get("balancer")
