"""A real browser, wherever there is one."""

import base64
import io
import shutil
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@contextmanager
def chromium():
    """A headless Chromium: that of Playwright or the system's; the test is skipped without one."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        found = [own] if Path(own).exists() else [path for path in map(shutil.which, NAMES) if path]
        if not found:
            pytest.skip("no Chromium: apt install chromium, or playwright install chromium")
        # The sandbox of Chromium does not start for root.
        browser = playwright.chromium.launch(executable_path=found[0], args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def spectrum(page):
    """What the plot of the spectrum shows, as numbers."""
    return page.evaluate(
        """() => {
            for (const one of Bokeh.documents) {
                const source = one.get_model_by_name("spectrum-source");
                if (source) {
                    return Object.fromEntries(
                        Object.entries(source.data).map(([name, values]) => [name, Array.from(values)]));
                }
            }
        }"""
    )


def pixels(page):
    """What the canvas shows."""
    data = page.evaluate("document.getElementById('picture').toDataURL().split(',')[1]")
    return np.array(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"), np.int16)
