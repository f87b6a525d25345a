"""AWS as a local server: moto, patched to import the APIs that Chalice deploys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any
from unittest.mock import patch

from moto.apigateway.models import APIGatewayBackend, RestAPI
from moto.server import ThreadedMotoServer

REGION = "eu-central-1"
ACCOUNT = "123456789012"  # moto's default


def to_openapi_3(document: dict[str, Any]) -> dict[str, Any]:
    """Convert Chalice's Swagger 2.0 document, which API Gateway accepts, to one that moto reads.

    moto reads the same parts of an OpenAPI 3.0 document. It also requires a description, and an
    address in every integration.
    """
    document = deepcopy(document)
    document.pop("swagger", None)
    document["openapi"] = "3.0.0"
    document["info"].setdefault("description", "")
    for methods in document["paths"].values():
        for method in methods.values():
            if isinstance(method, dict):
                integration = method.setdefault("x-amazon-apigateway-integration", {})
                integration.setdefault("uri", "")
                integration.setdefault("httpMethod", "POST")
    return document


@contextmanager
def moto_server(region: str = "us-east-1") -> Iterator[dict[str, str]]:
    """Run moto's server and yield the environment variables of its clients."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": region,
        }
    finally:
        server.stop()


@contextmanager
def aws_server() -> Iterator[dict[str, str]]:
    """Run moto's server with the patch that lets Chalice deploy to it."""
    original_import, original_put = (
        APIGatewayBackend.import_rest_api,
        APIGatewayBackend.put_rest_api,
    )

    def import_rest_api(self: Any, api_doc: dict[str, Any], fail_on_warnings: bool) -> RestAPI:
        return original_import(self, to_openapi_3(api_doc), fail_on_warnings)

    def put_rest_api(
        self: Any, function_id: str, api_doc: dict[str, Any], *rest: Any, **more: Any
    ) -> RestAPI:
        return original_put(self, function_id, to_openapi_3(api_doc), *rest, **more)

    with (
        patch.object(APIGatewayBackend, "import_rest_api", import_rest_api),
        patch.object(APIGatewayBackend, "put_rest_api", put_rest_api),
        moto_server(REGION) as environment,
    ):
        yield environment
