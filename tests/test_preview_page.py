"""The page of the preview, in headless Chromium, as a person uses it."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from browser import Browser, Page
from chromium import needs_chromium
from daemon import Daemon
from preview_command import Command
from preview_messages import FAULTY, MERGE, MESSAGE, TABS, shows

pytestmark = needs_chromium

HERE = Path(__file__).parent
EVERYTHING = json.loads((HERE / "cases/everything/message.json").read_bytes()) | {
    "amp": "<!doctype html><html ⚡4email><body>Äpfel</body></html>"
}


def test_a_message_is_pasted(previewing: Daemon, visit: Callable[..., Page]):
    page = visit(previewing, "#message", permissions=["clipboard-read", "clipboard-write"])
    shows(page, "Hello")
    page.locator("#verdict").reads("No problems.")
    page.evaluate(f"navigator.clipboard.writeText({json.dumps(json.dumps(MESSAGE | {'subject': 'Pasted'}))})")
    page.getByLabel("Message as JSON").focus()
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+v")
    shows(page, "Pasted")
    page.mail.reads("Hello Ann")
    assert page.locator("#people").innerText().split("\n")[:4] == [
        "From",
        "Shop <shop@example.com>",
        "To",
        "Ann Lee <ann@example.org>",
    ]
    assert page.title() == "Pasted · Mail preview"
    # A reload of the page loses nothing, and nothing was handed over.
    page.reload()
    shows(page, "Pasted")
    assert previewing.files() == []


@pytest.mark.usefixtures("steady_network")
def test_the_command_shows_its_file(binary: Path, tmp_path: Path, browser: Browser):
    (tmp_path / "message.json").write_text(json.dumps(MESSAGE | {"subject": "Of a file"}))
    with Command(binary, str(tmp_path / "message.json")) as command:
        page = browser.open()
        page.goto(command.url)
        shows(page, "Of a file")
        # There is no outbox to look at.
        assert not page.getByRole("tab", name="Outbox").isVisible()
        assert page.told() == []
        page.close()


def test_files_are_opened_and_dropped(previewing: Daemon, visit: Callable[..., Page]):
    page = visit(previewing, "#message")
    content = json.dumps(MESSAGE | {"subject": "Opened"}).encode()
    page.locator("#file").setInputFiles([file("message.json", content)])
    shows(page, "Opened")
    # Octets that are no UTF-8 are sent as they are, whatever the text area makes of them.
    mail = b"From: ann@example.com\nTo: bo@example.org\nSubject: A mail\nMIME-Version: 1.0\n"
    mail += b"Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\ncaf\xe9\n"
    page.locator("#file").setInputFiles([file("mail.eml", mail)])
    shows(page, "A mail")
    page.tab("Text").getByRole("region").reads("café")
    # Over the outbox, too: then the message comes in sight.
    page.getByRole("tab", name="Outbox").click()
    lines = [MERGE | {"recipients": None}, *MERGE["recipients"]]
    lines[0].pop("recipients")
    drop(page, "merge.ndjson", "".join(json.dumps(line) + "\n" for line in lines))
    shows(page, "Ann, your order")
    page.locator("#verdict").reads("No problems. A mail merge for 5 recipients.")
    assert page.getByRole("tab", name="Message").getAttribute("aria-selected") == "true"


def file(name: str, content: bytes) -> dict:
    return {"name": name, "mimeType": "", "buffer": {"$bytes": base64.b64encode(content).decode()}}


def drop(page: Page, name: str, content: str) -> None:
    page.locator("body").evaluate({"$function": DROP}, [name, content])


DROP = """(body, [name, content]) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([content], name));
    const drag = (type) => body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
    const isInvited = () => getComputedStyle(document.getElementById("drop")).display !== "none";
    drag("dragenter");
    if (!isInvited()) throw new Error("nothing says that a file may be dropped");
    drag("dragover");
    drag("drop");
    if (isInvited()) throw new Error("it still says that a file may be dropped");
}"""


def test_problems_are_next_to_their_lines(previewing: Daemon, visit: Callable[..., Page]):
    page = visit(previewing, "#message")
    shows(page, "Hello")
    page.write(FAULTY)
    page.locator("#verdict").reads("2 problems")
    assert page.locator(".sign").allInnerTexts() == ["2", "4"]
    said = ["The address has no @.", "There is no field with this name; did you mean `subject`?"]
    assert page.locator(".said").allInnerTexts() == said
    # Each stands at the height of its line, beside its text.
    heights = page.evaluate("""[...document.querySelectorAll(".said")].map((said) => {
        const numbers = document.querySelector(".numbers");
        const height = said.getBoundingClientRect().top - numbers.getBoundingClientRect().top;
        return Math.round(height / parseFloat(getComputedStyle(numbers).lineHeight));
    })""")
    assert heights == [1, 3]
    text = page.getByLabel("Message as JSON")
    assert text.getAttribute("aria-invalid") == "true"
    page.getByText("The message has problems. Below is the mail as it was before them.").waitFor()
    # The list leads to the place.
    problems = page.getByRole("list", name="Problems").getByRole("listitem")
    assert problems.count() == 2
    problems.filter(hasText="subject").getByRole("button", name="Line 4").click()
    place = "text.value.slice(0, text.selectionStart).split('\\n').length + ' ' + (document.activeElement === text)"
    assert page.evaluate(f"(() => {{ const text = document.getElementById('text'); return {place}; }})()") == "4 true"
    text.fill(FAULTY.replace('"Shop"', '"shop@example.com"').replace("subjct", "subject"))
    page.locator("#verdict").reads("No problems.")
    assert text.getAttribute("aria-invalid") == "false"
    assert page.locator(".said").count() == 0
    assert not page.locator("#stale").isVisible()


def test_invalid_json_says_where(previewing: Daemon, visit: Callable[..., Page]):
    page = visit(previewing, "#message")
    page.write('{\n  "from": "shop@example.com",\n  "to": ,\n}')
    page.locator("#verdict").reads("1 problem")
    assert page.locator(".sign").allInnerTexts() == ["3"]
    page.getByRole("button", name="Format").click()
    page.locator("#verdict").reads("Only JSON can be formatted, and this is not JSON.")


def test_problems_of_a_merge_of_lines_are_next_to_their_lines(previewing: Daemon, visit: Callable[..., Page]):
    page = visit(previewing, "#message")
    message = {name: value for name, value in MERGE.items() if name != "recipients"} | {"subjct": "x"}
    people = [MERGE["recipients"][0], {"address": "nobody", "variables": {"name": "x"}}]
    page.write("\n\n".join(json.dumps(line) for line in (message, *people)))
    page.locator("#verdict").reads("2 problems")
    assert page.locator(".sign").allInnerTexts() == ["1", "5"]


def test_json_is_laid_out(previewing: Daemon, visit: Callable[..., Page]):
    """With each character of its numbers and strings, and so that it can be undone."""
    page = visit(previewing, "#message")
    packed = '{"from":"a@example.com","to":["b@example.org","c, \\"d\\" {: <d@example.org>"],'
    packed += '"variables":{"x":19.90,"e":{},"l":[ ]}}'
    page.write(packed)
    page.getByRole("button", name="Format").click()
    text = page.getByLabel("Message as JSON")
    laid_out = """{
  "from": "a@example.com",
  "to": [
    "b@example.org",
    "c, \\"d\\" {: <d@example.org>"
  ],
  "variables": {
    "x": 19.90,
    "e": {},
    "l": []
  }
}
"""
    assert text.inputValue() == laid_out
    page.keyboard.press("Control+z")
    assert text.inputValue() == packed


def test_the_newest_text_wins(previewing: Daemon, visit: Callable[..., Page]):
    """What was asked before is given up, and many keys are one question."""
    page = visit(previewing, "#message")
    shows(page, "Hello")
    page.evaluate("""(() => {
        const fetch = globalThis.fetch;
        globalThis.asked = [];
        globalThis.fetch = (address, options) => new Promise((resolve, reject) => {
            options.signal?.addEventListener("abort", () => reject(options.signal.reason));
            const answer = () => fetch(address, { ...options, signal: undefined }).then(resolve, reject);
            asked.push({ options, answer });
        });
    })()""")
    page.write(MESSAGE | {"subject": "First"})
    page.until("asked.length === 1")
    page.getByLabel("Message as JSON").pressSequentially("     ")
    page.write(MESSAGE | {"subject": "Second"})
    page.until("asked.length === 2 && asked[0].options.signal.aborted")
    page.evaluate("asked[1].answer()")
    shows(page, "Second")
    page.evaluate("asked[0].answer()")
    shows(page, "Second")
    assert page.evaluate("asked.length") == 2


def test_each_tab(previewing: Daemon, visit: Callable[..., Page]):
    page = visit(previewing, "#message")
    page.write(EVERYTHING)
    shows(page, "Einladung: Äpfel und Birnen 🍎")
    # Its inline images are there.
    page.mail.locator("img").first().waitFor()
    page.mail.wait_until(
        "(root) => [...root.querySelectorAll('img')].map((image) => image.naturalWidth).join() === '120,60'"
    )
    page.tab("Text").getByRole("region").reads("Bilder, Dateien und eine Einladung.")
    page.tab("AMP").getByRole("region").reads(EVERYTHING["amp"])
    headers = page.tab("Headers").locator("tr").allInnerTexts()
    assert "Cc\tИван Петров <ivan@xn--e1afmkfd.example>" in headers
    assert "X-Campaign\tFrühling" in headers
    parts = [line.split("\n")[0] for line in page.tab("Parts").locator(".part").allInnerTexts()]
    assert parts == [
        "multipart/mixed",
        "multipart/related",
        "multipart/alternative",
        "text/plain",
        "text/x-amp-html",
        "text/html",
        "text/calendar",
        "image/png",
        "image/png",
        "application/pdf",
        "text/csv",
        "application/zip",
    ]
    name, content = page.tab("Parts").locator(".part").filter(hasText="Übersicht 2026.pdf").getByRole("link").saves()
    assert (name, content) == ("Übersicht 2026.pdf", b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    attachments = page.tab("Attachments")
    assert "отчёт.csv" in attachments.innerText()
    assert attachments.getByRole("link", name="отчёт.csv").saves() == ("отчёт.csv", "имя;цена\nяблоко;2\n".encode())
    source = page.tab("Source")
    source.getByRole("region").filter(hasText="Message-ID: <case@example.com>").waitFor()
    name, content = source.getByRole("link", name="Save message.eml").saves()
    assert name == "message.eml"
    assert content.startswith(b"Date: Thu, 15 Jan 2026 09:30:00 +0100\r\nFrom: Ann Lee <ann@example.com>\r\n")
    pickup = page.tab("Pickup file")
    pickup.getByRole("region").filter(hasText="XACK OFF").waitFor()
    envelope = pickup.locator("dl").innerText()
    for said in (
        "ann@example.com",
        "bo@example.org",
        "ivan@xn--e1afmkfd.example",
        "hidden@example.net",
        "env-42",
        "spring",
        "pool-a",
    ):
        assert said in envelope
    assert b"XACK OFF" in pickup.getByRole("link", name="Save pickup-file").saves()[1]


def test_what_a_mail_has_not(previewing: Daemon, visit: Callable[..., Page]):
    page = visit(previewing, "#message")
    page.write({"from": "a@example.com", "to": "b@example.org", "text": "Alone"})
    shows(page, "Without a subject")
    page.getByText("This mail has no HTML. Its text is in the next tab.").waitFor()
    assert page.locator("#stage iframe").count() == 0
    assert not page.locator("#look").isVisible()
    assert page.tab("AMP").innerText() == "This mail has no AMP part."
    assert page.tab("Attachments").innerText() == "This mail has no attachments."
    page.write({"from": "a@example.com", "to": "b@example.org", "html": "<p>Alone"})
    page.getByText("1 warning").waitFor()
    page.tab("Text").reads("This mail has no text part.")


def test_clipped_html_is_reported(previewing: Daemon, visit: Callable[..., Page]):
    page = visit(previewing, "#message")
    page.write(MESSAGE | {"text": "x", "html": "<p>" + "x" * 101_997})
    page.locator("#facts").filter(hasText="HTML 102 kB").waitFor()
    assert page.locator(".clipped").count() == 0
    page.write(MESSAGE | {"text": "x", "html": "<p>" + "x" * 101_998})
    page.getByText("Gmail clips HTML over 102 kB").waitFor()
    page.getByText("1 warning").click()
    page.locator("#warnings").getByText("102 kB").waitFor()


def test_the_look_changes(previewing: Daemon, visit: Callable[..., Page]):
    page = visit(previewing, "#message", colorScheme="light", viewport={"width": 1300, "height": 800})
    style = "<style>@media (prefers-color-scheme: dark) { p { color: rgb(1, 2, 3) } }"
    style += "@media (max-width: 400px) { p { font-size: 33px } }</style>"
    page.write(MESSAGE | {"html": f"{style}<p>Hello Ann"})
    shows(page, "Hello")
    paragraph = page.mail.locator("p").last()
    looks = "(element, [name, value]) => getComputedStyle(element)[name] === value"
    paragraph.wait_until(looks, ["fontSize", "16px"])
    page.choose("Phone")
    paragraph.wait_until(looks, ["fontSize", "33px"])
    page.choose("Dark")
    page.getByText("Dark shows what the mail does itself").waitFor()
    paragraph.wait_until(looks, ["color", "rgb(1, 2, 3)"])
    page.choose("Light")
    paragraph.wait_until("(element) => getComputedStyle(element).color !== 'rgb(1, 2, 3)'")


def test_recipients_of_a_merge(previewing: Daemon, visit: Callable[..., Page]):
    page = visit(previewing, "#message")
    # Numbers keep their digits.
    page.write(json.dumps(MERGE).replace('["a", 2]', '["a", 19.90]'))
    shows(page, "Ann, your order")
    page.mail.reads("Hello Ann")
    assert page.locator("#recipient-count").innerText() == "of 5"
    values = page.getByRole("complementary", name="Values")
    assert values.locator("dl").innerText().split("\n") == ["name", "Ann", "tags", '["a",19.90]']
    # There is nobody before the first.
    page.getByRole("button", name="Previous recipient").press("Enter")
    page.getByRole("button", name="Next recipient").click()
    shows(page, "Bo, your order")
    page.mail.reads("Hello Bo")
    page.locator("#recipient-said").reads("bo@example.org")
    number = page.getByLabel("Recipient", exact=True)
    number.fill("4")
    number.press("Enter")
    shows(page, "Di, your order")
    page.getByRole("button", name="Previous recipient").click()
    shows(page, "Cy, your order")
    number.fill("99")
    number.press("Enter")
    shows(page, "Eva, your order")
    assert number.inputValue() == "5"
    assert page.getByRole("button", name="Next recipient").getAttribute("aria-disabled") == "true"
    # What is written meanwhile shows the same recipient, or the first where there are fewer.
    page.write(MERGE | {"subject": "{{ name }}, it changed"})
    shows(page, "Eva, it changed")
    page.write(MERGE | {"recipients": MERGE["recipients"][:2]})
    shows(page, "Ann, your order")
    page.write(MESSAGE)
    shows(page, "Hello")
    assert not page.locator("#recipients").isVisible()
    assert not values.isVisible()


def test_what_is_from_before_is_told_of_each_recipient(previewing: Daemon, visit: Callable[..., Page]):
    page = visit(previewing, "#message")
    page.write(MERGE)
    shows(page, "Ann, your order")
    page.write(FAULTY)
    said = page.getByText("The message has problems. Below is the mail as it was before them.")
    said.waitFor()
    page.getByRole("button", name="Next recipient").click()
    shows(page, "Bo, your order")
    assert said.isVisible()


def test_skipped_recipients_are_listed(previewing: Daemon, visit: Callable[..., Page]):
    page = visit(previewing, "#message")
    people = [*MERGE["recipients"][:2], {"address": "nobody"}]
    page.write(MERGE | {"recipients": people, "invalidRecipients": "skip"})
    page.locator("#verdict").reads("No problems. A mail merge for 2 recipients.")
    page.getByText("1 recipient left out").click()
    assert "/recipients/2" in page.locator("#rejected li").innerText()


def test_a_view_that_the_daemon_let_go_is_made_anew(previewing: Daemon, visit: Callable[..., Page]):
    page = visit(previewing, "#message")
    page.write(MERGE)
    shows(page, "Ann, your order")
    crowd_out(previewing)
    page.tab("Source").getByRole("region").filter(hasText="Ann, your order").waitFor()
    crowd_out(previewing)
    page.getByRole("button", name="Next recipient").click()
    shows(page, "Bo, your order")


def crowd_out(daemon: Daemon) -> None:
    """Asks for more views than the daemon keeps."""
    for _ in range(65):
        assert daemon.post(json.dumps(MESSAGE), "/preview/api/views").status == 200


def test_nothing_of_a_mail_is_markup(previewing: Daemon, visit: Callable[..., Page]):
    """No subject, name, header field, value or part."""
    page = visit(previewing, "#message")
    shows(page, "Hello")
    mark = "<img src=x onerror=alert(1)><b id=mark>"
    file = {"filename": f"{mark}.txt", "content": "x", "encoding": "utf8"}
    fields = {
        "subject": mark,
        "text": mark,
        "amp": f"<html ⚡4email>{mark}",
        "attachments": [file],
        "headers": {"X-Mark": mark},
    }
    page.write(
        MERGE
        | fields
        | {"recipients": [{"address": "ann@example.org", "name": mark, "variables": {"name": mark, "x-<b>": mark}}]}
    )
    shows(page, mark)
    for tab in TABS:
        page.tab(tab)
    page.locator("#panel-pickup pre").waitFor()
    page.write(f'{{"{mark.replace("=", "")}": 1}}')
    page.locator("#verdict").filter(hasText="problem").waitFor()
    assert page.locator("#mark, main img").count() == 0


def test_an_unreachable_daemon_is_reported(previewing: Daemon, visit: Callable[..., Page]):
    page = visit(previewing, "#message")
    shows(page, "Hello")
    previewing.stop()
    page.write(MESSAGE | {"subject": "Alone"})
    page.locator("#verdict").reads("The daemon does not answer.")


def keyed(start_daemon: Callable[..., Daemon], run: Callable, tmp_path: Path) -> tuple[Daemon, dict[str, str]]:
    """A daemon with keys: one that previews and one that does not."""
    keys, made = tmp_path / "keys.toml", {}
    for name, options in {"viewer": ["--preview"], "sender": []}.items():
        made[name] = run("keys", "add", name, "--keys", keys, *options).stdout.decode().split()[-1]
    return start_daemon("--preview", "--keys", str(keys)), made


def test_a_key_is_asked_for(start_daemon, run, tmp_path: Path, visit: Callable[..., Page]):
    daemon, keys = keyed(start_daemon, run, tmp_path)
    page = visit(daemon, "#message")
    dialog = page.getByRole("dialog", name="Access key")
    dialog.waitFor()
    assert page.evaluate("document.activeElement.id") == "key"
    assert page.findings() == []
    field = page.getByLabel("Key", exact=True)
    for key in "not-a-key-of-anybody", keys["sender"]:
        before = page.locator("#key-said").innerText()
        field.fill(key)
        field.press("Enter")
        page.locator("#key-said").wait_until(
            "(element, before) => element.closest('dialog').open && element.innerText !== before", before
        )
    field.fill(keys["viewer"])
    page.getByRole("button", name="Use this key").click()
    shows(page, "Hello")
    page.mail.reads("Hello Ann")
    page.tab("Source").getByRole("link", name="Save message.eml").saves()
    # It is kept in this tab, and nowhere else.
    assert keys["viewer"] not in page.evaluate(
        "document.cookie + JSON.stringify(localStorage) + location + document.documentElement.outerHTML"
    )
    page.reload()
    shows(page, "Hello")
    # The outbox needs it as well.
    page.getByRole("tab", name="Outbox").click()
    page.getByText("Nothing has been sent yet.").waitFor()
    page.getByRole("button", name="Forget the access key").click()
    dialog.waitFor()
    assert page.evaluate("sessionStorage.getItem('pmtaemail-key')") is None
    # Somebody without one is told so.
    page.keyboard.press("Escape")
    page.locator("#banner").filter(hasText="key").waitFor()
