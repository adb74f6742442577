"""The package `pmtaemail` for npm and, by napi's convention, one for each platform with its addon."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from building import ROOT, Built
from platforms import Platform

NODE = ROOT / "node"
LICENCES = ("LICENSE-MIT", "LICENSE-APACHE")
README = """\
# @pmtaemail/{name}

The compiled part of [pmtaemail](https://www.npmjs.com/package/pmtaemail) for {name}. Install `pmtaemail`, which brings
the one that fits.
"""


def manifest() -> dict:
    return json.loads((NODE / "package.json").read_text(encoding="utf-8"))


def main_package(platforms: list[Platform], out: Path) -> Path:
    package = manifest()
    # Of a checkout alone: npm would build when it packs.
    for name in ("scripts", "devDependencies"):
        del package[name]
    package["files"] = ["lib", *LICENCES]
    package["optionalDependencies"] = {f"@pmtaemail/{platform.npm}": package["version"] for platform in platforms}
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(NODE / "lib", Path(folder, "lib"))
        shutil.copy(NODE / "README.md", folder)
        return pack(Path(folder), package, out)


def platform_package(built: Built, notices: str, out: Path) -> Path:
    name = built.platform.npm
    addon = f"{name}.node"
    whole = manifest()
    package = {
        "name": f"@pmtaemail/{name}",
        "version": whole["version"],
        "description": f"{whole['description']}: the compiled part for {name}",
        "license": whole["license"],
        "repository": whole["repository"],
        "engines": whole["engines"],
        "os": ["linux"],
        "cpu": [built.platform.cpu],
        "libc": ["musl" if built.platform.musl else "glibc"],
        "main": addon,
        "files": [addon, *LICENCES, "THIRD-PARTY-NOTICES.txt"],
        # Packages of a scope are private where nothing is said.
        "publishConfig": {"access": "public"},
    }
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(built.node, Path(folder, addon))
        Path(folder, "README.md").write_text(README.format(name=name), encoding="utf-8")
        Path(folder, "THIRD-PARTY-NOTICES.txt").write_text(notices, encoding="utf-8")
        return pack(Path(folder), package, out)


def pack(folder: Path, package: dict, out: Path) -> Path:
    folder.joinpath("package.json").write_text(json.dumps(package, indent=2) + "\n", encoding="utf-8")
    for name in LICENCES:
        shutil.copy(ROOT / name, folder)
    command = ["npm", "pack", "--json", "--ignore-scripts", "--pack-destination", out]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=True)
    # Not the answer's `filename`, which older npm gives with the scope's slash.
    (told,) = json.loads(done.stdout)
    return out / told["filename"].removeprefix("@").replace("/", "-")
