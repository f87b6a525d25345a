"""Chromium, as Playwright starts it."""

from __future__ import annotations

import shutil
from typing import Any

from playwright.sync_api import Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")

# Without a sandbox as CI runs as root; without Chromium's own requests to the network.
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def launch(playwright: Playwright) -> Any:
    """Start the Chromium that is installed."""
    paths = [path for name in NAMES if (path := shutil.which(name))]
    assert paths, f"none of {', '.join(NAMES)} is installed: run make browser"
    return playwright.chromium.launch(executable_path=paths[0], args=OPTIONS)
