"""The OpenAPI 3.1 document of the API, from the signature of the live model.

The format: https://spec.openapis.org/oas/v3.1.1.html
"""

from __future__ import annotations

from typing import Any, get_args

from chalicelib import SERVER_VERSION
from chalicelib.errors import Reason
from chalicelib.models.manifest import Manifest
from chalicelib.openapi.invocation_schemas import invocation_schemas
from chalicelib.openapi.json_schema import TEXT, Schema, array_schema, nullable, object_schema
from chalicelib.openapi.operations import error_responses, header_components
from chalicelib.openapi.paths import build_paths
from chalicelib.openapi.sample_schemas import sample_schemas
from chalicelib.openapi.tensor_schemas import tensor_schemas

# Relative to the document's own URL, so it holds below a stage and below a custom domain's path.
_SERVER_URL = "."


def openapi_document(manifest: Manifest, *, max_rows: int) -> dict[str, Any]:
    """Describe every route for the model, with at most `max_rows` samples in a request."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{manifest.name} {manifest.version}",
            "version": SERVER_VERSION,
            "summary": "A scikit-learn classifier.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": _SERVER_URL}],
        "tags": [{"name": name} for name in ("classify", "about", "mlflow", "inference")],
        "paths": build_paths(manifest),
        "components": {
            "schemas": {
                **sample_schemas(manifest, max_rows),
                **invocation_schemas(manifest),
                **tensor_schemas(manifest),
                **_error_schemas(),
            },
            "responses": error_responses(),
            "headers": header_components(),
        },
    }


def _error_schemas() -> dict[str, Schema]:
    problem = object_schema({"at": TEXT, "problem": TEXT})
    health: dict[str, Schema] = {
        "live": {"const": True},
        "ready": {"type": "boolean"},
        "degraded": {"type": "boolean"},
        "since": nullable(TEXT),
        "reason": {"enum": [*get_args(Reason), None]},
        "version": nullable(TEXT),
    }
    return {
        "Error": object_schema(
            {"error": TEXT, "problems": array_schema(problem)}, required=["error"]
        ),
        "Health": object_schema(health),
        "NotReady": object_schema({"error": TEXT, **health}),
    }
