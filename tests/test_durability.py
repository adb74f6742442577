"""What was not synced is not acknowledged, and no other place than the pickup directory is needed."""

import os
import subprocess
from pathlib import Path

import pytest

from raw_http import MESSAGE
from strace import needs_strace


@needs_strace
@pytest.mark.parametrize("call", ["fdatasync", "fsync"])
def test_a_failed_sync_is_not_acknowledged(start_daemon, tmp_path: Path, call: str):
    wrapper = (
        "strace",
        "-D",
        "-f",
        "-o",
        str(tmp_path / "trace"),
        "-e",
        f"trace={call}",
        "-e",
        f"inject={call}:error=EIO",
    )
    daemon = start_daemon(wrapper=(*wrapper, "--"))
    answer = daemon.post(MESSAGE)
    called = f"{call}(" in (tmp_path / "trace").read_text()
    # When the directory's sync fails the file was visible already.
    assert answer.status == ({"fdatasync": 503, "fsync": 500}[call] if called else 200)
    if called:
        assert daemon.files() == []


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="there is no second file system here")
def test_the_temporary_folder_plays_no_part(binary: Path, tmp_path: Path):
    pickup = tmp_path / "pickup"
    pickup.mkdir()
    environment = {**os.environ, "TMPDIR": "/dev/shm/there-is-no-such-folder"}
    done = subprocess.run(
        [binary, "submit", "--pickup", pickup], input=MESSAGE, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(list(pickup.iterdir())) == 1
