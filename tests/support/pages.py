"""The pages of the documentation: blocks, sections, tables, links."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from tests.support.paths import ROOT

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
PAGES += sorted(DOCS.rglob("*.md"))

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
_HEADING = re.compile(r"^(#+) (.*)$", re.MULTILINE)
_SPAN = re.compile(r"`([^`]+)`")
_NEEDS = re.compile(
    r"\bneeds\s+(an\s+AWS\s+account|the\s+package)\b|\bruns?\s+(its|the)\s+tests\b", re.IGNORECASE
)


class Block(NamedTuple):
    """A fenced block; `before` is the paragraph in front of it."""

    language: str
    text: str
    before: str


class Command(NamedTuple):
    """A command of a console block and its expected output."""

    line: str
    output: str


def name(page: Path) -> str:
    """Name a page by its path in the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page."""
    text = page.read_text()
    return [
        Block(match[1], match[2], text[: match.start()].rstrip().rpartition("\n\n")[2])
        for match in _BLOCK.finditer(text)
    ]


def commands(block: Block) -> list[Command]:
    """Return the commands of a console block."""
    return [Command(match[1], match[2]) for match in _COMMAND.finditer(block.text)]


def is_not_run(block: Block) -> bool:
    """Check whether the text before a block says why the tests do not run it."""
    return bool(_NEEDS.search(block.before))


def prose(text: str) -> str:
    """Return a text without its fenced blocks."""
    return _BLOCK.sub("", text)


def spans(text: str) -> list[str]:
    """Return the code spans of a text."""
    return _SPAN.findall(prose(text))


def headings(page: Path) -> list[str]:
    """Return the headings of a page."""
    return [match[2] for match in _HEADING.finditer(prose(page.read_text()))]


def anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def section(page: Path, heading: str) -> str:
    """Return the text below a heading, up to the next one of its level or above."""
    text = page.read_text()
    start = re.search(rf"^(#+) {re.escape(heading)}\n", text, re.MULTILINE)
    assert start is not None, f"{name(page)} has no heading {heading!r}"
    end = re.search(rf"^#{{1,{len(start[1])}}} ", prose_mask(text)[start.end() :], re.MULTILINE)
    return text[start.end() : start.end() + end.start()] if end else text[start.end() :]


def prose_mask(text: str) -> str:
    """Blank out fenced blocks, so that a comment in one is no heading."""
    return _BLOCK.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def rows(text: str) -> list[list[str]]:
    """Return the cells of all tables in a text, without the rows that head them."""
    found = []
    lines = prose(text).splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        is_row = line.startswith("|") and not set(line) <= set("|-: ")
        if is_row and not (following.startswith("|") and set(following) <= set("|-: ")):
            found.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return found


def keys(text: str) -> list[str]:
    """Return the code spans in the first cells of all tables in a text."""
    return [span for row in rows(text) for span in spans(row[0])]
