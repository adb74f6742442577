"""What fails in production, and its end: each fault of the README's table is brought about and mended."""

import fcntl
import http.client
import json
import os
import re
import resource
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from daemon import TIMEOUT, Daemon
from raw_http import head, read_answer

LINES = {"Content-Type": "application/x-ndjson"}
MERGE = {"from": "a@example.com", "text": "Hello", "merge": "expanded"}
EVERYBODY = [f"r{number}@example.org" for number in range(3)]
SINGLE = json.dumps({"from": "a@example.com", "to": "b@example.org", "text": "Hello"})
SEVERAL = json.dumps({**MERGE, "recipients": EVERYBODY})
STREAM = "\n".join(map(json.dumps, [MERGE, *EVERYBODY]))
BATCH = f"{SINGLE}\n{SEVERAL}"
# Path, body, header fields; `KEY` stands for a key of the request's own.
KEY = "Idempotency-Key"
REQUESTS = {
    "single": ("/messages", SINGLE, {}),
    "several files": ("/messages", SEVERAL, {}),
    "stream": ("/messages", STREAM, LINES),
    "batch": ("/messages/batch", BATCH, LINES),
    "atomic batch": ("/messages/batch?atomic=true", BATCH, LINES),
    "with a key": ("/messages", SINGLE, {KEY: ""}),
    "several files with a key": ("/messages", SEVERAL, {KEY: ""}),
}


@dataclass(frozen=True)
class Row:
    """What the table says of a fault, and what is found."""

    answer: str
    retry_after: str
    found: str
    ready: str


@dataclass(frozen=True)
class Outcome:
    """What became of a request, or of a line of a batch."""

    status: int
    kind: str
    retry_after: str | None
    replayed: bool

    @property
    def answer(self) -> str:
        return f"{self.status} `{self.kind}`" if self.kind else str(self.status)


def kind_of(problem: dict) -> str:
    return problem.get("type", "").removeprefix("urn:pmtaemail:problem:").removeprefix("about:blank")


def outcomes(response: http.client.HTTPResponse) -> list[Outcome]:
    body = response.read()
    retry_after = response.headers["Retry-After"]
    replayed = response.headers["Idempotent-Replayed"] == "true"
    documents = [json.loads(line) for line in body.splitlines()]
    return [
        Outcome(document.get("status", response.status), kind_of(document), retry_after, replayed)
        for document in documents
    ]


class Client:
    """One that keeps its connection, and sends every kind of submission."""

    def __init__(self, daemon: Daemon):
        self.daemon = daemon
        self.connection = daemon.connect()

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> http.client.HTTPResponse:
        self.connection.request(method, path, body, headers)
        return self.connection.getresponse()

    def submit_all(self, keys: str) -> dict[str, list[Outcome]]:
        """One of each kind; `keys` makes the keys."""
        found = {}
        for name, (path, body, headers) in REQUESTS.items():
            if KEY in headers:
                headers = {KEY: f"{keys}, {name}"}
            found[name] = outcomes(self.ask("POST", path, body, **headers))
        return found

    def refused(self, keys: str) -> Outcome:
        """What all get. Where the key of a submission cannot be kept the type may say that instead."""
        found = self.submit_all(keys)
        (plain,) = found["single"]
        for name, each in found.items():
            for outcome in each:
                assert outcome.status == plain.status, (name, outcome)
                kinds = {plain.kind, "idempotency-keys-unavailable"} if "key" in name else {plain.kind}
                assert outcome.kind in kinds, (name, outcome)
                # The lines of a batch have no fields of a header.
                assert outcome.retry_after == plain.retry_after or name == "batch"
        return plain

    def taken(self, keys: str) -> None:
        """All are taken, and leave nothing in the staging folder."""
        for name, each in self.submit_all(keys).items():
            assert [(outcome.status, outcome.replayed) for outcome in each] == [(200, False)] * len(each), name
        files = self.daemon.files()
        assert len(files) == 1 + 3 + 3 + 4 + 4 + 1 + 3
        for file in files:
            file.unlink()
        left = [path for path in self.daemon.pickup.with_name("pickup.staging").rglob("*") if path.is_file()]
        assert {path.name for path in left} <= {"lock"}

    def ready(self) -> str:
        response = self.ask("GET", "/health/ready")
        checks = json.loads(response.read())["checks"].values()
        causes = {check["cause"] for check in checks if check["status"] != "ok"}
        assert response.status == (503 if causes else 200)
        return ", ".join(f"`{cause}`" for cause in sorted(causes)) or "ok"

    def wait_until_ready_is(self, wanted: Callable[[str], bool]) -> str:
        """What was found out is good for a second."""
        limit = time.monotonic() + TIMEOUT
        while not wanted(found := self.ready()):
            assert time.monotonic() < limit, found
        return found


