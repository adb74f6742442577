"""Faults of the daemon and its host."""

import http.client
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from daemon import Daemon
from faults.place import Place, Row, cut_power
from faults.submissions import KEY, SEVERAL, SINGLE, clear, kind_of
from raw_http import head


def injecting(place: Place, fault: str) -> tuple[str, ...]:
    call = fault.partition(":")[0]
    trace = str(place.folder / "trace")
    return ("strace", "-D", "-f", "-o", trace, "-e", f"trace={call}", "-e", f"inject={fault}", "--")


def keyed(daemon: Daemon, body: str, key: str) -> tuple[str, list[str], bool]:
    """The answer, the names of the files, and whether they were handed over before."""
    try:
        answer = daemon.post(body, **{KEY: key})
    except (OSError, http.client.HTTPException):
        return "none", [], False
    return str(answer.status), answer.json().get("files", []), answer.headers["Idempotent-Replayed"] == "true"


@contextmanager
def killed(place: Place) -> Iterator[Row]:
    """Between the first and the third of three files."""
    # The store of keys gets its name by the same call.
    before = place.start_daemon()
    assert keyed(before, SINGLE, "before")[0] == "200"
    before.stop()
    clear(before)
    daemon = place.start_daemon(wrapper=injecting(place, "renameat2:signal=SIGKILL:when=2"))
    status, _, _ = keyed(daemon, SEVERAL, "key")
    daemon.wait()
    assert 1 <= len(daemon.files()) < 3
    again = place.start_daemon()
    found = "all of it, or nothing" if len(again.files()) in (0, 3) else "?"
    yield Row(status, "", found, "none" if daemon.process.poll() is not None else "?")
    assert keyed(again, SEVERAL, "key") == ("200", sorted(path.name for path in again.files()), True)
    assert again.post(SINGLE).status == 200


@contextmanager
def power_cut(place: Place) -> Iterator[Row]:
    disk = place.disk(32 << 20)
    daemon = place.start_daemon(pickup=disk / "pickup")
    _, files, _ = keyed(daemon, SEVERAL, "key")
    with daemon.socket() as connection:
        connection.sendall(head("Content-Length: 100") + b"{")
        cut_power(disk)
        daemon.signal(9)
        daemon.wait()
        with suppress(ConnectionResetError):
            assert connection.recv(1) == b""
    subprocess.run(["umount", disk], check=True)
    place.mount()
    again = place.start_daemon(pickup=disk / "pickup")
    found = "all of it, or nothing" if [path.name for path in again.files()] == sorted(files) else "?"
    yield Row("none", "", found, "none")
    assert keyed(again, SEVERAL, "key") == ("200", files, True)
    assert again.post(SINGLE).status == 200


@contextmanager
def last_sync(place: Place) -> Iterator[Row]:
    """The one sync that comes when the file is visible. Counted for each of the threads that commit."""
    daemon = place.start_daemon(wrapper=injecting(place, "fsync:error=EIO:when=1"))
    answer = daemon.post(SINGLE)
    found = "nothing, unless PowerMTA was faster" if daemon.files() == [] else "?"
    row = Row(f"{answer.status} `{kind_of(answer.json())}`", answer.headers["Retry-After"] or "", found, "ok")
    assert answer.json()["id"]
    yield row
    assert 200 in [daemon.post(SINGLE).status for _ in range(5)]


@contextmanager
def clock_set_back(place: Place) -> Iterator[Row]:
    yield from clock_steps(place, "-2d")


@contextmanager
def clock_set_forward(place: Place) -> Iterator[Row]:
    yield from clock_steps(place, "+2d")


# Where Debian has it, whatever the processor.
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


def clock_steps(place: Place, step: str) -> Iterator[Row]:
    clock = place.folder / "clock"
    clock.write_text("+0d")
    client = place.client(
        LD_PRELOAD=str(FAKETIME),
        FAKETIME_TIMESTAMP_FILE=str(clock),
        FAKETIME_NO_CACHE="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
        NO_FAKE_STAT="1",
    )
    client.taken("before the step")
    status, files, _ = keyed(client.daemon, SINGLE, "key")
    assert status == "200"
    place.folder.joinpath("pickup", files[0]).unlink()
    clock.write_text(step)
    stepped = timedelta(days=int(step.removesuffix("d")))
    before = datetime.now(UTC) + stepped
    (file,) = client.daemon.post(SINGLE).json()["files"]
    dated = message_from_bytes((client.daemon.pickup / file).read_bytes(), policy=default)["Date"].datetime
    # To the second.
    assert before.replace(microsecond=0) <= dated <= datetime.now(UTC) + stepped
    # Age is told by the clock that only goes forward.
    assert keyed(client.daemon, SINGLE, "key") == ("200", files, True)
    clear(client.daemon)
    client.taken("after it")
    yield Row("200", "", "the file", client.ready())
