"""What a type checker says of the package, and of programs that use it."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from email.headerregistry import Address
from pathlib import Path

import pydantic
import pytest

import pmtaemail

ROOT = Path(__file__).parent.parent

GOOD = """
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from decimal import Decimal
import asyncio
import csv
import dataclasses
from collections.abc import AsyncIterator
import pmtaemail
from pmtaemail import testing

pickup = pmtaemail.Pickup(Path("pickup"), durability="none", syncfs=False, file_mode=0o640, file_group="pmta")
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
# Dicts without an annotation, `email`, keywords whose values are variables.
letter = {"from": {"name": "Shop", "email": "shop@example.com"}, "to": ["ann@example.org"], "subject": "News"}
files = [{"filename": "a.pdf", "content": b"%PDF"}]
everybody = [{"email": "ann@example.org", "variables": {"price": 5}}]
octets = pmtaemail.render(letter, attachments=files, to={"email": "bo@example.org"}, cc=[{"email": "cy@example.org"}])
pickup.submit({"from": "shop@example.com"}, recipients=everybody, priority="high", template="merge")
cy: pmtaemail.Recipient = {"email": "cy@example.org", "priority": "low"}
shop: pmtaemail.Message = {"from": {"email": "shop@example.com"}, "recipients": [cy, {"email": "di@example.org"}]}
pickup.submit_many([letter, shop])
memory = pmtaemail.Pickup.memory()
subjects: list[str | None] = [message.subject for message in memory.messages]
with testing.capture() as outbox:
    sent: testing.SentMessage = outbox[0]
    to: list[str] = sent.to + sent.envelope.rcpt_tos
    contents: list[bytes] = [attachment.content for attachment in sent.attachments]
known: list[pmtaemail.RecipientReceipt] = list(receipt.recipient_receipts)
ids: list[str] = [one.message_id for one in receipt.recipient_receipts if one.index < len(receipt.recipient_receipts)]


@dataclasses.dataclass
class Mail:
    from_: str
    to: list[str]


octets = pmtaemail.render(Mail("shop@example.com", ["ann@example.org"]))
envids: tuple[str | None, ...] = receipt.envids or ()
seeds: int = receipt.seeds or 0
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
        await pickup.submit(merge, recipients=people())
        await pickup.submit_many(letters())
        await pickup.submit_many([message, letter])
        return await pickup.submit(message)


async def people() -> AsyncIterator[pmtaemail.Recipient]:
    yield {"address": "ann@example.org"}


async def letters() -> AsyncIterator[pmtaemail.Message]:
    yield {"from": "shop@example.com"}


asyncio.run(main())
"""

# A dict without an annotation is any mapping, and is checked when it is read.
BAD = [
    'typo: pmtaemail.Message = {"from": "a@example.com", "too": "b@example.com"}',
    'wrong: pmtaemail.Message = {"from": "a@example.com", "subject": 5}',
    'choice: pmtaemail.Message = {"from": "a@example.com", "priority": "urgent"}',
    'inner: pmtaemail.Message = {"from": "a@example.com", "attachments": [{"filname": "a"}]}',
    'whom: pmtaemail.Recipient = {"address": "ann@example.org", "variabels": {}}',
    'pmtaemail.render(from_="a@example.com", too="b@example.com")',
    'pmtaemail.render(from_="a@example.com", priority="urgent")',
    "pmtaemail.render(5)",
    "pmtaemail.render(merge, variables=5)",
    "pickup.submit(merge, recipients=people())",
    'pmtaemail.Pickup("pickup", durability="perhaps")',
    'pmtaemail.check(b"{}")[0].place',
]


def mypy(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mypy", "--config-file", ROOT / "pyproject.toml", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_the_package_is_typed():
    done = mypy()
    assert done.returncode == 0, done.stdout


def mypy_errors(file: Path) -> tuple[set[int], str]:
    command = [sys.executable, "-m", "mypy", "--strict", file]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT / "python", check=False)
    lines = [line for line in done.stdout.splitlines() if ": error: " in line]
    return {int(line.split(":")[1]) for line in lines}, done.stdout


def pyright_errors(file: Path) -> tuple[set[int], str]:
    configuration = {"include": [str(file)], "extraPaths": [str(ROOT / "python")], "pythonVersion": "3.11"}
    (file.parent / "pyrightconfig.json").write_text(json.dumps(configuration))
    command = [ROOT / "tests/node_modules/.bin/pyright", "--outputjson", "--project", file.parent]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = [each for each in json.loads(done.stdout)["generalDiagnostics"] if each["severity"] == "error"]
    return {each["range"]["start"]["line"] + 1 for each in found}, done.stdout


@pytest.mark.parametrize("errors_of", [mypy_errors, pyright_errors])
def test_programs_are_checked(tmp_path: Path, errors_of: Callable[[Path], tuple[set[int], str]]):
    file = tmp_path / "program.py"
    bad = "\n".join(f"{line}  # mistake" for line in BAD)
    file.write_text(f"{GOOD}\n{bad}\n")
    wrong, said = errors_of(file)
    lines = file.read_text().splitlines()
    assert wrong == {number for number, line in enumerate(lines, 1) if line.endswith("# mistake")}, said


def test_pydantic_reads_the_types():
    message = pydantic.TypeAdapter(pmtaemail.Message)
    recipient = pydantic.TypeAdapter(pmtaemail.Recipient)
    given = {
        "from": {"name": "Shop", "email": "shop@example.com"},
        "to": ["ann@example.org", Address("Bob", "bob", "example.org")],
        "date": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "attachments": [{"filename": "a.pdf", "content": memoryview(b"%PDF")}],
        "priority": "high",
    }
    assert pmtaemail.check(message.validate_python(given)) == []
    assert message.validate_json('{"from": "shop@example.com", "subject": "News"}')["subject"] == "News"
    assert recipient.validate_python({"email": "ann@example.org", "priority": 50})["priority"] == 50
    for adapter, wrong in ((message, {"from": "a@example.com", "priority": "urgent"}), (recipient, {"envid": 5})):
        with pytest.raises(pydantic.ValidationError):
            adapter.validate_python(wrong)


def test_the_package_needs_no_typing_extensions():
    program = "import sys; sys.modules['typing_extensions'] = None; import pmtaemail; print(pmtaemail.Message.__name__)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT / "python", check=True
    )
    assert done.stdout == "Message\n"


def test_the_types_are_fresh():
    done = subprocess.run([sys.executable, ROOT / "python/generate_types.py", "--check"], check=False)
    assert done.returncode == 0


def test_the_stubs_name_what_there_is():
    stubtest = [sys.executable, "-m", "mypy.stubtest", "pmtaemail._native", "--ignore-disjoint-bases"]
    done = subprocess.run(stubtest, capture_output=True, text=True, cwd=ROOT / "python", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
