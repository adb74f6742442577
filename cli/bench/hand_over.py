"""Durable hand-over beside a bare loop: messages a second, in one run.

`cargo build --release --workspace && cargo build --release --example bare_loop && python cli/bench/hand_over.py`

The pickup directory is made in `PICKUP_BENCH_DIR`, or where temporary files are. Only a file system with a journal
means something; one in a file does:

    truncate -s 4G /tmp/disk && mkfs.ext4 -q /tmp/disk && losetup --direct-io=on --find --show /tmp/disk
    mount /dev/loopN /mnt && PICKUP_BENCH_DIR=/mnt python cli/bench/hand_over.py

The ways take turns, each row is the median of its rounds, and only ratios inside one run mean something: the speed of
a disk changes from one second to the next.
"""

import http.client
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", Path(__file__).parents[2] / "target"))
BINARY = TARGET / "release/pmtaemailapi"
BARE_LOOP = TARGET / "release/examples/bare_loop"
ROUNDS = int(os.environ.get("PICKUP_BENCH_ROUNDS", "7"))
BATCH = 1_000
# The program that this one replaces, which never syncs, in a quiet hour of the same machine: 1,000 small messages posted
# one by one over one connection, and over 64.
REPLACED = {1: 6_042, 64: 16_490}

SMALL = json.dumps({"from": "shop@example.com", "to": "ann@example.org", "subject": "Hello", "text": "Hello Ann"})


@contextmanager
def daemon(pickup: Path) -> Iterator[tuple[http.client.HTTPConnection, int]]:
    """A connection to a daemon that ends with the block, and its process id."""
    command = [BINARY, "-listen", "127.0.0.1:0", "-pickup", pickup, "-log-format", "json", "-log-level", "info"]
    log = pickup.with_suffix(".log")
    with log.open("w+") as written:
        process = subprocess.Popen(command, stderr=written)
        try:
            while not (line := log.read_text().partition("\n")[0]):
                time.sleep(0.01)
            connection = http.client.HTTPConnection(json.loads(line)["address"])
            yield connection, process.pid
            connection.close()
        finally:
            process.terminate()
            process.wait()


def emptied(pickup: Path) -> Path:
    for path in pickup.iterdir():
        path.unlink()
    return pickup


def post_batch(connection: http.client.HTTPConnection, query: str = "") -> float:
    """Messages a second of one batch."""
    body = f"{SMALL}\n" * BATCH
    started = time.perf_counter()
    connection.request("POST", f"/messages/batch{query}", body, {"Content-Type": "application/x-ndjson"})
    answer = connection.getresponse()
    results = answer.read()
    seconds = time.perf_counter() - started
    assert answer.status == 200
    assert results.count(b'{"id":') == BATCH
    return BATCH / seconds


def command(folder: Path) -> float:
    """Messages a second of `submit --batch`, with the start of the program."""
    path = folder / "batch.ndjson"
    path.write_text(f"{SMALL}\n" * BATCH)
    started = time.perf_counter()
    arguments = [BINARY, "submit", "-pickup", folder / "pickup", "-batch", path]
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)
    return BATCH / (time.perf_counter() - started)


def bare(folder: Path, octets: int, files: int, group: int) -> float:
    """Files a second of a bare loop that writes so many, and syncs so many together."""
    place = folder / "bare"
    done = subprocess.run([BARE_LOOP, place, str(files), str(group), str(octets)], capture_output=True, check=True)
    shutil.rmtree(place)
    return float(done.stdout)


def main() -> None:
    with tempfile.TemporaryDirectory(dir=os.environ.get("PICKUP_BENCH_DIR")) as name:
        folder = Path(name)
        pickup = folder / "pickup"
        pickup.mkdir()
        with daemon(pickup) as (connection, _):
            post_batch(connection)
            octets = next(pickup.iterdir()).stat().st_size
            ways: dict[str, Callable[[], float]] = {
                "bare loop, one group": lambda: bare(folder, octets, BATCH, BATCH),
                "POST /messages/batch": lambda: post_batch(connection),
                "POST /messages/batch?atomic=true": lambda: post_batch(connection, "?atomic=true"),
                "submit --batch": lambda: command(folder),
            }
            rates: dict[str, list[float]] = {way: [] for way in ways}
            for _ in range(ROUNDS):
                for way, measure in ways.items():
                    emptied(pickup)
                    rates[way].append(measure())
    print(f"{BATCH:,} messages of {len(SMALL)} octets, durable; messages a second, medians of {ROUNDS}")
    print(f"{'':34}{'rate':>8}{'of the bare loop':>18}{'of the replaced program (1 connection, 64)':>44}")
    medians = {way: statistics.median(found) for way, found in rates.items()}
    whole = medians["bare loop, one group"]
    for way, rate in medians.items():
        ratios = f"{rate / REPLACED[1]:.2f}, {rate / REPLACED[64]:.2f}"
        print(f"{way:34}{rate:8,.0f}{rate / whole:18.2f}{ratios:>44}")


if __name__ == "__main__":
    main()
