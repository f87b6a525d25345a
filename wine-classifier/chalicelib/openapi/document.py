"""The OpenAPI 3.1 document of the API, made from the signature of the model that is live.

The format: https://spec.openapis.org/oas/v3.1.1.html
"""

from __future__ import annotations

from typing import Any

from chalicelib import SERVER_VERSION
from chalicelib.models.manifest import Manifest
from chalicelib.openapi.invocation_schemas import invocation_schemas
from chalicelib.openapi.json_schema import Schema, closed, ref
from chalicelib.openapi.operations import ERRORS, RETRY_AFTER, answer_with
from chalicelib.openapi.paths import paths_of
from chalicelib.openapi.sample_schemas import sample_schemas
from chalicelib.openapi.tensor_schemas import tensor_schemas


def openapi_document(manifest: Manifest, *, max_rows: int, server_url: str) -> dict[str, Any]:
    """Describe every route for the model that is live.

    Parameters
    ----------
    manifest : Manifest
        What the model says of itself.
    max_rows : int
        The most samples that one request may hold.
    server_url : str
        What stands before each path.

    Returns
    -------
    dict
        Its examples work when they are sent.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{manifest.name} {manifest.version}",
            "version": SERVER_VERSION,
            "summary": "A scikit-learn classifier.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server_url}],
        "tags": [{"name": name} for name in ("classify", "about", "mlflow", "inference")],
        "paths": paths_of(manifest),
        "components": {
            "schemas": _schemas(manifest, max_rows),
            "responses": {
                name: answer_with(
                    text, ref("Error"), headers=RETRY_AFTER if code == "503" else None
                )
                for code, (name, text) in ERRORS.items()
            },
        },
    }


def _schemas(manifest: Manifest, max_rows: int) -> dict[str, Schema]:
    return {
        **sample_schemas(manifest, max_rows),
        **invocation_schemas(manifest),
        **tensor_schemas(manifest),
        **_shared_schemas(),
    }


def _shared_schemas() -> dict[str, Schema]:
    text, maybe = {"type": "string"}, {"type": ["string", "null"]}
    problem = closed({"at": text, "problem": text})
    health = {
        "live": {"const": True},
        "ready": {"type": "boolean"},
        "degraded": {"type": "boolean"},
        "since": maybe,
        "reason": maybe,
        "version": maybe,
    }
    problems = {"type": "array", "items": problem}
    return {
        "Error": closed({"error": text, "problems": problems}, optional=("problems",)),
        "Health": closed(health),
        "NotReady": closed({"error": text, **health}),
    }
