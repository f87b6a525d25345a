"""The package of `make package BULK=yes`: files are scored on the Lambda emulator."""

from __future__ import annotations

import csv
import fnmatch
import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import numpy as np
import pandas as pd
import pytest

from tests.support.bulk import RECEIVES, EventSource, Stack
from tests.support.bulk_function import WatchedFunction
from tests.support.lambda_function import make_package
from tests.support.models import WineModel
from tests.support.translation import translate
from training.artifact import BuiltModel

ROWS = 20_000
# The permission for each method: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html
ACTIONS = {
    "GET": "s3:GetObject",
    "HEAD": "s3:GetObject",
    "PUT": "s3:PutObject",
    "DELETE": "s3:DeleteObject",
}


@pytest.fixture(scope="module")
def folder(shared_folder: Path) -> Path:
    """What `make package STAGE=prod BULK=yes` writes."""
    return make_package("prod", shared_folder, bulk=True)


@pytest.fixture(scope="module")
def template(folder: Path) -> dict[str, Any]:
    """The stack's template, translated."""
    return translate(folder / "sam.json")


@pytest.fixture
def stack(s3_environment: dict[str, str], trained: WineModel) -> Stack:
    """A stack whose live model is that of the wines."""
    stack = Stack()
    stack.registry.publish(trained.built.artifact)
    return stack


def test_every_row_is_scored_once_though_functions_are_killed(
    folder: Path,
    template: dict[str, Any],
    unpacked: Callable[[Path], Path],
    stack: Stack,
    s3_environment: dict[str, str],
    trained: WineModel,
    all_required: BuiltModel,
) -> None:
    """Messages come twice and out of order, one function in five dies, a model is published."""
    rng = random.Random(0)
    names = trained.dataset.feature_names
    indices = np.random.default_rng(0).integers(len(trained.dataset.X), size=ROWS)
    rows = trained.dataset.X[indices] * np.random.default_rng(1).uniform(0.8, 1.2, (ROWS, 1))
    stack.put("wines.csv", pd.DataFrame(rows, columns=names).to_csv(index=False).encode())
    variables = {"BULK_RANGE_BYTES": "300000", **s3_environment}
    code = unpacked(folder / "deployment.zip")
    with WatchedFunction(code, stack, variables, rng, killed=5) as function:
        published: list[str] = []

        def invoke(event: dict[str, Any]) -> None:
            function.invoke(event)
            if not published and '"range"' in event["Records"][0]["body"]:
                published.append(stack.registry.publish(all_required.artifact))

        source = EventSource(stack, invoke)
        source.run(rng, twice=0.3)
    success = stack.read_json("wines.csv", "_SUCCESS")
    lines = list(csv.reader(stack.lines("wines.csv")))
    assert [line[0] for line in lines] == [str(y) for y in trained.estimator.predict(rows)]
    scores = np.array([line[1:4] for line in lines], float)
    assert np.abs(scores - trained.estimator.predict_proba(rows)).max() < 1e-5
    assert (success["rows"], success["rejected"]) == (ROWS, 0)
    assert success["version"] == trained.built.version
    assert published
    assert success["parts"] >= 10
    assert source.failures == function.kills >= 3
    assert function.invocations > success["parts"] + function.kills
    assert_allowed(function.calls, template["Resources"]["ScoreRole"], stack.bucket)


def assert_allowed(calls: list[tuple[str, str]], role: dict[str, Any], bucket: str) -> None:
    """Check that a role allows each call to S3, on its object or with its prefix."""
    statements = [
        s for p in role["Properties"]["Policies"] for s in p["PolicyDocument"]["Statement"]
    ]
    checked = set()
    for method, target in calls:
        path, _, query = unquote(target).partition("?")
        if not path:
            continue  # of SQS
        parameters = parse_qs(query)
        if "list-type" in parameters:
            action, arn = "s3:ListBucket", f"arn:aws:s3:::{path}"
        else:
            action, arn = ACTIONS[method], f"arn:aws:s3:::{path}"
        prefix = parameters.get("prefix", [""])[0]
        assert any(_allows(s, action, arn, prefix, bucket) for s in statements), (action, arn)
        checked.add(action)
    assert checked >= {"s3:GetObject", "s3:PutObject", "s3:ListBucket"}


