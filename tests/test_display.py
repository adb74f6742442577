"""A whole message is displayed right: its html part, with its inline images, in headless Chromium."""

import base64
import email
import email.policy
import re
from email.message import EmailMessage
from pathlib import Path

import pytest

from chromium import document, needs_chromium, picture
from pickup_reader import read
from png import colours

CASE = Path(__file__).parent / "cases/everything/expected.pickup"
RED, BLUE = (220, 30, 40), (30, 60, 220)
# Tells of each image whether it is there, once all of them have been tried.
SCRIPT = """<script>addEventListener("load", () => {
  const told = ({ alt, naturalWidth, naturalHeight }) => `${alt}=${naturalWidth}x${naturalHeight}`;
  document.title = [...document.images].map(told).join();
})</script>"""


@pytest.fixture(scope="module")
def message() -> EmailMessage:
    return email.message_from_bytes(read(CASE.read_bytes()).message, policy=email.policy.default)


@pytest.fixture
def page(message: EmailMessage, tmp_path: Path) -> Path:
    """The html part as a mail program shows it: each `cid:` stands for the part of that Content-ID."""
    images = {
        part["content-id"].strip("<>"): f"data:{part.get_content_type()};base64,"
        + base64.b64encode(part.get_payload(decode=True)).decode()
        for part in message.walk()
        if part["content-id"]
    }
    html = message.get_body(("html",)).get_content()
    shown, replaced = re.subn(r"cid:([^\"]+)", lambda match: images[match[1]], html)
    assert (len(images), replaced) == (2, 2)
    path = tmp_path / "page.html"
    path.write_text(shown + SCRIPT, encoding="utf-8")
    return path


def test_the_whole_message_has_all_its_parts(message: EmailMessage):
    assert tree(message) == [
        "multipart/mixed",
        [
            "multipart/related",
            ["multipart/alternative", "text/plain", "text/html", "text/calendar"],
            "image/png",
            "image/png",
        ],
        "application/pdf",
        "text/csv",
        "application/zip",
    ]
    names = [part.get_filename() for part in message.iter_attachments() if not part.is_multipart()]
    assert names == ["Übersicht 2026.pdf", "отчёт.csv", "請求書.zip"]
    assert message["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert all(recipient.notify == ("SUCCESS", "FAILURE", "DELAY") for recipient in read(CASE.read_bytes()).recipients)


def tree(part: EmailMessage) -> str | list:
    if not part.is_multipart():
        return part.get_content_type()
    return [part.get_content_type(), *map(tree, part.iter_parts())]


@needs_chromium
def test_both_pictures_are_displayed(page: Path, tmp_path: Path):
    shown = document(tmp_path / "profile", page)
    assert "<title>rot=120x60,blau=60x60</title>" in shown
    assert "Äpfel und Birnen" in shown
    picture(tmp_path / "profile", page, tmp_path / "page.png")
    found = colours((tmp_path / "page.png").read_bytes())
    assert (found[RED], found[BLUE]) == (120 * 60, 60 * 60)
