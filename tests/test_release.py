"""`packaging/release` in a clone: one command makes a version, and refuses what would make a wrong one."""

import datetime
import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPT = "packaging/release"
PERSON = {f"GIT_{role}_{what}": "ann@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def git(clone: Path, *words: str) -> str:
    command = ["git", *words]
    environment = {**os.environ, **PERSON}
    return subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=True).stdout


def release(clone: Path, *words: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, **PERSON}
    return subprocess.run([clone / SCRIPT, *words], env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", "--no-tags", ROOT, clone], check=True)
    # The script as it is here, not as it was committed.
    shutil.copy(ROOT / SCRIPT, clone / SCRIPT)
    if git(clone, "status", "--porcelain"):
        git(clone, "add", SCRIPT)
        git(clone, "commit", "--quiet", "--message", "The script")
    return clone


def version_of(clone: Path) -> str:
    return tomllib.loads((clone / "Cargo.toml").read_text())["workspace"]["package"]["version"]


def assert_version_everywhere(clone: Path, version: str) -> None:
    assert version_of(clone) == version
    # cargo itself finds the lock files right.
    for manifest in ("Cargo.toml", "fuzz/Cargo.toml"):
        command = ["cargo", "metadata", "--locked", "--offline", "--format-version=1", "--manifest-path", manifest]
        done = subprocess.run(command, cwd=clone, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        packages = {package["name"]: package["version"] for package in json.loads(done.stdout)["packages"]}
        assert packages["pmtaemail"] == packages["pmtaemailapi"] == version
    package = json.loads((clone / "node/package.json").read_text())
    lock = json.loads((clone / "node/package-lock.json").read_text())
    assert package["version"] == lock["version"] == lock["packages"][""]["version"] == version


def test_it_makes_a_version_and_the_next(clone: Path):
    before = version_of(clone)
    major, minor, _ = map(int, before.split("."))
    today = datetime.datetime.now(datetime.UTC).date()
    for version, unreleased in [(f"{major}.{minor + 1}.0", minor + 2), (f"{major}.{minor + 1}.1", minor + 2)]:
        done = release(clone, version)
        assert done.returncode == 0, done.stderr
        assert_version_everywhere(clone, version)
        assert git(clone, "status", "--porcelain") == ""
        assert git(clone, "describe", "--exact-match").strip() == f"v{version}"
        changed = set(git(clone, "show", "--format=", "--name-only", "HEAD").split())
        assert changed == {
            *("CHANGELOG.md", "Cargo.toml", "Cargo.lock", "fuzz/Cargo.lock"),
            *("node/package.json", "node/package-lock.json"),
        }
        # Versions alone: what formats a file otherwise would change the rest of it.
        numbers = git(clone, "show", "--numstat", "--format=", "HEAD", "--", "node", "Cargo.toml")
        assert {tuple(line.split()[:2]) for line in numbers.splitlines()} <= {("1", "1"), ("2", "2"), ("3", "3")}
        heads = re.findall(r"^## (.*)$", (clone / "CHANGELOG.md").read_text(), re.MULTILINE)
        assert heads[0] == f"{major}.{unreleased}.0, unreleased"
        assert heads[1] in {f"{version}, {today + datetime.timedelta(days)}" for days in (0, 1)}


def test_the_first_release_has_the_version_that_is_there(clone: Path):
    done = release(clone, version_of(clone))
    assert done.returncode == 0, done.stderr
    assert git(clone, "tag", "--list").split() == [f"v{version_of(clone)}"]


def test_it_refuses_what_is_no_next_version_and_changes_that_are_not_committed(clone: Path):
    head = git(clone, "rev-parse", "HEAD")
    for version in ["", "1", "v1.2.3", "1.2", "01.2.3", "1.2.3-rc1", "0.0.1"]:
        done = release(clone, version)
        assert done.returncode == 1, version
        assert done.stderr, version
        assert git(clone, "status", "--porcelain") == "", version
    (clone / "README.md").write_text("changed")
    done = release(clone, "9.0.0")
    assert (done.returncode, done.stderr) == (1, "there are changes that are not committed\n")
    assert git(clone, "rev-parse", "HEAD") == head
    assert git(clone, "tag", "--list") == ""
    assert git(clone, "status", "--porcelain") == " M README.md\n"
