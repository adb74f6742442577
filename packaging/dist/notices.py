"""The licences of the crates that are compiled into the packages, from what cargo knows and the crates hold."""

import json
import re
import subprocess
from pathlib import Path

from building import ROOT
from platforms import Platform

CRATES = ("pmtaemailapi", "pmtaemail-python", "pmtaemail-node")
LICENCE = re.compile(r"(licen[cs]e|copying|notice|copyright|unlicense)([-_.].*)?", re.IGNORECASE)
HEAD = """\
This program contains the Rust crates below, unchanged, under the licences that follow each group. The source of each is
at https://crates.io/crates/NAME/VERSION. It also contains Rust's standard library (MIT OR Apache-2.0,
https://github.com/rust-lang/rust) and parts of LLVM's compiler-rt and libunwind (Apache-2.0 WITH LLVM-exception), which
come with the compiler zig (https://ziglang.org).
"""
MUSL = "The static programs also contain the C library musl (https://musl.libc.org):\n\n"
RULE = "\n" + "=" * 100 + "\n\n"


def notices(platforms: list[Platform]) -> str:
    groups: dict[str, list[str]] = {}
    for package in crates(platforms):
        texts = licence_texts(Path(package["manifest_path"]).parent, package["license"] or "")
        line = f"{package['name']} {package['version']} ({package['license']})"
        if not texts:
            line += f", whose crate has no text of it: {package['repository']}"
        groups.setdefault("\n\n".join(texts), []).append(line)
    sections = [f"{chr(10).join(lines)}\n\n{text}".strip() + "\n" for text, lines in groups.items()]
    if any(platform.musl for platform in platforms):
        sections.append(MUSL + musl())
    return RULE.join([HEAD, *sections])


def crates(platforms: list[Platform]) -> list[dict]:
    """All crates of others that any of ours is built with, but what only helps to build them."""
    command = ["cargo", "metadata", "--quiet", "--locked", "--format-version=1"]
    command += [f"--filter-platform={platform.target}" for platform in platforms]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    waiting = [identifier for identifier, package in packages.items() if package["name"] in CRATES]
    found = set()
    while waiting:
        identifier = waiting.pop()
        if identifier in found:
            continue
        found.add(identifier)
        waiting += [
            dependency["pkg"]
            for dependency in nodes[identifier]["deps"]
            if any(kind["kind"] is None for kind in dependency["dep_kinds"])
        ]
    ours = [package for identifier, package in packages.items() if identifier in found and package["source"]]
    return sorted(ours, key=lambda package: (package["name"], package["version"]))


def licence_texts(folder: Path, expression: str) -> list[str]:
    """What a crate says about its licence; of several to choose from the shortest, MIT's."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and LICENCE.fullmatch(path.name))
    if re.search(r"\bMIT\b", expression) and re.search(r"/|\bOR\b", expression) and " AND " not in expression:
        mit = [path for path in files if "mit" in path.name.lower()]
        notes = [path for path in files if path.name.lower().startswith("notice")]
        files = [*mit, *notes] if mit else files
    return [path.read_text(encoding="utf-8", errors="replace").strip() for path in files]


def musl() -> str:
    import ziglang

    return Path(ziglang.__file__).with_name("lib").joinpath("libc/musl/COPYRIGHT").read_text(encoding="utf-8")
