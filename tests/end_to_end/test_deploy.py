"""`make deploy` as a user runs it, against a local AWS server."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest
from moto.awslambda.models import lambda_backends

from deployment.emulator.function import Function
from deployment.limits import LOG_RETENTION_DAYS, REQUEST_BURST, REQUESTS_PER_SECOND
from deployment.target import UPLOAD_BYTES
from tests.support.aws_server import ACCOUNT, REGION, aws_server
from tests.support.lambda_function import TWO_WINES, StartFunction, copy_project, lock_dist
from tests.support.models import WineModel
from tests.support.paths import ROOT
from tests.support.processes import Process
from tests.support.waiting import wait_until
from training.artifact import BuiltModel
from training.registry import ModelRegistry

BUCKET = "test-models"
FUNCTION = "wine-classifier-dev"
ROLE = f"{FUNCTION}-api_handler"


class Deployment(NamedTuple):
    """A copy of the project, with separate deployments, and the environment of its AWS server."""

    project: Path
    environment: dict[str, str]
    shared_folder: Path

    def deploy(self, *variables: str) -> str:
        """Run `make deploy` and return its output."""
        command = ["deploy", "STAGE=dev", f"BUCKET={BUCKET}", f"PROJECT={self.project}"]
        with (
            lock_dist(self.shared_folder),
            Process(*command, *variables, **self.environment) as process,
        ):
            assert process.wait(110) == 0, process.printed
        return process.printed

    def delete(self, name: str) -> None:
        """Delete what was deployed with a name."""
        command = [sys.executable, "-m", "deployment", "delete", "--stage", "dev", "--name", name]
        subprocess.run([*command, "--project", str(self.project)], cwd=ROOT, check=True)

    def chalice(self, *arguments: str) -> str:
        """Run plain Chalice in the project."""
        command = [str(Path(sys.executable).with_name("chalice")), *arguments, "--stage", "dev"]
        process = subprocess.run(
            command, cwd=self.project, check=True, capture_output=True, text=True
        )
        return process.stdout

    def function(self) -> dict[str, Any]:
        """Return the deployed function."""
        function: dict[str, Any] = boto3.client("lambda").get_function(FunctionName=FUNCTION)
        return function

    def deployed_code(self) -> bytes:
        """Return the deployed package."""
        code: bytes = lambda_backends[ACCOUNT][REGION].get_function(FUNCTION).code_bytes
        return code


@pytest.fixture(scope="module")
def deployment(
    tmp_path_factory: pytest.TempPathFactory, shared_folder: Path
) -> Iterator[Deployment]:
    """The app, deployed."""
    project = copy_project(tmp_path_factory.mktemp("project") / "wine-classifier")
    with aws_server() as environment, pytest.MonkeyPatch.context() as patched:
        for name, value in environment.items():
            patched.setenv(name, value)
        deployment = Deployment(project, environment, shared_folder)
        deployment.deploy()
        yield deployment


def test_creates_the_function_with_the_package_of_make_package(
    deployment: Deployment, package: Path
) -> None:
    """Byte for byte, with the configuration of the stage."""
    assert deployment.deployed_code() == package.read_bytes()
    configuration = deployment.function()["Configuration"]
    assert configuration["Runtime"] == f"python{sys.version_info[0]}.{sys.version_info[1]}"
    assert configuration["Environment"]["Variables"]["MODEL_URL"] == f"s3://{BUCKET}/wine"


def test_creates_a_role_for_reading_and_logging_only(deployment: Deployment) -> None:
    """Of its own bucket and log."""
    [policy] = boto3.client("iam").list_role_policies(RoleName=ROLE)["PolicyNames"]
    document = boto3.client("iam").get_role_policy(RoleName=ROLE, PolicyName=policy)
    statements = document["PolicyDocument"]["Statement"]
    allowed = {action for statement in statements for action in statement["Action"]}
    logging = {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}
    assert allowed == {"s3:GetObject"} | logging
    resources = [statement["Resource"] for statement in statements]
    assert resources == [
        f"arn:aws:s3:::{BUCKET}/wine/*",
        f"arn:aws:logs:*:*:log-group:/aws/lambda/{FUNCTION}:*",
    ]


def test_limits_requests_and_the_age_of_the_log(deployment: Deployment) -> None:
    """A deployed URL is public."""
    gateway = boto3.client("apigateway")
    [api] = gateway.get_rest_apis()["items"]
    stage = gateway.get_stage(restApiId=api["id"], stageName="Prod")
    settings = stage["methodSettings"]["*/*"]
    assert settings["throttlingRateLimit"] == REQUESTS_PER_SECOND
    assert settings["throttlingBurstLimit"] == REQUEST_BURST
    [log] = boto3.client("logs").describe_log_groups()["logGroups"]
    assert (log["logGroupName"], log["retentionInDays"]) == (
        f"/aws/lambda/{FUNCTION}",
        LOG_RETENTION_DAYS,
    )


def test_creates_the_api(deployment: Deployment) -> None:
    """`chalice url` in the project prints its URL."""
    [api] = boto3.client("apigateway").get_rest_apis()["items"]
    resources = boto3.client("apigateway").get_resources(restApiId=api["id"])["items"]
    assert "/classify" in {resource["path"] for resource in resources}
    url = deployment.chalice("url").strip()
    assert url == f"https://{api['id']}.execute-api.{REGION}.amazonaws.com/Prod/"


@pytest.fixture(scope="module")
def store(deployment: Deployment, trained: WineModel) -> ModelRegistry:
    """The deployed function's bucket, with a model."""
    location = {"LocationConstraint": REGION}
    boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=location)
    store = ModelRegistry(f"s3://{BUCKET}/wine")
    store.publish(trained.built.artifact)
    return store


