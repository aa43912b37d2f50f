"""Chromium without a screen, as the tests and the benchmarks drive it."""

import shutil
from contextlib import contextmanager

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = [
    "--no-sandbox",  # which root may not use
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class NoBrowserError(Exception):
    """Playwright or Chromium is missing. The message says what to install."""


@contextmanager
def launch_chromium():
    """Start Chromium and close it in the end; raise NoBrowserError where something is missing."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise NoBrowserError(
            'Playwright is missing: pip install -e ".[test,browser]"'
        ) from None
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        raise NoBrowserError(
            f"no Chromium found (looked for {', '.join(NAMES)}); on Debian: "
            "apt-get update && apt-get install -y chromium"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield browser
        browser.close()
