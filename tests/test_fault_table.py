"""The README's table of faults is true: each is brought about, looked at, and ends."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from faults import FAULTS, Place, Row
from strace import needs_strace

README = (Path(__file__).parent.parent / "README.md").read_text()
HEAD = "| fault | the client gets | `Retry-After` | in the pickup directory | `/health/ready` | what ends it |"
TRACED = {"kill -9", "the disk fails in the last sync"}
# A daemon that has files open when the fault comes is tried as well.
USED = {
    "the pickup directory is missing",
    "the disk is full",
    "it has no inodes left",
    "too many open files",
    "PowerMTA is down: `--max-depth`",
    "PowerMTA is down: `--max-age`",
}


def table() -> dict[str, Row]:
    lines = README[README.index(HEAD) :].partition("\n\n")[0].splitlines()[2:]
    rows = {}
    for line in lines:
        fault, *cells, _ = (cell.strip() for cell in line.strip("|").split("|"))
        rows[fault] = Row(*cells)
    return rows


def cases() -> list:
    return [
        pytest.param(
            fault, is_used, id=f"{fault}{', used' if is_used else ''}", marks=[needs_strace] if fault in TRACED else []
        )
        for fault in FAULTS
        for is_used in ((False, True) if fault in USED else (False,))
    ]


def test_the_table_has_all_faults():
    assert list(table()) == list(FAULTS)


@pytest.mark.parametrize(("fault", "is_used"), cases())
def test_a_fault(fault: str, is_used: bool, binary: Path, start_daemon, tmp_path: Path):
    with ExitStack() as stack:
        place = Place(binary, start_daemon, tmp_path, is_used, stack)
        with FAULTS[fault](place) as found:
            assert found == table()[fault]
