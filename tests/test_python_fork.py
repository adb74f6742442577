"""A process that forks while its threads hand over, as gunicorn --preload, Celery and multiprocessing do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pickup_reader import read

TESTS = Path(__file__).parent


@pytest.mark.parametrize("threads", [4, 16])
def test_forks_can_use_the_pickup_of_their_parent(tmp_path: Path, threads: int):
    program = subprocess.run(
        [sys.executable, str(TESTS / "forking.py"), str(tmp_path), str(threads), "100"],
        env={**os.environ, "PYTHONPATH": str(TESTS.parent / "python")},
        capture_output=True,
        text=True,
    )
    assert (program.returncode, program.stderr) == (0, "")
    names = program.stdout.split()
    assert len(set(names)) == len(names) == 100 * 4
    for name in names:
        read((tmp_path / name).read_bytes())
