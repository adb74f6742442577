"""The platforms that packages are made for, and which of them this machine can link."""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

# manylinux2014's: CentOS 7 has it, and so has all that came after.
GLIBC = "2.17"


@dataclass(frozen=True)
class Platform:
    """One of Rust's targets, and what Python, npm and Debian call it."""

    target: str
    zig: str
    wheel: str
    npm: str
    cpu: str
    debian: str | None
    machine: str

    @property
    def musl(self) -> bool:
        return self.target.endswith("-musl")

    @property
    def cargo_target(self) -> str:
        """The name for cargo-zigbuild, which takes the version of glibc behind a dot."""
        return self.target if self.musl else f"{self.target}.{GLIBC}"


def platform(machine: str, cpu: str, debian: str, elf: str, libc: str) -> Platform:
    musl = libc == "musl"
    return Platform(
        target=f"{machine}-unknown-linux-{libc}",
        zig=f"{machine}-linux-musl" if musl else f"{machine}-linux-gnu.{GLIBC}",
        wheel=f"musllinux_1_2_{machine}" if musl else f"manylinux_2_17_{machine}.manylinux2014_{machine}",
        npm=f"linux-{cpu}-{libc}",
        cpu=cpu,
        debian=None if musl else debian,
        machine=elf,
    )


PLATFORMS = [
    platform(machine, cpu, debian, elf, libc)
    for machine, cpu, debian, elf in [
        ("x86_64", "x64", "amd64", "EM_X86_64"),
        ("aarch64", "arm64", "arm64", "EM_AARCH64"),
    ]
    for libc in ("gnu", "musl")
]


def chosen(names: list[str]) -> list[Platform]:
    """The platforms of these names, all of them where there are none."""
    known = {platform.target: platform for platform in PLATFORMS}
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"DIST_TARGETS has {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[name] for name in names] or PLATFORMS


def obstacle(platform: Platform) -> str | None:
    """Why nothing can be linked for a platform here."""
    command = ["rustup", "target", "add", platform.target]
    try:
        if subprocess.run(command, capture_output=True, check=False).returncode:
            return "rustup cannot get its standard library"
    except FileNotFoundError:
        return "there is no rustup to get its standard library with"
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "probe.c")
        source.write_text("int main(void) { return 0; }\n")
        link = [sys.executable, "-m", "ziglang", "cc", "-target", platform.zig, "-o", f"{folder}/probe", source]
        if subprocess.run(link, capture_output=True, check=False).returncode:
            return "zig cannot link for it"
    return None
