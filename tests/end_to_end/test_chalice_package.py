"""`make package`: the package, the template and the policies."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from deployment.pins import read_pins
from tests.support.lambda_function import copy_project, copy_shared_object, make_package
from tests.support.paths import APP, ROOT

STAGES = ["dev", "prod"]
OTHER = {"x86_64": "arm64", "aarch64": "x86_64"}[platform.machine()]  # architecture


@pytest.fixture(scope="module", params=STAGES)
def packaged(request: pytest.FixtureRequest, shared_folder: Path) -> tuple[str, Path]:
    """A stage, and the folder that `make package` writes for it."""
    return request.param, make_package(request.param, shared_folder)


def resource(folder: Path, name: str) -> dict[str, Any]:
    """Return the properties of a resource of the SAM template."""
    template = json.loads((folder / "sam.json").read_text())
    properties: dict[str, Any] = template["Resources"][name]["Properties"]
    return properties


def test_the_package_contains_what_serving_needs(packaged: tuple[str, Path]) -> None:
    """Chalice exits with 0 even if a wheel is missing."""
    _, folder = packaged
    with zipfile.ZipFile(folder / "deployment.zip") as archive:
        names = set(archive.namelist())
    tops = {name.split("/")[0] for name in names}
    assert {"app.py", "chalice", "chalicelib", "obstore", "onnxruntime"} <= tops
    assert any("/libonnxruntime.so" in name for name in names)
    assert not tops & {"boto3", "sklearn", "training", "pandas", "serve_local.py"}
    assert (folder / "deployment.zip").stat().st_size < 52_428_800


def test_the_package_contains_all_of_chalicelib_that_requests_need(
    packaged: tuple[str, Path],
) -> None:
    """Every module but those of `chalice local` and of `BULK=yes`, its byte code in the bundle."""
    _, folder = packaged
    with zipfile.ZipFile(folder / "deployment.zip") as archive:
        names = {Path(name) for name in archive.namelist() if name.startswith("chalicelib/")}
        data = archive.read(f"modules.{sys.implementation.cache_tag}.bin")
    index = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    bundled = {name for name in index if name.startswith("chalicelib.")}
    sources = {path.relative_to(APP) for path in (APP / "chalicelib").rglob("*.py")}
    others = {path for path in sources if path.parts[1] in ("local", "bulk")}
    assert {path.parts[1] for path in others} == {"local", "bulk"}
    assert {Path("chalicelib/log.py"), Path("chalicelib/rest/body.py")} <= sources - others
    before = {Path("chalicelib", name) for name in ("__init__.py", "bundle.py")}
    compiled = {byte_code(source) for source in before}
    assert names == (sources - others) | compiled | {Path("chalicelib/page/index.html")}
    assert bundled == {
        ".".join(source.with_suffix("").parts).removesuffix(".__init__")
        for source in sources - others - before
    }


def byte_code(source: Path) -> Path:
    """Return the path of a module's byte code."""
    return source.parent / "__pycache__" / f"{source.stem}.{sys.implementation.cache_tag}.pyc"


def test_a_build_is_reproducible(shared_folder: Path, tmp_path: Path) -> None:
    """Other folders, times and users make no difference to the package and the template."""
    project = copy_project(tmp_path / "elsewhere" / APP.name)
    command = [sys.executable, "-m", "deployment", "package", "--stage", "prod"]
    command += ["--project", str(project), "--out", str(tmp_path / "out")]
    environment = {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "77"}
    subprocess.run(command, cwd=ROOT, env=os.environ | environment, umask=0o077, check=True)
    folder = make_package("prod", shared_folder)
    for name in ("deployment.zip", "sam.json", "sbom.json"):
        assert (tmp_path / "out" / name).read_bytes() == (folder / name).read_bytes(), name


