"""The routes: each parses a request, calls the code that computes the response, and returns it."""

# ruff: noqa: E402 (a cold start begins before the other imports)
from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # of typing, which takes long to import: see chalicelib/cold_start.py
if TYPE_CHECKING:
    from typing import Any

# The function that scores files, or `chalice package` for a stack with it.
is_bulk = os.environ.get("BULK") == "yes"
is_on_lambda = "AWS_LAMBDA_FUNCTION_NAME" in os.environ
is_api = is_on_lambda and not is_bulk

if is_on_lambda:
    from chalicelib import bundle

    bundle.install()

prefetched: Any = ()
if is_api:
    from chalicelib import cold_start

    cold_start.start_runtime()

    from chalicelib.prefetch import start_prefetch

    prefetched = start_prefetch()

from chalice.app import Response

from chalicelib.openapi import routes as openapi
from chalicelib.page import routes as page
from chalicelib.protocols.classify import classify as classify_samples
from chalicelib.protocols.classify import read_classify_request
from chalicelib.protocols.invocations import routes as invocations
from chalicelib.protocols.open_inference import routes as open_inference
from chalicelib.rest.cors import register_preflight_routes
from chalicelib.rest.events import StrictChalice, read_request
from chalicelib.rest.middleware import handle_errors, not_found
from chalicelib.rest.responses import (
    OCTET_STREAM,
    health_response,
    json_response,
    prediction_headers,
)
from chalicelib.service import Service
from chalicelib.snapshot import call_after_restore

if TYPE_CHECKING:
    # Chalice derives the IAM policy of stage dev from the boto3 calls in this file. Serving reads
    # with obstore, which Chalice does not know, so this is the same call in boto3.
    import boto3
    from chalice.app import SQSEvent

    boto3.client("s3").get_object()

service = Service(*prefetched)
app = StrictChalice(os.environ.get("MODEL_NAME") or "wine-classifier", service)
app.api.binary_types = [OCTET_STREAM]  # API Gateway passes their bytes on, as base64

# For paths without a route API Gateway and `chalice local` respond with a 403 about a missing
# token; these catch-all routes respond with a 404. The longest path of the app has six parts.
MAX_PATH_PARTS = 6
METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]


@app.route("/classify", methods=["POST"])
@handle_errors
def classify() -> Response:
    """Classify the samples in the body."""
    models = service.models
    request = read_classify_request(*read_request(app))
    model = models.current()
    with service.row_limit(model.manifest) as max_rows:
        response, out_of_range = classify_samples(request, model, max_rows=max_rows)
    return json_response(response, prediction_headers(model.manifest.version, out_of_range))


@app.route("/health", methods=["GET"], content_types=[])
@handle_errors
def health() -> Response:
    """Return the health of the service: the live version, and why it is degraded."""
    return health_response(service.models)


for module in (openapi, invocations, open_inference, page):
    app.register_blueprint(module.create_blueprint(service))
register_preflight_routes(app, service)

for count in range(1, MAX_PATH_PARTS + 1):
    path = "/" + "/".join(f"{{part{number}}}" for number in range(1, count + 1))
    app.route(path, methods=METHODS, content_types=[])(not_found)

if is_bulk:

    @app.on_sqs_message(queue="bulk", name="score")  # a queue of the stack: see sam-bulk.json
    def score(event: SQSEvent) -> None:
        """Split a file of the inbox, or score a range of one."""
        from chalicelib.bulk.handler import handle

        handle(event.to_dict(), event.context, service)


if is_api:
    service.load_model()
    call_after_restore(service.reopen)
    cold_start.freeze_heap()

if "chalice.local" in sys.modules:  # `chalice local` or the test client; never on Lambda
    from chalicelib.local import server

    server.install(service)
