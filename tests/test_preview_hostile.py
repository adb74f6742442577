"""What a mail's HTML may do in the preview: be looked at. It runs nothing, sends nothing, leads nowhere, and loads from
elsewhere only what a person asked for."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from browser import Browser, Page
from chromium import needs_chromium
from daemon import Daemon
from loopback_site import Site, site

pytestmark = needs_chromium

HOSTILE = (Path(__file__).parent / "support/hostile_body.html").read_text()
REMOTE = """
<style>
  @import "SITE/import";
  @font-face { font-family: f; src: url(SITE/font) }
  p { font-family: f; background: url(SITE/css) }
</style>
<link rel="stylesheet" href="SITE/style">
<p style="list-style: url(SITE/style-attribute)">Hello<img src="SITE/img" alt=""><img srcset="SITE/srcset 1x" alt="">
<table background="SITE/background"><tr><td>x</table><video poster="SITE/poster"></video>"""
# What a person may ask for.
PICTURES = {
    "/img",
    "/lazy",
    "/srcset",
    "/picture",
    "/picture-img",
    "/noscript-img",
    "/image",
    "/map",
    "/poster",
    "/video",
    "/video-source",
    "/audio",
    "/track",
    "/input-image",
    "/svg-image",
    "/svg-feimage",
    "/link-stylesheet",
    "/body-background",
    "/table-background",
    "/td-background",
    "/style-attribute",
    "/svg-style",
}


@pytest.fixture
def elsewhere() -> Iterator[Site]:
    with site() as elsewhere:
        yield elsewhere


def mail(html: str, site: Site, subject: str) -> dict:
    body = html.replace("SITE", site.url)
    return {"from": "a@example.com", "to": "b@example.org", "subject": subject, "text": "x", "html": body}


def show(page: Page, message: dict) -> None:
    page.write(message)
    page.locator("#subject").reads(message["subject"])
    await_frame(page)


def await_frame(page: Page) -> None:
    """Waits until the frame is the one that will stay."""
    page.until("document.querySelectorAll('#stage iframe').length === 1 && !document.querySelector('#stage .coming')")


@pytest.fixture
def settle(browser: Browser) -> Iterator[Callable[[Page], None]]:
    """Waits until the frame has done what it does by itself. Another page, which begins after it, leads elsewhere after
    a longer time than any of the hostile mail; once it is there, so would be the mail."""
    with site() as control:
        other = browser.open()

        def settle(page: Page) -> None:
            page.mail.wait_until("(root) => root.ownerDocument.readyState === 'complete'")
            control.paths.clear()
            other.goto(f"{control.url}/wait")
            control.wait_for("/waited")

        yield settle
        other.close()


def test_remote_content_is_loaded_when_it_is_asked_for(previewing: Daemon, visit, settle, elsewhere: Site):
    page = visit(previewing, "#message")
    show(page, mail(REMOTE, elsewhere, "Remote"))
    settle(page)
    said = page.locator("#remote-said")
    said.filter(hasText="blocked").waitFor()
    # The look is another, the content stays where it is.
    page.choose("Dark")
    settle(page)
    assert (elsewhere.paths, elsewhere.connections) == ([], 0)
    page.getByRole("button", name="Load it").click()
    for path in "/img", "/css", "/font", "/srcset", "/background", "/poster", "/style":
        elsewhere.wait_for(path)
    said.filter(hasText="loaded").waitFor()
    # That was asked of this mail alone.
    assert previewing.post(json.dumps(mail("<p>Other<img src='SITE/other' alt=''>", elsewhere, "Other"))).status == 200
    page.getByRole("tab", name="Outbox").click()
    page.locator("#subject").reads("Other")
    page.mail.reads("Other")
    settle(page)
    said.reads("1 remote item blocked.")
    assert "/other" not in elsewhere.paths


def test_a_hostile_mail_does_nothing(previewing: Daemon, visit, settle, elsewhere: Site):
    page = visit(previewing, "#message")
    show(page, mail(HOSTILE, elsewhere, "Hostile"))
    settle(page)
    page.mail.getByText("A hostile mail").waitFor()
    before = page.url()
    press_everything(page)
    settle(page)
    assert (elsewhere.paths, elsewhere.connections) == ([], 0)
    assert_nothing_ran(page, before)


def test_a_hostile_mail_loads_pictures_alone_when_asked(previewing: Daemon, visit, settle, elsewhere: Site):
    page = visit(previewing, "#message")
    show(page, mail(HOSTILE, elsewhere, "Hostile"))
    before = page.url()
    page.getByRole("button", name="Load it").click()
    elsewhere.wait_for("/img")
    await_frame(page)
    settle(page)
    press_everything(page)
    settle(page)
    assert {path for path in elsewhere.paths if not path.startswith("/css-")} <= PICTURES
    assert_nothing_ran(page, before)


def press_everything(page: Page) -> None:
    """Every link and button of the mail, by a mouse and by the keyboard."""
    count = page.mail.locator("a, button, area, summary").count()
    assert count > 15
    for at in range(count):
        pressed = page.mail.locator("a, button, area, summary").nth(at)
        pressed.dispatchEvent("click")
        pressed.evaluate({"$function": "(element) => element.focus()"})
        # Not into the editor, where it would make another message.
        assert page.evaluate("document.activeElement.tagName") == "IFRAME"
        page.keyboard.press("Enter")
    # Nothing of it is gone.
    assert page.mail.locator("a, button, area, summary").count() == count


def assert_nothing_ran(page: Page, url: str) -> None:
    assert page.url() == url
    assert page.title() == "Hostile · Mail preview"
    assert page.mail.getAttribute("data-ran") is None
    assert page.mail.getByText("A hostile mail").isVisible()
    assert page.told() == []
    assert page.evaluate("brokenPolicies") == []


def test_a_mail_sees_nothing_of_the_daemon(previewing: Daemon, visit: Callable[..., Page]):
    """The document of a frame has no rights, by the frame and by its own policy; each alone is enough."""
    page = visit(previewing, "#message")
    script = "<script>document.documentElement.setAttribute('data-ran', 'yes')</script>"
    message = {
        "from": "a@example.com",
        "to": "b@example.org",
        "subject": "Script",
        "text": "x",
        "html": f"<p>Hello{script}",
    }
    show(page, message)
    frame = page.locator("#stage iframe")
    assert frame.getAttribute("sandbox") == ""
    assert page.mail.getAttribute("data-ran") is None
    # Opened by itself, it may do no more.
    address = frame.getAttribute("src")
    answer = previewing.request("GET", address.removeprefix(previewing.url))
    policy = [part.strip() for part in answer.headers["content-security-policy"].split(";")]
    assert "sandbox" in policy
    assert "default-src 'none'" in policy
    page.goto(address)
    assert page.evaluate("self.origin") == "null"
    assert page.locator(":root").getAttribute("data-ran") is None
