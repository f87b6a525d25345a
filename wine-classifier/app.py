"""The routes: each reads a request, calls what answers it and hands the answer back."""

# ruff: noqa: E402 (a cold start begins before the rest is imported)
from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

prefetched_store = None
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    from chalicelib import cold_start

    prefetched_store = cold_start.start_prefetch()  # goes on while Python imports what follows

from chalice.app import Response

from chalicelib.errors import ModelUnavailable
from chalicelib.openapi import routes as description
from chalicelib.protocols.classify import classify as classify_samples
from chalicelib.protocols.classify import read_classify_request
from chalicelib.protocols.invocations import routes as invocations
from chalicelib.protocols.open_inference import routes as inference_protocol
from chalicelib.rest.cors import allow_origin, register_preflight_routes
from chalicelib.rest.events import StrictChalice, read_request
from chalicelib.rest.middleware import error_middleware, handle_errors, not_found
from chalicelib.rest.responses import health_response, json_response
from chalicelib.service import Service

if TYPE_CHECKING:
    # Chalice writes the IAM policy of stage dev from the boto3 calls that it finds in this file.
    # Service reads with obstore, which it does not know, so here is that one call in boto3's words.
    import boto3

    boto3.client("s3").get_object()

app = StrictChalice(app_name="wine-classifier")
app.api.binary_types = []  # nothing served is binary; else Chalice compares each request with all
service = Service(prefetched_store)

# API Gateway and `chalice local` refuse a path that no route matches on their own, with a 403 that
# speaks of a token; these let us say 404. Six parts are as many as the longest path served has.
MAX_PATH_PARTS = 6
METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]

app.register_middleware(
    lambda request, get_response: allow_origin(request, get_response, service), "http"
)
app.register_middleware(
    lambda request, get_response: error_middleware(request, get_response, app.routes), "http"
)


@app.route("/classify", methods=["POST"])
@handle_errors
def classify() -> Response:
    """Classify the samples in the body."""
    settings, models = service.settings, service.models
    request = read_classify_request(*read_request(app))
    model = models.current()
    answer = classify_samples(request, model, max_rows=settings.max_rows)
    return json_response(answer, {"X-Model-Version": model.manifest.version})


@app.route("/health", methods=["GET"], content_types=[])
@handle_errors
def health() -> Response:
    """Tell whether there is a model, and whether it is as it should be."""
    models = service.models
    with suppress(ModelUnavailable):
        models.current()
    return health_response(models.health())


for part in (description, invocations, inference_protocol):
    app.register_blueprint(part.create_blueprint(service))
register_preflight_routes(app, service)

for count in range(MAX_PATH_PARTS + 1):
    path = "/" + "/".join(f"{{part{number}}}" for number in range(1, count + 1))
    app.route(path, methods=METHODS, content_types=[])(not_found)

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    service.load_model()
    cold_start.freeze_heap()

if "chalice.local" in sys.modules:  # `chalice local`, or the test client; never on Lambda
    from chalicelib.local import server

    server.install()
