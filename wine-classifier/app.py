"""The routes: each reads a request, calls what answers it and hands the answer back."""

# ruff: noqa: E402 (a cold start begins before the rest is imported)
from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

begun = None
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    from chalicelib import cold_start

    begun = cold_start.begin()  # goes on while Python imports what follows

from chalice.app import Response

from chalicelib import description, inference_protocol, invocations
from chalicelib.classification import classify as classify_samples
from chalicelib.classify_request import read_classify_request
from chalicelib.cors import allow_origin, answer_preflights
from chalicelib.errors import ModelUnavailable
from chalicelib.gateway import StrictChalice, received
from chalicelib.http import (
    answers_errors,
    health_response,
    in_the_one_shape,
    json_response,
    unknown_path,
)
from chalicelib.serving import Serving

if TYPE_CHECKING:
    # Chalice writes the IAM policy of stage dev from the boto3 calls that it finds in this file.
    # Serving reads with obstore, which it does not know, so here is that one call in boto3's words.
    import boto3

    boto3.client("s3").get_object()

app = StrictChalice(app_name="wine-classifier")
app.api.binary_types = []  # nothing served is binary; else Chalice compares each request with all
serving = Serving(begun)

# API Gateway and `chalice local` refuse a path that no route matches on their own, with a 403 that
# speaks of a token; these let us say 404. Six parts are as many as the longest path served has.
MAX_PATH_PARTS = 6
METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]

app.register_middleware(
    lambda request, get_response: allow_origin(request, get_response, serving), "http"
)
app.register_middleware(
    lambda request, get_response: in_the_one_shape(request, get_response, app.routes), "http"
)


@app.route("/classify", methods=["POST"])
@answers_errors
def classify() -> Response:
    """Classify the samples in the body."""
    settings, models = serving.opened()
    request = read_classify_request(*received(app))
    model = models.current()
    answer = classify_samples(request, model, max_rows=settings.max_rows)
    return json_response(answer, {"X-Model-Version": model.manifest.version})


@app.route("/health", methods=["GET"], content_types=[])
@answers_errors
def health() -> Response:
    """Tell whether there is a model, and whether it is as it should be."""
    models = serving.opened().models
    with suppress(ModelUnavailable):
        models.current()
    return health_response(models.health())


for part in (description, invocations, inference_protocol):
    app.register_blueprint(part.blueprint(serving))
answer_preflights(app, serving)

for count in range(MAX_PATH_PARTS + 1):
    path = "/" + "/".join(f"{{part{number}}}" for number in range(1, count + 1))
    app.route(path, methods=METHODS, content_types=[])(unknown_path)

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    serving.warm_up()
    cold_start.end()

if "chalice.local" in sys.modules:  # `chalice local`, or the test client; never on Lambda
    from chalicelib import local_server

    local_server.take_over()
