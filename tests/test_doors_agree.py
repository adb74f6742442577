"""The doors have one version, one set of verbs, and one schema."""

import json
import subprocess
from pathlib import Path

import pmtaemail

ROOT = Path(__file__).parent.parent
VERBS = ("check", "render", "submit")


def run(*command: str | Path) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout


def test_one_version(binary: Path):
    manifest = json.loads(run("cargo", "metadata", "--no-deps", "--format-version", "1"))
    crates = {package["version"] for package in manifest["packages"] if package["name"].startswith("pmtaemail")}
    package = json.loads((ROOT / "node/package.json").read_bytes())["version"]
    command = run(binary, "--version").split()[-1]
    assert crates == {package} == {command} == {pmtaemail.__version__}


def test_the_same_verbs(binary: Path):
    commands = run(binary, "--help")
    assert all(f"\n  {verb}" in commands for verb in VERBS)
    assert callable(pmtaemail.check)
    assert callable(pmtaemail.render)
    assert callable(pmtaemail.Pickup.submit)
    program = (
        "const p = require('./node'); console.log(typeof p.check, typeof p.render, typeof p.Pickup.prototype.submit)"
    )
    assert run("node", "-e", program).split() == ["function"] * 3


def test_the_command_prints_the_committed_schema(binary: Path):
    committed = json.loads((ROOT / "schema/message.schema.json").read_bytes())
    assert json.loads(run(binary, "schema")) == committed
