"""The code of the project, parsed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path


def trees(*folders: Path) -> Iterator[ast.Module]:
    """Parse every module in folders."""
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            yield ast.parse(path.read_text())


def texts(*folders: Path) -> set[str]:
    """Return the string constants of every module in folders."""
    return {
        node.value
        for tree in trees(*folders)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
