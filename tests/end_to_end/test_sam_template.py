"""The SAM template of `make package`, and the permissions of its roles."""

from __future__ import annotations

import fnmatch
import json
import logging
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from chalicelib.store.secret_store import SERVICES
from deployment import access
from deployment.chalice_project import temporary_copy
from deployment.sam_template import read_overlay, write_template
from deployment.target import get_architecture
from tests.support.lambda_function import StartFunction, copy_project, make_package
from tests.support.models import WineModel
from tests.support.paths import APP
from tests.support.translation import translate
from tests.support.waiting import wait_until
from training.registry import ModelRegistry

Template = dict[str, Any]
# The permission for each method: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html
ACTIONS = {"GET": "s3:GetObject", "HEAD": "s3:GetObject", "PUT": "s3:PutObject"}


@pytest.fixture(scope="module")
def folders(shared_folder: Path) -> dict[str, Path]:
    """The folder that `make package` writes for each stage."""
    return {stage: make_package(stage, shared_folder) for stage in ("dev", "prod")}


@pytest.fixture(scope="module")
def templates(folders: dict[str, Path]) -> dict[str, Template]:
    """The template of each stage."""
    return {
        stage: json.loads((folder / "sam.json").read_text()) for stage, folder in folders.items()
    }


@pytest.fixture(scope="module")
def prod(templates: dict[str, Template]) -> dict[str, Any]:
    """The resources of stage prod."""
    resources: dict[str, Any] = templates["prod"]["Resources"]
    return resources


@pytest.fixture(scope="module")
def by_access(
    folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """The template of stage prod for each access, with one build."""
    paths = {access.KEY: folders["prod"] / "sam.json"}
    original = copy_project(tmp_path_factory.mktemp("project") / APP.name)
    target, requirements = get_architecture("x86_64"), APP / "requirements.txt"
    for auth in (access.IAM, access.PUBLIC):
        paths[auth] = tmp_path_factory.mktemp(auth) / "sam.json"
        with temporary_copy(original, "prod", target, requirements, None) as project:
            project.install_package(folders["prod"] / "deployment.zip")
            write_template(project, "prod", paths[auth], auth=auth)
    return paths


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_cfn_lint_accepts_the_template(folders: dict[str, Path], stage: str) -> None:
    """Without an error or a warning."""
    assert lint(folders[stage] / "sam.json") == (0, "")


@pytest.mark.parametrize("auth", [access.IAM, access.PUBLIC])
def test_cfn_lint_accepts_the_template_for_every_access(
    by_access: dict[str, Path], auth: str
) -> None:
    """The default is in the test above."""
    assert lint(by_access[auth]) == (0, "")


@pytest.mark.parametrize("auth", access.ACCESS)
def test_only_the_page_the_health_and_preflights_are_open(
    by_access: dict[str, Path], auth: str
) -> None:
    """After SAM's translation: every other method, the catch-all routes too, is closed."""
    body = translate(by_access[auth])["Resources"]["RestAPI"]["Properties"]["Body"]
    schemes = {access.KEY: "api_key", access.IAM: "sigv4"}
    closed, opened = [], []
    for path, method, operation in access.methods(body):
        if operation.get("security"):
            assert operation["security"] == [{schemes[auth]: []}]
            closed.append((path, method))
        else:
            opened.append((path, method))
    assert {path for path, method in opened if method == "options"} == set(body["paths"])
    if auth == access.PUBLIC:
        assert closed == []
        return
    named = [method for method in opened if method[1] != "options"]
    assert sorted(named) == [("/", "get"), ("/health", "get")]
    assert {("/classify", "post"), ("/{part1}", "get"), ("/{part1}", "delete")} <= set(closed)
    assert schemes[auth] in body["securityDefinitions"]


def test_the_schemes_are_those_that_api_gateway_checks(by_access: dict[str, Path]) -> None:
    """A key in X-Api-Key, or AWS's signatures; a template for everyone has neither."""
    schemes = {
        auth: translate(path)["Resources"]["RestAPI"]["Properties"]["Body"].get(
            "securityDefinitions", {}
        )
        for auth, path in by_access.items()
    }
    assert schemes[access.KEY]["api_key"]["name"] == "x-api-key"
    assert schemes[access.IAM]["sigv4"]["x-amazon-apigateway-authtype"] == "awsSigv4"
    assert schemes[access.PUBLIC] == {}


def test_only_a_template_with_a_key_makes_one(by_access: dict[str, Path]) -> None:
    """Its id is an output; who signs finds what to be allowed to invoke."""
    kinds = {}
    for auth, path in by_access.items():
        template = translate(path)
        kinds[auth] = {resource["Type"] for resource in template["Resources"].values()}
        assert ("ApiKeyId" in template["Outputs"]) is (auth == access.KEY)
        assert ("InvokeArn" in template["Outputs"]) is (auth == access.IAM)
    assert [auth for auth in kinds if "AWS::ApiGateway::ApiKey" in kinds[auth]] == [access.KEY]
    assert [auth for auth in kinds if "AWS::ApiGateway::UsagePlanKey" in kinds[auth]] == [
        access.KEY
    ]


def test_the_api_key_has_a_rate_and_a_quota(folders: dict[str, Path]) -> None:
    """Parameters of the stack, also for SAM, which reads them when it translates."""
    resources = translate(folders["prod"] / "sam.json", KeyRequestsPerDay="7")["Resources"]
    plan = resources["RestAPIUsagePlan"]["Properties"]
    assert plan["Throttle"] == {"RateLimit": 50, "BurstLimit": 100}
    assert plan["Quota"] == {"Limit": "7", "Period": "DAY"}


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_requests_are_logged_without_what_they_hold(folders: dict[str, Path], stage: str) -> None:
    """Unless the stack says no: then there is no log, and the account's role stays as it is."""
    template = folders[stage] / "sam.json"
    resources = translate(template)["Resources"]
    setting = resources["RestAPIProdStage"]["Properties"]["AccessLogSetting"]
    assert setting["DestinationArn"] == {"Fn::GetAtt": ["RequestLog", "Arn"]}
    fields = json.loads(setting["Format"])
    assert fields["route"] == "$context.resourcePath"  # not the path, which a caller writes
    assert fields["status"] == "$context.status"
    without = translate(template, AccessLog="no")["Resources"]
    assert "AccessLogSetting" not in without["RestAPIProdStage"]["Properties"]
    assert not {"RequestLog", "RequestLogRole", "RequestLogAccount"} & without.keys()


def test_reserved_concurrency_is_a_parameter(folders: dict[str, Path]) -> None:
    """None by default: a new account has too little to reserve any."""
    template = folders["prod"] / "sam.json"
    name = "ReservedConcurrentExecutions"
    assert name not in translate(template)["Resources"]["APIHandler"]["Properties"]
    reserved = translate(template, ReservedConcurrency="5")["Resources"]["APIHandler"]
    assert reserved["Properties"][name] == {"Ref": "ReservedConcurrency"}


def lint(template: Path) -> tuple[int, str]:
    """Run cfn-lint and return its exit code and its output."""
    command = [str(Path(sys.executable).with_name("cfn-lint")), str(template)]
    process = subprocess.run(command, capture_output=True, text=True)
    return process.returncode, process.stdout


def test_prod_creates_a_private_encrypted_versioned_bucket(prod: dict[str, Any]) -> None:
    """It outlives the stack, and is readable over TLS only."""
    bucket = prod["ModelBucket"]
    assert bucket["DeletionPolicy"] == "Retain"
    properties = bucket["Properties"]
    assert all(properties["PublicAccessBlockConfiguration"].values())
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert "BucketEncryption" in properties
    [statement] = prod["ModelBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Sid"]) == ("Deny", "RequireTLS")


