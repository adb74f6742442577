"""Mail merge over HTTP beside the command: recipients a second, in one run.

`cargo build --release && python cli/bench/merge.py [RECIPIENTS]`. The command reads a file and is the core on one
thread; the daemon gets the same octets over a connection of 127.0.0.1 and answers with the receipt. Both hand over
files to one pickup directory (in `PICKUP_BENCH_DIR`, or where temporary files are). Each row is the quickest of five.
"""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TARGET = os.environ.get("CARGO_TARGET_DIR", Path(__file__).parents[2] / "target")
BINARY = Path(TARGET, "release/pmtaemailapi")
ROUNDS = 5
NAMES = ["Ann", "Jörg", 'Bo "B" Smith', "Наталья"]
CITIES = ["Oslo", "Rome", "São Paulo"]


def html() -> str:
    """12 kB of HTML with five variables."""
    lines = [
        "<!doctype html>",
        "<html><body>",
        "<h1>Hello {{ name }} of {{ city }}</h1>",
        '<p>Your order {{ order }} of {{ amount }} € is <a href="{{ link }}">on its way</a>.</p>',
    ]
    while sum(map(len, lines)) < 12_000:
        lines.append(
            '<p class="lead" style="margin:0">The café opens early on Monday, in summer too. '
            "Come by and see what is new, and bring whom you like.</p>"
        )
    return "\n".join([*lines, "</body></html>\n"])


def recipient(number: int) -> dict:
    return {
        "name": f"Ann Lee {number}",
        "address": f"ann.lee.{number}@example.org",
        "variables": {
            "name": NAMES[number % len(NAMES)],
            "city": CITIES[number % len(CITIES)],
            "order": number * 7_919,
            "amount": "19.90",
            "link": f"https://example.com/orders/{number}?from=newsletter&week=47",
        },
    }


def write(path: Path, count: int) -> None:
    message = {
        "from": "News of the shop <news@example.com>",
        "subject": "The news of the week",
        "template": "merge",
        "html": html(),
    }
    recipients = [recipient(number) for number in range(count)]
    if path.suffix == ".ndjson":
        lines = [json.dumps(value, ensure_ascii=False) for value in (message, *recipients)]
        path.write_text("\n".join(lines), encoding="utf-8")
    else:
        path.write_text(json.dumps({**message, "recipients": recipients}, ensure_ascii=False), encoding="utf-8")


def emptied(pickup: Path) -> None:
    for path in pickup.iterdir():
        path.unlink()


def by_command(path: Path, pickup: Path, durability: str) -> float:
    begin = time.perf_counter()
    command = [BINARY, "submit", "--pickup", pickup, "--durability", durability, path]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begin


def by_http(path: Path, port: int) -> float:
    media_type = "application/x-ndjson" if path.suffix == ".ndjson" else "application/json"
    begin = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port)
    with path.open("rb") as body:
        headers = {"Content-Type": media_type, "Content-Length": str(path.stat().st_size)}
        connection.request("POST", "/messages", body, headers)
        answer = connection.getresponse()
        octets = answer.read()
    assert answer.status == 200, octets
    connection.close()
    return time.perf_counter() - begin


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory(dir=os.environ.get("PICKUP_BENCH_DIR")) as folder:
        pickup = Path(folder, "pickup")
        pickup.mkdir()
        files = [Path(folder, name) for name in ("merge.ndjson", "merge.json")]
        for path in files:
            write(path, count)
        for durability in ("none", "durable"):
            measure(files, pickup, durability, count)


def measure(files: list[Path], pickup: Path, durability: str, count: int) -> None:
    command = [BINARY, "--listen", "127.0.0.1:0", "--pickup", pickup, "--durability", durability]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as daemon:
        try:
            listening = json.loads(daemon.stderr.readline())
            port = int(listening["address"].rpartition(":")[2])
            for path in files:
                commands, requests = [], []
                for _ in range(ROUNDS):
                    emptied(pickup)
                    commands.append(by_command(path, pickup, durability))
                    emptied(pickup)
                    requests.append(by_http(path, port))
                command_rate, http_rate = count / min(commands), count / min(requests)
                print(
                    f"{path.name:<14} durability {durability:<8} command {command_rate:>9,.0f}/s"
                    f"   http {http_rate:>9,.0f}/s   ratio {http_rate / command_rate:.2f}"
                )
        finally:
            daemon.terminate()


if __name__ == "__main__":
    main()
