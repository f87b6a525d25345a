"""The SAM template of `SNAPSTART=yes`, with each front door."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deployment import access, front_doors
from deployment.chalice_project import temporary_copy
from deployment.sam_template import write_template
from deployment.target import get_architecture
from tests.support.lambda_function import copy_project, make_package
from tests.support.paths import APP, ROOT
from tests.support.translation import translate

ALIAS = {"Ref": "APIHandlerAliaslive"}


@pytest.fixture(scope="module")
def by_door(shared_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The template of stage prod for each front door, with one build."""
    package = make_package("prod", shared_folder) / "deployment.zip"
    original = copy_project(tmp_path_factory.mktemp("project") / APP.name)
    target, requirements = get_architecture("x86_64"), APP / "requirements.txt"
    paths = {}
    for door in front_doors.FRONT_DOORS:
        paths[door] = tmp_path_factory.mktemp(door) / "sam.json"
        with temporary_copy(original, "prod", target, requirements, None) as project:
            project.install_package(package)
            write_template(
                project,
                "prod",
                paths[door],
                auth=access.IAM,
                url=door,
                restores_snapshots=True,
            )
    return paths


@pytest.fixture(params=front_doors.FRONT_DOORS)
def door(request: pytest.FixtureRequest) -> str:
    """A front door."""
    return str(request.param)


def test_cfn_lint_accepts_the_template(by_door: dict[str, Path], door: str) -> None:
    """Without an error or a warning."""
    command = [str(Path(sys.executable).with_name("cfn-lint")), str(by_door[door])]
    process = subprocess.run(command, capture_output=True, text=True)
    assert (process.returncode, process.stdout) == (0, "")


def test_a_version_is_published_with_a_snapshot(by_door: dict[str, Path], door: str) -> None:
    """The alias points to it, and a change of a variable publishes another."""
    resources = translate(by_door[door])["Resources"]
    assert resources["APIHandler"]["Properties"]["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    alias = resources["APIHandlerAliaslive"]["Properties"]
    version = alias["FunctionVersion"]["Fn::GetAtt"][0]
    assert resources[version]["Type"] == "AWS::Lambda::Version"
    assert alias["Name"] == "live"
    template = by_door[door].read_text()
    assert '"AutoPublishAliasAllProperties": true' in template


def test_every_caller_calls_the_alias(by_door: dict[str, Path], door: str) -> None:
    """Nothing calls the function itself, which has no snapshot."""
    resources = translate(by_door[door])["Resources"]
    assert called(resources, door) == {"alias"}
    permissions = [
        resource["Properties"]
        for resource in resources.values()
        if resource["Type"] == "AWS::Lambda::Permission"
    ]
    assert permissions or door == front_doors.FUNCTION  # with IAM, callers have policies
    assert all(permission["FunctionName"] == ALIAS for permission in permissions)


def called(resources: dict[str, Any], door: str) -> set[str]:
    """Return what the front door calls: the alias, or something else."""
    if door == front_doors.FUNCTION:
        url = resources["APIHandlerUrl"]["Properties"]
        return {"alias" if url["TargetFunctionArn"] == ALIAS else str(url)}
    api = resources["RestAPI" if door == front_doors.REST else "HttpAPI"]["Properties"]
    uris = [
        str(operation["x-amazon-apigateway-integration"]["uri"])
        for path in api["Body"]["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict) and "x-amazon-apigateway-integration" in operation
    ]
    assert uris
    return {"alias" if "${APIHandlerAliaslive}/invocations" in uri else uri for uri in uris}


def test_plain_deploy_has_no_alias() -> None:
    """The command says what has it."""
    command = [sys.executable, "-m", "deployment", "deploy", "--stage", "dev", "--snapstart"]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert process.returncode == 2
    assert process.stderr == "deploy: SNAPSTART=yes needs make package, then sam deploy.\n"
