"""Mail merge from Python: variables that are Python values, recipients that are rows, receipts."""

import asyncio
import csv
import gc
import io
import pickle
import sqlite3
import subprocess
import sys
import threading
from collections import UserDict
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from email import message_from_bytes
from email.headerregistry import Address
from email.policy import SMTP
from fractions import Fraction
from pathlib import Path, PurePosixPath
from uuid import UUID

import pytest

import pmtaemail
from pickup_reader import read
from python_messages import MESSAGE, Priority, Shouting

MERGE = {"from": "shop@example.com", "subject": "News", "template": "merge", "text": "{{ x }}."}


def filled(value: object) -> str:
    """What the mail says where the template puts the value in."""
    mail = pmtaemail.render(MERGE, recipients=[{"address": "ann@example.org", "variables": {"x": value}}])
    return message_from_bytes(mail, policy=SMTP).get_content().strip().removesuffix(".")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("å", "å"),
        (Shouting("Hello"), "Hello"),
        (5, "5"),
        (-5, "-5"),
        (2**64 - 1, "18446744073709551615"),
        (1.5, "1.5"),
        (Fraction(3, 2), "1.5"),
        (1.0, "1.0"),
        (1e22, "1e+22"),
        (-0.0, "-0.0"),
        (12345678901234567890123, "12345678901234567890123"),
        (-(10**400), "-1" + "0" * 400),
        (True, "true"),
        (Priority.HIGH, "high"),
        (Decimal("19.90"), "19.90"),
        (Decimal("1E+2"), "1E+2"),
        (Decimal("0E-10"), "0E-10"),
        (Decimal("-0.10"), "-0.10"),
        (Decimal("12345678901234567890123.450"), "12345678901234567890123.450"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (date(2026, 1, 2), "2026-01-02"),
        (time(3, 4), "03:04:00"),
        (datetime(2026, 1, 2, 3, 4), "2026-01-02T03:04:00"),
        (PurePosixPath("a/b"), "a/b"),
    ],
    ids=repr,
)
def test_variables_are_python_values(value, text):
    assert filled(value) == text


def test_variables_lie_in_one_another():
    class Cart:
        def keys(self):
            return ["lines"]

        def __getitem__(self, name):
            return ({"title": title} for title in ("a", "b"))

    template = {**MERGE, "template": "jinja", "text": "{% for line in cart.lines %}{{ line.title }} {% endfor %}"}
    for cart in (Cart(), {"lines": ({"title": "a"}, UserDict(title="b"))}):
        mail = pmtaemail.render(template, recipients=[{"address": "ann@example.org", "variables": {"cart": cart}}])
        assert mail.endswith(b"\r\n\r\na b \r\n") or mail.endswith(b"\r\n\r\na b=20\r\n")


@pytest.mark.parametrize("value", [b"x", float("nan"), Decimal("Infinity"), Decimal("sNaN")], ids=repr)
def test_what_no_text_can_represent_has_the_wrong_type(value):
    recipients = ["ann@example.org", {"address": "bo@example.org", "variables": {"x": value, "y": 1}}]
    problems = pmtaemail.check(MERGE, variables={"x": 1}, recipients=recipients)
    assert [(problem.code, problem.pointer) for problem in problems] == [("wrong_type", "/recipients/1/variables/x")]


@pytest.mark.parametrize(
    ("value", "error", "place"),
    [
        (object(), TypeError, "/x"),
        (timedelta(1), TypeError, "/x"),
        ([1, {"y": 1j}], TypeError, "/x/1/y"),
    ],
    ids=["object", "time span", "complex number"],
)
def test_what_a_variable_cannot_be_is_refused_at_its_place(value, error, place):
    with pytest.raises(error) as refused:
        filled(value)
    assert refused.value.__notes__ == [f"in the message at /recipients/0/variables{place}"]


