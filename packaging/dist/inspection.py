"""What a linked file says about itself: its machine, the libraries that it needs, the folders that it names."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from building import CARGO_HOME, ROOT, TARGET, TOOLS, Built
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection
from platforms import GLIBC

# Of glibc, which has them all, and the unwinder of GCC, which manylinux2014 has too.
GNU = {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1", "libgcc_s.so.1"}
LOADERS = {"ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
MUSL = {"libc.so", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"}


@dataclass(frozen=True)
class Needed:
    """What a file needs of the machine that it is loaded on."""

    machine: str
    libraries: frozenset[str]
    glibc: tuple[int, ...]


@cache
def needed(path: Path) -> Needed:
    with path.open("rb") as file:
        elf = ELFFile(file)
        dynamic = elf.get_section_by_name(".dynamic")
        tags = dynamic.iter_tags("DT_NEEDED") if dynamic else ()
        libraries = frozenset(tag.needed for tag in tags)
        versions = [
            version.name
            for section in elf.iter_sections()
            if isinstance(section, GNUVerNeedSection)
            for _, auxiliaries in section.iter_versions()
            for version in auxiliaries
        ]
        glibc = [tuple(map(int, name[6:].split("."))) for name in versions if re.fullmatch(r"GLIBC_[\d.]+", name)]
        return Needed(elf["e_machine"], libraries, max(glibc, default=()))


def faults(built: Built) -> list[str]:
    """Why what was built is not for all machines of its platform."""
    return [
        f"{path.name} for {built.platform.target} {fault}"
        for path in (built.program, built.python, built.node)
        for fault in faults_of(path, built, static=built.platform.musl and path == built.program)
    ]


def faults_of(path: Path, built: Built, static: bool) -> list[str]:
    found = needed(path)
    allowed = set() if static else MUSL if built.platform.musl else GNU | LOADERS
    said = []
    if found.machine != built.platform.machine:
        said.append(f"is for {found.machine}")
    if found.libraries - allowed:
        said.append(f"needs {', '.join(sorted(found.libraries - allowed))}")
    if found.glibc > tuple(map(int, GLIBC.split("."))):
        said.append(f"needs glibc {'.'.join(map(str, found.glibc))}")
    content = path.read_bytes()
    folders = {ROOT, TARGET, CARGO_HOME, TOOLS.parent}
    said += [f"names the folder {folder}" for folder in sorted(folders) if bytes(folder) + b"/" in content]
    return said
