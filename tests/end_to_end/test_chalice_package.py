"""What Chalice makes of the project: the package, the template and the policies."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import APP, ROOT
from tests.support.processes import Process

STAGES = ["dev", "prod"]
OTHER = {"x86_64": "arm64", "aarch64": "x86_64"}[platform.machine()]  # than this machine's


@pytest.fixture(scope="module", params=STAGES)
def packaged(request: pytest.FixtureRequest) -> tuple[str, Path]:
    """What `make package` writes for a stage."""
    process = Process("package", f"STAGE={request.param}")
    assert process.wait() == 0, process.printed
    process.stop()
    return request.param, ROOT / "dist" / request.param


def resource(folder: Path, name: str) -> dict[str, Any]:
    """Read a resource of the SAM template."""
    template = json.loads((folder / "sam.json").read_text())
    properties: dict[str, Any] = template["Resources"][name]["Properties"]
    return properties


def test_the_package_holds_what_serving_needs(packaged: tuple[str, Path]) -> None:
    """Chalice exits with 0 even where a wheel is missing."""
    _, folder = packaged
    with zipfile.ZipFile(folder / "deployment.zip") as archive:
        names = set(archive.namelist())
    tops = {name.split("/")[0] for name in names}
    assert {"app.py", "chalice", "chalicelib", "obstore", "onnxruntime"} <= tops
    assert any("/libonnxruntime.so" in name for name in names)
    assert not tops & {"boto3", "sklearn", "training", "pandas", "serve_local.py"}
    shipped = {f"chalicelib/{path.name}" for path in (APP / "chalicelib").glob("*.py")}
    assert shipped <= names
    assert (folder / "deployment.zip").stat().st_size < 52_428_800


def test_it_is_the_same_byte_for_byte_wherever_and_whenever_it_is_made(
    packaged: tuple[str, Path], tmp_path: Path
) -> None:
    """The package and the template: in other folders, with other times, as other users."""
    stage, folder = packaged
    project = shutil.copytree(
        APP, tmp_path / "elsewhere" / APP.name, ignore=shutil.ignore_patterns("__pycache__"),
        copy_function=shutil.copyfile,
    )  # fmt: skip
    command = [sys.executable, "-m", "deployment", "package", "--stage", stage]
    command += ["--project", str(project), "--out", str(tmp_path / "out")]
    differs = {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "77"}
    subprocess.run(command, cwd=ROOT, env=os.environ | differs, umask=0o077, check=True)
    for name in ("deployment.zip", "sam.json"):
        assert (tmp_path / "out" / name).read_bytes() == (folder / name).read_bytes(), name


def test_it_is_made_for_the_other_processor_too(tmp_path: Path) -> None:
    """Which the template names; every shared object is looked at."""
    command = [sys.executable, "-m", "deployment", "package", "--stage", "dev", "--arch", OTHER]
    done = subprocess.run(
        [*command, "--out", str(tmp_path)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert resource(tmp_path, "APIHandler")["Architectures"] == [OTHER]
    with zipfile.ZipFile(tmp_path / "deployment.zip") as archive:
        count = sum(bool(re.search(r"\.so(\.|$)", name)) for name in archive.namelist())
    assert f"on {OTHER}, {count} shared objects checked" in done.stdout


def test_a_package_that_lambda_cannot_load_is_no_package(tmp_path: Path) -> None:
    """It stops make, with one line that says why, and leaves nothing that could be deployed."""
    project = shutil.copytree(APP, tmp_path / APP.name)
    (project / "vendor").mkdir()
    found = find_spec("obstore._obstore")
    assert found is not None
    assert found.origin is not None
    shutil.copyfile(found.origin, project / "vendor" / "some.so")
    out = tmp_path / "out"
    out.mkdir()
    (out / "deployment.zip").write_bytes(b"an older one")
    command = [sys.executable, "-m", "deployment", "package", "--stage", "dev", "--arch", OTHER]
    command += ["--project", str(project), "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert re.fullmatch(rf"package: some.so was made for \w+, not for {OTHER}.\n", done.stderr)
    assert not list(out.iterdir())


def test_the_function_is_configured(packaged: tuple[str, Path]) -> None:
    """Memory, time limit, store."""
    stage, folder = packaged
    function = resource(folder, "APIHandler")
    assert function["Runtime"] == f"python{sys.version_info[0]}.{sys.version_info[1]}"
    assert function["MemorySize"] >= 256
    assert function["Timeout"] < 29  # when API Gateway gives up
    url = {"dev": "s3://YOUR-BUCKET/wine", "prod": {"Fn::Sub": "s3://${ModelBucket}/wine"}}
    assert function["Environment"]["Variables"]["MODEL_URL"] == url[stage]
    assert function["Tags"]["aws-chalice"].endswith(f"stage={stage}:app=wine-classifier")


def test_the_api_is_regional_and_its_stage_is_the_tutorials(packaged: tuple[str, Path]) -> None:
    """`Prod`, as in the tutorial's URL."""
    _, folder = packaged
    api = resource(folder, "RestAPI")
    assert api["StageName"] == "Prod"
    assert api["EndpointConfiguration"] == "REGIONAL"
    assert "post" in api["DefinitionBody"]["paths"]["/classify"]


def test_the_policy_lets_read_and_log_and_no_more(packaged: tuple[str, Path]) -> None:
    """Stage dev has Chalice's own policy, stage prod a narrower one."""
    stage, folder = packaged
    role = {"dev": "DefaultRole", "prod": "ApiHandlerRole"}[stage]
    [policy] = resource(folder, role)["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    allowed = {action for statement in statements for action in statement["Action"]}
    log = {"logs:CreateLogStream", "logs:PutLogEvents"}
    if stage == "dev":
        log.add("logs:CreateLogGroup")  # the template of prod brings the group
    assert allowed == {"s3:GetObject"} | log
    if stage == "prod":
        assert [statement["Resource"] for statement in statements] == [
            {"Fn::Sub": "${ModelBucket.Arn}/wine/*"},
            {"Fn::GetAtt": ["FunctionLog", "Arn"]},
        ]


def test_chalice_deploy_takes_the_policy_of_stage_prod_from_its_file() -> None:
    """GetObject on the prefix, its own log, and nothing else."""
    policy = json.loads((APP / ".chalice" / "policy-prod.json").read_text())
    resources = [statement["Resource"] for statement in policy["Statement"]]
    assert resources == [
        "arn:aws:s3:::YOUR-BUCKET/wine/*",
        "arn:aws:logs:*:*:log-group:/aws/lambda/wine-classifier-prod:*",
    ]


def test_chalice_writes_the_policy_of_stage_dev() -> None:
    """From the one call that `app.py` names: GetObject, and nothing more."""
    command = [str(Path(sys.executable).with_name("chalice")), "gen-policy"]
    printed = subprocess.run(command, cwd=APP, check=True, capture_output=True, text=True).stdout
    [statement] = json.loads(printed)["Statement"]
    assert statement["Action"] == ["s3:GetObject"]


def test_the_app_imports_without_network_model_or_configuration() -> None:
    """Chalice imports it to package and deploy; scikit-learn and boto3 stay out of it."""
    code = (
        "import socket, sys; socket.socket.connect = None; import app; "
        "print(sorted({'boto3', 'sklearn', 'pandas', 'training'} & sys.modules.keys()))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code],
        cwd=APP,
        env={},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert printed == "[]\n"
