"""Whether the time of a refusal tells how much of an access key is right. Prints a table.

    .venv/bin/python tests/timing_of_keys.py [PROGRAM] [ROUNDS]

Each round sends one wrong key of each kind, in another order each time, each over a new connection, opened before the
clock starts; the last kind is the first again, so that its row shows what chance alone does. A t beyond 4.5 is what
tests for leaks of time take for one: then it fails.
"""

import http.client
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from daemon import Daemon

ROOT = Path(__file__).parents[2]


def kinds_of(key: str) -> dict[str, str]:
    other = "b" if key[-1] == "a" else "a"
    prefix, secret = key[:5], key[5:]
    wrong = secret[::-1] if secret[::-1] != secret else secret[1:] + secret[0]
    return {
        "nothing right": prefix + wrong,
        "the first half right": prefix + secret[: len(secret) // 2] + wrong[len(secret) // 2 :],
        "all right but the last character": key[:-1] + other,
        "one character short": key[:-1],
        "nothing right, again": prefix + wrong,
    }


def measure(daemon: Daemon, kinds: dict[str, str], rounds: int) -> dict[str, list[int]]:
    connection = daemon.connect()
    times: dict[str, list[int]] = {name: [] for name in kinds}
    order = list(kinds.items())
    for _ in range(rounds):
        random.shuffle(order)
        for name, key in order:
            times[name].append(time_of(connection, key))
            if connection.sock is None:
                connection.connect()
    connection.close()
    return times


def time_of(connection: http.client.HTTPConnection, key: str) -> int:
    if connection.sock is None:
        connection.connect()
    begun = time.perf_counter_ns()
    connection.request("POST", "/messages/check", "{}", {"Authorization": f"Bearer {key}"})
    response = connection.getresponse()
    took = time.perf_counter_ns() - begun
    assert response.status == 403
    response.read()
    return took


def welch(one: list[int], other: list[int]) -> float:
    """Welch's t of two samples without the slowest tenth, which the machine's other work made."""
    one, other = (sorted(each)[: len(each) * 9 // 10] for each in (one, other))
    spread = statistics.variance(one) / len(one) + statistics.variance(other) / len(other)
    return (statistics.fmean(one) - statistics.fmean(other)) / spread**0.5


def main() -> None:
    program = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "target/debug/pmtaemailapi"
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5_000
    with tempfile.TemporaryDirectory() as folder:
        pickup, keys = Path(folder) / "pickup", Path(folder) / "keys.toml"
        pickup.mkdir()
        command = [program, "keys", "add", "shop", "--keys", keys]
        key = subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()
        with Daemon(program, pickup, "--keys", str(keys)) as daemon:
            times = measure(daemon, kinds_of(key), rounds)
    base = times["nothing right"]
    print(f"{rounds} rounds\n\n| key | median | t |\n|---|---|---|")
    for name, each in times.items():
        print(f"| {name} | {statistics.median(each) / 1000:.1f} us | {welch(each, base):+.1f} |")
    if any(abs(welch(each, base)) > 4.5 for each in times.values()):
        sys.exit("the time of a refusal tells something of the key")


if __name__ == "__main__":
    main()
