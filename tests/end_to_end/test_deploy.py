"""`make deploy` as a user runs it, against a server that stands for AWS."""

from __future__ import annotations

import io
import json
import shutil
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
from deployment.target import UPLOAD_BYTES
from tests.support.aws_server import ACCOUNT, REGION, aws_server
from tests.support.lambda_function import TWO_WINES, StartFunction
from tests.support.lambda_function import start_function as start_function
from tests.support.lambda_function import unpacked as unpacked
from tests.support.models import Trained
from tests.support.paths import APP, ROOT
from tests.support.processes import Process
from training.artifact import BuiltModel
from training.registry import ModelRegistry

BUCKET = "models-of-the-tests"
FUNCTION = "wine-classifier-dev"


class Deployment(NamedTuple):
    """A project of its own, so that what a developer has deployed is left alone, and its AWS."""

    project: Path
    environment: dict[str, str]

    def deploy(self) -> str:
        """Run `make deploy`, and give what it printed."""
        process = Process(
            "deploy", "STAGE=dev", f"BUCKET={BUCKET}", f"PROJECT={self.project}",
            **self.environment,
        )  # fmt: skip
        assert process.wait(110) == 0, process.printed
        process.stop()
        return process.printed

    def chalice(self, *arguments: str) -> str:
        """Run Chalice as it is, in the project."""
        command = [str(Path(sys.executable).with_name("chalice")), *arguments, "--stage", "dev"]
        done = subprocess.run(command, cwd=self.project, check=True, capture_output=True, text=True)
        return done.stdout

    def function(self) -> dict[str, Any]:
        """Tell what AWS knows of the function."""
        known: dict[str, Any] = boto3.client("lambda").get_function(FunctionName=FUNCTION)
        return known

    def deployed_code(self) -> bytes:
        """Give the package that AWS holds."""
        held = lambda_backends[ACCOUNT][REGION].get_function(FUNCTION)
        code: bytes = held.code_bytes
        return code


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The app, deployed."""
    project = tmp_path_factory.mktemp("project") / "wine-classifier"
    left_out = shutil.ignore_patterns("__pycache__", "deployed", "deployments")
    shutil.copytree(APP, project, ignore=left_out)
    with aws_server() as environment, pytest.MonkeyPatch.context() as patched:
        for name, value in environment.items():
            patched.setenv(name, value)
        deployment = Deployment(project, environment)
        deployment.deploy()
        yield deployment


def test_creates_the_function_with_the_package_that_was_built(deployment: Deployment) -> None:
    """Byte for byte, and configured as the stage says."""
    assert deployment.deployed_code() == (ROOT / "dist" / "dev" / "deployment.zip").read_bytes()
    configuration = deployment.function()["Configuration"]
    assert configuration["Runtime"] == f"python{sys.version_info[0]}.{sys.version_info[1]}"
    assert configuration["Environment"]["Variables"]["MODEL_URL"] == f"s3://{BUCKET}/wine"


def test_creates_a_role_that_may_read_and_log_and_no_more(deployment: Deployment) -> None:
    """As `chalice gen-policy` prints it, and the log."""
    [policy] = boto3.client("iam").list_role_policies(RoleName=FUNCTION)["PolicyNames"]
    document = boto3.client("iam").get_role_policy(RoleName=FUNCTION, PolicyName=policy)
    statements = document["PolicyDocument"]["Statement"]
    allowed = {action for statement in statements for action in statement["Action"]}
    log = {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}
    assert allowed == {"s3:GetObject"} | log


def test_creates_the_api_and_tells_its_url(deployment: Deployment) -> None:
    """`chalice url` in the project finds what `make deploy` has made."""
    [api] = boto3.client("apigateway").get_rest_apis()["items"]
    resources = boto3.client("apigateway").get_resources(restApiId=api["id"])["items"]
    assert "/classify" in {resource["path"] for resource in resources}
    url = deployment.chalice("url").strip()
    assert url == f"https://{api['id']}.execute-api.{REGION}.amazonaws.com/Prod/"


@pytest.fixture(scope="module")
def store(deployment: Deployment, trained: Trained) -> ModelRegistry:
    """The bucket that the function was deployed for, with a model in it."""
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
    """What AWS holds, with the variables that AWS was given but for how often to look."""
    package = tmp_path / "deployed.zip"
    package.write_bytes(deployment.deployed_code())
    configuration = deployment.function()["Configuration"]
    assert configuration["Handler"] == "app.app"
    variables = configuration["Environment"]["Variables"] | {"MODEL_REFRESH_SECONDS": "0"}
    return start_function(unpacked(package), **deployment.environment, **variables)


def test_the_deployed_code_answers(function: Function) -> None:
    """The tutorial's request, a batch, and a request that is wrong."""
    assert function.request("POST", "/classify", {"data": ".10"}).body == {"prediction": "1"}
    batch = function.request("POST", "/classify", {"data": TWO_WINES})
    assert batch.body == {"predictions": ["0", "1"]}
    refused = function.request("POST", "/classify", {"data": {"alcohl": 13.2}})
    assert (refused.status, refused.body["problems"][0]["at"]) == (422, "data.alcohl")


