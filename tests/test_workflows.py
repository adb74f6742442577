"""The files for public CI services name what is there: make's targets, scripts, crates, the oldest compiler."""

import itertools
import json
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
MANIFEST = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))


def load(path: Path) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def commands(workflow: dict) -> list[tuple[list[str], Path]]:
    """The words of each command, and the folder that it runs in."""
    found = []
    for job in workflow["jobs"].values():
        folder = job.get("defaults", {}).get("run", {}).get("working-directory", ".")
        for step in job["steps"]:
            lines = step.get("run", "").splitlines()
            found += [(shlex.split(line), ROOT / folder) for line in lines]
    return found


def assert_is_there(words: list[str], folder: Path) -> None:
    match words:
        case ["make", *targets]:
            known = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
            assert set(targets) <= set(known)
        case ["npm", "run", script] | ["npm", "test" as script]:
            assert script in json.loads((folder / "package.json").read_text(encoding="utf-8"))["scripts"]
        case ["npm", "ci"]:
            assert (folder / "package-lock.json").exists()
        case ["cargo", *_]:
            packages = {crate: name for name, crate in itertools.pairwise(words) if name == "--package"}
            known = [
                load_toml(ROOT / crate / "Cargo.toml")["package"]["name"] for crate in MANIFEST["workspace"]["members"]
            ]
            assert packages
            assert set(packages) <= set(known)
        case ["pip", "install", path]:
            assert (folder / path / "pyproject.toml").exists()
        case [script, *_] if script.startswith((".", "packaging/")):
            assert (folder / script).stat().st_mode & 0o100
        case _:
            # Of the service's own machine.
            assert words[0] in {"rustup", "python", "mkdir", "cp", "for", "gh"}, words


def load_toml(path: Path) -> dict:
    return tomllib.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_what_a_workflow_names_is_there(path: Path):
    for words, folder in commands(load(path)):
        assert_is_there(words, folder)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_says_what_it_may_and_what_was_not_tried(path: Path):
    workflow = load(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert "Untested" in path.read_text(encoding="utf-8")
    for name, job in workflow["jobs"].items():
        needs = job.get("needs", [])
        assert set([needs] if isinstance(needs, str) else needs) <= set(workflow["jobs"]) - {name}
        assert all(re.fullmatch(r"[\w-]+/[\w-]+@[\w/]+", step["uses"]) for step in job["steps"] if "uses" in step), name


def test_the_matrix_has_what_the_packages_say():
    jobs = load(ROOT / ".github/workflows/ci.yml")["jobs"]
    oldest = jobs["rust"]["strategy"]["matrix"]
    assert oldest["toolchain"] == [MANIFEST["workspace"]["package"]["rust-version"], "stable"]
    assert {entry["toolchain"] for entry in oldest["include"]} == set(oldest["toolchain"])
    pythons = jobs["python"]["strategy"]["matrix"]["python"]
    assert load_toml(ROOT / "pyproject.toml")["project"]["requires-python"] == f">={pythons[0]}"
    nodes = jobs["node"]["strategy"]["matrix"]["node"]
    package = json.loads((ROOT / "node/package.json").read_text(encoding="utf-8"))
    assert package["engines"]["node"] == f">={nodes[0]}"


def test_the_scripts_of_the_shell_are_whole():
    for path in WORKFLOWS:
        for job in load(path)["jobs"].values():
            for step in job["steps"]:
                done = subprocess.run(["bash", "-n", "-c", step.get("run", "")], capture_output=True, check=False)
                assert done.returncode == 0, (path, step, done.stderr)
