"""Not a test but a program: takes every file out of the pickup directory that it sees, as PowerMTA does.

`python -m storm.powermta DIRECTORY [loses]` writes a line of JSON for each file: name, tag, files of its submission, or
null for both where it is not whole. It goes on until its standard input ends, and takes what is there then. With
`loses` it forgets to tell of one file in twenty.
"""

import itertools
import json
import os
import random
import re
import sys
from pathlib import Path

from storm.message import recognize
from storm.worker import Orders

COUNT = itertools.count()
NAME = re.compile(r"[0-9a-z]{26}(-\d+)?\.eml")


def main(directory: str, weakness: str = "") -> None:
    orders = Orders()
    is_over = False
    while not is_over:
        # A moment now and then, so that files of several submissions are there at once.
        is_over = orders.end.wait(random.uniform(0, 0.004))
        take(Path(directory), weakness)


def take(directory: Path, weakness: str) -> None:
    for entry in os.scandir(directory):
        path = Path(entry.path)
        data = path.read_bytes()
        path.unlink()
        tag, files = recognize(data) or (None, None)
        if weakness == "loses" and next(COUNT) % 20 == 19:
            continue
        known = NAME.fullmatch(path.name) and tag
        os.write(1, json.dumps([path.name, tag, files] if known else [path.name, None, None]).encode() + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