def test_the_bill_of_materials_lists_all_that_ships(packaged: tuple[str, Path]) -> None:
    """Valid CycloneDX, with the hash of the package and the pinned hashes of its wheels."""
    _, folder = packaged
    text = (folder / "sbom.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bom = json.loads(text)
    assert bom["metadata"]["component"]["hashes"] == [sha256(folder / "deployment.zip")]
    components = {component["name"]: component for component in bom["components"]}
    assert components.keys() == {"chalice", "obstore", "onnxruntime"}
    pins = read_pins(APP / "requirements.txt")
    for name in ("obstore", "onnxruntime"):
        assert components[name]["version"] == pins[name].version
        [hash_of_wheel] = components[name]["hashes"]
        assert hash_of_wheel["content"] in pins[name].hashes
    crates = {component["name"] for component in components["obstore"]["components"]}
    assert "object_store" in crates  # from the wheel's own


def sha256(path: Path) -> dict[str, str]:
    """Return a file's hash as CycloneDX writes it."""
    return {"alg": "SHA-256", "content": hashlib.sha256(path.read_bytes()).hexdigest()}


def test_the_package_contains_the_licences_of_all_that_ships(packaged: tuple[str, Path]) -> None:
    """The project's, Chalice's, ONNX Runtime's with its third parties', obstore's."""
    _, folder = packaged
    with zipfile.ZipFile(folder / "deployment.zip") as archive:
        names = set(archive.namelist())
    assert names >= {
        "LICENSE",
        "chalice/LICENSE",
        "chalice/NOTICE",
        "obstore/LICENSE",
        "onnxruntime/LICENSE",
        "onnxruntime/ThirdPartyNotices.txt",
    }


def test_every_stage_has_the_same_package(shared_folder: Path) -> None:
    """They differ in the template only."""
    packages = {
        (make_package(stage, shared_folder) / "deployment.zip").read_bytes() for stage in STAGES
    }
    assert len(packages) == 1


def test_builds_for_the_other_architecture(tmp_path: Path) -> None:
    """The template names it, and every shared object is checked."""
    command = [sys.executable, "-m", "deployment", "package", "--stage", "dev", "--arch", OTHER]
    process = subprocess.run(
        [*command, "--out", str(tmp_path)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert resource(tmp_path, "APIHandler")["Architectures"] == [OTHER]
    with zipfile.ZipFile(tmp_path / "deployment.zip") as archive:
        count = sum(bool(re.search(r"\.so(\.|$)", name)) for name in archive.namelist())
    assert f"on {OTHER}, {count} shared objects checked" in process.stdout


def test_a_package_that_lambda_cannot_load_stops_the_build(tmp_path: Path) -> None:
    """The command prints one line with the reason, and leaves no package to deploy."""
    project = copy_project(tmp_path / APP.name)
    (project / "vendor").mkdir()
    copy_shared_object(project / "vendor" / "some.so")
    out = tmp_path / "out"
    out.mkdir()
    (out / "deployment.zip").write_bytes(b"an older package")
    command = [sys.executable, "-m", "deployment", "package", "--stage", "dev", "--arch", OTHER]
    command += ["--project", str(project), "--out", str(out)]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert process.returncode == 2
    assert re.fullmatch(rf"package: some.so was built for \w+, not for {OTHER}.\n", process.stderr)
    assert not list(out.iterdir())  # nor a bill of materials


def test_the_function_is_configured(packaged: tuple[str, Path]) -> None:
    """The template has the memory, the timeout and the model store."""
    stage, folder = packaged
    function = resource(folder, "APIHandler")
    assert function["Runtime"] == f"python{sys.version_info[0]}.{sys.version_info[1]}"
    assert function["MemorySize"] >= 256
    assert function["Timeout"] < 29  # API Gateway's timeout
    url = {"dev": "s3://YOUR-BUCKET/wine", "prod": {"Fn::Sub": "s3://${ModelBucket}/wine"}}
    assert function["Environment"]["Variables"]["MODEL_URL"] == url[stage]
    assert function["Tags"]["aws-chalice"].endswith(f"stage={stage}:app=wine-classifier")


def test_the_api_is_regional_and_its_stage_is_prod(packaged: tuple[str, Path]) -> None:
    """The tutorial's URL has the stage `Prod`."""
    _, folder = packaged
    api = resource(folder, "RestAPI")
    assert api["StageName"] == "Prod"
    assert api["EndpointConfiguration"] == "REGIONAL"
    assert "post" in api["DefinitionBody"]["paths"]["/classify"]


def test_the_policy_allows_reading_and_logging_only(packaged: tuple[str, Path]) -> None:
    """Of its own bucket and log, in both stages."""
    stage, folder = packaged
    [policy] = resource(folder, "ApiHandlerRole")["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    allowed = {action for statement in statements for action in statement["Action"]}
    assert allowed == {"s3:GetObject", "logs:CreateLogStream", "logs:PutLogEvents"}
    bucket = {"dev": "arn:${AWS::Partition}:s3:::YOUR-BUCKET", "prod": "${ModelBucket.Arn}"}
    assert [statement["Resource"] for statement in statements] == [
        {"Fn::Sub": f"{bucket[stage]}/wine/*"},
        {"Fn::GetAtt": ["FunctionLog", "Arn"]},
    ]


@pytest.mark.parametrize("stage", STAGES)
def test_the_policy_file_of_a_stage_allows_reading_and_logging_only(stage: str) -> None:
    """`chalice deploy` uses it: GetObject on the prefix, and the function's log."""
    policy = json.loads((APP / ".chalice" / f"policy-{stage}.json").read_text())
    resources = [statement["Resource"] for statement in policy["Statement"]]
    assert resources == [
        "arn:aws:s3:::YOUR-BUCKET/wine/*",
        f"arn:aws:logs:*:*:log-group:/aws/lambda/wine-classifier-{stage}:*",
    ]


def test_chalice_derives_the_same_actions_from_the_app() -> None:
    """From the one boto3 call in `app.py`: GetObject, on every object of the account."""
    command = [str(Path(sys.executable).with_name("chalice")), "gen-policy"]
    printed = subprocess.run(command, cwd=APP, check=True, capture_output=True, text=True).stdout
    [statement] = json.loads(printed)["Statement"]
    assert statement["Action"] == ["s3:GetObject"]


def test_the_app_imports_without_network_model_or_configuration() -> None:
    """Chalice imports it to package and deploy; it imports neither scikit-learn nor boto3."""
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
