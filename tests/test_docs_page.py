"""The page at /docs: what the OpenAPI document says, for people, with nothing from elsewhere."""

import base64
import hashlib
import html.parser
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import chromium
import png
from daemon import Daemon, assert_problem
from raw_http import MESSAGE

# Elements that have no end tag, or may do without.
WITHOUT_END = {"meta", "br", "li", "th", "td", "tr"}


class Reader(html.parser.HTMLParser):
    """Reads a page and holds it to be balanced."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.texts: dict[str, list[str]] = {}

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in WITHOUT_END:
            self.open.append(tag)
        for name, value in attributes:
            self.attributes.add(name)
            if name == "id":
                self.ids.append(value)
            if name == "href":
                self.links.append(value)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, self.getpos()

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)


@pytest.fixture(scope="module")
def page(shared_daemon: Daemon) -> Reader:
    answer = shared_daemon.request("GET", "/docs")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    reader = Reader()
    reader.feed(answer.body.decode())
    reader.close()
    assert reader.open == []
    return reader


def test_it_has_each_path_object_and_word(page: Reader, shared_daemon: Daemon):
    document = shared_daemon.request("GET", "/openapi.json").json()
    operations = {operation["operationId"] for methods in document["paths"].values() for operation in methods.values()}
    schemas = document["components"]["schemas"]
    assert operations | schemas.keys() <= set(page.ids)
    said = {text.strip() for texts in page.texts.values() for text in texts}
    assert schemas["Message"]["properties"].keys() <= said
    assert {code["const"] for code in schemas["ProblemCode"]["oneOf"]} <= said
    examples = (
        example["value"]
        for methods in document["paths"].values()
        for operation in methods.values()
        for response in operation["responses"].values()
        for example in response["content"].get("application/problem+json", {}).get("examples", {}).values()
    )
    shown = [json.loads(text) for text in page.texts["code"] if text.startswith("{\n")]
    count = 0
    for example in examples:
        assert example in shown
        count += 1
    assert count > 100


def test_it_needs_nothing_from_elsewhere(page: Reader):
    assert {"script", "link", "img", "iframe", "form", "base", "object"}.isdisjoint(page.tags)
    assert {"src", "srcset", "style", "action"}.isdisjoint(page.attributes)
    assert not [name for name in page.attributes if name.startswith("on")]
    assert {link for link in page.links if not link.startswith("#")} == {"openapi.json"}
    (style,) = page.texts["style"]
    assert "url(" not in style
    assert "@import" not in style


def test_its_policy_allows_its_style_sheet_alone(page: Reader, shared_daemon: Daemon):
    (style,) = page.texts["style"]
    hashed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    head = shared_daemon.request("GET", "/docs").headers
    policy = dict(part.strip().split(" ", 1) for part in head["content-security-policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "style-src": f"'sha256-{hashed}'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert head["x-content-type-options"] == "nosniff"


def test_its_examples_are_taken(page: Reader, daemon: Daemon, tmp_path: Path):
    """As they are, but for the address."""
    message = {"from": "shop@example.com", "subject": "Hi", "text": "Hello", "template": "merge"}
    (tmp_path / "message.json").write_text(json.dumps(message))
    (tmp_path / "recipients.csv").write_text("address,name\r\nann@example.org,Ann\r\n")
    commands = [text for text in page.texts["code"] if text.startswith("curl ")]
    for command in commands:
        assert "http://127.0.0.1:8000/" in command
        command = command.replace("http://127.0.0.1:8000", daemon.url)
        done = subprocess.run(
            ["sh", "-c", f"{command} --silent --show-error --fail"],
            capture_output=True,
            check=False,
            cwd=tmp_path,
            timeout=60,
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        if "/messages" in command:
            assert b"problem:" not in done.stdout, command
    assert len(commands) > 20


def test_it_needs_no_key_and_no_origin(start_daemon: Callable, run: Callable, tmp_path: Path):
    keys = tmp_path / "keys.toml"
    run("keys", "add", "shop", "--keys", keys)
    daemon = start_daemon("--keys", str(keys))
    # A page of another site leads there, and may not send mail for that.
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert daemon.request("GET", "/docs", headers=foreign).status == 200
    assert_problem(daemon.request("POST", "/messages", MESSAGE, foreign), 403)
    assert_problem(daemon.request("GET", "/docs?x=1"), 400)
    assert_problem(daemon.request("POST", "/docs", MESSAGE), 405)


@chromium.needs_chromium
def test_a_browser_shows_it_as_it_is_meant(daemon: Daemon, tmp_path: Path):
    """The browser takes the style sheet, without which the page is white in a dark scheme too."""
    colours = {}
    for scheme in ("light", "dark"):
        file = tmp_path / f"{scheme}.png"
        chromium.run(
            tmp_path / scheme,
            f"{daemon.url}/docs",
            f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}",
            f"--screenshot={file}",
        )
        ((colours[scheme], _),) = png.colours(file.read_bytes()).most_common(1)
    assert colours["light"] == (255, 255, 255)
    assert colours["dark"] == (0x15, 0x18, 0x1C)
    assert not [entry for entry in daemon.entries() if entry.get("status", 200) != 200]
