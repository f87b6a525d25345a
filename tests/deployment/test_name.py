"""One name: what is deployed under another name than wine does not say wine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deployment.chalice_project import Project, temporary_copy
from deployment.errors import PackagingError
from deployment.sam_template import write_template
from deployment.target import get_architecture
from tests.support.lambda_function import copy_project
from tests.support.paths import APP, ROOT

TARGET = get_architecture("x86_64")
REQUIREMENTS = ROOT / "wine-classifier/requirements.txt"


@pytest.fixture(scope="module", params=["dev", "prod"])
def stage(request: pytest.FixtureRequest) -> str:
    """Each stage."""
    return str(request.param)


@pytest.fixture(scope="module")
def project(stage: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The copy of the project that is packaged as churn."""
    original = copy_project(tmp_path_factory.mktemp("project") / APP.name)
    with temporary_copy(original, stage, TARGET, REQUIREMENTS, "models", "churn") as copy:
        yield copy


@pytest.fixture(scope="module")
def template(project: Project, stage: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The SAM template of that copy."""
    folder = tmp_path_factory.mktemp("package")
    package = folder / "deployment.zip"
    package.write_bytes(b"PK\5\6" + bytes(18))  # an empty archive: the template names it only
    project.install_package(package)
    write_template(project, stage, folder / "sam.json")
    return (folder / "sam.json").read_text()


def test_the_template_does_not_say_wine(template: str) -> None:
    """In no name, description or path."""
    assert "wine" not in template.lower()


def test_the_template_says_the_name(template: str, stage: str) -> None:
    """The prefix of the models, the permission to read them, the server's name and the tag."""
    resources: dict[str, Any] = json.loads(template)["Resources"]
    function = resources["APIHandler"]["Properties"]
    variables = function["Environment"]["Variables"]
    assert variables["MODEL_NAME"] == "churn"
    assert function["Tags"]["aws-chalice"].endswith(f"stage={stage}:app=churn")
    if stage == "dev":
        assert variables["MODEL_URL"] == "s3://models/churn"
        readable = "arn:${AWS::Partition}:s3:::models/churn/*"
    else:
        assert variables["MODEL_URL"] == {"Fn::Sub": "s3://${ModelBucket}/churn"}
        readable = "${ModelBucket.Arn}/churn/*"
    [policy] = resources["ApiHandlerRole"]["Properties"]["Policies"]
    [read, _] = policy["PolicyDocument"]["Statement"]
    assert read["Resource"] == {"Fn::Sub": readable}


def test_no_file_of_the_configuration_says_wine(project: Project) -> None:
    """`chalice deploy` in the copy uses them; a policy names the function's log."""
    files = {path.name: path.read_text() for path in (project.folder / ".chalice").glob("*.json")}
    config = json.loads(files.pop("config.json"))
    assert config["app_name"] == "churn"
    assert "wine" not in "".join(files.values())
    for stage in ("dev", "prod"):
        assert "arn:aws:s3:::models/churn/*" in files[f"policy-{stage}.json"]
        assert f"/aws/lambda/churn-{stage}:*" in files[f"policy-{stage}.json"]


def test_the_default_name_leaves_the_configuration_as_it_is(tmp_path: Path) -> None:
    """Plain `chalice deploy` and `make deploy` deploy the same function."""
    original = copy_project(tmp_path / APP.name)
    with temporary_copy(original, "prod", TARGET, REQUIREMENTS, None) as copy:
        config = json.loads((copy.folder / ".chalice/config.json").read_text())
        assert config["app_name"] == "wine-classifier"
        assert "MODEL_NAME" not in config["stages"]["prod"]["environment_variables"]
        for name in ("policy-prod.json", "sam-prod.json"):
            path = Path(".chalice", name)
            assert (copy.folder / path).read_text() == (original / path).read_text()


def test_each_name_has_a_record_of_deployments(tmp_path: Path) -> None:
    """Chalice would otherwise move the API of one name to the function of the other."""
    original = copy_project(tmp_path / APP.name)
    records = []
    for name in ("wine", "churn", "fraud"):
        with temporary_copy(original, "dev", TARGET, REQUIREMENTS, None, name) as copy:
            records.append((copy.folder / ".chalice/deployed").resolve())
    deployed = original / ".chalice/deployed"
    assert records == [deployed, deployed / "churn", deployed / "fraud"]


def test_cors_origins_are_those_of_the_stage(tmp_path: Path) -> None:
    """An option replaces those of the configuration; both reach the function and the template."""
    original = copy_project(tmp_path / APP.name)
    origin = "https://example.org"
    with temporary_copy(original, "dev", TARGET, REQUIREMENTS, None, cors_origins=origin) as copy:
        config = json.loads((copy.folder / ".chalice/config.json").read_text())
        assert config["stages"]["dev"]["environment_variables"]["CORS_ORIGINS"] == origin
        assert copy.cors_origins == origin
    with temporary_copy(
        copy_project(tmp_path / "plain"), "dev", TARGET, REQUIREMENTS, None
    ) as copy:
        assert copy.cors_origins == ""


@pytest.mark.parametrize("origins", ["example.org", "https://a.org/", "*,*", "'"])
def test_what_is_no_origin_is_rejected(origins: str, tmp_path: Path) -> None:
    """The function would answer every request with a 503."""
    original = copy_project(tmp_path / APP.name)
    with (
        pytest.raises(PackagingError, match=r"CORS_ORIGINS must be origins such as"),
        temporary_copy(original, "dev", TARGET, REQUIREMENTS, None, cors_origins=origins),
    ):
        pass


@pytest.mark.parametrize("name", ["", "1st", "my model", "my_model", "../churn", "c" * 51])
def test_a_name_that_no_stack_can_have_is_rejected(name: str, tmp_path: Path) -> None:
    """Before anything is built."""
    original = copy_project(tmp_path / APP.name)
    with (
        pytest.raises(PackagingError, match=r"NAME is .* letters, digits and hyphens\."),
        temporary_copy(original, "dev", TARGET, REQUIREMENTS, None, name),
    ):
        pass