def _allows(statement: dict[str, Any], action: str, arn: str, prefix: str, bucket: str) -> bool:
    resources = statement["Resource"]
    patterns = [
        json.dumps(resource)
        .replace('{"Fn::Sub": "${ModelBucket.Arn}', f"arn:aws:s3:::{bucket}")
        .replace('{"Fn::GetAtt": ["ModelBucket", "Arn"]}', f"arn:aws:s3:::{bucket}")
        .removesuffix('"}')
        for resource in (resources if isinstance(resources, list) else [resources])
    ]
    prefixes = statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix", ["*"])
    return (
        action in statement["Action"]
        and any(fnmatch.fnmatchcase(arn, pattern) for pattern in patterns)
        and any(fnmatch.fnmatchcase(prefix, pattern) for pattern in prefixes)
    )


def test_cfn_lint_accepts_the_template(folder: Path) -> None:
    """Without an error or a warning."""
    command = [str(Path(sys.executable).with_name("cfn-lint")), str(folder / "sam.json")]
    process = subprocess.run(command, capture_output=True, text=True)
    assert (process.returncode, process.stdout) == (0, "")


def test_both_functions_may_read_a_signing_key_that_is_named(folder: Path) -> None:
    """The one that scores files loads signed models too."""
    arn = "arn:aws:ssm:eu-central-1:123456789012:parameter/wine/key"
    resources = translate(folder / "sam.json", SigningKeyArn=arn)["Resources"]
    roles = resources["ReadSigningKey"]["Properties"]["Roles"]
    assert roles == [{"Ref": "ApiHandlerRole"}, {"Ref": "ScoreRole"}]
    keys = [
        resources[name]["Properties"]["Environment"]["Variables"]["MODEL_SIGNING_KEY"]
        for name in ("APIHandler", "Score")
    ]
    assert keys[0] == keys[1]


def test_the_api_may_read_models_alone(template: dict[str, Any]) -> None:
    """Neither the inbox nor the outbox, nor the queue."""
    [policy] = template["Resources"]["ApiHandlerRole"]["Properties"]["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    actions = [action for statement in statements for action in statement["Action"]]
    assert sorted(actions) == ["logs:CreateLogStream", "logs:PutLogEvents", "s3:GetObject"]
    keys = [item["Fn::Sub"] for s in statements for item in s["Resource"] if isinstance(item, dict)]
    assert keys == ["${ModelBucket.Arn}/wine/current", "${ModelBucket.Arn}/wine/versions/*"]
    variables = template["Resources"]["APIHandler"]["Properties"]["Environment"]["Variables"]
    assert not [name for name in variables if name.startswith("BULK")]


def test_the_queue_is_encrypted_and_waits_six_times_the_functions_timeout(
    template: dict[str, Any],
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html."""
    resources = template["Resources"]
    queue, dead = (resources[n]["Properties"] for n in ("BulkQueue", "BulkDeadLetters"))
    assert queue["SqsManagedSseEnabled"] is dead["SqsManagedSseEnabled"] is True
    assert queue["VisibilityTimeout"] == 6 * resources["Score"]["Properties"]["Timeout"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] == RECEIVES
    for name in ("BulkQueuePolicy", "BulkDeadLettersPolicy"):
        statements = resources[name]["Properties"]["PolicyDocument"]["Statement"]
        [deny] = [s for s in statements if s["Effect"] == "Deny"]
        assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    alarm = resources["BulkDeadLettersAlarm"]["Properties"]
    assert alarm["Dimensions"][0]["Value"] == {"Fn::GetAtt": ["BulkDeadLetters", "QueueName"]}


def test_the_function_that_scores_has_the_variables_of_the_api(template: dict[str, Any]) -> None:
    """The store, the stage and the keys; and its own memory, time and queue."""
    api, score = (template["Resources"][name]["Properties"] for name in ("APIHandler", "Score"))
    variables = score["Environment"]["Variables"]
    assert variables.items() >= api["Environment"]["Variables"].items()
    assert variables["BULK_QUEUE_URL"] == {"Ref": "BulkQueue"}
    assert score["Handler"] == "app.score"
    assert (score["MemorySize"], api["MemorySize"]) == (1769, 512)
    mapping = template["Resources"]["ScoreScoreSqsEventSource"]["Properties"]
    assert mapping["BatchSize"] == 1
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "BulkConcurrency"}}
