"""What `cargo package` would publish of each crate is whole."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("crate", ["pmtaemail", "pmtaemail-fleet", "pmtaemailapi"])
def test_a_crate_has_its_licences_and_a_readme(crate: str):
    command = ["cargo", "package", "--quiet", "--offline", "--allow-dirty", "--list", f"--package={crate}"]
    files = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert {"LICENSE-MIT", "LICENSE-APACHE", "README.md"} <= set(files)
