"""Faults of the pickup directory and its disk."""

import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from faults.injection import Injection
from faults.place import Place, Row
from faults.submissions import KEYED, REQUESTS, SEVERAL_FILES
from lossy_disks import ForgetfulDisk, skip_without_fuse
from raw_http import head, read_answer


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


def free(disk: Path) -> None:
    for path in disk.iterdir():
        if path.is_file():
            path.unlink()


def full(place: Place):
    disk = place.disk()
    client = place.client(pickup=disk / "pickup")
    return place.refusing(client, lambda: fill(disk), lambda: free(disk))


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


# ---- rarer ones


def renamed(place: Place):
    """By somebody who tidies up. What is at work then is not to follow it."""
    client = place.client()
    pickup = client.daemon.pickup
    aside = pickup.with_name("aside")

    def back() -> None:
        assert list(aside.iterdir()) == []
        aside.rename(pickup)

    return place.refusing(client, lambda: pickup.rename(aside), back)


def link_to_nothing(place: Place):
    client = place.client()
    pickup = client.daemon.pickup

    def replace() -> None:
        pickup.rmdir()
        pickup.symlink_to(place.folder / "nowhere")

    def end() -> None:
        pickup.unlink()
        pickup.mkdir()

    return place.refusing(client, replace, end)


def link(place: Place):
    target = place.folder / "another"
    target.mkdir()
    return followed(place, target)


def link_to_another_disk(place: Place):
    return followed(place, place.disk() / "pickup")


@contextmanager
def followed(place: Place, target: Path) -> Iterator[Row]:
    """As PowerMTA follows it."""
    client = place.client()
    pickup = client.daemon.pickup
    pickup.rmdir()
    pickup.symlink_to(target)
    client.taken("during")
    yield Row("200", "", "the file, where the link leads", client.ready())
    pickup.unlink()
    pickup.mkdir()
    client.taken("after")


# What root may do without the rights of a file's owner.
OWNERS_RIGHTS = "-dac_override,-dac_read_search"


def unwritable(place: Place):
    client = place.client(wrapper=("setpriv", f"--bounding-set={OWNERS_RIGHTS}", "--"))
    pickup = client.daemon.pickup
    return place.refusing(client, lambda: pickup.chmod(0o555), lambda: pickup.chmod(0o755))


def immutable(place: Place):
    disk = place.disk()
    client = place.client(pickup=disk / "pickup")

    def change(flag: str) -> None:
        subprocess.run(["chattr", flag, disk / "pickup"], check=True)

    place.stack.callback(subprocess.run, ["chattr", "-i", disk / "pickup"], check=False, capture_output=True)
    return place.refusing(client, lambda: change("+i"), lambda: change("-i"))


def unmounted(place: Place):
    disk = place.disk()
    client = place.client(pickup=disk / "pickup")
    return place.refusing(client, lambda: subprocess.run(["umount", "-l", disk], check=True), place.mount)


def file_too_large(place: Place):
    """A limit on the size of files, whose signal would end the process."""
    client = place.client()
    pid = client.daemon.process.pid
    usual = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    return place.refusing(
        client,
        lambda: resource.prlimit(pid, resource.RLIMIT_FSIZE, (64, usual[1])),
        lambda: resource.prlimit(pid, resource.RLIMIT_FSIZE, usual),
    )


def failing(place: Place, calls: str, kinds: Collection[str] = REQUESTS):
    client = place.client()
    injection = Injection(client.daemon, calls, "EIO")
    place.stack.callback(injection.end)
    return place.refusing(client, injection.begin, injection.end, kinds=kinds, is_seen=False)


def failing_sync(place: Place):
    """Of the data, before anything is visible."""
    return failing(place, "fdatasync,syncfs")


@contextmanager
def failing_link(place: Place) -> Iterator[Row]:
    """Nobody knows whether the file has got its name, unless that is one in the staging folder."""
    client = place.client()
    injection = Injection(client.daemon, "linkat", "EIO")
    place.stack.callback(injection.end)
    injection.begin()
    ready = client.wait_until_ready_is(lambda found: found != "ok")
    found = client.submit_all("during")
    assert client.daemon.files() == []
    (single,), (several,) = found["single"], found["several files"]
    for kind, each in found.items():
        for outcome in each[1:] if kind == "batch" else each:
            assert outcome.status == (500 if kind == "single" else 503), kind
    yield Row(f"{single.answer}; several files or a key: {several.answer}", several.retry_after, "nothing", ready)
    injection.end()
    client.taken("during")
    client.wait_until_ready_is(lambda found: found == "ok")


def failing_rename(place: Place):
    return failing(place, "renameat2", SEVERAL_FILES | KEYED)


@contextmanager
def no_staging(place: Place) -> Iterator[Row]:
    client = place.client()
    shutil.rmtree(client.daemon.pickup.with_name("pickup.staging"), ignore_errors=True)
    client.taken("during")
    yield Row("200", "", "the file", client.ready())


def failing_disk(place: Place, *fault: str):
    """Of a file system in user space, the calls of which fail as they are told to. The store of keys is elsewhere."""
    skip_without_fuse()
    disk = place.stack.enter_context(ForgetfulDisk(place.folder / "forgetful"))
    (disk.folder / "pickup").mkdir()
    client = place.client("--state", str(place.folder / "state"), pickup=disk.folder / "pickup")
    return place.refusing(client, lambda: disk.ask("fault", *fault), lambda: disk.ask("clear"))


def failing_write(place: Place):
    return failing_disk(place, "write", "EIO")


def over_quota(place: Place):
    return failing_disk(place, "write", "EDQUOT")


def failing_open(place: Place):
    """Where a file begins: without a name, or in the staging folder."""
    return failing_disk(place, "tmpfile", "EIO")
