"""Not a test but a program: forks while its threads hand over, and each fork hands over too.

`python forking.py DIRECTORY THREADS FORKS` prints the names of the files that the forks were told of.
"""

import faulthandler
import os
import sys
import threading
import traceback

import pmtaemail

MESSAGE = {"from": "shop@example.com", "to": "ann@example.org", "text": "Hello!"}
MERGE = {
    "from": "shop@example.com",
    "template": "merge",
    "text": "Hello {{n}}!",
    "recipients": [{"address": f"a{n}@example.org", "variables": {"n": n}} for n in range(3)],
}
SECONDS = 60
"""A fork that takes longer than this hangs. Its commits wait for a disk on which other tests write as well."""


def main(directory: str, threads: int, forks: int) -> None:
    pickup = pmtaemail.Pickup(directory)
    stop = threading.Event()

    def hand_over() -> None:
        while not stop.is_set():
            pickup.submit_many([MESSAGE, MERGE])

    workers = [threading.Thread(target=hand_over) for _ in range(threads)]
    for worker in workers:
        worker.start()
    hanging = 0
    for _ in range(forks):
        child = os.fork()
        if child == 0:
            in_a_fork(pickup)
        _, status = os.waitpid(child, 0)
        hanging += status != 0
    stop.set()
    for worker in workers:
        worker.join()
    sys.exit(f"{hanging} of {forks} forks failed" if hanging else 0)


def in_a_fork(pickup: pmtaemail.Pickup) -> None:
    # Says where it hangs, and ends the process.
    faulthandler.dump_traceback_later(SECONDS, exit=True)
    status = 1
    try:
        receipts = [pickup.submit(MESSAGE), pickup.submit(MERGE), *pickup.submit_many([MESSAGE, MERGE])]
        os.write(1, "".join(f"{file}\n" for receipt in receipts for file in receipt.files).encode())
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
