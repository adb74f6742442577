"""The tarballs of the daemon and the Debian package, made of what packaging/install copies."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from archives import tar, timestamp
from building import ROOT, TARGET, Built, environment
from inspection import needed

GENERATE = TARGET / "debug/examples/generate"


def build_generate() -> None:
    """Manual pages and completions are the same for all platforms; this machine writes them."""
    command = ["cargo", "build", "--quiet", "--locked", "--workspace", "--example", "generate"]
    # Not the flags of a package, which would build all of it anew beside what the tests use.
    flags = {"CARGO_TARGET_DIR": environment()["CARGO_TARGET_DIR"]}
    subprocess.run(command, cwd=ROOT, env={**os.environ, **flags}, check=True)


def tarball(built: Built, notices: Path, version: str, out: Path) -> Path:
    """What belongs below /usr/local, and what a container is made of."""
    target = built.platform.target
    name = f"pmtaemailapi-{version}-{target}{'' if built.platform.musl else '-glibc2.17'}"
    with tempfile.TemporaryDirectory() as folder:
        script("install", built, DESTDIR=folder, PREFIX="/usr/local", NOTICES=str(notices))
        top = Path(folder, "usr/local")
        # A configuration that is there already is not written over by unpacking a newer version.
        shutil.move(Path(folder, "etc/pmtaemail/pmtaemailapi.toml"), top / "share/pmtaemailapi/pmtaemailapi.toml")
        if built.platform.musl:
            shutil.copyfile(ROOT / "packaging/Containerfile", top / "share/pmtaemailapi/Containerfile")
        return tar(top, out / f"{name}.tar.gz", name)


def debian(built: Built, notices: Path, version: str, out: Path) -> Path:
    values = {"ARCHITECTURE": built.platform.debian, "VERSION": version, "LIBRARIES": libraries(built.program)}
    printed = script("deb", built, FOLDER=str(out), NOTICES=str(notices), **values)
    return Path(printed.splitlines()[-1])


def libraries(program: Path) -> str:
    """What the program loads, as Debian calls it. dpkg-shlibdeps knows the libraries of its own machine alone, and
    would ask for the glibc that is there, not for the one that the program was linked for."""
    packages = {"libgcc_s.so.1": "libgcc-s1"}
    found = {packages[name] for name in needed(program).libraries if name in packages}
    glibc = ".".join(map(str, needed(program).glibc))
    return ", ".join([f"libc6 (>= {glibc})", *sorted(found)])


def script(name: str, built: Built, **values: str) -> str:
    variables = {
        "BINARY": str(built.program),
        "GENERATE": str(GENERATE),
        "SOURCE_DATE_EPOCH": str(timestamp()),
        **values,
    }
    command = [ROOT / "packaging" / name]
    done = subprocess.run(command, env={**os.environ, **variables}, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()
