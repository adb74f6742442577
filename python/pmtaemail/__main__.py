"""Runs the command `pmtaemailapi`, which the wheels for Linux carry: `python -m pmtaemail help`."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

NAME = "pmtaemailapi"
MISSING = f"""\
This installation of pmtaemail has no command `{NAME}`: the wheels for Linux carry it, a build from source does not.
Install the Debian package or the program of a release, or build it with `cargo build --release --package {NAME}`.
"""


def folders() -> list[Path]:
    """Where pip puts commands: of this environment, of this user, and beside `pip install --target`."""
    user = sysconfig.get_preferred_scheme("user")
    return [
        Path(sysconfig.get_path("scripts")),
        Path(sysconfig.get_path("scripts", scheme=user)),
        Path(__file__).parent.parent / "bin",
    ]


def main() -> int:
    for folder in folders():
        program = folder / NAME
        if program.is_file() and os.access(program, os.X_OK):
            words = [str(program), *sys.argv[1:]]
            # The program takes this process's place, so that signals and the exit code are its own.
            if os.name == "posix":
                os.execv(program, words)
            return subprocess.run(words, check=False).returncode
    sys.stderr.write(MISSING)
    return 69  # EX_UNAVAILABLE of sysexits, whose codes the program itself uses.


if __name__ == "__main__":
    sys.exit(main())