def test_prod_serves_from_that_bucket_and_logs_to_that_group(
    templates: dict[str, Template],
) -> None:
    """The function's variable, its role and the stack's output name the same bucket."""
    template = templates["prod"]
    resources = template["Resources"]
    function = resources["APIHandler"]["Properties"]
    url = {"Fn::Sub": "s3://${ModelBucket}/wine"}
    assert function["Environment"]["Variables"]["MODEL_URL"] == url
    assert template["Outputs"]["ModelURL"]["Value"] == url
    assert {"EndpointURL", "ClassifyURL", "ModelBucketName"} <= template["Outputs"].keys()
    name = function["FunctionName"]["Fn::Sub"]
    log = resources["FunctionLog"]["Properties"]
    assert log["LogGroupName"] == {"Fn::Sub": f"/aws/lambda/{name}"}
    assert log["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_prod_has_a_hidden_parameter_for_the_signing_key(
    templates: dict[str, Template],
) -> None:
    """Without one, the stack makes a secret, whose value the function receives at deployment."""
    template = templates["prod"]
    assert template["Parameters"]["SigningKey"]["NoEcho"] is True
    variables = template["Resources"]["APIHandler"]["Properties"]["Environment"]["Variables"]
    assert variables["MODEL_SIGNING_KEY"]["Fn::If"][2]["Fn::If"][1:] == [
        {"Ref": "SigningKey"},
        {"Fn::Sub": "{{resolve:secretsmanager:${SigningKeySecret}}}"},
    ]
    secret = template["Resources"]["SigningKeySecret"]["Properties"]["GenerateSecretString"]
    assert secret["PasswordLength"] >= 32


