"""SnapStart: the package, loaded by Lambda's runtime client, is restored later.

The process waits between loading and its first event, as one does that Lambda restores from a
snapshot. Connections, credentials and the live model are others then.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3

from deployment.emulator.events import api_gateway_event
from tests.support.lambda_function import TWO_WINES
from tests.support.models import WineModel
from tests.support.runtime_api import RuntimeApi, snapshot_function
from training.artifact import BuiltModel
from training.registry import ModelRegistry


def get(api: RuntimeApi, method: str, path: str, body: object = None) -> Any:
    """Send a request and return its response, with the body parsed."""
    content = None if body is None else json.dumps(body)
    response = api.invoke(api_gateway_event(method, path, content))
    return {**response, "body": json.loads(response["body"])}


def test_a_restored_function_serves_the_model_that_is_live_then(
    code: Path,
    store: ModelRegistry,
    s3_environment: dict[str, str],
    all_required: BuiltModel,
) -> None:
    """The interval between two checks is far from over, whatever the clock says."""
    variables = {**s3_environment, "MODEL_URL": store.url, "MODEL_REFRESH_SECONDS": "1000000"}
    with snapshot_function(code, variables) as api:
        assert set(api.keys_sent) == {"key-before"}
        api.key_id = "key-after"
        store.publish(all_required.artifact)
        api.restore.set()
        response = get(api, "POST", "/classify", {"data": TWO_WINES})
        assert response["statusCode"] == 200, response
        assert response["headers"]["X-Model-Version"] == all_required.version
        assert api.keys_sent[-1] == "key-after"


def test_a_restored_function_serves_the_last_good_model_if_the_store_fails(
    code: Path, store: ModelRegistry, s3_environment: dict[str, str], trained: WineModel
) -> None:
    """A restore does not fail, and the health has the reason."""
    variables = {**s3_environment, "MODEL_URL": store.url, "MODEL_REFRESH_SECONDS": "1000000"}
    with snapshot_function(code, variables) as api:
        bucket = store.url.split("/")[2]
        boto3.client("s3").delete_object(Bucket=bucket, Key="wine/current")
        api.restore.set()
        response = get(api, "GET", "/health")
        assert response["statusCode"] == 200, response
        assert response["body"]["version"] == trained.built.version
        assert response["body"]["reason"] == "not found"


def test_a_function_that_was_loaded_without_a_model_finds_one_when_it_is_restored(
    code: Path, empty_store: ModelRegistry, s3_environment: dict[str, str], trained: WineModel
) -> None:
    """A version of the function may be published before the model."""
    with snapshot_function(code, {**s3_environment, "MODEL_URL": empty_store.url}) as api:
        empty_store.publish(trained.built.artifact)
        api.restore.set()
        assert get(api, "POST", "/classify", {"data": TWO_WINES})["statusCode"] == 200
