"""Not a test but a program: forks again and again while its threads submit, until its standard input ends.

`python -m storm.fork_worker DIRECTORY STATE threads|generations|keys|hangs|fork|forkserver|spawn`

The last argument says what a fork is: one of any thread, a chain of forks of forks, one that submits under keys, one
that never ends, a process of `multiprocessing`. A third of them are killed; each of the others has to end well in time.
"""

import faulthandler
import itertools
import multiprocessing
import os
import random
import select
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pmtaemail
from storm.message import Work
from storm.worker import Orders, guarded, start, tell, told

# A fork that takes longer than this hangs. Its commits wait for a disk on which others write as well.
SECONDS = 60
THREADS = 4
# One less than `MAX_GENERATIONS` (core/src/pickup_directory/per_process.rs), for the parent.
GENERATIONS = 7


class Parent:
    def __init__(self, directory: str, state: str):
        self.directory = directory
        self.state = state
        self.pickup = pmtaemail.Pickup(directory, state=state)
        self.orders = Orders()

    def submit_for_ever(self, number: int) -> None:
        """So that some of it is under way whenever somebody forks."""
        for count in itertools.count():
            if self.orders.is_over:
                return
            works = [Work.any(f"{self.orders.life}-p{number}-{count}-{place}", is_keyed=False) for place in range(6)]
            tell_all(works, self.pickup.submit_many([work.message() for work in works]))

    def fork_for_ever(self, number: int, in_a_fork: Callable[["Parent", str], None]) -> None:
        for count in itertools.count():
            if self.orders.is_over:
                return
            tag = f"{self.orders.life}-f{number}-{count}"
            child = os.fork()
            if child == 0:
                end_with(in_a_fork, self, tag)
            wait_for(child)
            self.settle(tag)

    def settle(self, tag: str) -> None:
        """What a fork began under keys of its own is submitted again: it is there once, whatever became of the fork."""
        folder = Path(f"{self.state}.{tag}")
        if folder.is_dir():
            own = pmtaemail.Pickup(self.directory, state=folder)
            tell_all(works := keyed(tag), [own.submit(work.message(), idempotency_key=work.tag) for work in works])
            # Its store is closed with it.
            del own
            shutil.rmtree(folder)

    def settle_all(self) -> None:
        """Of lives before this one."""
        for folder in Path(self.state).parent.glob("own.*"):
            self.settle(folder.name.removeprefix("own."))

    def start_for_ever(self, method: str) -> None:
        context = multiprocessing.get_context(method)
        # With `fork` it is taken over; otherwise it has to be opened anew.
        pickup = self.pickup if method == "fork" else None
        for count in itertools.count():
            if self.orders.is_over:
                return
            tag = f"{self.orders.life}-m-{count}"
            process = context.Process(target=of_multiprocessing, args=(pickup, self.directory, tag))
            process.start()
            wait_for(process.pid, lambda process=process: (process.join(SECONDS), process.exitcode)[1])


def wait_for(child: int, status_of: Callable[[], int | None] | None = None) -> None:
    """Kills it at some instant, or waits for its end, which must come."""
    is_doomed = random.random() < 1 / 3
    ended = os.pidfd_open(child)
    try:
        if is_doomed and not select.select([ended], [], [], random.uniform(0, 0.03))[0]:
            os.kill(child, signal.SIGKILL)
            tell("killed")
        if not select.select([ended], [], [], 2 * SECONDS)[0]:
            raise TimeoutError("a fork hangs, and did not end itself")
    finally:
        os.close(ended)
    status = status_of() if status_of else os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status != 0 and not (is_doomed and status == -signal.SIGKILL):
        raise ChildProcessError(f"a fork ended with {status}")


def end_with(work: Callable, *arguments: object) -> None:
    signal.alarm(SECONDS)
    status = 1
    try:
        guarded(work, *arguments)
        status = 0
    finally:
        os._exit(status)


def tell_all(works: list[Work], receipts: list) -> None:
    for work, receipt in zip(works, receipts, strict=True):
        told(work.tag, receipt.id, len(receipt.files))


# ---- what forks do


def submit_all(pickup: pmtaemail.Pickup, tag: str) -> None:
    works = [Work(f"{tag}-{kind}", kind, 60, is_keyed=False) for kind in ("single", "several", "many")]
    tell_all(works, [pickup.submit(work.message()) for work in works])
    works = [Work(f"{tag}-{place}", kind, 1, is_keyed=False) for place, kind in enumerate(["single", "several"])]
    tell_all(works, pickup.submit_many([work.message() for work in works]))


def of_a_thread(parent: Parent, tag: str) -> None:
    submit_all(parent.pickup, tag)


def of_forks(parent: Parent, tag: str, generation: int = 1) -> None:
    """Each submits, forks, and submits while its fork does."""
    child = os.fork() if generation < GENERATIONS else None
    if child == 0:
        end_with(of_forks, parent, tag, generation + 1)
    submit_all(parent.pickup, f"{tag}-{generation}")
    # When this one is killed its fork goes on.
    if child and os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
        raise ChildProcessError("a fork of a fork failed")


def keyed(tag: str) -> list[Work]:
    return [Work(f"{tag}-key-{kind}", kind, 1, is_keyed=True) for kind in ("single", "several")]


def with_keys(parent: Parent, tag: str) -> None:
    """The store of the parent is not its own: it says so, and has one of its own where it opens one."""
    work = Work(f"{tag}-parents", "single", 1, is_keyed=True)
    try:
        parent.pickup.submit(work.message(), idempotency_key=work.tag)
    except OSError as error:
        assert "before this process was forked" in str(error), error
    else:
        raise AssertionError("the store of the parent was used")
    own = pmtaemail.Pickup(parent.directory, state=f"{parent.state}.{tag}")
    works = keyed(tag)
    for replayed in (False, True):
        receipts = [own.submit(work.message(), idempotency_key=work.tag) for work in works]
        assert [receipt.replayed for receipt in receipts] == [replayed, replayed]
        tell_all(works, receipts)
    submit_all(parent.pickup, tag)


def of_multiprocessing(pickup: pmtaemail.Pickup | None, directory: str, tag: str) -> None:
    tell_where_it_hangs()
    signal.alarm(SECONDS)
    submit_all(pickup or pmtaemail.Pickup(directory), tag)


def hangs(_parent: Parent, _tag: str) -> None:
    """As everybody does who waits in a fork for what a thread of the parent has."""
    LOCK.acquire()


LOCK = threading.Lock()
FORKS = {"threads": of_a_thread, "generations": of_forks, "keys": with_keys, "hangs": hangs}


def tell_where_it_hangs() -> None:
    """And end. The timer of `faulthandler` itself is a thread, which forks wait for and do not have."""
    faulthandler.register(signal.SIGALRM, chain=True)


def main(directory: str, state: str, way: str) -> None:
    global SECONDS
    if way == "hangs":
        SECONDS = 3
        LOCK.acquire()
    tell_where_it_hangs()
    Path(state).mkdir(exist_ok=True)
    parent = Parent(directory, f"{state}/own")
    parent.settle_all()
    threads = [start(parent.submit_for_ever, number) for number in range(THREADS)]
    if way in FORKS:
        threads += [start(parent.fork_for_ever, number, FORKS[way]) for number in range(2)]
    else:
        threads.append(start(parent.start_for_ever, way))
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    guarded(main, *sys.argv[1:])
