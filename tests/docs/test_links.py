"""Links and paths in the pages lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.pages import DOCS, PAGES, anchor, headings, name, prose, spans
from tests.support.paths import APP, ROOT

LINK = re.compile(r"\]\(([^)\s]+)\)")
URL = re.compile(r"https?:")
ROOMS = ("wine-classifier/", "chalicelib/", "training/", "deployment/", "benchmarks/", "tests/")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    """Within this repository; an anchor is that of a heading in the target."""
    for link in LINK.findall(prose(page.read_text())):
        if URL.match(link):
            continue
        path, _, fragment = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} leads nowhere"
        if fragment:
            anchors = {anchor(heading) for heading in headings(target)}
            assert fragment in anchors, f"{link}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_path_in_a_code_span_exists(page: Path) -> None:
    """Paths into the rooms, from the root or from `wine-classifier`."""
    for span in spans(page.read_text()):
        if span.startswith((*ROOMS, "docs/")) and re.fullmatch(r"[\w./-]+", span):
            assert (ROOT / span).exists() or (APP / span).exists(), f"{span} does not exist"


def test_the_index_lists_every_page() -> None:
    """Pages below `docs`, each once at least."""
    links = LINK.findall((DOCS / "index.md").read_text())
    listed = {(DOCS / link).resolve() for link in links if not URL.match(link)}
    assert {page for page in DOCS.rglob("*.md") if page.name != "index.md"} <= listed
