"""The examples of README.md and docs/ do what they say.

A fenced code block under a comment `<!-- test: NAME -->` is run against a daemon of the test's own: the documented
address is replaced by the daemon's. Those in Rust are compiled with the library that the daemon was built with.
"""

import json
import quopri
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from authority import make_authority
from daemon import Daemon
from pickup_reader import PickupFile, read

ROOT = Path(__file__).parent.parent
BOOK = sorted((ROOT / "docs").glob("*.md"))
PAGES = [*sorted(ROOT.glob("*.md")), *BOOK]
BLOCK = re.compile(r"<!-- test: (?P<name>[\w -]+) -->\s*```(?P<language>\w+)\n(?P<code>.*?)```", re.DOTALL)
ADDRESS = re.compile(r"(?:127\.0\.0\.1|localhost):8000")
EXAMPLES = [example for page in PAGES for example in BLOCK.finditer(page.read_text(encoding="utf-8"))]
LINK = re.compile(r"\]\((?P<page>[\w./-]*)(?:#(?P<section>[\w-]+))?\)")

# Where the examples' packages for Node stand.
PACKAGES = {
    "pmtaemail": "node",
    "nodemailer": "node/node_modules/nodemailer",
    **{name: f"tests/node_modules/{name}" for name in ("nodemailer-sparkpost-transport", "resend", "sparkpost")},
}
# Of a client that speaks TLS alone.
OVER_TLS = "sparkpost with Python"

RUNNERS = {
    "sh": ["bash", "-euo", "pipefail", "-c"],
    "python": [sys.executable, "-c"],
    "js": ["node", "-e"],
}
RUST = re.compile(r"^```rust\b.*$", re.MULTILINE)


def test_the_pages_have_examples():
    assert {example["language"] for example in EXAMPLES} == {*RUNNERS, "rust"}
    assert len({example["name"] for example in EXAMPLES}) == len(EXAMPLES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_all_rust_is_run(page: Path):
    text = page.read_text(encoding="utf-8")
    run = [example for example in BLOCK.finditer(text) if example["language"] == "rust"]
    assert len(RUST.findall(text)) == len(run)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_pages_and_sections_that_are_there(page: Path):
    for link in LINK.finditer(page.read_text(encoding="utf-8")):
        target = (page.parent / link["page"]).resolve() if link["page"] else page
        assert target.exists(), link[0]
        if link["section"]:
            assert link["section"] in sections(target), link[0]


@pytest.mark.parametrize("page", BOOK, ids=lambda page: page.name)
def test_the_book_is_whole(page: Path):
    """What is outside is no page of it, and a page that its contents do not name is not in it either."""
    links = {link["page"] for link in LINK.finditer(page.read_text(encoding="utf-8"))}
    assert not [link for link in links if link.startswith("..")]
    contents = {link["page"] for link in LINK.finditer((ROOT / "docs/SUMMARY.md").read_text(encoding="utf-8"))}
    assert page.name in {*contents, "SUMMARY.md"}


def test_the_readme_stays_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 200


def sections(page: Path) -> set[str]:
    """The anchors that GitHub gives to headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["name"])
def test_example(example: re.Match[str], start_daemon: Callable[..., Daemon], binary: Path, tmp_path: Path):
    authority = make_authority(tmp_path) if example["name"] == OVER_TLS else None
    daemon = start_daemon(*authority.options) if authority else start_daemon()
    code = ADDRESS.sub(f"{daemon.host}:{daemon.port}", example["code"])
    packages = tmp_path / "packages"
    packages.mkdir()
    for name, folder in PACKAGES.items():
        (packages / name).symlink_to(ROOT / folder)
    command = (
        [str(compiled(code, tmp_path))] if example["language"] == "rust" else [*RUNNERS[example["language"]], code]
    )
    path = f"{binary.parent}:{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
    done = subprocess.run(
        command,
        capture_output=True,
        cwd=tmp_path,
        env={
            "PATH": path,
            "HOME": str(tmp_path),
            "PYTHONPATH": str(ROOT / "python"),
            "NODE_PATH": str(packages),
            **({"REQUESTS_CA_BUNDLE": str(authority.certificate)} if authority else {}),
        },
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    # The examples' own folder `pickup` is the daemon's.
    # What a test submits stays in memory.
    assert bool(daemon.files()) != example["name"].startswith("testing"), done.stdout.decode()
    files = [read(file.read_bytes()) for file in daemon.files()]
    assert all(file.recipients for file in files)
    if example["name"] == "mail merge":
        assert_spring(files)
    if example["name"] == "a campaign":
        assert_campaign(files, done.stdout)


def compiled(code: str, folder: Path) -> Path:
    """A program in Rust. What is none yet becomes the body of `main`, as in the library's documentation."""
    if "fn main()" not in code:
        code = f"fn main() -> Result<(), Box<dyn std::error::Error>> {{\n{code}\nOk(())\n}}"
    library = ROOT / "target/debug"
    (folder / "example.rs").write_text(code, encoding="utf-8")
    compiler, program = shutil.which("rustc"), folder / "example"
    assert compiler
    done = subprocess.run(
        [
            *(compiler, "--edition", "2024", "-o", program, folder / "example.rs"),
            *("--extern", f"pmtaemail={library / 'libpmtaemail.rlib'}", "-L", f"dependency={library / 'deps'}"),
        ],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return program


def assert_campaign(files: list[PickupFile], output: bytes) -> None:
    """A test send and the whole, each with a copy for the seed; the receipt tells who is left out."""
    mailed = Counter(expansion.recipient for file in files for expansion in file.expansions)
    assert mailed == {"ann@example.org": 2, "bo@example.org": 1}
    copies = [recipient.address for file in files if not file.expansions for recipient in file.recipients]
    assert copies == ["deliverability@example.com"] * 2
    *lines, receipt = [json.loads(line) for line in output.splitlines()[-4:]]
    assert [(line["index"], line.get("code")) for line in lines] == [(0, None), (1, None), (2, "invalid_address")]
    assert receipt["recipients"] == 2


def assert_spring(files: list[PickupFile]) -> None:
    """Ten thousand personal messages in two files, over HTTP and once more by the command."""
    assert [len(file.expansions) for file in files] == [5_000] * 4
    messages = {expansion.recipient: expansion.message for file in files for expansion in file.expansions}
    assert len(messages) == 10_000
    for number in range(10_000):
        message = messages[f"ann{number}@example.org"]
        assert f"To: Ann Lee {number} <ann{number}@example.org>\r\n".encode() in message
        assert f"Subject: Ann {number}, your spring offer\r\n".encode() in message
        body = quopri.decodestring(message.partition(b"\r\n\r\n")[2]).decode()
        link = f"https://example.com/?customer={number}"
        expected = f"<p>Hello Ann {number}, see <a href='{link}'>what is new in your town</a>.</p>"
        assert body.strip() == expected
