"""Single messages over HTTP, each durable before it is answered, beside a bare loop and the program that this one replaces.

    cargo build --release --workspace && cargo build --release --example bare_loop && python cli/bench/messages.py

`wrk` sends them; it shares the machine's cores. The pickup directory is made in `PICKUP_BENCH_DIR`, or where temporary
files are: see `hand_over.py` for a file system that means something. `PICKUP_BENCH_ROUNDS` (5) and
`PICKUP_BENCH_SECONDS` (4) of each. The daemon runs with its defaults, its log in a file beside the pickup directory.

Each bare loop stands in turn with the daemon, and each row is the median of its rounds: only ratios inside one run mean
something. The replaced program is not there, but its figures are: they are of a quiet hour of another day.
"""

import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from hand_over import SMALL, bare, daemon, emptied

ROUNDS = int(os.environ.get("PICKUP_BENCH_ROUNDS", "5"))
SECONDS = int(os.environ.get("PICKUP_BENCH_SECONDS", "4"))
# Messages a second of the replaced program, which never syncs, on a machine with 2 cores, measured on 2026-11-22 in a
# quiet hour: small ones, and ones of 33 kB.
REPLACED = {("small", 1): 6_042, ("small", 64): 16_490, ("small", 256): 13_071, ("33 kB", 64): 1_449}
PARAGRAPH = (
    '<p class="lead" style="margin:0">The café opens early on Monday, in summer too. Come by and see what is new, and '
    "bring whom you like.</p>\n"
)
NEWSLETTER = {
    "from": "News of the shop <news@example.com>",
    "to": "ann@example.org",
    "subject": "The news of the week",
    "html": PARAGRAPH * 200,
    "text": "The café opens early on Monday, in summer too.\n" * 100,
}
BODIES = {"small": SMALL, "33 kB": json.dumps(NEWSLETTER, ensure_ascii=False)}


class Load(NamedTuple):
    kind: str
    connections: int
    is_keyed: bool = False


LOADS = [
    Load("small", 1),
    Load("small", 64),
    Load("small", 64, is_keyed=True),
    Load("small", 256),
    Load("33 kB", 64),
    Load("33 kB", 256),
]

SCRIPT = """
local count = 0
local prefix = tostring(os.time()) .. tostring(math.random(1000000000)) .. tostring({}):sub(8)
local file = io.open("%s")
wrk.method, wrk.body = "POST", file:read("*a")
wrk.headers["Content-Type"] = "application/json"
if %s then
    function request()
        count = count + 1
        wrk.headers["Idempotency-Key"] = prefix .. count
        return wrk.format()
    end
end
"""


class Found(NamedTuple):
    rate: float
    slowest: str
    memory: float


def post(folder: Path, load: Load) -> Found:
    """Messages a second, the time that 99 of 100 keep, and the most memory that the daemon took, in MiB."""
    body, script = folder / "body.json", folder / "load.lua"
    body.write_text(BODIES[load.kind], encoding="utf-8")
    script.write_text(SCRIPT % (body, str(load.is_keyed).lower()))
    with daemon(emptied(folder / "pickup")) as (connection, process):
        address = f"http://{connection.host}:{connection.port}/messages"
        command = ["wrk", "-t1", f"-c{load.connections}", f"-d{SECONDS}", "--latency", "-s", script, address]
        done = subprocess.run(command, capture_output=True, check=True, text=True)
        status = Path(f"/proc/{process}/status").read_text()
    assert "Non-2xx" not in done.stdout, done.stdout
    words = done.stdout.split()
    (memory,) = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")]
    return Found(float(words[words.index("Requests/sec:") + 1]), words[words.index("99%") + 1], memory / 1024)


def main() -> None:
    with tempfile.TemporaryDirectory(dir=os.environ.get("PICKUP_BENCH_DIR")) as name:
        folder = Path(name)
        pickup = folder / "pickup"
        pickup.mkdir()
        found: dict[Load, list[Found]] = {load: [] for load in LOADS}
        loops: dict[Load, list[float]] = {load: [] for load in LOADS}
        for _ in range(ROUNDS):
            for load in LOADS:
                found[load].append(post(folder, load))
                octets = next(pickup.iterdir()).stat().st_size
                group = max(load.connections // 2, 1)
                loops[load].append(bare(folder, octets, max(group * 200, 400), group))
        print(f"durable messages a second, medians of {ROUNDS}; load {os.getloadavg()[0]:.1f}")
        columns = ("rate", 9), ("p99", 10), ("MiB", 6), ("bare loop", 11), ("ratio", 7), ("replaced", 10), ("ratio", 7)
        print(f"{'message':14}{'connections':>12}" + "".join(f"{title:>{width}}" for title, width in columns))
        for load in LOADS:
            print(row(load, found[load], statistics.median(loops[load])))


def row(load: Load, found: list[Found], loop: float) -> str:
    rate = statistics.median(each.rate for each in found)
    slowest = sorted(found)[len(found) // 2].slowest
    memory = max(each.memory for each in found)
    replaced = REPLACED.get((load.kind, load.connections))
    beside = f"{replaced:10,}{rate / replaced:7.2f}" if replaced else ""
    kind = load.kind + ", keyed" * load.is_keyed
    return (
        f"{kind:14}{load.connections:12}{rate:9,.0f}{slowest:>10}{memory:6.0f}{loop:11,.0f}{rate / loop:7.2f}{beside}"
    )


if __name__ == "__main__":
    main()