def names(pickup: Path, receipt: pmtaemail.Receipt) -> list[tuple[str, bytes]]:
    """The recipients of a merge's files, and what stands in each message."""
    files = [read((pickup / file).read_bytes()) for file in receipt.files]
    found = [(one.recipient, one.message) for file in files for one in file.expansions]
    found += [(file.addresses[0], file.message) for file in files if not file.expansions]
    return [(address, message.rpartition(b"\r\n\r\n")[2].strip()) for address, message in found]


@pytest.mark.parametrize("merge", ["native", "expanded"])
def test_recipients_may_be_rows(tmp_path: Path, merge: str):
    """Lines of CSV, rows of a database."""
    rows = csv.DictReader(io.StringIO("email,x\nann@example.org,1\nbo@example.org,2\n"))
    database = sqlite3.connect(":memory:")
    database.row_factory = sqlite3.Row
    cursor = database.execute("VALUES ('ann@example.org', 1), ('bo@example.org', 2)")
    pickup = pmtaemail.Pickup(tmp_path, durability="none")
    for recipients in (
        ({"address": row["email"], "variables": row} for row in rows),
        ({"address": row["column1"], "variables": {"x": row["column2"], "row": row}} for row in cursor),
        database.execute("SELECT 'ann@example.org' AS address UNION SELECT 'bo@example.org' ORDER BY address"),
        (Address(addr_spec=f"{name}@example.org") for name in ("ann", "bo")),
    ):
        receipt = pickup.submit(MERGE, variables={"x": 0}, merge=merge, recipients=recipients)
        assert [address for address, _ in names(tmp_path, receipt)] == ["ann@example.org", "bo@example.org"]
    assert receipt.recipients == 2


def test_a_merge_says_who_got_which_envelope_id(tmp_path: Path):
    recipients = [{"address": "ann@example.org"}, {"address": "bo@example.org", "envid": "e"}, "cy@example.org"]
    receipt = pmtaemail.Pickup(tmp_path).submit(MERGE, variables={"x": 1}, recipients=iter(recipients))
    first, second, third = receipt.envids
    assert second is None
    assert len({first, third, receipt.id}) == 3
    assert (receipt.message_id, receipt.recipients, len(receipt.files)) == (None, 3, 1)
    assert receipt.asdict()["envids"] == [first, None, third]
    octets = (tmp_path / receipt.files[0]).read_bytes()
    assert all(f'*envid="{envid}"'.encode() in octets for envid in (first, "e", third))
    single = pmtaemail.Pickup(tmp_path).submit(MESSAGE)
    assert (single.envids, *single.recipient_receipts) == (None,)


def test_a_merge_says_what_each_message_is_known_by(tmp_path: Path):
    recipients = [{"address": f"r{n}@example.org", **({"envid": f"e{n}"} if n % 3 else {})} for n in range(1_000)]
    pickup = pmtaemail.Pickup(tmp_path, durability="none")
    for message, made in ((MERGE, True), ({**MERGE, "messageId": "{{ x }}.{{ address }}@example.org"}, False)):
        rows = [{**row, "variables": {"address": f"r{n}"}} for n, row in enumerate(recipients)]
        receipt = pickup.submit(message, variables={"x": 1}, recipients=iter(rows))
        known = receipt.recipient_receipts
        all_known = [*known]
        assert len(known) == len(all_known) == 1_000
        sent = read((tmp_path / receipt.files[0]).read_bytes()).expansions
        assert [(known.envid, f"<{known.message_id}>") for known in all_known] == [
            (each.envid, message_from_bytes(each.message)["Message-ID"]) for each in sent
        ]
        assert [known.index for known in all_known] == [*range(1_000)]
        assert all(envid in (None, known.envid) for envid, known in zip(receipt.envids, all_known, strict=True))
        assert (all_known[1].message_id == "1.r1@example.org") != made
        assert all_known[999] in known
        assert replace(all_known[0], index=1) not in known
        assert "nobody" not in known
        assert [*pickle.loads(pickle.dumps(receipt)).recipient_receipts] == all_known
        assert "recipient_receipts" not in receipt.asdict()
        first, again = iter(known), iter(known)
        assert [next(first), next(first), next(again)] == [*all_known[:2], all_known[0]]
    prepared = pmtaemail.Pickup(tmp_path).submit_many(
        [{**MERGE, "variables": {"x": 1}, "recipients": recipients}, MESSAGE]
    )
    assert [len(result.recipient_receipts) for result in prepared] == [1_000, 0]


