"""What a type checker says of the package, and of programs that use it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

GOOD = """
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from decimal import Decimal
import asyncio
import csv
import pmtaemail

pickup = pmtaemail.Pickup(Path("pickup"), durability="none", syncfs=False)
message: pmtaemail.Message = {
    "from": {"name": "Shop", "address": "shop@example.com"},
    "to": ["ann@example.org", Address("Bob", "bob", "example.org")],
    "reply_to": "desk@example.com",
    "date": datetime.now(UTC),
    "attachments": [pmtaemail.attachment("a.pdf"), {"filename": "b.bin", "content": memoryview(b"b")}],
    "headers": {"X-Campaign": ["spring", "sale"]},
}
octets: bytes = pmtaemail.render(message)
octets = pmtaemail.render({"from": "shop@example.com", "to": (x for x in ["ann@example.org"])})
octets = pmtaemail.render(from_="shop@example.com", to="ann@example.org", text="Hello")
octets = pmtaemail.render(EmailMessage(), sender="<>", to="ann@example.org")
pointers: list[str] = [problem.pointer for problem in pmtaemail.check(octets)]
receipt: pmtaemail.Receipt = pickup.submit(message, subject="News")
ann: pmtaemail.Recipient = {"address": "ann@example.org", "variables": {"price": Decimal("19.90")}, "priority": 50}
merge: pmtaemail.Message = {"from": "shop@example.com", "template": "merge", "merge": "expanded", "recipients": [ann]}
with open("people.csv", newline="") as file:
    rows = csv.DictReader(file)
    pickup.submit(merge, recipients=({"address": row["email"], "variables": row} for row in rows))
pickup.submit(merge, recipients=[Address("Bob", "bob", "example.org"), {"address": "cy@example.org"}, "di@example.org"])
envids: tuple[str | None, ...] = receipt.envids or ()
for result in pickup.submit_many([message, b"{}"]):
    if isinstance(result, Exception):
        raise result
    print(result.files[0], result.asdict())
try:
    pickup.submit(message)
except pmtaemail.MessageError as error:
    print(error.problems[0].code)
except pmtaemail.PickupError as error:
    print(error.errno, error.filename)


async def main() -> pmtaemail.Receipt:
    async with pmtaemail.AsyncPickup("pickup") as pickup:
        return await pickup.submit(message)


asyncio.run(main())
"""

BAD = [
    'pmtaemail.render({"from": "a@example.com", "too": "b@example.com"})',
    'pmtaemail.render({"from": "a@example.com", "subject": 5})',
    'pmtaemail.render(from_="a@example.com", too="b@example.com")',
    "pmtaemail.render(5)",
    'pmtaemail.render(merge, recipients=[{"address": "ann@example.org", "variabels": {}}])',
    "pmtaemail.render(merge, variables=5)",
    'pmtaemail.Pickup("pickup", durability="perhaps")',
    'pmtaemail.check(b"{}")[0].place',
]


def mypy(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mypy", "--config-file", ROOT / "pyproject.toml", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_the_package_is_typed():
    done = mypy()
    assert done.returncode == 0, done.stdout


def test_programs_are_checked(tmp_path: Path):
    file = tmp_path / "program.py"
    bad = "\n".join(f"{line}  # mistake" for line in BAD)
    file.write_text(f"{GOOD}\n{bad}\n")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", file],
        capture_output=True,
        text=True,
        cwd=ROOT / "python",
        check=False,
    )
    lines = file.read_text().splitlines()
    wrong = {int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error: " in line}
    assert wrong == {number for number, line in enumerate(lines, 1) if line.endswith("# mistake")}, done.stdout


def test_the_types_are_fresh():
    done = subprocess.run([sys.executable, ROOT / "python/generate_types.py", "--check"], check=False)
    assert done.returncode == 0


def test_the_stubs_name_what_there_is():
    stubtest = [sys.executable, "-m", "mypy.stubtest", "pmtaemail._native", "--ignore-disjoint-bases"]
    done = subprocess.run(stubtest, capture_output=True, text=True, cwd=ROOT / "python", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
