"""Makes all packages of a release: `make dist`.

    python packaging/dist FOLDER [TARGET...]

A platform that cannot be linked here is left out, with a sentence; what cannot be built, or is not what it should be,
is an error.
"""

import hashlib
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

from building import ROOT, TOOLS, Built, build
from daemon_packages import build_generate, debian, tarball
from inspection import faults
from notices import notices
from npm_packages import main_package, platform_package
from platforms import PLATFORMS, Platform, chosen, obstacle
from python_packages import sdist, wheel


def main() -> None:
    folder, *names = sys.argv[1:]
    out = Path(folder).absolute()
    platforms = [platform for platform in chosen(names) if can_be_made(platform)]
    if not platforms:
        sys.exit("nothing can be made here")
    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True)
    version = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["workspace"]["package"]["version"]

    if not shutil.which("dpkg-deb"):
        print("the Debian packages are left out: there is no dpkg-deb", file=sys.stderr)

    build_generate()
    for platform in platforms:
        started = time.monotonic()
        built = build(platform)
        if told := faults(built):
            sys.exit("\n".join(told))
        package(built, version, out)
        print(f"{platform.target}: {time.monotonic() - started:.0f} s", flush=True)
    sdist(out)
    # Of all platforms, whichever were made here: the others come from other machines.
    main_package(PLATFORMS, out)
    shutil.copyfile(ROOT / "packaging/Containerfile", out / "Containerfile")
    check_descriptions(out)
    write_sums(out)


def can_be_made(platform: Platform) -> bool:
    reason = obstacle(platform)
    if reason:
        print(f"{platform.target} is left out: {reason}", file=sys.stderr)
    return reason is None


def package(built: Built, version: str, out: Path) -> None:
    text = notices([built.platform])
    file = out / "THIRD-PARTY-NOTICES.txt"
    file.write_text(text, encoding="utf-8")
    wheel(built, text, out)
    platform_package(built, text, out)
    tarball(built, file, version, out)
    if built.platform.debian and shutil.which("dpkg-deb"):
        debian(built, file, version, out)
    file.unlink()


def check_descriptions(out: Path) -> None:
    """As the registries would read them, without asking one."""
    python = [*out.glob("*.whl"), *out.glob("pmtaemail-*.tar.gz")]
    subprocess.run([TOOLS / "twine", "check", "--strict", *python], check=True)
    for package in sorted(out.glob("*.tgz")):
        subprocess.run(["npm", "publish", "--dry-run", "--loglevel=error", package], cwd=out, check=True)


def write_sums(out: Path) -> None:
    files = sorted(path for path in out.iterdir() if path.is_file())
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (out / "SHA256SUMS").write_text("".join(lines), encoding="ascii")


main()
