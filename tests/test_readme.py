"""The examples of README.md do what it says.

A fenced code block under a comment `<!-- test: NAME -->` is run against a daemon of the test's own: the documented
address is replaced by the daemon's.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from daemon import Daemon
from pickup_reader import read

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
    for file in daemon.files():
        assert read(file.read_bytes()).recipients
