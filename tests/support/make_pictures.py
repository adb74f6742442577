"""Takes the pictures of docs/pictures: `make pictures`. They show the preview of a daemon with a few sample mails."""

import json
import os
import tempfile
from pathlib import Path

from browser import Browser, Page
from daemon import Daemon

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs/pictures"
PEOPLE = [
    {"address": "ann@example.org", "name": "Ann Lee", "variables": {"name": "Ann", "city": "Bergen", "day": "Friday"}},
    {"address": "bo@example.org", "name": "Bo Dahl", "variables": {"name": "Bo", "city": "Oslo", "day": "Monday"}},
    {"address": "eva@example.org", "name": "Eva Ruiz", "variables": {"name": "Eva", "city": "Oslo", "day": "Friday"}},
]
ORDER = {
    "from": "Fern & Field <orders@shop.example>",
    "subject": "{{ name }}, your order is on its way",
    "job": "orders",
    "template": "merge",
    "variables": {"price": "24.90", "order": "F-1842"},
    "recipients": PEOPLE,
    "text": "{{ name }}, your order is on its way. It should be with you on {{ day }}.",
    "html": "",
}
SENT = [
    ("Welcome to Fern & Field", "Ann Lee <ann@example.org>"),
    ("Reset your password", "bo@example.org"),
    ("Your invoice F-1839", "Eva Ruiz <eva@example.org>"),
]


def order(**fields: object) -> dict:
    return ORDER | {"html": (ROOT / "tests/pictures/order.html").read_text()} | fields


def open_page(browser: Browser, daemon: Daemon, place: str, scheme: str) -> Page:
    size = {"width": 1200, "height": 720}
    page = browser.open(colorScheme=scheme, viewport=size, locale="en-GB", timezoneId="UTC", reducedMotion="reduce")
    page.goto(f"{daemon.url}/preview{place}")
    return page


def take(page: Page, name: str) -> None:
    """A picture, once the frame shows its mail."""
    page.until("!document.querySelector('#stage .coming')")
    page.evaluate("document.activeElement.blur()")
    page.evaluate("document.getElementById('text').scrollTo(0, 0)")
    page.mouse.move(0, 0)
    page.screenshot(path=str(PICTURES / name))
    page.close()


def message(browser: Browser, daemon: Daemon, scheme: str) -> None:
    page = open_page(browser, daemon, "#message", scheme)
    page.write(order())
    page.locator("#subject").reads("Ann, your order is on its way")
    page.getByRole("button", name="Next recipient").click()
    page.locator("#subject").reads("Bo, your order is on its way")
    if scheme == "dark":
        page.choose("Dark")
    page.mail.locator("h1").reads("Bo, your order is on its way")
    take(page, f"preview-{scheme}.png")


def outbox(browser: Browser, daemon: Daemon) -> None:
    page = open_page(browser, daemon, "#outbox", "light")
    page.locator("#subject").reads("Ann, your order is on its way")
    page.choose("Phone")
    page.mail.locator("h1").reads("Ann, your order is on its way")
    take(page, "preview-outbox.png")


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    binary = Path(os.environ.get("PMTAEMAILAPI", ROOT / "target/debug/pmtaemailapi")).absolute()
    with tempfile.TemporaryDirectory() as folder, Daemon(binary, Path(folder), "--preview") as daemon:
        for subject, to in SENT:
            mail = {"from": ORDER["from"], "to": to, "subject": subject, "text": subject, "html": f"<p>{subject}"}
            assert daemon.post(json.dumps(mail)).status == 200
        assert daemon.post(json.dumps(order())).status == 200
        with Browser() as browser:
            message(browser, daemon, "light")
            message(browser, daemon, "dark")
            outbox(browser, daemon)


if __name__ == "__main__":
    main()
