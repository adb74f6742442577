"""Runs a benchmark and writes what it prints into BENCHMARKS.md: `make bench`.

python tests/support/make_benchmarks.py NAME COMMAND...

The block between `<!-- bench: NAME -->` and `<!-- end -->` becomes the output, with the day and the processor. What
criterion says of outliers and of throughput is left out.
"""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

PAGE = Path(__file__).parent.parent.parent / "BENCHMARKS.md"
ASIDE = re.compile(r"^(?:Found \d+ outliers.*|  \d+ \(\d.*| +thrpt: .*)\n", re.MULTILINE)


def main(name: str, *command: str) -> None:
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    print(run.stdout, end="", flush=True)
    printed = ASIDE.sub("", run.stdout).strip()
    block = f"{datetime.now(UTC):%Y-%m-%d}, {processor()}:\n\n```text\n{printed}\n```"
    page = PAGE.read_text(encoding="utf-8")
    start, end = re.escape(f"<!-- bench: {name} -->\n"), re.escape("<!-- end -->")
    # A function, since the output may hold what a replacement would take for its own.
    made, count = re.subn(
        f"({start}).*?({end})", lambda found: f"{found[1]}\n{block}\n\n{found[2]}", page, flags=re.DOTALL
    )
    if count != 1:
        sys.exit(f"BENCHMARKS.md has {count} blocks of the name {name}")
    PAGE.write_text(made, encoding="utf-8")


def processor() -> str:
    try:
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return f"{found[1] if found else 'unknown processor'}, {os.cpu_count()} cores"


if __name__ == "__main__":
    main(*sys.argv[1:])