def test_merges_among_many_messages(tmp_path: Path):
    """Some wait for their group, one is too large for that: the receipts are in order all the same."""
    people = ["ann@example.org"] * 30
    small = {**MERGE, "variables": {"x": 1}, "recipients": people}
    large = {**small, "merge": "expanded", "text": "x" * 50_000}
    broken = {**small, "recipients": ["ann"]}
    pickup = pmtaemail.Pickup(tmp_path)
    messages = [MESSAGE, small, large, broken, {**large, "recipients": people[:3]}, MESSAGE]
    results = pickup.submit_many(messages)
    found = [len(result.files) if isinstance(result, pmtaemail.Receipt) else type(result) for result in results]
    assert found == [1, 1, 30, pmtaemail.MessageError, 3, 1]
    assert [len(result.envids or "") for result in results if isinstance(result, pmtaemail.Receipt)] == [
        0,
        30,
        30,
        3,
        0,
    ]
    assert {name for result in results for name in getattr(result, "files", ())} == {
        file.name for file in tmp_path.iterdir()
    }


def test_a_merge_with_asyncio(tmp_path: Path):
    async def main() -> pmtaemail.Receipt:
        async with pmtaemail.AsyncPickup(tmp_path) as pickup:
            return await pickup.submit(MERGE, recipients=[{"address": "ann@example.org", "variables": {"x": 7}}])

    receipt = asyncio.run(main())
    assert names(tmp_path, receipt) == [("ann@example.org", b"7.")]
    assert len(receipt.envids) == 1


MEMORY = """
import resource, sys
import pmtaemail

pickup = pmtaemail.Pickup(sys.argv[1], durability="none")
message = {"from": "shop@example.com", "merge": "expanded", "text": "x" * 100_000}
def submit(count):
    recipients = (f"r{number}@example.org" for number in range(count))
    if many:
        receipts = pickup.submit_many([{**message, "recipients": recipients}])
    else:
        receipts = [pickup.submit(message, recipients=recipients)]
    return sum(receipt.octets for receipt in receipts), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
for many in (False, True):
    submit(10)
_, before = submit(10)
for many in (False, True):
    octets, after = submit(1_000)
    print(octets, after - before)
"""


def test_the_files_of_an_expanded_merge_are_not_all_in_memory(tmp_path: Path):
    command = [sys.executable, "-c", MEMORY, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parent / "../python")
    for line in done.stdout.splitlines():
        octets, grown = map(int, line.split())
        assert octets > 100_000_000
        assert grown < 20_000_000


@pytest.mark.parametrize("merge", ["native", "expanded"])
def test_the_interpreter_is_free_while_a_merge_is_made(tmp_path: Path, merge: str):
    """The texts of the message are Python's own meanwhile: nothing that others do may change them."""
    pickup = pmtaemail.Pickup(tmp_path)
    people = [{"address": f"r{number}@example.org", "variables": {"x": f"{number} here"}} for number in range(2_000)]
    expected = [(person["address"], f"{person['variables']['x']}.".encode()) for person in people]
    receipts = []
    reading, done = threading.Event(), threading.Event()

    class Headers(UserDict):
        def items(self):
            reading.set()
            return super().items()

    # The headers are read last.
    message = {**MERGE, "merge": merge, "recipients": people, "headers": Headers(x_long="y" * 500)}

    def work():
        receipts.append(pickup.submit(message))
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    reading.wait()
    turns = 0
    while not done.wait(0):
        for person in people:
            person.clear()
        message.clear()
        gc.collect(0)
        turns += 1
    thread.join()
    assert turns > 0
    assert names(tmp_path, receipts[0]) == expected