def test_the_deployed_code_takes_up_a_new_model_and_outlives_its_loss(
    function: Function, store: ModelRegistry, trained: Trained, needy: BuiltModel
) -> None:
    """Without a redeploy; and if what is live goes missing, the last good model answers."""
    first = function.request("POST", "/classify", {"data": TWO_WINES})
    assert first.headers["X-Model-Version"] == trained.built.version
    store.publish(needy.artifact)
    second = function.request("POST", "/classify", {"data": TWO_WINES})
    assert second.headers["X-Model-Version"] == needy.version
    boto3.client("s3").delete_object(Bucket=BUCKET, Key="wine/current")
    third = function.request("POST", "/classify", {"data": TWO_WINES})
    assert (third.status, third.headers["X-Model-Version"]) == (200, needy.version)
    assert function.request("GET", "/health").body["degraded"]


def test_deploys_again_what_has_changed(deployment: Deployment) -> None:
    """The function is updated; it stays the same one, with the same URL."""
    before, url = deployment.function(), deployment.chalice("url")
    app = deployment.project / "app.py"
    app.write_text(app.read_text() + "\nCHANGED = True\n")
    printed = deployment.deploy()
    assert "Updating lambda function" in printed
    assert (
        deployment.function()["Configuration"]["FunctionArn"]
        == (before["Configuration"]["FunctionArn"])
    )
    with zipfile.ZipFile(io.BytesIO(deployment.deployed_code())) as archive:
        assert b"CHANGED" in archive.read("app.py")
    assert deployment.chalice("url") == url


def test_plain_chalice_deploys_the_same_function(deployment: Deployment) -> None:
    """Only larger: what `make deploy` has made is known to `chalice deploy`."""
    before, lean = deployment.function(), deployment.deployed_code()
    deployment.chalice("deploy")
    after = deployment.function()["Configuration"]
    assert after["FunctionArn"] == before["Configuration"]["FunctionArn"]
    assert len(lean) < len(deployment.deployed_code()) < UPLOAD_BYTES


def test_plain_chalice_deletes_it_all(deployment: Deployment) -> None:
    """`chalice delete`; last, as nothing is left then."""
    deployment.chalice("delete")
    assert boto3.client("lambda").list_functions()["Functions"] == []
    assert boto3.client("apigateway").get_rest_apis()["items"] == []
    assert boto3.client("iam").list_roles()["Roles"] == []
    record = deployment.project / ".chalice" / "deployed" / "dev.json"
    assert not record.exists() or json.loads(record.read_text())["resources"] == []


def test_refuses_to_deploy_without_a_bucket() -> None:
    """The configuration as it is in the repository names none."""
    process = Process("deploy", "STAGE=dev")
    assert process.wait() != 0
    process.stop()
    assert process.printed.startswith("deploy: Say where the models are: BUCKET=name")


def test_refuses_to_deploy_with_an_api_key() -> None:
    """Rather than without one, unnoticed: Chalice knows no usage plan."""
    process = Process("deploy", "STAGE=dev", "BUCKET=some", "API_KEY=yes")
    assert process.wait() != 0
    process.stop()
    assert process.printed.startswith("deploy: Chalice cannot set up an API key")
