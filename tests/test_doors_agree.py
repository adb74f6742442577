"""The doors have one version, one set of verbs, and one schema."""

import json
import subprocess
from pathlib import Path

import pmtaemail
from daemon import Daemon

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


def test_the_same_warnings(shared_daemon: Daemon):
    fields = {"from": "ann@example.com", "to": "bo@example.org", "Subject": "*|FNAME|*", "headers": {"X-A": "%%x%%"}}
    message = json.dumps(fields)
    warnings = shared_daemon.post(message.encode(), "/messages/check").json()["warnings"]
    expected = [("foreign_placeholder", "/Subject"), ("foreign_placeholder", "/headers/X-A")]
    assert [(warning["code"], warning["pointer"]) for warning in warnings] == expected
    for form in (fields, message, message.encode()):
        assert [warning._asdict() for warning in pmtaemail.warnings(form)] == warnings
    keywords = pmtaemail.warnings({"from": fields.pop("from")}, **fields)
    assert [warning._asdict() for warning in keywords] == warnings
    program = (
        f"const {{warnings: w}} = require('./node'); const m = {message}; const j = JSON.stringify(m);"
        "console.log(JSON.stringify([w(m), w(j), w(Buffer.from(j))]))"
    )
    assert json.loads(run("node", "-e", program)) == [warnings] * 3


def test_the_command_prints_the_committed_schema(binary: Path):
    committed = json.loads((ROOT / "schema/message.schema.json").read_bytes())
    assert json.loads(run(binary, "schema")) == committed
