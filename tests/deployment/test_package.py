"""What stops a build, and what makes two builds the same."""

from __future__ import annotations

import platform
import re
import shutil
import struct
from importlib.util import find_spec
from pathlib import Path

import pytest

from deployment.errors import PackagingError
from deployment.package.archive import Size, check_size, write_zip
from deployment.package.bytecode import compile_all
from deployment.package.elf import check_shared_objects, glibc_versions
from deployment.package.pruning import prune
from deployment.package.wheels import fetch
from deployment.target import ARCHITECTURES, GLIBC, PYTHON, RUNTIMES, architecture, runtime
from tests.support.paths import ROOT

MINE, OTHER = sorted(ARCHITECTURES.values(), key=lambda known: known.machine != platform.machine())


@pytest.fixture
def shared_object(tmp_path: Path) -> Path:
    """A copy of obstore's library, which is made for this machine."""
    found = find_spec("obstore._obstore")
    assert found is not None
    assert found.origin is not None
    folder = tmp_path / "package"
    folder.mkdir()
    return Path(shutil.copy(found.origin, folder / "some.so"))


def test_takes_a_shared_object_that_lambda_can_load(shared_object: Path) -> None:
    """Of the right machine, with symbols no newer than Lambda's."""
    assert max(glibc_versions(shared_object.read_bytes())) <= GLIBC
    assert check_shared_objects(shared_object.parent, MINE) == 1


def test_refuses_a_shared_object_of_another_machine(shared_object: Path) -> None:
    """And says which it is."""
    message = f"some.so was made for {MINE.name}, not for {OTHER.name}."
    with pytest.raises(PackagingError, match=message):
        check_shared_objects(shared_object.parent, OTHER)


def test_refuses_a_shared_object_that_takes_a_newer_glibc(shared_object: Path) -> None:
    """Here by one symbol."""
    content = shared_object.read_bytes()
    newest = b"GLIBC_%d.%d\0" % max(v for v in glibc_versions(content) if v[1] >= 10)
    shared_object.write_bytes(content.replace(newest, newest[:-3] + b"99\0"))
    with pytest.raises(PackagingError, match=r"some.so takes glibc 2.99; Lambda has 2.34."):
        check_shared_objects(shared_object.parent, MINE)


def test_refuses_what_is_no_shared_object(shared_object: Path) -> None:
    """Though its name says so."""
    shared_object.write_bytes(b"no ELF")
    with pytest.raises(PackagingError, match=r"some.so is no shared object"):
        check_shared_objects(shared_object.parent, MINE)


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (Size(35_000_001, 1), "The package is 35,000,001 bytes zipped, over 35,000,000."),
        (Size(1, 100_000_001), "The package is 100,000,001 bytes unzipped, over 100,000,000."),
    ],
)
def test_refuses_a_package_over_a_limit(size: Size, message: str) -> None:
    """Zipped or not."""
    check_size(Size(35_000_000, 100_000_000), RUNTIMES["onnx"])
    with pytest.raises(PackagingError, match=message):
        check_size(size, RUNTIMES["onnx"])


def test_refuses_a_missing_wheel(tmp_path: Path) -> None:
    """Chalice would ship without it, and exit with 0."""
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("obstore==0.0.0.dev0\n")
    abi = "cp" + PYTHON.replace(".", "")
    with pytest.raises(PackagingError, match=f"no wheel of obstore==0.0.0.dev0 for {abi} on arm64"):
        fetch(requirements, architecture("arm64"), tmp_path / "cache")


def test_refuses_what_lambda_does_not_have() -> None:
    """By name, with what there is."""
    with pytest.raises(PackagingError, match="ARCH is x86_64 or arm64"):
        architecture("riscv")
    with pytest.raises(PackagingError, match="RUNTIME is onnx or sklearn"):
        runtime("torch")


def test_two_builds_are_the_same_byte_for_byte(tmp_path: Path) -> None:
    """Whatever the folder, the times and the order in which files were made."""
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


def test_byte_code_is_used_without_a_look_at_the_source(tmp_path: Path) -> None:
    """PEP 552: the flags of a .pyc say that it goes by a hash, and that nobody checks it."""
    (tmp_path / "module.py").write_text("X = 1\n")
    compile_all(tmp_path)
    [compiled] = (tmp_path / "__pycache__").iterdir()
    assert struct.unpack_from("<I", compiled.read_bytes(), 4) == (0b01,)
    assert b"/var/task/module.py" in compiled.read_bytes()


def test_refuses_a_module_that_is_not_python(tmp_path: Path) -> None:
    """It would fail on Lambda."""
    (tmp_path / "module.py").write_text("X = = 1\n")
    with pytest.raises(PackagingError, match="cannot be compiled"):
        compile_all(tmp_path)


def test_leaves_out_what_serving_never_opens(tmp_path: Path) -> None:
    """Tests, stubs, headers, tools and second copies; empty folders go too."""
    kept = [
        "app.py",
        "onnxruntime/LICENSE",
        "onnxruntime/capi/libonnxruntime.so.1.31.1",
        "x-1.dist-info/METADATA",
    ]
    left_out = [
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
    ]
    for name in kept + left_out:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    prune(tmp_path, "onnx")
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()) == kept
    assert not (tmp_path / "google").exists()


def test_both_packages_hold_the_versions_that_models_are_made_with() -> None:
    """A model that another scikit-learn fitted is refused; ONNX files have a format's version."""
    made_with = pins("requirements-dev.txt")
    for known in RUNTIMES.values():
        for name, version in pins(known.requirements).items():
            assert made_with.get(name, version) == version, (known.name, name)
    assert "scikit-learn" in pins(RUNTIMES["sklearn"].requirements).keys() & made_with.keys()


def pins(requirements: str) -> dict[str, str]:
    """Read a file of pinned requirements."""
    lines = (ROOT / requirements).read_text().splitlines()
    found = (re.match(r"([\w.-]+)==(\S+)", line) for line in lines)
    return {match[1]: match[2] for match in found if match}
