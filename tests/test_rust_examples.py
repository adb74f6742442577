"""Every public item of the crate `pmtaemail` has an example that runs.

What is public is read from the pages that `cargo doc` makes, so that nothing is missing here that a reader finds
there. Each type, trait, function and constant has an example of its own. A method needs none of its own if an example
of the crate calls it: that of its type, or of what it is used with. Variants and fields are shown by their type.
"""

import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
KINDS = {"struct", "enum", "trait", "fn", "constant", "type", "union", "macro"}
MEMBERS = ("method", "tymethod", "associatedconstant", "variant", "structfield")
# Behind these a page has what other crates and macros gave to the type.
NOT_OWN = {"trait-implementations", "synthetic-implementations", "blanket-implementations", "implementors"}


class Page(HTMLParser):
    """The page of an item: its methods, and its examples, each with the member that it belongs to."""

    def __init__(self, text):
        super().__init__()
        self.links, self.methods, self.examples = [], [], []
        self.member, self.is_own, self.is_code = "", True, False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        kind, _, name = (attributes.get("id") or "").partition(".")
        if kind in NOT_OWN:
            self.is_own = False
        if kind in MEMBERS and self.is_own:
            self.member = name
            if kind not in ("variant", "structfield"):
                self.methods.append(name)
        if tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        if tag == "pre":
            self.is_code = "rust-example-rendered" in (attributes.get("class") or "")
            if self.is_code:
                self.examples.append((self.member, ""))

    def handle_endtag(self, tag):
        if tag == "pre":
            self.is_code = False

    def handle_data(self, text):
        if self.is_code:
            member, code = self.examples[-1]
            self.examples[-1] = member, code + text


@pytest.fixture(scope="module")
def pages():
    """The page of each public item, by its path."""
    command = ["cargo", "doc", "--quiet", "--package", "pmtaemail", "--no-deps", "--all-features"]
    subprocess.run([*command, "--target-dir", ROOT / "target"], cwd=ROOT, check=True, timeout=600)
    folder = ROOT / "target/doc/pmtaemail"
    links = Page((folder / "all.html").read_text()).links
    paths = [path for path in links if path.endswith(".html") and Path(path).name.split(".")[0] in KINDS]
    assert len(paths) > 100
    return {path: Page((folder / path).read_text()) for path in paths}


def test_each_type_and_function_has_an_example(pages):
    without = [path for path, page in pages.items() if not any(member == "" for member, _ in page.examples)]
    assert without == []


def test_each_method_is_called_in_an_example(pages):
    code = "\n".join(code for page in pages.values() for _, code in page.examples)
    code = re.sub(r"//.*", "", code)
    called = set(re.findall(r"(?:\.|::|\bfn )(\w+)", code))
    uncalled = [f"{path}: {name}" for path, page in pages.items() for name in page.methods if name not in called]
    assert uncalled == []
