"""Archives whose bytes depend on their content alone: sorted, of nobody, at the time of the commit."""

import gzip
import os
import subprocess
import tarfile
import time
import zipfile
from pathlib import Path

from building import ROOT


def timestamp() -> int:
    """SOURCE_DATE_EPOCH where it is set, as reproducible builds have it, else the time of the last commit."""
    if "SOURCE_DATE_EPOCH" in os.environ:
        return int(os.environ["SOURCE_DATE_EPOCH"])
    command = ["git", "log", "-1", "--format=%ct"]
    return int(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)


def tar(folder: Path, archive: Path, top: str) -> Path:
    """A tar.gz of a folder's content below the folder `top`."""

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        member.mtime = timestamp()
        return member

    with (
        open(archive, "wb") as file,
        gzip.GzipFile("", "wb", 9, file, mtime=timestamp()) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as members,
    ):
        members.add(folder, top, filter=plain)
    return archive


def zip_files(files: dict[str, tuple[bytes, int]], archive: Path) -> Path:
    """A zip of contents and modes by their names."""
    date = time.gmtime(max(timestamp(), 315532800))[:6]  # 1980, where zip's time begins
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as members:
        for name, (content, mode) in files.items():
            member = zipfile.ZipInfo(name, date)
            member.external_attr = (0o100000 | mode) << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            members.writestr(member, content)
    return archive
