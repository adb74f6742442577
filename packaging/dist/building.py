"""Builds the program and the shared objects for Python and Node with cargo, linked by zig."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from platforms import Platform

ROOT = Path(__file__).resolve().parent.parent.parent
TOOLS = Path(sys.executable).parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).absolute()
CARGO_HOME = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))


@dataclass(frozen=True)
class Built:
    """What cargo built for one platform."""

    platform: Platform
    program: Path
    python: Path
    node: Path


def environment(*flags: str) -> dict[str, str]:
    """For cargo: what it builds names neither this folder nor cargo's."""
    folders = {ROOT: "/pmtaemail", CARGO_HOME: "/cargo"}
    rust = [*(f"--remap-path-prefix={path}={name}" for path, name in folders.items()), *flags]
    c = [f"-ffile-prefix-map={path}={name}" for path, name in folders.items()]
    # No flags of whoever calls this: the packages are the same on every machine.
    return {
        **os.environ,
        "PATH": f"{TOOLS}:{os.environ['PATH']}",
        "CARGO_TARGET_DIR": str(TARGET),
        "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(rust),
        "CFLAGS": " ".join(c),
    }


def build(platform: Platform) -> Built:
    crates = (
        ["--package=pmtaemailapi", "--bin=pmtaemailapi"],
        ["--package=pmtaemail-python", "--package=pmtaemail-node"],
    )
    if platform.musl:
        # The program is static; a shared object that Python or Node loads uses their libc.
        cargo(platform, environment(), crates[0])
        cargo(platform, environment("-Ctarget-feature=-crt-static"), crates[1])
    else:
        cargo(platform, environment(), [crates[0][0], *crates[1]])
    folder = TARGET / platform.target / "release"
    return Built(platform, folder / "pmtaemailapi", folder / "libpmtaemail_python.so", folder / "libpmtaemail_node.so")


def cargo(platform: Platform, environment: dict[str, str], crates: list[str]) -> None:
    command = ["cargo", "zigbuild", "--quiet", "--locked", "--release", f"--target={platform.cargo_target}", *crates]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
