"""Not a test but a program: runs the command `submit` again and again until its standard input ends.

`python -m storm.command_worker PROGRAM DIRECTORY`
"""

import itertools
import json
import os
import random
import subprocess
import sys

from storm.message import Work
from storm.worker import Orders, guarded, told


def main(program: str, directory: str) -> None:
    orders = Orders()
    # The child has it as well: so it is known when both are gone.
    alive = os.dup(0)
    for count in itertools.count():
        if orders.is_over:
            return
        command = [program, "submit", "--pickup", directory, "--durability", random.choice(["durable", "none"])]
        work = Work.any(f"{orders.life}-{count}", is_keyed=False)
        done = subprocess.run(command, input=work.body().encode(), stdout=subprocess.PIPE, check=True, pass_fds=[alive])
        receipt = json.loads(done.stdout)
        told(work.tag, receipt["id"], len(receipt["files"]))


if __name__ == "__main__":
    guarded(main, *sys.argv[1:])
