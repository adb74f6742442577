"""A fleet on this machine, for a look: three brokers, two daemons, two consumers. Ctrl-C ends them all.

look_at_fleet.py PROGRAM FOLDER
"""

import json
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from brokers import Brokers

DAEMONS = ("127.0.0.1:8001", "127.0.0.1:8002")
EVERY = 2.0


def started(stack: ExitStack, log: Path, *command: object) -> None:
    """Starts a process, which ends with the stack."""
    process = subprocess.Popen(
        [*map(str, command)], stdin=subprocess.DEVNULL, stderr=stack.enter_context(log.open("ab"))
    )
    stack.callback(process.wait, 30)
    stack.callback(process.terminate)


def counted(path: Path, name: str) -> int:
    """What a consumer has counted."""
    with suppress(OSError):
        for line in path.read_text().splitlines():
            if line.startswith(f"pmtaemail_consumer_{name}_total "):
                return int(line.split()[1])
    return 0


def look(program: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    place = folder / f"{time.time_ns()}"
    place.mkdir()
    with ExitStack() as stack:
        brokers = stack.enter_context(Brokers(place))
        subprocess.run([program, "fleet", "init", "--nats", brokers.url], check=True, stdout=subprocess.DEVNULL)
        for number, address in enumerate(DAEMONS):
            log = place / f"daemon{number}.log"
            started(stack, log, program, "serve", "--forward", brokers.url, "--listen", address)
        metrics = []
        for number in range(2):
            pickup = place / f"pickup{number}"
            pickup.mkdir()
            metrics.append(place / f"consumer{number}.prom")
            log = place / f"consumer{number}.log"
            command = (program, "consume", "--nats", brokers.url, "--pickup", pickup)
            started(stack, log, *command, "--metrics-file", metrics[-1])
        print(f"export PMTAEMAIL_NATS={brokers.url}")
        print(f"daemons at {' and '.join(DAEMONS)}, metrics at /metrics; all files in {place}", flush=True)
        while True:
            time.sleep(EVERY)
            asked = [program, "fleet", "status", "--nats", brokers.url, "--json"]
            told = subprocess.run(asked, capture_output=True, check=False)
            if told.returncode:
                print(told.stderr.decode().strip(), flush=True)
                continue
            status = json.loads(told.stdout)
            handed_over = [counted(path, "messages_handed_over") for path in metrics]
            print(
                f"leader {status['leader']}, {status['current']} of {status['replicas']} replicas whole; "
                f"{status['messages']} wait; handed over {handed_over[0]} + {handed_over[1]}; "
                f"dead letters {status['dead']}",
                flush=True,
            )


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        look(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
