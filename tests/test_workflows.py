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
GITLAB = ROOT / ".gitlab-ci.yml"
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


def gitlab_jobs() -> dict[str, dict]:
    """The jobs of GitLab's file by name, with what they extend."""
    whole = load(GITLAB)
    jobs = {name: job for name, job in whole.items() if isinstance(job, dict) and "script" in job}
    return {name: {**whole.get(job.get("extends"), {}), **job} for name, job in jobs.items()}


def gitlab_commands() -> list[tuple[list[str], Path]]:
    found = []
    for job in gitlab_jobs().values():
        folder = ROOT
        for line in [*job.get("before_script", []), *job["script"]]:
            words = shlex.split(line)
            if words[0] == "cd":
                folder = folder / words[1]
            else:
                found.append((words, folder))
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
            assert words[0] in {"rustup", "python", "mkdir", "cp", "for", "gh", "curl", "sh", "export", "apt-get"}, (
                words
            )


def load_toml(path: Path) -> dict:
    return tomllib.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_what_a_workflow_names_is_there(path: Path):
    for words, folder in commands(load(path)):
        assert_is_there(words, folder)


def test_what_the_file_for_gitlab_names_is_there():
    assert "Untested" in GITLAB.read_text(encoding="utf-8")
    for words, folder in gitlab_commands():
        assert_is_there(words, folder)


def test_gitlab_has_the_matrix_of_github():
    github = {name: job.get("strategy", {}).get("matrix", {}) for name, job in load(WORKFLOWS[0])["jobs"].items()}
    jobs = gitlab_jobs()
    assert jobs.keys() == github.keys()
    matrices = {name: job["parallel"]["matrix"][0] for name, job in jobs.items() if "parallel" in job}
    # GitLab's Rust comes as an image, which is called by its major version; none has a free-threaded Python.
    assert matrices == {
        "rust": {"TOOLCHAIN": [MANIFEST["workspace"]["package"]["rust-version"], "1"]},
        "python": {"PYTHON": [python for python in github["python"]["python"] if not python.endswith("t")]},
        "node": {"NODE": github["node"]["node"]},
    }
    toolchain = re.findall(r"--default-toolchain (\S+)", GITLAB.read_text(encoding="utf-8"))
    assert set(toolchain) == {MANIFEST["workspace"]["package"]["rust-version"]}


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


def test_the_templates_for_gitlab_say_what_those_for_github_say():
    """GitLab reads no front matter; otherwise they are the same."""
    templates = {path.name.lower(): path for path in (ROOT / ".gitlab/issue_templates").iterdir()}
    github = {path.name: path for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.md")}
    assert templates.keys() == github.keys()
    pairs = [(templates[name], github[name]) for name in github]
    pairs.append((ROOT / ".gitlab/merge_request_templates/Default.md", ROOT / ".github/PULL_REQUEST_TEMPLATE.md"))
    for gitlab, original in pairs:
        text = re.sub(r"\A---\n.*?^---\n\n", "", original.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        assert gitlab.read_text(encoding="utf-8") == text
