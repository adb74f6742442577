"""The page of the preview for everybody: axe-core finds nothing, and the keyboard is enough."""

import json
from collections.abc import Callable

import pytest

from browser import Page
from chromium import needs_chromium
from daemon import Daemon
from preview_messages import FAULTY, MERGE, MESSAGE, TABS, shows

pytestmark = needs_chromium


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(previewing: Daemon, visit: Callable[..., Page], scheme: str):
    for subject in "One", "Two":
        assert previewing.post(json.dumps(MESSAGE | {"subject": subject})).status == 200
    page = visit(previewing, colorScheme=scheme)
    page.getByRole("button", name="Two").click()
    shows(page, "Two")
    page.mail.reads("Hello Ann")
    found = {"outbox": page.findings()}
    page.getByRole("tab", name="Message").click()
    attachment = {"filename": "a.txt", "content": "x", "encoding": "utf8"}
    page.write(MERGE | {"attachments": [attachment], "html": "<img src='http://127.0.0.1/a'>" + "x" * 102_000})
    shows(page, "Ann, your order")
    for tab in TABS:
        panel = page.tab(tab)
        if tab in ("Source", "Pickup file"):
            panel.getByRole("region").waitFor()
        found[tab] = page.findings("#mail")
    page.tab("Mail")
    page.locator("#warnings summary").click()
    page.choose("Dark")
    page.write(FAULTY)
    page.locator("#verdict").reads("2 problems")
    found["problems"] = page.findings()
    page.setViewportSize({"width": 380, "height": 700})
    found["narrow"] = page.findings()
    assert {place: told for place, told in found.items() if told} == {}


def test_axe_is_no_ornament(previewing: Daemon, visit: Callable[..., Page]):
    page = visit(previewing, "#message")
    shows(page, "Hello")
    page.evaluate("document.getElementById('text').removeAttribute('aria-label')")
    page.evaluate("document.getElementById('text').removeAttribute('placeholder')")
    assert any(found.startswith("label: ") for found in page.findings())


def focused(page: Page) -> str:
    """The name of what has the focus, and whether a person cannot see that."""
    return page.evaluate(f"({FOCUSED})(document.activeElement)")


FOCUSED = """(element) => {
    if (element === document.body) return "";
    const isOutlined = (other) => other && getComputedStyle(other).outlineStyle !== "none";
    const editor = element.closest(".editor");
    const isSeen = editor
        ? getComputedStyle(editor).boxShadow !== "none"
        : isOutlined(element) || isOutlined(element.nextElementSibling) || element.tagName === "IFRAME";
    const { title, labels, innerText } = element;
    const name = element.getAttribute("aria-label") || title || labels?.[0]?.innerText || innerText;
    return name.trim().split("\\n")[0] + (isSeen ? "" : " (unseen)");
}"""


def test_the_keyboard_is_enough(previewing: Daemon, visit: Callable[..., Page]):
    assert previewing.post(json.dumps(MESSAGE | {"subject": "Sent"})).status == 200
    page = visit(previewing, "#message")
    page.write(MERGE | {"html": "<img src='http://127.0.0.1:1/a.png'><a href='https://example.com/'>link</a>"})
    shows(page, "Ann, your order")
    page.mail.locator("a").waitFor()
    page.getByText("Skip to the mail").focus()
    walk = []
    while (name := focused(page)) not in ("", *walk[:1]) and len(walk) < 40:
        walk.append(name)
        page.keyboard.press("Tab")
    expected = [
        "Skip to the mail",
        "Message",
        "Open a file…",
        "Format",
        "Message as JSON",
        "2 warnings",
        "Previous recipient",
    ]
    expected += ["Recipient", "Next recipient", "Mail", "Desktop", "Light", "Load it", "The mail as HTML", "Values"]
    # A link in the frame is a stop of its own, of the frame.
    assert [name for at, name in enumerate(walk) if name not in walk[:at]] == expected
    # The link at the beginning leads to the mail.
    page.getByText("Skip to the mail").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "mail"
    # Arrow keys go through the tabs, around the end.
    page.getByRole("tab", name="Mail", exact=True).focus()
    for tab in (*TABS[1:], TABS[0]):
        page.keyboard.press("ArrowRight")
        assert focused(page).startswith(tab)
        assert page.getByRole("tabpanel", name=tab, exact=False).isVisible()
    page.keyboard.press("End")
    assert focused(page) == "Pickup file"
    page.keyboard.press("Home")
    assert focused(page) == "Mail"
    # Recipients, the look, remote content, warnings.
    page.getByRole("button", name="Next recipient").focus()
    page.keyboard.press("Enter")
    shows(page, "Bo, your order")
    assert focused(page) == "Next recipient"
    page.getByRole("radio", name="Desktop").focus()
    page.keyboard.press("ArrowRight")
    assert page.getByRole("radio", name="Phone").isChecked()
    page.getByText("2 warnings").focus()
    page.keyboard.press("Enter")
    page.locator("#warnings li").first().waitFor()
    # The outbox.
    page.getByRole("tab", name="Message").focus()
    page.keyboard.press("ArrowRight")
    shows(page, "Sent")
    page.keyboard.press("Tab")
    assert focused(page) == "Sent"
