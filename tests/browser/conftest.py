"""Pages opened for a test, watched for whatever they ask, say or throw."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tests.browser import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: A folder to keep a picture of every page that was opened in, for people to look at.
PICTURES = "LEADSCORE_PICTURES"


@dataclass
class Opened:
    """A page, and all that it did besides being shown."""

    page: "Page"
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def measure(self, script: str) -> Any:
        """What a piece of script finds on the page."""
        return self.page.evaluate(script)


Open = Callable[..., Opened]


# Not for the whole session: its driver keeps an event loop going, beside which tests elsewhere could not run theirs.
@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """One browser for the tests of a file; without any, they are skipped, or in CI fail."""
    lacking = chromium.lacking()
    if lacking is not None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(lacking)
    with chromium.running() as started:
        yield started


@pytest.fixture
def shown(browser: "Browser", tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Open a page from a file of its own, in a browser that has never seen another."""
    with ExitStack() as stack:

        def open_(
            html: str,
            *,
            width: int = 1280,
            scheme: Literal["light", "dark"] = "light",
            media: Literal["screen", "print"] = "screen",
        ) -> Opened:
            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
            stack.callback(context.close)
            context.set_offline(True)
            file = tmp_path / f"{len(list(tmp_path.iterdir()))}.html"
            file.write_text(html, encoding="utf-8")
            opened = Opened(context.new_page())
            page, itself = opened.page, file.as_uri()
            page.on("request", lambda request: opened.asked.append(request.url) if request.url != itself else None)
            page.on("console", lambda message: opened.said.append(f"{message.type}: {message.text}"))
            page.on("pageerror", lambda error: opened.said.append(f"thrown: {error}"))
            page.on("dialog", lambda dialog: (opened.said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
            if media == "print":  # once it is told "screen", a browser prints that too
                page.emulate_media(media=media)
            page.goto(itself, wait_until="load")
            if os.environ.get(PICTURES):
                folder = Path(os.environ[PICTURES])
                folder.mkdir(parents=True, exist_ok=True)
                picture = f"{request.node.name}-{width}-{scheme}-{media}.png".replace("/", "_")
                page.screenshot(path=folder / picture, full_page=True)
            return opened

        yield open_
