"""The diagrams, trees and tables of the architecture name what exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.pages import DOCS, blocks, rows, section, spans
from tests.support.paths import APP, ROOT

ARCHITECTURE = DOCS / "architecture.md"
PATH = re.compile(r"[a-z_]+(?:/[a-z_]+)+|[a-z_]+\.py")
TREE = re.compile(r"^([\w./-]+)(?= {2,})", re.MULTILINE)
DIAGRAMS = [block.text for block in blocks(ARCHITECTURE) if block.language == "mermaid"]


def exists(path: str, *roots: Path) -> bool:
    """Check whether a module or a folder is below one of the roots."""
    return any((root / path).exists() or (root / f"{path}.py").exists() for root in roots)


@pytest.mark.parametrize("diagram", DIAGRAMS, ids=["request", "model"])
def test_every_module_in_a_diagram_exists(diagram: str) -> None:
    """In `chalicelib`, or from the root."""
    paths = PATH.findall(diagram)
    assert len(paths) > 5
    for path in paths:
        assert exists(path, APP, APP / "chalicelib", ROOT), path


def test_every_arrow_in_a_diagram_leads_from_a_node_to_a_node() -> None:
    """A node is defined where it is first named, but for those that an arrow ends the way at."""
    for diagram in DIAGRAMS:
        defined = set(re.findall(r"\b(\w+)[\[(]", diagram))
        for start, end in re.findall(r"^ +(\w+)\S*.* --> (\w+)", diagram, re.MULTILINE):
            assert {start, end} <= defined


def test_the_layers_are_those_of_the_server() -> None:
    """Each folder and module of `chalicelib`, and `app.py`."""
    [layers, _] = [b.text for b in blocks(ARCHITECTURE) if b.language == "text"]
    parts = {
        f"{path.name}/" if path.is_dir() else path.name
        for path in (APP / "chalicelib").iterdir()
        if not path.name.startswith("__")
    }
    assert set(TREE.findall(layers)) == parts | {"app.py"}


@pytest.mark.parametrize("page", [ARCHITECTURE, ROOT / "README.md"], ids=["architecture", "readme"])
def test_every_path_in_a_tree_exists(page: Path) -> None:
    """From the root, or in `chalicelib`."""
    paths = [path for b in blocks(page) if b.language == "text" for path in TREE.findall(b.text)]
    assert len(paths) > 5
    for path in paths:
        assert exists(path, ROOT, APP, APP / "chalicelib"), path


def test_every_question_leads_to_one_place() -> None:
    """A file or a folder of the code."""
    table = rows(section(ARCHITECTURE, "Where is what"))
    assert len(table) > 10
    for cells in table:
        [path] = spans(cells[1])
        assert exists(path, ROOT, APP), path
