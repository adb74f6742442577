"""Not a test but a program: submits from threads, from coroutines or from forks until its standard input ends.

`python -m storm.python_worker DIRECTORY STATE DURABILITY threads|async|forks [WEAKNESS]`
"""

import asyncio
import itertools
import os
import random
import shutil
import signal
import sys
from pathlib import Path

import pmtaemail
from storm.message import Work
from storm.worker import Orders, begun, guarded, start, tell, told

AT_ONCE = 4


def main(directory: str, state: str, durability: str, way: str, weakness: str = "") -> None:
    orders = Orders()
    if weakness == "forgets keys":
        shutil.rmtree(state, ignore_errors=True)
    if weakness in WEAK:
        return WEAK[weakness](Path(directory), orders)
    options = {"durability": durability, "state": state}
    if way == "async":
        asyncio.run(coroutines(pmtaemail.AsyncPickup(directory, **options), orders))
        return None
    pickup = pmtaemail.Pickup(directory, **options)
    # Before any thread submits.
    children = [fork(pickup, orders, number) for number in range(AT_ONCE)] if way == "forks" else []
    for work in orders.again:
        submit(pickup, work)
    threads = [start(run, pickup, orders, number) for number in range(AT_ONCE)]
    number = AT_ONCE
    while children and not orders.end.wait(random.uniform(0, 0.1)):
        # Threads submit meanwhile.
        child = children.pop(random.randrange(len(children)))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        tell("killed")
        children.append(fork(pickup, orders, number))
        number += 1
    for thread in threads:
        thread.join()
    for child in children:
        os.kill(child, signal.SIGTERM)
        _, status = os.waitpid(child, 0)
        assert status in (0, signal.SIGTERM), f"a fork ended with {status}"
    return None


def submit(pickup: pmtaemail.Pickup, work: Work) -> None:
    if work.is_keyed:
        begun(work)
    receipt = pickup.submit(work.message(), **({"idempotency_key": work.tag} if work.is_keyed else {}))
    told(work.tag, receipt.id, len(receipt.files))


def run(pickup: pmtaemail.Pickup, orders: Orders, number: int) -> None:
    for count in itertools.count():
        if orders.is_over:
            return
        tag = f"{orders.life}-{number}-{count}"
        if count % 8 == 7:
            works = [Work.any(f"{tag}-{place}", is_keyed=False) for place in range(12)]
            for work, receipt in zip(works, pickup.submit_many([work.message() for work in works]), strict=True):
                told(work.tag, receipt.id, len(receipt.files))
        else:
            submit(pickup, Work.any(tag, is_keyed=count % 2 == 0))


async def coroutines(pickup: pmtaemail.AsyncPickup, orders: Orders) -> None:
    async def one(work: Work) -> None:
        if work.is_keyed:
            begun(work)
        receipt = await pickup.submit(work.message(), **({"idempotency_key": work.tag} if work.is_keyed else {}))
        told(work.tag, receipt.id, len(receipt.files))

    async def many(number: int) -> None:
        for count in itertools.count():
            if orders.is_over:
                return
            await one(Work.any(f"{orders.life}-{number}-{count}", is_keyed=count % 2 == 0))

    async with pickup:
        await asyncio.gather(*map(one, orders.again))
        await asyncio.gather(*(many(number) for number in range(2 * AT_ONCE)))


def fork(pickup: pmtaemail.Pickup, orders: Orders, number: int) -> int:
    """A process that has taken the pickup over from its parent, whose threads are in the middle of something."""
    child = os.fork()
    if child:
        return child
    try:
        for count in itertools.count():
            if orders.is_idle:
                signal.pause()
            guarded(submit, pickup, Work.any(f"{orders.life}-f{number}-{count}", is_keyed=False))
    finally:
        os._exit(1)


# ---- what nobody should do, for the judge to see


def write_in_place(directory: Path, orders: Orders) -> None:
    """PowerMTA may see the half of a file."""
    memory = pmtaemail.Pickup.memory()
    for count in itertools.count():
        if orders.is_over:
            return
        work = Work(f"{orders.life}-0-{count}", "single", 60, is_keyed=False)
        id = memory.submit(work.message()).id
        mail = memory.messages[-1].octets
        octets = b"x-sender: a@example.com\r\nx-receiver: b@example.org\r\n" + mail
        with (directory / f"{id}.eml").open("wb", buffering=0) as file:
            file.write(octets[: len(octets) // 2])
            os.fsync(file.fileno())
            file.write(octets[len(octets) // 2 :])
        told(work.tag, id, 1)


def tell_before(directory: Path, orders: Orders) -> None:
    """Each is handed over when the next one was acknowledged."""
    elsewhere = directory.with_name("elsewhere")
    elsewhere.mkdir(exist_ok=True)
    pickup = pmtaemail.Pickup(elsewhere)
    files: tuple[str, ...] = ()
    for count in itertools.count():
        work = Work.any(f"{orders.life}-0-{count}", is_keyed=False)
        receipt = pickup.submit(work.message())
        told(work.tag, receipt.id, len(receipt.files))
        for name in files:
            (elsewhere / name).rename(directory / name)
        files = receipt.files
        if orders.is_over:
            return


WEAK = {"writes in place": write_in_place, "tells before": tell_before}


if __name__ == "__main__":
    guarded(main, *sys.argv[1:])
