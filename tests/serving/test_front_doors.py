"""HTTP APIs, function URLs and load balancers: the same responses as through a REST API."""

from __future__ import annotations

import base64
import json
from array import array
from collections.abc import Iterator
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes import (
    ALBEvent,
    APIGatewayProxyEventV2,
    LambdaFunctionUrlEvent,
)

from tests.hostile_requests import REQUESTS
from tests.hostile_requests.rejections import assert_rejected
from tests.hostile_requests.request import Request
from tests.support.app import App, Response
from tests.support.front_doors import FRONT_DOORS, FrontDoor, Headers
from tests.support.headers import assert_is_private
from tests.support.models import WineModel, publish_to_folder

JSON = (("Content-Type", "application/json"),)

doors = pytest.mark.parametrize("door", FRONT_DOORS, ids=lambda door: door.name)


def send(
    app: App, door: FrontDoor, method: str, path: str, body: bytes = b"", headers: Headers = JSON
) -> Response:
    """Send a request through a front door; the response's body is bytes."""
    response = app.module.app(door.make_event(method, path, headers, body), None)
    if door.has_multi_value_headers:
        assert "headers" not in response
        received = {name: value for name, [value] in response["multiValueHeaders"].items()}
    else:
        assert "multiValueHeaders" not in response
        received = response["headers"]
    assert_is_private(received)
    text: str = response["body"]
    content = base64.b64decode(text) if response["isBase64Encoded"] else text.encode()
    return Response(response["statusCode"], received, content)


@pytest.fixture(scope="module")
def shared_app(trained: WineModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app, serving the wine model to all tests of this module."""
    registry = publish_to_folder(trained.built, tmp_path_factory.mktemp("store"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODEL_URL", registry.url)
        yield App()


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_a_hostile_request_is_rejected_alike(shared_app: App, request_: Request) -> None:
    """Through every door, with the status and the problems of every other transport."""
    names = [name for name, _ in request_.headers]
    for door in FRONT_DOORS:
        if door.name == "load balancer" and len(names) > len(set(names)):
            continue  # it passes on one of several headers
        response = send(
            shared_app,
            door,
            request_.method,
            request_.path,
            request_.content,
            request_.headers,
        )
        assert_rejected(request_, response._replace(body=json.loads(response.body)))


@doors
def test_requests_are_classified(app: App, door: FrontDoor) -> None:
    """With the headers of every response."""
    response = send(app, door, "POST", "/classify", b'{"data":".10"}')
    assert (response.status, json.loads(response.body)) == (200, {"prediction": "1"})
    assert response.headers["X-Out-Of-Range"] == "alcohol"
    assert response.headers["X-Request-Id"]


@doors
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/health", 200),
        ("GET", "/health/", 200),
        ("GET", "/health?x=1", 200),
        ("GET", "/v2/models/wine", 200),
        ("GET", "/v2/models/wine/ready", 200),
        ("GET", "/v2/models/beer", 404),
        ("GET", "/v2/models//ready", 404),
        ("GET", "/x", 404),
        ("GET", "/a/b/c/d/e/f/g/h", 404),
        ("GET", "/classify", 405),
        ("OPTIONS", "/classify", 405),
        ("PUT", "/v2/models/wine/infer", 405),
    ],
)
def test_paths_have_their_routes(
    app: App, door: FrontDoor, method: str, path: str, status: int
) -> None:
    """As API Gateway finds them: a fixed part before a parameter."""
    assert send(app, door, method, path).status == status


@doors
def test_tensors_travel_as_bytes(app: App, door: FrontDoor) -> None:
    """Both ways, without an Accept header."""
    data = array("d", [1.0] * 13).tobytes()
    size = {"binary_data_size": len(data)}
    tensor = {"name": "input", "shape": [1, 13], "datatype": "FP64", "parameters": size}
    request = {"inputs": [tensor], "parameters": {"binary_data_output": True}}
    document = json.dumps(request).encode()
    headers = (("Inference-Header-Content-Length", str(len(document))),)
    response = send(app, door, "POST", "/v2/models/wine/infer", document + data, headers)
    assert (response.status, response.headers["Content-Type"]) == (200, "application/octet-stream")
    length = int(response.headers["Inference-Header-Content-Length"])
    outputs = json.loads(response.body[:length])["outputs"]
    sizes = [output["parameters"]["binary_data_size"] for output in outputs]
    assert sum(sizes) == len(response.body) - length


@doors
def test_events_are_those_that_aws_own_library_reads(door: FrontDoor) -> None:
    """AWS Lambda Powertools finds the request in each."""
    readers: dict[str, type[Any]] = {
        "function URL": LambdaFunctionUrlEvent,
        "HTTP API": APIGatewayProxyEventV2,
    }
    body = b'{"data":1}'
    event = readers.get(door.name, ALBEvent)(door.make_event("POST", "/classify", JSON, body))
    assert (event.http_method, event.decoded_body) == ("POST", body.decode())
    assert event.path.removeprefix("/Prod") == "/classify"
    headers = event.resolved_headers_field
    assert headers["content-type"] in ("application/json", ["application/json"])


@pytest.mark.parametrize(
    "event",
    [
        {"version": "2.0", "requestContext": {"http": {}}, "rawPath": "/classify"},
        {"version": "2.0", "requestContext": {"http": {"method": "GET"}}},
        {"version": "2.0", "requestContext": {"http": {"method": 1}}, "rawPath": "/classify"},
        {"version": "2.0", "requestContext": {"http": "GET"}, "rawPath": "/classify"},
        {"version": "1.0", "requestContext": {"http": {"method": "GET"}}, "rawPath": "/health"},
        {"requestContext": {"elb": {}}},
        {"requestContext": {"elb": {}}, "httpMethod": "GET"},
        {"requestContext": {"elb": None}, "httpMethod": "GET", "path": "/health"},
        {"requestContext": {"elb": {}}, "httpMethod": ["GET"], "path": "/health"},
    ],
)
def test_an_incomplete_event_is_a_400(app: App, event: dict[str, Any]) -> None:
    """As any other event that is no request."""
    assert app.module.app(event, None)["statusCode"] == 400


@pytest.mark.parametrize(
    ("stage", "path", "status"),
    [
        ("Prod", "/Prod/health", 200),
        ("Prod", "/health", 200),
        ("heal", "/health", 200),
        ("health", "/health/health", 200),
        ("heal", "/heal", 200),
    ],
)
def test_the_stage_is_the_first_part_of_a_path(
    app: App, stage: str, path: str, status: int
) -> None:
    """A whole part; without it, as below a custom domain, the path stays as it is."""
    context = {"http": {"method": "GET"}, "stage": stage}
    event = {"version": "2.0", "requestContext": context, "rawPath": path, "headers": {}}
    assert app.module.app(event, None)["statusCode"] == status


@pytest.mark.parametrize("headers", [None, [], "x", {"content-type": 3}, {"content-type": None}])
def test_odd_headers_are_ignored(app: App, headers: object) -> None:
    """As a REST API's are."""
    for door in FRONT_DOORS:
        event = door.make_event("POST", "/classify", JSON, b'{"data":1}')
        event["multiValueHeaders" if door.has_multi_value_headers else "headers"] = headers
        assert app.module.app(event, None)["statusCode"] == 200
