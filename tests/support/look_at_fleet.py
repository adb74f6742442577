"""A fleet on this machine, for a look: three brokers, two daemons, two consumers. Ctrl-C ends them all.

look_at_fleet.py PROGRAM FOLDER
"""

import json
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, suppress
from pathlib import Path

from brokers import Brokers

DAEMONS = ("127.0.0.1:8001", "127.0.0.1:8002")
CONSUMERS = ("127.0.0.1:8003", "127.0.0.1:8004")
EVERY = 2.0


def started(stack: ExitStack, log: Path, *command: object) -> None:
    """Starts a process, which ends with the stack."""
    process = subprocess.Popen(
        [*map(str, command)], stdin=subprocess.DEVNULL, stderr=stack.enter_context(log.open("ab"))
    )
    stack.callback(process.wait, 30)
    stack.callback(process.terminate)


def counted(address: str, name: str) -> int:
    """What a consumer has counted."""
    with suppress(OSError), urllib.request.urlopen(f"http://{address}/metrics", timeout=EVERY) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith(f"pmtaemail_consumer_{name}_total "):
                return int(line.split()[1])
    return 0


def look(program: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    place = folder / f"{time.time_ns()}"
    place.mkdir()
    with ExitStack() as stack:
        brokers = stack.enter_context(Brokers(place))
        monitoring = ",".join(f"http://127.0.0.1:{broker.monitor}" for broker in brokers.brokers)
        init = [program, "fleet", "init", "--nats", brokers.url, "--monitoring", monitoring]
        subprocess.run(init, check=True, stdout=subprocess.DEVNULL)
        for number, address in enumerate(DAEMONS):
            log = place / f"daemon{number}.log"
            started(stack, log, program, "serve", "--forward", brokers.url, "--listen", address)
        for number, address in enumerate(CONSUMERS):
            pickup = place / f"pickup{number}"
            pickup.mkdir()
            log = place / f"consumer{number}.log"
            command = (program, "consume", "--nats", brokers.url, "--pickup", pickup)
            started(stack, log, *command, "--metrics-listen", address)
        print(f"export PMTAEMAIL_NATS={brokers.url}")
        print(f"daemons at {' and '.join(DAEMONS)}, consumers at {' and '.join(CONSUMERS)}, all with /metrics")
        print(f"all files in {place}", flush=True)
        while True:
            time.sleep(EVERY)
            asked = [program, "fleet", "status", "--nats", brokers.url, "--json"]
            told = subprocess.run(asked, capture_output=True, check=False)
            if told.returncode:
                print(told.stderr.decode().strip(), flush=True)
                continue
            status = json.loads(told.stdout)
            handed_over = [counted(address, "messages_handed_over") for address in CONSUMERS]
            print(
                f"leader {status['leader']}, {status['current']} of {status['replicas']} replicas whole; "
                f"{status['messages']} wait; handed over {handed_over[0]} + {handed_over[1]}; "
                f"dead letters {status['dead']}",
                flush=True,
            )


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        look(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
