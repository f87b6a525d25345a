"""The checks that stop a build, and reproducible builds."""

from __future__ import annotations

import platform
import struct
from pathlib import Path

import pytest

from deployment.errors import PackagingError
from deployment.package.archive import Size, check_size, write_zip
from deployment.package.bytecode import compile_all
from deployment.package.elf import check_shared_objects, glibc_versions
from deployment.package.pruning import prune
from deployment.package.wheels import fetch
from deployment.pins import read_pins
from deployment.target import ARCHITECTURES, GLIBC, PYTHON, RUNTIMES, get_architecture, get_runtime
from tests.support.lambda_function import copy_shared_object
from tests.support.paths import ROOT

THIS, OTHER = sorted(ARCHITECTURES.values(), key=lambda arch: arch.machine != platform.machine())


@pytest.fixture
def shared_object(tmp_path: Path) -> Path:
    """A library that is built for this machine, in a folder."""
    folder = tmp_path / "package"
    folder.mkdir()
    return copy_shared_object(folder / "some.so")


def test_accepts_a_shared_object_that_lambda_can_load(shared_object: Path) -> None:
    """The machine matches, and no symbol is newer than Lambda's glibc."""
    assert max(glibc_versions(shared_object.read_bytes())) <= GLIBC
    assert check_shared_objects(shared_object.parent, THIS) == 1


def test_rejects_a_shared_object_for_another_machine(shared_object: Path) -> None:
    """The message names both machines."""
    message = f"some.so was built for {THIS.name}, not for {OTHER.name}."
    with pytest.raises(PackagingError, match=message):
        check_shared_objects(shared_object.parent, OTHER)


def test_rejects_a_shared_object_that_requires_a_newer_glibc(shared_object: Path) -> None:
    """One symbol is enough."""
    content = shared_object.read_bytes()
    newest = b"GLIBC_%d.%d\0" % max(v for v in glibc_versions(content) if v[1] >= 10)
    shared_object.write_bytes(content.replace(newest, newest[:-3] + b"99\0"))
    with pytest.raises(PackagingError, match=r"some.so requires glibc 2.99; Lambda has 2.34."):
        check_shared_objects(shared_object.parent, THIS)


def test_rejects_a_file_that_is_not_a_shared_object(shared_object: Path) -> None:
    """The file name alone is not trusted."""
    shared_object.write_bytes(b"no ELF")
    with pytest.raises(PackagingError, match=r"some.so is not a 64-bit shared object"):
        check_shared_objects(shared_object.parent, THIS)


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (Size(35_000_001, 1), "The package is 35,000,001 bytes zipped, over 35,000,000."),
        (Size(1, 100_000_001), "The package is 100,000,001 bytes unzipped, over 100,000,000."),
    ],
)
def test_rejects_a_package_over_a_limit(size: Size, message: str) -> None:
    """Both the zipped and the unzipped size are limited."""
    check_size(Size(35_000_000, 100_000_000), RUNTIMES["onnx"])
    with pytest.raises(PackagingError, match=message):
        check_size(size, RUNTIMES["onnx"])


def test_rejects_a_missing_wheel(tmp_path: Path) -> None:
    """Chalice packages the app without it, and exits with 0."""
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"obstore==0.0.0.dev0 --hash=sha256:{'0' * 64}\n")
    abi = "cp" + PYTHON.replace(".", "")
    with pytest.raises(PackagingError, match=f"no wheel of obstore==0.0.0.dev0 for {abi} on arm64"):
        fetch(requirements, get_architecture("arm64"), tmp_path / "cache")


def test_rejects_an_unknown_architecture_or_runtime() -> None:
    """The message lists the valid names."""
    with pytest.raises(PackagingError, match="ARCH is x86_64 or arm64"):
        get_architecture("riscv")
    with pytest.raises(PackagingError, match="RUNTIME is onnx or sklearn"):
        get_runtime("torch")


def test_two_builds_are_the_same_byte_for_byte(tmp_path: Path) -> None:
    """The folder, the times and the order of creation make no difference."""
    zips = []
    for number, names in enumerate((["b.py", "a.py"], ["a.py", "b.py"])):
        folder = tmp_path / f"build {number}"
        folder.mkdir()
        for name in names:
            (folder / name).write_text(f"NAMES = {{'{name}', 'x', 'y'}}\ndef f(): return NAMES\n")
        compile_all(folder)
        zips.append(tmp_path / f"{number}.zip")
        write_zip(folder, zips[-1])
    assert zips[0].read_bytes() == zips[1].read_bytes()


def test_byte_code_is_used_without_checking_the_source(tmp_path: Path) -> None:
    """PEP 552: the flags of the .pyc are those of an unchecked hash."""
    (tmp_path / "module.py").write_text("X = 1\n")
    compile_all(tmp_path)
    [compiled] = (tmp_path / "__pycache__").iterdir()
    assert struct.unpack_from("<I", compiled.read_bytes(), 4) == (0b01,)
    assert b"/var/task/module.py" in compiled.read_bytes()


def test_rejects_a_module_that_is_not_python(tmp_path: Path) -> None:
    """The import would fail on Lambda."""
    (tmp_path / "module.py").write_text("X = = 1\n")
    with pytest.raises(PackagingError, match="cannot be compiled"):
        compile_all(tmp_path)


def test_removes_the_files_that_serving_never_opens(tmp_path: Path) -> None:
    """Tests, stubs, headers, tools, second copies and `chalice local`; empty folders too."""
    kept = [
        "app.py",
        "chalicelib/log.py",
        "chalicelib/rest/__init__.py",
        "onnxruntime/LICENSE",
        "onnxruntime/capi/libonnxruntime.so.1.31.1",
        "x-1.dist-info/LICENSE.txt",
        "x-1.dist-info/METADATA",
        "x-1.dist-info/licenses/src/LICENSE.md",
    ]
    removed = [
        "chalicelib/local/__init__.py",
        "chalicelib/local/server.py",
        "numpy/_core/numeric.py",
        "numpy.libs/libscipy_openblas64_.so",
        "obstore/__init__.pyi",
        "obstore/tests/test_get.py",
        "onnxruntime/capi/libonnxruntime_providers_shared.so",
        "onnxruntime/capi/onnxruntime_pybind11_state.so",
        "onnxruntime/tools/optimize.py",
        "google/protobuf/message.py",
        "flatbuffers/table.py",
        "x-1.dist-info/RECORD",
        "x-1.dist-info/sboms/x.cyclonedx.json",
    ]
    for name in kept + removed:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    prune(tmp_path, "onnx")
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()) == kept
    assert not (tmp_path / "google").exists()
    assert not (tmp_path / "chalicelib" / "local").exists()


def test_both_packages_contain_the_versions_that_models_are_trained_with() -> None:
    """The server rejects a model of another scikit-learn; ONNX files have a format version."""
    trained_with = read_pins(ROOT / "requirements-dev.txt")
    for runtime in RUNTIMES.values():
        for name, pin in read_pins(ROOT / runtime.requirements).items():
            assert trained_with.get(name, pin).version == pin.version, (runtime.name, name)
    served_with = read_pins(ROOT / RUNTIMES["sklearn"].requirements)
    assert "scikit-learn" in served_with.keys() & trained_with.keys()