@pytest.fixture
def function(
    deployment: Deployment,
    store: ModelRegistry,
    unpacked: Callable[[Path], Path],
    start_function: StartFunction,
    tmp_path: Path,
) -> Function:
    """The deployed package with its variables, but a check of the store on every request."""
    package = tmp_path / "deployed.zip"
    package.write_bytes(deployment.deployed_code())
    configuration = deployment.function()["Configuration"]
    assert configuration["Handler"] == "app.app"
    variables = configuration["Environment"]["Variables"] | {"MODEL_REFRESH_SECONDS": "0"}
    return start_function(unpacked(package), **deployment.environment, **variables)


def test_the_deployed_code_classifies(function: Function) -> None:
    """The tutorial's request, a batch, and a misspelt feature."""
    assert function.request("POST", "/classify", {"data": ".10"}).body == {"prediction": "1"}
    batch = function.request("POST", "/classify", {"data": TWO_WINES})
    assert batch.body == {"predictions": ["0", "1"]}
    rejected = function.request("POST", "/classify", {"data": {"alcohl": 13.2}})
    assert (rejected.status, rejected.body["problems"][0]["at"]) == (422, "data.alcohl")


def test_the_deployed_code_loads_a_new_model_and_survives_its_loss(
    function: Function, store: ModelRegistry, trained: WineModel, all_required: BuiltModel
) -> None:
    """No redeploy is needed; when `current` is missing, the last good model serves."""
    first = function.request("POST", "/classify", {"data": TWO_WINES})
    assert first.headers["X-Model-Version"] == trained.built.version
    store.publish(all_required.artifact)

    def version() -> str:
        response = function.request("POST", "/classify", {"data": TWO_WINES})
        assert response.status == 200
        return response.headers["X-Model-Version"]

    wait_until(lambda: version() == all_required.version, "the new model is not live")
    boto3.client("s3").delete_object(Bucket=BUCKET, Key="wine/current")
    wait_until(
        lambda: function.request("GET", "/health").body["degraded"], "the loss is not noticed"
    )
    assert version() == all_required.version


def test_a_second_deployment_updates_the_function(deployment: Deployment) -> None:
    """The function and the URL stay the same."""
    before, url = deployment.function(), deployment.chalice("url")
    app = deployment.project / "app.py"
    app.write_text(app.read_text() + "\nCHANGED = True\n")
    printed = deployment.deploy()
    assert "Updating lambda function" in printed
    assert "Access: public, anyone who knows the URL can send requests." in printed
    assert (
        deployment.function()["Configuration"]["FunctionArn"]
        == (before["Configuration"]["FunctionArn"])
    )
    with zipfile.ZipFile(io.BytesIO(deployment.deployed_code())) as archive:
        assert b"CHANGED" in archive.read("app.py")
    assert deployment.chalice("url") == url


def test_plain_chalice_deploys_to_the_same_function(deployment: Deployment) -> None:
    """Its package is larger; it shares the record of deployments, and says who has access."""
    before, lean = deployment.function(), deployment.deployed_code()
    assert "Access: public" in deployment.chalice("deploy")
    after = deployment.function()["Configuration"]
    assert after["FunctionArn"] == before["Configuration"]["FunctionArn"]
    assert len(lean) < len(deployment.deployed_code()) < UPLOAD_BYTES


def names() -> dict[str, list[str]]:
    """Return the names of all functions, roles and APIs."""
    return {
        "functions": sorted(
            function["FunctionName"]
            for function in boto3.client("lambda").list_functions()["Functions"]
        ),
        "roles": sorted(role["RoleName"] for role in boto3.client("iam").list_roles()["Roles"]),
        "apis": sorted(api["name"] for api in boto3.client("apigateway").get_rest_apis()["items"]),
    }


def test_another_name_is_deployed_beside_the_first(deployment: Deployment) -> None:
    """With a function, a role, an API and a prefix of its own; it is deleted alone."""
    before, url = names(), deployment.chalice("url")
    printed = deployment.deploy("NAME=churn")
    assert "wine" not in printed.replace(str(deployment.project), "")
    assert names() == {
        "functions": ["churn-dev", FUNCTION],
        "roles": ["churn-dev-api_handler", ROLE],
        "apis": ["churn", "wine-classifier"],
    }
    configuration = boto3.client("lambda").get_function(FunctionName="churn-dev")["Configuration"]
    variables = configuration["Environment"]["Variables"]
    assert variables["MODEL_URL"] == f"s3://{BUCKET}/churn"
    deployment.delete("churn")
    assert (names(), deployment.chalice("url")) == (before, url)


def test_plain_chalice_deletes_everything(deployment: Deployment) -> None:
    """The last test of the deployment."""
    deployment.chalice("delete")
    assert boto3.client("lambda").list_functions()["Functions"] == []
    assert boto3.client("apigateway").get_rest_apis()["items"] == []
    assert boto3.client("iam").list_roles()["Roles"] == []
    record = deployment.project / ".chalice" / "deployed" / "dev.json"
    assert not record.exists() or json.loads(record.read_text())["resources"] == []


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ([], "BUCKET=name is required"),  # the configuration in the repository has a placeholder
        (["BUCKET=some", "API_KEY=yes"], "Chalice cannot set up an API key or IAM"),
        (["BUCKET=some", "AUTH=iam"], "Chalice cannot set up an API key or IAM"),
        (["BUCKET=some", "AUTH=open"], "There is no access open"),
    ],
)
def test_rejects_a_deployment_that_would_not_work(
    shared_folder: Path, variables: list[str], reason: str
) -> None:
    """Before anything is built."""
    with lock_dist(shared_folder), Process("deploy", "STAGE=dev", *variables) as process:
        assert process.wait() != 0
    assert process.printed.startswith(f"deploy: {reason}")
