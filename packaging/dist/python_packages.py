"""The wheels, which carry the command as well, and the source distribution.

maturin makes a wheel of one crate; ours has a shared object and a program. So maturin writes the metadata, from
pyproject.toml, and the files are put together here.
"""

import base64
import hashlib
import subprocess
import tempfile
from pathlib import Path

from archives import zip_files
from building import ROOT, TOOLS, Built, environment

PACKAGE = ROOT / "python/pmtaemail"
WHEEL = """\
Wheel-Version: 1.0
Generator: pmtaemail
Root-Is-Purelib: false
"""


def wheel(built: Built, notices: str, out: Path) -> Path:
    with tempfile.TemporaryDirectory() as folder:
        command = [TOOLS / "maturin", "pep517", "write-dist-info", "--metadata-directory", folder]
        subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, check=True)
        (info,) = Path(folder).iterdir()
        metadata = {str(path.relative_to(folder)): path.read_bytes() for path in info.rglob("*") if path.is_file()}
    name = info.name.removesuffix(".dist-info")
    tags = [f"cp311-abi3-{tag}" for tag in built.platform.wheel.split(".")]
    metadata[f"{info.name}/WHEEL"] = (WHEEL + "".join(f"Tag: {tag}\n" for tag in tags)).encode()
    metadata[f"{info.name}/licenses/THIRD-PARTY-NOTICES.txt"] = notices.encode()
    head = metadata[f"{info.name}/METADATA"]
    metadata[f"{info.name}/METADATA"] = head.replace(
        b"License-File: LICENSE-MIT\n", b"License-File: LICENSE-MIT\nLicense-File: THIRD-PARTY-NOTICES.txt\n", 1
    )

    files = {f"pmtaemail/{path.relative_to(PACKAGE)}": (path.read_bytes(), 0o644) for path in sources()}
    files["pmtaemail/_native.abi3.so"] = (built.python.read_bytes(), 0o755)
    files[f"{name}.data/scripts/pmtaemailapi"] = (built.program.read_bytes(), 0o755)
    files |= {path: (content, 0o644) for path, content in metadata.items()}
    files = dict(sorted(files.items(), key=lambda file: (file[0].startswith(info.name), file[0])))
    record = f"{info.name}/RECORD"
    lines = [f"{path},sha256={digest(content)},{len(content)}\n" for path, (content, _) in files.items()]
    files[record] = ("".join([*lines, f"{record},,\n"]).encode(), 0o644)
    return zip_files(files, out / f"{name}-cp311-abi3-{built.platform.wheel}.whl")


def sources() -> list[Path]:
    """What git knows of the package: not what a build or a run left there."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", PACKAGE]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return sorted(ROOT / name for name in names if name)


def digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def sdist(out: Path) -> Path:
    command = [TOOLS / "maturin", "sdist", "--out", out]
    subprocess.run(command, cwd=ROOT, env=environment(), stderr=subprocess.DEVNULL, check=True)
    (package,) = out.glob("pmtaemail-*.tar.gz")
    return package
