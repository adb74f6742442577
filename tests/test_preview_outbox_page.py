"""The outbox of the preview, in headless Chromium: what an application sends appears, and nothing else changes."""

import json
from collections.abc import Callable
from pathlib import Path

from browser import Page, Place
from chromium import needs_chromium
from daemon import Daemon

pytestmark = needs_chromium

MESSAGE = {"from": "Shop <shop@example.com>", "to": "Ann Lee <ann@example.org>", "text": "x", "html": "<p>Hello Ann"}


def send(daemon: Daemon, subject: str, **fields: object) -> str:
    """The name of the file."""
    answer = daemon.post(json.dumps(MESSAGE | {"subject": subject} | fields))
    assert answer.status == 200
    (name,) = answer.json()["files"]
    return name


def items(page: Page) -> Place:
    return page.getByRole("list", name="Outbox, newest first").getByRole("button")


def subjects(page: Page) -> list[str]:
    return page.locator("#outbox-list .file-subject").allInnerTexts()


def test_what_is_sent_appears(previewing: Daemon, visit: Callable[..., Page]):
    page = visit(previewing)
    page.getByText("Nothing has been sent yet.").waitFor()
    page.locator("#outbox-state").reads("Live")
    first = send(previewing, "First")
    page.locator("#subject").reads("First")
    page.mail.reads("Hello Ann")
    assert page.locator("#outbox-news").textContent() == "New in the outbox: First"
    assert "Shop <shop@example.com> · 1 recipient · " in items(page).nth(0).innerText()
    items(page).nth(0).focus()
    send(previewing, "Second <b>")
    items(page).nth(1).waitFor()
    assert subjects(page) == ["Second <b>", "First"]
    # What is read stays, and so does the focus.
    assert page.locator("#subject").innerText() == "First"
    assert page.evaluate("document.activeElement.innerText").startswith("First")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.locator("#subject").reads("Second <b>")
    assert items(page).nth(0).getAttribute("aria-current") == "true"
    # The way back, and a reload.
    page.evaluate("history.back()")
    page.locator("#subject").reads("First")
    page.reload()
    page.locator("#subject").reads("First")
    page.until("document.querySelectorAll('#outbox-list li').length === 2")
    # PowerMTA takes it.
    (previewing.pickup / first).unlink()
    page.until("document.querySelectorAll('#outbox-list li').length === 1")
    assert subjects(page) == ["Second <b>"]


def test_a_merge_is_expanded(previewing: Daemon, visit: Callable[..., Page]):
    people = [{"address": f"{name}@example.org", "variables": {"name": name}} for name in ("ann", "bo", "cy")]
    fields = {"to": None, "template": "merge", "recipients": people, "html": "<p>Hello {{ name }}", "job": "spring"}
    message = {
        name: value for name, value in (MESSAGE | {"subject": "For {{ name }}"} | fields).items() if value is not None
    }
    assert previewing.post(json.dumps(message)).status == 200
    page = visit(previewing)
    page.locator("#subject").reads("For ann")
    page.getByRole("button", name="Next recipient").click()
    page.locator("#subject").reads("For bo")
    page.mail.reads("Hello bo")
    # The names are those of the file, which are short.
    assert "bo" in page.getByRole("complementary", name="Values").locator("dd").allInnerTexts()
    assert "spring" in page.tab("Pickup file").locator("dl").innerText()


def test_a_file_of_somebody_else_has_its_source(previewing: Daemon, visit: Callable[..., Page]):
    (previewing.pickup / "other file #1%.txt").write_bytes(b"<b>not a mail</b>")
    page = visit(previewing)
    page.locator("#subject").reads("other file #1%.txt")
    page.locator("#notice").wait_until("(element) => element.innerText.length > 10")
    page.tab("Pickup file").getByRole("region").reads("<b>not a mail</b>")
    assert page.findings() == []


def test_a_place_that_is_not_there(previewing: Daemon, visit: Callable[..., Page]):
    send(previewing, "There")
    page = visit(previewing, "#outbox/not-there.eml")
    page.locator("#banner.shown").waitFor()
    items(page).nth(0).click()
    page.locator("#subject").reads("There")
    page.until("!document.querySelector('#banner.shown')")
    # What is no name at all is as if there were none.
    page.goto(f"{previewing.url}/preview#outbox/%")
    page.locator("#subject").reads("There")
    page.goto(f"{previewing.url}/preview#elsewhere")
    page.locator("#subject").reads("Hello")


def test_a_lost_connection_comes_back(start_daemon: Callable[..., Daemon], visit: Callable[..., Page], tmp_path: Path):
    daemon = start_daemon("--preview")
    page = visit(daemon)
    page.locator("#outbox-state").reads("Live")
    daemon.stop()
    page.locator("#outbox-state").reads("Not connected. Trying again…")
    again = start_daemon("--preview", listen=(f"127.0.0.1:{daemon.port}",))
    page.locator("#outbox-state").reads("Live")
    send(again, "After")
    page.locator("#subject").reads("After")
    assert again.pickup == tmp_path / "pickup"
