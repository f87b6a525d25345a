"""docs/how-to/troubleshoot.md quotes messages that the code prints."""

from __future__ import annotations

import ast
import re
from typing import get_args

import pytest

from chalicelib.errors import Reason
from tests.support.pages import DOCS, keys, rows, section, spans
from tests.support.paths import APP, ROOT
from tests.support.source import trees

TROUBLESHOOT = DOCS / "how-to/troubleshoot.md"


def messages() -> list[str]:
    """Return the text of every string in the code; an expression in one becomes a NUL."""
    found = []
    for tree in trees(APP, ROOT / "training", ROOT / "deployment"):
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                parts = [p.value if isinstance(p, ast.Constant) else "\0" for p in node.values]
                found.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return [*found, (ROOT / "Makefile").read_text()]


MESSAGES = messages()


def is_printed(quoted: str) -> bool:
    """Check whether the parts of a quoted message stand in one string of the code, in order."""
    parts = [re.escape(part.strip()) for part in re.split(r"\.\.\.|'", quoted) if part.strip()]
    pattern = re.compile(".*".join(parts), re.DOTALL)
    return any(pattern.search(message) for message in MESSAGES)


@pytest.mark.parametrize("heading", ["make serve", "Publishing", "Deploying", "Reasons"])
def test_every_message_to_look_up_is_one_that_the_code_prints(heading: str) -> None:
    """`...` and quotes stand for what varies."""
    quoted = keys(section(TROUBLESHOOT, heading))
    assert quoted
    assert not [message for message in quoted if not is_printed(message)]


def test_a_message_that_the_code_does_not_print_is_noticed() -> None:
    """Else the test above could not fail."""
    assert not is_printed("There is no such thing as ...")


def test_every_reason_is_on_the_page() -> None:
    """In the order of the code, and no other word."""
    table = rows(section(TROUBLESHOOT, "Reasons"))
    assert [spans(cells[0])[0] for cells in table] == list(get_args(Reason))
    assert all(len(cells) == 3 and all(cells) for cells in table)
