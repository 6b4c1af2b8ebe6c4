"""A Chromium for the tests: found on the machine, run without a screen, and asked for nothing but our pages."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SETTING: Final = "LEADSCORE_TEST_CHROMIUM"
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
_ELSEWHERE: Final = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
NONE_FOUND: Final = (
    f"no Chromium: {SETTING} is not set, and none of {', '.join(_NAMES)} is on the path. Install one, for example: "
    "apt-get install chromium"
)
NO_DRIVER: Final = "playwright is not installed: make .venv/.dev"

#: As root, and in containers, Chromium's own sandbox cannot start; and left alone it looks for updates.
_ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--font-render-hinting=none",
)


def find() -> Path | None:
    """The browser to use; None where there is none."""
    named = os.environ.get(SETTING)
    if named:
        return Path(named)
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    found = found or next((path for path in _ELSEWHERE if Path(path).exists()), None)
    return Path(found) if found else None


def lacking() -> str | None:
    """Why pages cannot be tried here, and what to do; None where they can."""
    if importlib.util.find_spec("playwright") is None:
        return NO_DRIVER
    return None if find() else NONE_FOUND


@contextmanager
def running() -> Iterator["Browser"]:
    """The browser, started and stopped."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find(), args=list(_ARGUMENTS), timeout=60_000)
        try:
            yield browser
        finally:
            browser.close()


if __name__ == "__main__":
    sys.exit(0 if find() else NONE_FOUND)
