"""The examples of docs/problems.md get the codes that they stand beside, and the page has each type there is."""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon import Daemon

ROOT = Path(__file__).parent.parent
CODES, TYPES = (ROOT / "docs/problems.md").read_text(encoding="utf-8").split("\n## Types\n")
ROWS = re.findall(r"^\| `([a-z_]+)` \|.*\| (.+) \|$", CODES, re.MULTILINE)
BASE = json.loads(re.search(r"what you add to `(.+?)`", CODES)[1])
FORM = "multipart/form-data; boundary=b"
PART = '--b\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'


KEY = "a text of the test"


def with_example(example: str) -> str:
    """The page's message with an example in it, which may be no JSON, or have a name twice."""
    try:
        given = json.loads("{" + example + "}")
    except ValueError:
        given = {}
    members = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in BASE.items() if name not in given]
    return "{" + ", ".join([*members, example]) + "}"


@pytest.mark.parametrize(
    ("code", "example"), [(code, example[1:-1]) for code, example in ROWS if re.fullmatch("`[^`]+`", example)]
)
def test_an_example_gets_its_code(code: str, example: str, daemon: Daemon):
    answer = daemon.post(with_example(example).encode())
    assert code in [problem["code"] for problem in answer.json()["errors"]]


def test_too_many_attachments_are_too_long(daemon: Daemon):
    answer = daemon.post(json.dumps({**BASE, "attachments": [{"content": ""}] * 1_001}).encode())
    assert [problem["code"] for problem in answer.json()["errors"]] == ["too_long"]


def test_a_file_that_no_attachment_uses_is_unused_part(daemon: Daemon):
    body = PART.format("message", json.dumps(BASE)) + PART.format("file1", "x") + "--b--\r\n"
    answer = daemon.post(body.encode(), **{"Content-Type": FORM})
    assert [problem["code"] for problem in answer.json()["errors"]] == ["unused_part"]


def test_a_key_for_another_domain_is_forbidden_sender(start_daemon: Callable[..., Daemon], tmp_path: Path):
    keys = tmp_path / "keys.toml"
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    keys.write_text(f'[keys.shop]\nhash = "sha256:{digest}"\nfrom = ["example.net"]\n')
    answer = start_daemon("--keys", keys).post(json.dumps(BASE).encode(), Authorization=f"Bearer {KEY}")
    assert [problem["code"] for problem in answer.json()["errors"]] == ["forbidden_sender"]


def test_what_another_api_has_alone_is_unsupported(start_daemon: Callable[..., Daemon]):
    daemon = start_daemon()
    example = dict(ROWS)["unsupported"].split("`")[1]
    daemon.post(("{" + example + "}").encode(), "/api/v1/transmissions")
    daemon.stop()
    assert "unsupported" in [code for entry in daemon.entries() for code in entry.get("codes", [])]


def test_each_code_without_an_example_to_post_is_tried_above():
    others = {code for code, example in ROWS if not re.fullmatch("`[^`]+`", example)}
    assert others == {"too_long", "unused_part", "forbidden_sender", "unsupported"}


def test_the_page_has_every_type():
    source = (ROOT / "cli/src/daemon/error/body.rs").read_text(encoding="utf-8")
    types = re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \|", TYPES, re.MULTILINE)
    assert {name for name, _ in types} == set(re.findall(r"urn:pmtaemail:problem:([a-z-]+)", source))
