"""``python -m tests.browser``: write the pictures of the page to `docs`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.browser.chromium import launch
from tests.support.models import publish_to_folder
from tests.support.paths import ROOT
from tests.support.processes import Server
from training.artifact import build_artifact
from training.wine.dataset import split, wine
from training.wine.estimators import wine_pipeline

LOOKS = {
    "light": {"viewport": {"width": 1100, "height": 760}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1100, "height": 760}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 760}, "color_scheme": "light"},
}


def main() -> None:
    """Serve the wine model and take a picture of each look."""
    dataset = wine()
    train = split(dataset, seed=0).train
    built = build_artifact(
        wine_pipeline().fit(train.X, train.y),
        train.X,
        train.y,
        name="wine",
        feature_names=dataset.feature_names,
        cv=5,
    )
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        registry = publish_to_folder(built, Path(folder))
        server = Server(f"MODEL_URL={registry.url}")
        browser = launch(playwright)
        for name, look in LOOKS.items():
            page = browser.new_page(reduced_motion="reduce", **look)
            page.goto(f"http://127.0.0.1:{server.port}/")
            expect(page.locator("#bars li")).to_have_count(3)
            path = ROOT / "docs" / f"page-{name}.png"
            page.screenshot(path=path)
            print(f"Wrote {path.relative_to(ROOT)}")
        browser.close()
        server.stop()


if __name__ == "__main__":
    main()
