"""The page can be read and used by everybody, on any screen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, OpenPage
from tests.support.models import WineModel

PAGES = ["wine_url", "table_url", "wide_url", "classes_url"]
SCHEMES: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": PHONE},
}


def assert_accessible(page: Any) -> None:
    """Check a page with axe."""
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("look", SCHEMES)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_violation(
    open_page: OpenPage, request: pytest.FixtureRequest, name: str, look: str
) -> None:
    """And nothing is wider than the screen."""
    page = open_page(request.getfixturevalue(name), **SCHEMES[look])
    for details in page.locator("details:visible summary").all():
        details.click()
    assert_accessible(page)
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_axe_finds_no_violation_in_what_goes_wrong(
    open_page: OpenPage, table_url: str, empty_store: tuple[str, Path]
) -> None:
    """A problem, a file with bad rows, and no model."""
    page = open_page(table_url, expected="status of 422", color_scheme="dark")
    page.get_by_label("age", exact=True).fill("20.5")
    expect(page.locator(".field.invalid")).to_have_count(1)
    content = 'income,"colour, or hue",size,note,member,age\n1,red,s,x,true,30\n,,,,,\n'
    file = {"name": "a.csv", "mimeType": "text/csv", "buffer": content.encode()}
    page.get_by_label("Drop a CSV file here").set_input_files(file)
    expect(page.locator("#job-status")).to_contain_text("classified in")
    assert_accessible(page)
    page = open_page(empty_store[0], expected="status of 503", is_ready=False)
    expect(page.get_by_role("alert")).to_contain_text("No model")
    assert_accessible(page)


def test_the_keyboard_is_enough(open_page: OpenPage, wine_url: str) -> None:
    """Every control can be reached; what has the focus is outlined."""
    page = open_page(wine_url)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the result")).to_be_focused()
    reached = set()
    for _ in range(120):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("document.activeElement.id || document.activeElement.textContent")
        )
    assert {"f0", "f12", "f0-unknown", "reset", "copy", "file", "link-openapi"} <= reached
    assert "curl" in reached
    page.get_by_label("alcohol", exact=True).focus()
    page.keyboard.press("Shift+Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_nothing_moves_if_the_system_asks_for_none(open_page: OpenPage, wine_url: str) -> None:
    """The bars change at once."""
    duration = "getComputedStyle(document.querySelector('.fill')).transitionDuration"
    page = open_page(wine_url, reduced_motion="reduce")
    expect(page.locator("#bars li")).to_have_count(3)
    assert page.evaluate(duration) == "0s"
    page = open_page(wine_url, reduced_motion="no-preference")
    expect(page.locator("#bars li")).to_have_count(3)
    assert page.evaluate(duration) != "0s"


def test_dark_is_dark(open_page: OpenPage, wine_url: str) -> None:
    """And light is light."""
    colour = "getComputedStyle(document.body).backgroundColor"
    shades = {}
    for scheme in ("light", "dark"):
        page = open_page(wine_url, color_scheme=scheme)
        shades[scheme] = sum(map(int, re.findall(r"\d+", page.evaluate(colour))[:3]))
    assert shades["dark"] < 200 < 600 < shades["light"]


def test_how_good_the_model_is(
    open_page: OpenPage, wine_url: str, trained: WineModel, served_metrics: Any
) -> None:
    """The figures of the manifest, with what they were measured on."""
    page = open_page(wine_url)
    good = page.locator("#good")
    accuracy = served_metrics["accuracy"]
    shown = (
        f"{100 * accuracy['estimate']:.1f} % "
        f"({100 * accuracy['low']:.1f} to {100 * accuracy['high']:.1f})"
    )
    expect(good.get_by_text(shown)).to_be_visible()
    expect(good.get_by_text("by 5-fold stratified cross-validation").first).to_be_visible()
    expect(good.get_by_text("majority class")).to_be_visible()
    cells = page.locator(".matrix tbody td").all_inner_texts()
    counts = [count for row in served_metrics["by_class"]["confusion_matrix"] for count in row]
    assert [int(cell) for cell in cells] == counts
    first = served_metrics["importances"]["features"][0]["name"]
    expect(good.locator("ul").last.locator(".label").first).to_have_text(first)
    about = page.locator("#about")
    expect(about).to_contain_text("LogisticRegression")
    expect(about).to_contain_text("scikit-learn 1.")


@pytest.fixture
def served_metrics(browser: Any, wine_url: str) -> Any:
    """The metrics that the server tells."""
    context = browser.new_context()
    metrics = context.request.get(f"{wine_url}model").json()["metrics"]
    context.close()
    return metrics