@dataclass
class Place:
    """Where a fault is brought about."""

    binary: Path
    start_daemon: Callable[..., Daemon]
    folder: Path
    # Whether the daemon has handed over messages before, under keys too, and so has files open.
    is_used: bool
    stack: ExitStack

    def disk(self, size: int = 16 << 20, *options: str) -> Path:
        """A file system of its own, ext4 in a file, with a pickup directory."""
        image, disk = self.folder / "disk.img", self.folder / "disk"
        with image.open("wb") as file:
            file.truncate(size)
        disk.mkdir()
        try:
            subprocess.run(["mkfs.ext4", "-q", "-m", "0", *options, image], check=True, capture_output=True)
            self.mount()
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"there is no ext4 in a file here: {error}")
        self.stack.callback(subprocess.run, ["umount", "-l", disk], check=False, capture_output=True)
        (disk / "pickup").mkdir()
        subprocess.run(["sync", "-f", disk], check=True)
        return disk

    def mount(self) -> None:
        # Written out by the disk's own time as late as can be: what is not synced is lost in a power cut.
        command = ["mount", "-o", "loop,commit=300", self.folder / "disk.img", self.folder / "disk"]
        subprocess.run(command, check=True, capture_output=True)

    def client(self, *options: str, pickup: Path | None = None, **more: object) -> Client:
        daemon = self.start_daemon(*options, pickup=pickup or self.folder / "pickup", **more)
        client = Client(daemon)
        self.stack.callback(client.connection.close)
        if self.is_used:
            client.taken("before")
        return client

    @contextmanager
    def refusing(self, client: Client, fault: Callable, end: Callable, *, looks: bool = False) -> Iterator[Row]:
        """What a fault of the directory looks like, and that after its end all is well without a restart.

        Where the daemon `looks` every second, its end takes a moment too.
        """
        fault()
        # What was found before the fault is good for a second.
        ready = client.wait_until_ready_is(lambda found: found != "ok")
        before = self.names(client)
        outcome = client.refused("during")
        assert self.names(client) == before
        yield Row(outcome.answer, outcome.retry_after or "", "nothing", ready)
        end()
        if looks:
            client.wait_until_ready_is(lambda found: found == "ok")
        # No key was used up.
        client.taken("during")
        client.wait_until_ready_is(lambda found: found == "ok")

    def names(self, client: Client) -> list[str]:
        """What is in the pickup directory, if there is one."""
        with suppress(FileNotFoundError):
            return [path.name for path in client.daemon.files()]
        return []


# ---- the directory and its disk


def missing(place: Place):
    client = place.client()
    return place.refusing(client, client.daemon.pickup.rmdir, client.daemon.pickup.mkdir)


def fill(disk: Path) -> None:
    """To the last block."""
    for number, size in enumerate([1 << 20, 4096, 512, 512]):
        # What was freed is free when the journal is written.
        subprocess.run(["sync", "-f", disk], check=True)
        with suppress(OSError), (disk / f"{number}").open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * size)
                os.fsync(file.fileno())


def full(place: Place):
    disk = place.disk()
    client = place.client(pickup=disk / "pickup")

    def free() -> None:
        for path in disk.iterdir():
            if path.is_file():
                path.unlink()

    return place.refusing(client, lambda: fill(disk), free)


def no_inodes(place: Place):
    disk = place.disk(16 << 20, "-N", "128")
    client = place.client(pickup=disk / "pickup")
    others = disk / "others"
    others.mkdir()

    def use_up() -> None:
        with suppress(OSError):
            for number in range(1000):
                (others / f"{number}").touch()

    def free() -> None:
        for path in others.iterdir():
            path.unlink()

    return place.refusing(client, use_up, free)