def test_a_key_that_the_function_reads_is_the_only_one_it_may_read(
    folders: dict[str, Path],
) -> None:
    """The stack then makes no secret, and the key is in no variable."""
    arn = "arn:aws:ssm:eu-central-1:123456789012:parameter/wine/key"
    template = folders["prod"] / "sam.json"
    resources = translate(template, SigningKeyArn=arn)["Resources"]
    variables = resources["APIHandler"]["Properties"]["Environment"]["Variables"]
    # The second item is there for the order: the function may read the key when it gets the ARN.
    assert variables["MODEL_SIGNING_KEY"] == {
        "Fn::Select": [0, [{"Ref": "SigningKeyArn"}, {"Ref": "ReadSigningKey"}]]
    }
    assert "MODEL_SIGNING_KEY_PREVIOUS" not in variables
    assert "SigningKeySecret" not in resources
    policy = resources["ReadSigningKey"]["Properties"]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert statement["Resource"] == {"Ref": "SigningKeyArn"}
    permissions = {service.permission for service in SERVICES.values()}
    assert set(statement["Action"]) == permissions
    assert policy["Roles"] == [{"Ref": "ApiHandlerRole"}]
    assert "ReadSigningKey" not in translate(template)["Resources"]


def test_a_rotation_has_a_hidden_parameter_for_the_previous_key(
    folders: dict[str, Path],
) -> None:
    """The function accepts models that are signed with it too."""
    template = folders["prod"] / "sam.json"
    translated = translate(template, SigningKeyPrevious="the-key-of-last-year")
    variables = translated["Resources"]["APIHandler"]["Properties"]["Environment"]["Variables"]
    assert variables["MODEL_SIGNING_KEY_PREVIOUS"] == {"Ref": "SigningKeyPrevious"}
    assert translated["Parameters"]["SigningKeyPrevious"]["NoEcho"] is True


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_the_overlay_is_in_the_template(templates: dict[str, Template], stage: str) -> None:
    """The parts for every stage, and those for this one."""
    resources = templates[stage]["Resources"]
    for name, resource in read_overlay(APP / ".chalice", stage)["Resources"].items():
        assert (
            resources[name]["Properties"].items()
            >= {
                key: value
                for key, value in resource["Properties"].items()
                if key not in ("DefinitionBody", "Environment")  # Chalice adds to these
            }.items()
        )


def test_serving_makes_exactly_the_calls_that_each_stage_allows(
    folders: dict[str, Path],
    templates: dict[str, Template],
    unpacked: Callable[[Path], Path],
    start_function: StartFunction,
    s3_environment: dict[str, str],
    trained: WineModel,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Cold start, unchanged model, missing model."""
    bucket = "prod-models"
    location = {"LocationConstraint": "eu-central-1"}
    boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=location)
    store = ModelRegistry(f"s3://{bucket}/wine")
    store.publish(trained.built.artifact)
    code = unpacked(folders["prod"] / "deployment.zip")
    function = start_function(
        code, MODEL_URL=store.url, MODEL_REFRESH_SECONDS="0", **s3_environment
    )
    caplog.clear()
    with caplog.at_level(logging.INFO, "werkzeug"):
        assert function.request("POST", "/classify", {"data": ".10"}).status == 200
        assert function.request("POST", "/classify", {"data": ".10"}).status == 200
        boto3.client("s3").delete_object(Bucket=bucket, Key="wine/current")
        wait_until(
            lambda: function.request("GET", "/health").body["degraded"], "the loss is not noticed"
        )
    calls = re.findall(r'"(GET|HEAD|PUT|POST) /([^ ?]+)', caplog.text)
    assert len(calls) >= 3
    actions = {ACTIONS[method] for method, _ in calls}
    arns = {f"arn:aws:s3:::{path}" for _, path in calls}
    for stage in ("dev", "prod"):
        allowed, resources = s3_permissions(templates[stage], bucket)
        assert actions == allowed, stage
        assert all(any(fnmatch.fnmatch(arn, pattern) for pattern in resources) for arn in arns)


def s3_permissions(template: Template, bucket: str) -> tuple[set[str], set[str]]:
    """Return the S3 actions and resources that the function's role allows."""
    role = template["Resources"]["ApiHandlerRole"]["Properties"]
    actions: set[str] = set()
    resources: set[str] = set()
    for policy in role["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            on_s3 = {action for action in statement["Action"] if action.startswith("s3:")}
            if on_s3:
                pattern = statement["Resource"]["Fn::Sub"]
                arn = f"arn:aws:s3:::{bucket}"
                for name in ("${ModelBucket.Arn}", "arn:${AWS::Partition}:s3:::YOUR-BUCKET"):
                    pattern = pattern.replace(name, arn)
                resources.add(pattern)
                actions |= on_s3
    return actions, resources
