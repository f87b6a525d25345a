"""docs/how-to/clients.md covers the clients that `make clients` runs."""

from __future__ import annotations

import ast

from tests.support.pages import DOCS, blocks, is_not_run
from tests.support.paths import ROOT
from tests.support.source import trees

CLIENTS = DOCS / "how-to/clients.md"


def test_every_client_that_the_tests_run_is_on_the_page() -> None:
    """By the first of its requirements."""
    page = CLIENTS.read_text()
    for requirements in sorted((ROOT / "tests/clients").glob("*.in")):
        package = requirements.read_text().splitlines()[0]
        assert f"needs the package `{package}`" in " ".join(page.lower().split()), package


def test_the_examples_for_clients_import_what_the_tests_of_the_clients_import() -> None:
    """They are not run, as each client has requirements of its own."""
    tested = {name for tree in trees(ROOT / "tests/clients") for name in imported_names(tree)}
    examples = [b.text for b in blocks(CLIENTS) if b.language == "python" and is_not_run(b)]
    assert len(examples) > 3
    for example in examples:
        assert imported_names(ast.parse(example)) <= tested


def imported_names(tree: ast.Module) -> set[str]:
    """Return the names that a module imports, with the modules that they come from."""
    imports = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    return imports | {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