def read_only(place: Place):
    """Of one on which files are open for writing the kernel does so alone, after errors."""
    disk = place.disk()
    client = place.client(pickup=disk / "pickup")

    def remount(mode: str) -> Callable:
        return lambda: subprocess.run(["mount", "-o", f"remount,{mode}", disk], check=True)

    return place.refusing(client, remount("ro"), remount("rw"))


@contextmanager
def too_many_files(place: Place) -> Iterator[Row]:
    client = place.client()
    pid = client.daemon.process.pid
    usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    waiting: list = []

    def end() -> None:
        # A new connection has to wait.
        connection = place.stack.enter_context(client.daemon.socket())
        connection.sendall(head("Connection: close", method="GET", path="/health/live"))
        client.daemon.wait_for_event("accept_failed")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)
        waiting.append(read_answer(connection).status)
        # Idle ones had to make room.
        client.connection.close()

    few = (8, usual[1])
    fault = lambda: resource.prlimit(pid, resource.RLIMIT_NOFILE, few)  # noqa: E731
    client.ready()
    with place.refusing(client, fault, end) as row:
        yield row
    assert waiting == [200]


# ---- PowerMTA


def waiting(pickup: Path, count: int) -> list[Path]:
    """Files that PowerMTA does not take."""
    files = [pickup / f"waits-{number}.eml" for number in range(count)]
    for file in files:
        file.touch()
    return files


def too_deep(place: Place):
    client = place.client("--max-depth", "30")
    files: list[Path] = []

    def end() -> None:
        for file in files:
            file.unlink()

    return place.refusing(client, lambda: files.extend(waiting(client.daemon.pickup, 31)), end, looks=True)


def too_old(place: Place):
    client = place.client("--max-age", "1h")
    old = client.daemon.pickup / "waits.eml"

    def age() -> None:
        old.touch()
        then = time.time() - 2 * 3600
        os.utime(old, (then, then))

    return place.refusing(client, age, old.unlink, looks=True)


@contextmanager
def not_watched(place: Place) -> Iterator[Row]:
    client = place.client()
    waiting(client.daemon.pickup, 100)
    (outcome,) = outcomes(client.ask("POST", "/messages", SINGLE))
    found = "the file" if len(client.daemon.files()) == 101 else "?"
    yield Row(outcome.answer, outcome.retry_after or "", found, client.ready())


# ---- the client


class Access:
    """A daemon that asks for keys, and one of them."""

    def __init__(self, place: Place, *options: str):
        self.file = place.folder / "keys.toml"
        added = subprocess.run(
            [place.binary, "keys", "add", "shop", "--keys", self.file, *options], capture_output=True, check=True
        )
        self.key = added.stdout.decode().strip()
        self.daemon = place.start_daemon("--keys", str(self.file))

    def row(self, key: str | None) -> tuple[Row, bytes]:
        before = len(self.daemon.files())
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        answer = self.daemon.post(SINGLE, **headers)
        taken = len(self.daemon.files()) - before
        ready = "ok" if self.daemon.request("GET", "/health/ready").status == 200 else "?"
        kind = kind_of(answer.json())
        status = f"{answer.status} `{kind}`" if kind else str(answer.status)
        return Row(status, answer.headers["Retry-After"] or "", "the file" if taken else "nothing", ready), answer.body

    def is_taken(self) -> bool:
        return self.daemon.post(SINGLE, Authorization=f"Bearer {self.key}").status == 200


@contextmanager
def no_key(place: Place) -> Iterator[Row]:
    access = Access(place)
    yield access.row(None)[0]
    assert access.is_taken()


@contextmanager
def wrong_key(place: Place) -> Iterator[Row]:
    access = Access(place)
    yield access.row(access.key[:-1] + ("a" if access.key[-1] != "a" else "b"))[0]
    assert access.is_taken()


@contextmanager
def over_rate(place: Place) -> Iterator[Row]:
    access = Access(place, "--rate", "2/s")
    limit = time.monotonic() + TIMEOUT
    while (row := access.row(access.key)[0]).found == "the file":
        assert time.monotonic() < limit
    yield row
    while not access.is_taken():
        assert time.monotonic() < limit


