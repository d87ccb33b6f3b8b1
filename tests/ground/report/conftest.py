"""Pages in a browser without a network."""

import pytest

from .browser import chromium


@pytest.fixture(scope="package")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def open_page(browser):
    """Open a page in a window of a size; nothing may be fetched and nothing may fail.

    With ``tolerant`` files may be missing.
    """
    contexts, complaints = [], []

    def call(address, width=1200, height=900, *, tolerant=False, **more):
        context = browser.new_context(viewport={"width": width, "height": height}, offline=True, **more)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if not tolerant:
            page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
        page.on(
            "request",
            lambda asked: asked.url.startswith(("file:", "data:", "blob:")) or complaints.append(asked.url),
        )
        page.goto(address)
        page.wait_for_selector("body[data-ready=yes]", timeout=60_000)
        return page

    yield call
    for context in contexts:
        context.close()
    assert complaints == []
