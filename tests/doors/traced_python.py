"""Not a test but a program: submits in every way, from many threads, and tells of each as soon as it is done.

`python traced_python.py DIRECTORY DURABILITY SYNCFS ROUNDS` writes a line of JSON for each call: what was
submitted, and the identifiers of its receipts.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pmtaemail

THREADS = 8


def message(mark: str, **fields: object) -> dict:
    return {"from": "a@example.com", "subject": mark, "text": "Hello", **fields}


def single(mark: str) -> dict:
    return message(mark, to="b@example.org")


def merge(mark: str, files: int, **fields: object) -> dict:
    return message(mark, merge="expanded", recipients=[f"r{number}@example.org" for number in range(files)], **fields)


def tell(kind: str, mark: str, receipts: list) -> None:
    """One call of the system, right after the answer."""
    os.write(1, json.dumps({"kind": kind, "mark": mark, "ids": [receipt.id for receipt in receipts]}).encode() + b"\n")


def ways(pickup: pmtaemail.Pickup, options: dict) -> dict[str, Callable[[str], list]]:
    """Each way gives the receipts of what it has submitted under the mark; see `KINDS` of test_answered_order.py."""

    def streamed(mark: str) -> list:
        recipients = (f"r{number}@example.org" for number in range(3))
        return [pickup.submit(message(mark, merge="expanded"), recipients=recipients)]

    def awaited(mark: str) -> list:
        async def submit() -> list:
            async with pmtaemail.AsyncPickup(pickup.directory, **options) as twin:
                return [await twin.submit(single(mark))]

        return asyncio.run(submit())

    return {
        "single": lambda mark: [pickup.submit(single(mark))],
        "raw": lambda mark: [pickup.submit(raw(mark))],
        "several": lambda mark: [pickup.submit(merge(mark, 3))],
        "twenty": lambda mark: [pickup.submit(merge(mark, 20))],
        "many": lambda mark: [pickup.submit(merge(mark, 70))],
        "streamed": streamed,
        "awaited": awaited,
        "single, key": lambda mark: [pickup.submit(single(mark), idempotency_key=mark)],
        "several, key": lambda mark: [pickup.submit(merge(mark, 3), idempotency_key=mark)],
        "many, key": lambda mark: [pickup.submit(merge(mark, 70), idempotency_key=mark)],
        "batch": lambda mark: pickup.submit_many([single(f"{mark}-0"), merge(f"{mark}-1", 3), single(f"{mark}-2")]),
    }


def raw(mark: str) -> dict:
    return {"raw": f"From: a@example.com\r\nTo: b@example.org\r\nSubject: {mark}\r\n\r\nHello\r\n"}


def main(directory: str, durability: str, syncfs: str, rounds: str) -> None:
    options = {"durability": durability, "syncfs": syncfs == "syncfs"}
    pickup = pmtaemail.Pickup(Path(directory), **options)
    all_ways = ways(pickup, options)

    def submit(kind: str, mark: str) -> None:
        tell(kind, mark, all_ways[kind](mark))

    with ThreadPoolExecutor(THREADS) as pool:
        marks = [(kind, f"m{turn}-{place}") for turn in range(int(rounds)) for place, kind in enumerate(all_ways)]
        for done in [pool.submit(partial(submit, *mark)) for mark in marks]:
            done.result()


if __name__ == "__main__":
    main(*sys.argv[1:])
