"""docs/how-to/troubleshoot.md quotes messages that the code prints."""

from __future__ import annotations

import ast
import re

import pytest

from chalicelib.errors import StoreError
from tests.support.pages import DOCS, keys, section
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


def test_every_reason_of_a_store_failure_is_on_the_page() -> None:
    """The first argument of each `StoreError`, and of its subclasses."""
    reasons = set()
    for tree in trees(APP):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == StoreError.__name__:
                reason = node.args[0]
                if isinstance(reason, ast.Constant):
                    reasons.add(str(reason.value))
    assert reasons
    assert reasons <= set(keys(section(TROUBLESHOOT, "Reasons")))
