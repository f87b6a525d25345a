"""The form of the pages: the README's first screen, reasons for blocks that are not run, width."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.pages import DOCS, PAGES, blocks, commands, is_not_run, name, prose
from tests.support.paths import ROOT

README = ROOT / "README.md"
README_LINES = 120
FIRST_SCREEN = 40
WIDTH = 140

LANGUAGES = {"console", "python", "sh", "text", "mermaid"}


def test_the_readme_is_short() -> None:
    """Details are on the pages that it links to."""
    assert len(README.read_text().splitlines()) <= README_LINES


def test_the_first_screen_starts_the_server_and_shows_a_response_and_an_error() -> None:
    """A pitch, `make serve`, a request that works and one that does not."""
    lines = README.read_text().splitlines()
    assert lines[0].startswith("# ")
    assert lines[2][0].isalpha()
    screen = "\n".join(lines[:FIRST_SCREEN])
    examples = [
        command
        for block in blocks(README)
        if block.language == "console" and block.text in screen
        for command in commands(block)
    ]
    assert [command.line.split()[0] for command in examples] == ["make", "curl", "curl"]
    assert examples[0].line == "make serve"
    assert "prediction" in json.loads(examples[1].output)
    assert json.loads(examples[2].output).keys() == {"error", "problems"}


@pytest.mark.parametrize("page", [README, DOCS / "how-to/deploy.md"], ids=name)
def test_who_can_reach_the_url_is_said_before_the_first_deploy(page: Path) -> None:
    """The default, the ways out, and stage dev, which has none."""
    text = page.read_text()
    warning = text.index("> **Stage `prod` requires an API key**")
    assert warning < text.index("sam deploy --template-file")
    sentence = text[warning:].partition("\n\n")[0]
    assert "PUBLIC=yes" in sentence
    assert "AUTH=iam" in sentence
    assert re.search(r"[Ss]tage `dev`.*public", sentence, re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_block_that_is_not_run_says_what_it_needs(page: Path) -> None:
    """In the paragraph before it; every other block is run, or is no code."""
    for block in blocks(page):
        assert block.language in LANGUAGES, f"a block of {block.language or 'no language'}"
        if block.language == "sh":
            assert is_not_run(block), block.text
            assert not block.text.startswith("$ "), "a console block is run"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_line_of_prose_is_too_wide(page: Path) -> None:
    """Tables and code may be wider."""
    for line in prose(page.read_text()).splitlines():
        assert line.startswith("|") or len(line) <= WIDTH or "](http" in line, line
