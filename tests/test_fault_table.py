"""The tables of faults are true: each fault is brought about, looked at, and ends."""

import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

from faults import FAULTS, RARE_FAULTS
from faults.host import FAKETIME
from faults.place import Place, Row
from strace import IN_CI, needs_strace

ROOT = Path(__file__).parent.parent
USUAL, RARE = (ROOT / "docs/faults.md").read_text(encoding="utf-8").split("## Rarer faults")
HEAD = "| fault | the client gets | `Retry-After` | in the pickup directory | `/health/ready` | what ends it |"
TRACED = {
    "kill -9",
    "the disk fails in the last sync",
    "the disk fails in a sync of data",
    "it fails when a file gets its name",
    "it fails when several files are moved on",
}
CLOCKS = {"the clock is set back", "the clock is set forward"}
needs_faketime = pytest.mark.skipif(not IN_CI and FAKETIME is None, reason="faketime is not installed")
needs_setpriv = pytest.mark.skipif(not IN_CI and not shutil.which("setpriv"), reason="setpriv is not installed")
# A daemon that has files open when the fault comes is tried as well.
USED = {
    "the pickup directory is missing",
    "the disk is full",
    "it has no inodes left",
    "too many open files",
    "PowerMTA is down: `--max-depth`",
    "PowerMTA is down: `--max-age`",
    "the pickup directory is renamed",
    "it is not writable any more",
    "its file system is unmounted (`umount -l`)",
    "the staging folder is removed",
    "files may not be so large: `LimitFSIZE=`",
    "the disk fails in a sync of data",
    "it fails when a file gets its name",
    "it fails when several files are moved on",
}


def table(text: str) -> dict[str, Row]:
    lines = text[text.index(HEAD) :].partition("\n\n")[0].splitlines()[2:]
    rows = {}
    for line in lines:
        fault, *cells, _ = (cell.strip() for cell in line.strip("|").split("|"))
        rows[fault] = Row(*cells)
    return rows


def cases() -> list:
    return [
        pytest.param(fault, is_used, id=f"{fault}{', used' if is_used else ''}", marks=marks(fault))
        for fault in [*FAULTS, *RARE_FAULTS]
        for is_used in ((False, True) if fault in USED else (False,))
    ]


def marks(fault: str) -> list[pytest.MarkDecorator]:
    if fault in TRACED:
        return [needs_strace]
    if fault in CLOCKS:
        return [needs_faketime]
    return [needs_setpriv] if fault == "it is not writable any more" else []


def test_the_tables_have_all_faults():
    assert list(table(USUAL)) == list(FAULTS)
    assert list(table(RARE)) == list(RARE_FAULTS)


@pytest.mark.parametrize(("fault", "is_used"), cases())
def test_a_fault(fault: str, is_used: bool, binary: Path, start_daemon, tmp_path: Path):
    with ExitStack() as stack:
        place = Place(binary, start_daemon, tmp_path, is_used, stack)
        with {**FAULTS, **RARE_FAULTS}[fault](place) as found:
            assert found == {**table(USUAL), **table(RARE)}[fault]
