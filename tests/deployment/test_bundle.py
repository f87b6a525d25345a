"""The bundle of byte code: `deployment` writes it, `chalicelib.bundle` imports from it."""

from __future__ import annotations

import os
import sys
import traceback
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType

import pytest

from chalicelib import bundle
from deployment.package.bundle import write_bundle
from deployment.package.bytecode import compile_all

SOURCES = {
    "app.py": "import chalicelib\n",
    "chalicelib/__init__.py": "",
    "chalicelib/bundle.py": "",
    "chalicelib/rest/__init__.py": "X = 1\n",
    "chalicelib/rest/body.py": "from math import pi\ndef fail():\n    raise ValueError(pi)\n",
    "obstore/__init__.py": "Y = 2\n",
    "other/__init__.py": "",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a package with a bundle."""
    for name, source in SOURCES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(source)
    compile_all(tmp_path)
    write_bundle(tmp_path)
    return tmp_path


@pytest.fixture
def importer(folder: Path) -> bundle.BundleImporter:
    """Return what imports from the bundle, by the folder's path on Lambda."""
    return bundle.BundleImporter(os.open(folder / bundle.NAME, os.O_RDONLY), "/var/task")


def load(importer: bundle.BundleImporter, name: str) -> ModuleType:
    """Import a module as Python's import does."""
    module: ModuleType = module_from_spec(importer.find_spec(name))
    importer.exec_module(module)
    return module


def test_modules_are_imported_from_the_bundle(importer: bundle.BundleImporter) -> None:
    """A package has a path, where Python finds its shared objects."""
    package, module = load(importer, "chalicelib.rest"), load(importer, "chalicelib.rest.body")
    assert (package.X, package.__path__) == (1, ["/var/task/chalicelib/rest"])
    assert package.__file__ == "/var/task/chalicelib/rest/__init__.py"
    assert module.__file__ == "/var/task/chalicelib/rest/body.py"
    assert load(importer, "obstore").Y == 2


def test_a_traceback_names_file_and_line(importer: bundle.BundleImporter) -> None:
    """The log of an internal error has them."""
    with pytest.raises(ValueError, match="3") as raised:
        load(importer, "chalicelib.rest.body").fail()
    frame = traceback.extract_tb(raised.value.__traceback__)[-1]
    assert (frame.filename, frame.lineno) == ("/var/task/chalicelib/rest/body.py", 3)


def test_other_modules_are_imported_as_usual(importer: bundle.BundleImporter) -> None:
    """Those of other packages, and those that are imported before the bundle."""
    for name in ("app", "chalicelib", "chalicelib.bundle", "other", "json", "chalicelib.missing"):
        assert importer.find_spec(name) is None, name


def test_byte_code_is_in_the_package_once(folder: Path) -> None:
    """Only what is not in the bundle has files of byte code; all sources stay."""
    compiled = {path.name.partition(".")[0] for path in folder.rglob("*.pyc")}
    assert compiled == {"app", "__init__", "bundle"}
    assert {path.parent.parent.name for path in folder.rglob("__init__.*.pyc")} == {
        "chalicelib",
        "other",
    }
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.py")} == set(SOURCES)


def test_two_bundles_are_the_same_byte_for_byte(folder: Path) -> None:
    """Writing it again from the same sources gives the same bytes."""
    first = (folder / bundle.NAME).read_bytes()
    compile_all(folder)
    write_bundle(folder)
    assert (folder / bundle.NAME).read_bytes() == first


def test_without_a_bundle_nothing_changes() -> None:
    """Chalice's own package has none."""
    before = list(sys.meta_path)
    bundle.install()
    assert sys.meta_path == before