@contextmanager
def over_recipients(place: Place) -> Iterator[Row]:
    access = Access(place, "--recipients-per-day", "1")
    assert access.is_taken()
    row = access.row(access.key)[0]
    left = 86_400 - time.time() % 86_400
    assert abs(int(row.retry_after) - left) < TIMEOUT
    yield Row(row.answer, "till the day's end (UTC)", row.found, row.ready)
    text = access.file.read_text()
    changed = re.sub(r"(recipients-per-day\s*=\s*)1\b", r"\g<1>5", text)
    assert changed != text
    access.file.write_text(changed)
    access.daemon.signal(1)
    limit = time.monotonic() + TIMEOUT
    while not access.is_taken():
        assert time.monotonic() < limit


def slow(place: Place, sent: bytes) -> Iterator[Row]:
    daemon = place.start_daemon("--header-timeout", "500ms", "--body-timeout", "500ms")
    with daemon.socket() as connection:
        connection.sendall(sent)
        # Others do not wait.
        assert daemon.post(SINGLE).status == 200
        ready = "ok" if daemon.request("GET", "/health/ready").status == 200 else "?"
        answer = read_answer(connection)
        assert connection.recv(1) == b"", "the connection goes on"
    kind = kind_of(json.loads(answer.body))
    status = f"{answer.status} `{kind}`" if kind else str(answer.status)
    found = "nothing" if len(daemon.files()) == 1 else "?"
    yield Row(status, answer.headers.get("retry-after", ""), found, ready)
    assert daemon.post(SINGLE).status == 200


@contextmanager
def slow_head(place: Place) -> Iterator[Row]:
    yield from slow(place, head("Content-Length: 100")[:-2])


@contextmanager
def slow_body(place: Place) -> Iterator[Row]:
    yield from slow(place, head("Content-Length: 100") + b"{")


# ---- the daemon and its host


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
    daemon = place.start_daemon(wrapper=injecting(place, "renameat2:signal=SIGKILL:when=2"))
    status, _, _ = keyed(daemon, SEVERAL, "key")
    daemon.wait()
    assert 1 <= len(daemon.files()) < 3
    again = place.start_daemon()
    found = "all of it, or nothing" if len(again.files()) in (0, 3) else "?"
    yield Row(status, "", found, "none" if daemon.process.poll() is not None else "?")
    assert keyed(again, SEVERAL, "key") == ("200", sorted(path.name for path in again.files()), True)
    assert again.post(SINGLE).status == 200


# _IOR('X', 125, __u32), and to leave out what the journal has not written yet: linux/ext4.h.
SHUT_DOWN, NO_FLUSH = 0x8004_587D, struct.pack("I", 2)


def cut_power(disk: Path) -> None:
    """Lets the file system die at this instant, with what is on the disk and no more."""
    assert os.path.ismount(disk), "this is to be no disk that somebody needs"
    folder = os.open(disk, os.O_RDONLY)
    try:
        fcntl.ioctl(folder, SHUT_DOWN, NO_FLUSH)
    except OSError as error:
        pytest.skip(f"ext4 cannot be shut down here: {error}")
    finally:
        os.close(folder)


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
    found = "nothing, unless PowerMTA was quicker" if daemon.files() == [] else "?"
    row = Row(f"{answer.status} `{kind_of(answer.json())}`", answer.headers["Retry-After"] or "", found, "ok")
    assert answer.json()["id"]
    yield row
    assert 200 in [daemon.post(SINGLE).status for _ in range(5)]


FAULTS: dict[str, Callable] = {
    "the pickup directory is missing": missing,
    "the disk is full": full,
    "it has no inodes left": no_inodes,
    "it is read-only": read_only,
    "too many open files": too_many_files,
    "the disk fails in the last sync": last_sync,
    "PowerMTA is down: `--max-depth`": too_deep,
    "PowerMTA is down: `--max-age`": too_old,
    "PowerMTA is down, without these": not_watched,
    "no access key": no_key,
    "a wrong access key": wrong_key,
    "over the key's rate": over_rate,
    "over its recipients of the day": over_recipients,
    "a client sends its head slowly": slow_head,
    "a client sends its body slowly": slow_body,
    "kill -9": killed,
    "power cut": power_cut,
}
