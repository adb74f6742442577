"""Headless Chromium: a page's document after its scripts ran, and a picture of it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium")
# In continuous integration a missing browser is an error, not a reason to skip.
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None and os.environ.get("CI") != "true", reason="chromium is not installed"
)
# Without them it asks the network for its maker's hosts.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--window-size=600,400",
]


def run(profile: Path, page: Path | str, *arguments: str) -> bytes:
    address = page if isinstance(page, str) else page.as_uri()
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", *arguments, address]
    return subprocess.run(command, capture_output=True, check=True, timeout=120).stdout


def document(profile: Path, page: Path | str) -> str:
    """The document of `page`, a file or an address, as HTML."""
    return run(profile, page, "--dump-dom").decode()


def picture(profile: Path, page: Path, file: Path) -> None:
    """Writes a picture of `page` as PNG."""
    run(profile, page, f"--screenshot={file}")
