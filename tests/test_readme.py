"""The examples of README.md do what it says.

A fenced code block under a comment `<!-- test: NAME -->` is run against a daemon of the test's own: the documented
address is replaced by the daemon's.
"""

import quopri
import re
import subprocess
import sys
from pathlib import Path

import pytest

from daemon import Daemon
from pickup_reader import PickupFile, read

README = Path(__file__).parent.parent / "README.md"
BLOCK = re.compile(r"<!-- test: (?P<name>[\w -]+) -->\s*```(?P<language>\w+)\n(?P<code>.*?)```", re.DOTALL)
ADDRESS = re.compile(r"(?:127\.0\.0\.1|localhost):8000")
EXAMPLES = list(BLOCK.finditer(README.read_text(encoding="utf-8"))) if README.exists() else []

RUNNERS = {
    "sh": ["bash", "-euo", "pipefail", "-c"],
    "python": [sys.executable, "-c"],
    "js": ["node", "-e"],
}


@pytest.mark.skipif(not README.exists(), reason="README.md is not written yet")
def test_the_readme_has_examples():
    assert {example["language"] for example in EXAMPLES} >= {"sh", "python"}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["name"])
def test_example(example: re.Match[str], daemon: Daemon, binary: Path, tmp_path: Path):
    code = ADDRESS.sub(f"{daemon.host}:{daemon.port}", example["code"])
    packages = tmp_path / "packages"
    packages.mkdir()
    for name, folder in (("pmtaemail", "node"), ("nodemailer", "node/node_modules/nodemailer")):
        (packages / name).symlink_to(README.parent / folder)
    path = f"{binary.parent}:{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
    done = subprocess.run(
        [*RUNNERS[example["language"]], code],
        capture_output=True,
        cwd=tmp_path,
        env={
            "PATH": path,
            "HOME": str(tmp_path),
            "PYTHONPATH": str(README.parent / "python"),
            "NODE_PATH": str(packages),
        },
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    # The examples' own folder `pickup` is the daemon's.
    assert daemon.files(), done.stdout.decode()
    files = [read(file.read_bytes()) for file in daemon.files()]
    assert all(file.recipients for file in files)
    if example["name"] == "mail merge":
        assert_spring(files)


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
