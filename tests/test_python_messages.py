"""What Python may give as a message, and what it gets back."""

import asyncio
import csv
import dataclasses
import enum
import errno
import gc
import io
import json
import pickle
import sqlite3
import subprocess
import sys
import threading
import weakref
from collections import ChainMap, OrderedDict, UserDict
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from fractions import Fraction
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from uuid import UUID

import pytest

import pmtaemail
from pickup_reader import read

FIXED = {"date": "2026-01-02T03:04:05Z", "messageId": "1@example.com"}
MESSAGE = {"from": "shop@example.com", "to": ["ann@example.org", "bob@example.org"], "text": "Hello", **FIXED}
RENDERED = pmtaemail.render(MESSAGE)


class Priority(enum.Enum):
    HIGH = "high"


class Word(enum.StrEnum):
    SUBJECT = "News"


class OldWord(str, enum.Enum):  # noqa: UP042
    SUBJECT = "News"


class Shouting(str):
    def __str__(self) -> str:
        return "NOT THIS"


@dataclasses.dataclass
class Mail:
    from_: str
    to: list[str]
    text: str
    date: datetime
    message_id: str
    subject: str | None = None


@pytest.mark.parametrize(
    "message",
    [
        json.dumps(MESSAGE),
        json.dumps(MESSAGE).encode(),
        bytearray(json.dumps(MESSAGE).encode()),
        memoryview(json.dumps(MESSAGE).encode()),
        OrderedDict(MESSAGE),
        UserDict(MESSAGE),
        MappingProxyType(MESSAGE),
        ChainMap({}, MESSAGE),
        Mail("shop@example.com", MESSAGE["to"], "Hello", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "1@example.com"),
        {**MESSAGE, "to": ("ann@example.org", "bob@example.org")},
        {**MESSAGE, "to": dict.fromkeys(MESSAGE["to"]).keys()},
        {**MESSAGE, "to": [Address(username="ann", domain="example.org"), "bob@example.org"]},
        {**MESSAGE, "text": Shouting("Hello")},
        {**MESSAGE, "subject": None},
        {**MESSAGE, "date": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)},
    ],
    ids=lambda message: type(message).__name__,
)
def test_every_form_is_the_same_message(message):
    assert pmtaemail.check(message) == []
    assert pmtaemail.render(message) == RENDERED


def test_generators_are_read_once():
    assert pmtaemail.render({**MESSAGE, "to": (address for address in MESSAGE["to"])}) == RENDERED


def test_fields_are_keywords():
    fields = {**MESSAGE}
    from_ = fields.pop("from")
    assert pmtaemail.render(from_=from_, **fields) == RENDERED
    assert pmtaemail.render({"from": from_}, **fields) == RENDERED
    assert pmtaemail.render({"from": from_, **fields, "text": "Bye"}, text="Hello") == RENDERED
    problems = pmtaemail.check({"from": from_}, From="a@example.com")
    assert [problem.pointer for problem in problems if problem.code == "duplicate_field"] == ["/From"]


def test_keywords_beside_json_are_a_mistake():
    with pytest.raises(TypeError, match="not to JSON"):
        pmtaemail.render(json.dumps(MESSAGE), text="Hello")
    with pytest.raises(TypeError, match="missing"):
        pmtaemail.render()


def test_words_of_enumerations():
    assert b"\r\nSubject: News\r\n" in pmtaemail.render(MESSAGE, subject=Word.SUBJECT)
    assert b"\r\nSubject: News\r\n" in pmtaemail.render(MESSAGE, subject=OldWord.SUBJECT)
    assert pmtaemail.render(MESSAGE, priority=Priority.HIGH) == pmtaemail.render(MESSAGE, priority="high")


def test_dates_have_an_offset():
    zone = timezone(timedelta(hours=-3))
    assert b"Date: Fri, 2 Jan 2026 03:04:05 -0300\r\n" in pmtaemail.render(
        MESSAGE, date=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=zone)
    )
    naive = datetime(2026, 1, 2, 3, 4, 5)
    assert [(problem.code, problem.pointer) for problem in pmtaemail.check(MESSAGE, date=naive)] == [
        ("invalid_date", "/date")
    ]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_attachments_are_octets(kind):
    content = bytes(range(256)) * 50
    attachments = [{"filename": PurePosixPath("a.bin"), "content": kind(content)}]
    mail = message_from_bytes(pmtaemail.render(MESSAGE, attachments=attachments), policy=SMTP)
    (part,) = mail.iter_attachments()
    assert (part.get_filename(), part.get_content()) == ("a.bin", content)


def test_a_file_is_an_attachment(tmp_path: Path):
    file = tmp_path / "logo.png"
    file.write_bytes(b"\x89PNG")
    assert pmtaemail.attachment(file, cid="logo") == {"filename": "logo.png", "content": b"\x89PNG", "cid": "logo"}


def test_a_view_with_gaps_is_copied():
    attachments = [{"filename": "a.bin", "content": memoryview(b"a-b-c-")[::2]}]
    mail = message_from_bytes(pmtaemail.render(MESSAGE, attachments=attachments), policy=SMTP)
    assert [part.get_content() for part in mail.iter_attachments()] == [b"abc"]


def test_all_problems_come_at_once():
    message = {"from": "shop@example", "too": 1, "subject": "a\ud800", "to": [b"x", {"address": 5}], "hea\udc00ders": 1}
    problems = pmtaemail.check(message)
    assert [(problem.code, problem.pointer) for problem in problems] == [
        ("unknown_field", "/too"),
        ("lone_surrogate", "/subject"),
        ("wrong_type", "/to/0"),
        ("wrong_type", "/to/1/address"),
        ("lone_surrogate", "/hea\ufffdders"),
    ]
    with pytest.raises(pmtaemail.MessageError) as error:
        pmtaemail.render(message)
    assert error.value.problems == tuple(problems)
    assert isinstance(error.value, ValueError)
    assert isinstance(error.value, pmtaemail.Error)
    assert str(error.value).splitlines()[1].startswith("/subject: lone_surrogate: ")
    copy = pickle.loads(pickle.dumps(error.value))
    assert (type(copy), copy.problems) == (pmtaemail.MessageError, error.value.problems)


def test_what_no_json_can_hold_is_a_type_error_with_its_place():
    with pytest.raises(TypeError, match="type object") as error:
        pmtaemail.check({**MESSAGE, "to": [{"address": object()}]})
    assert error.value.__notes__ == ["in the message at /to/0/address"]
    with pytest.raises(TypeError, match="names"):
        pmtaemail.check({1: 2})
    with pytest.raises(TypeError, match="type object"):
        pmtaemail.check(object())


def test_a_message_within_itself_ends():
    loop: list = []
    loop.append(loop)
    assert {problem.code for problem in pmtaemail.check({**MESSAGE, "to": loop})} == {"wrong_type"}
    deep: dict = {}
    deep["to"] = deep
    assert {problem.code for problem in pmtaemail.check({**MESSAGE, "to": deep})} == {"unknown_field", "missing_field"}


def test_errors_of_the_callers_own_code_pass_through():
    def broken():
        yield "ann@example.org"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        pmtaemail.render({**MESSAGE, "to": broken()})


def test_a_message_that_changes_while_it_is_read():
    message = {**MESSAGE}

    def meddling():
        message.clear()
        gc.collect()
        yield "ann@example.org"
        yield "bob@example.org"

    message["to"] = meddling()
    assert pmtaemail.render(message) == RENDERED


def test_nothing_is_kept():
    class Text(str):
        pass

    text = Text("Hello")
    gone = weakref.ref(text)
    before = sys.getrefcount(MESSAGE)
    pmtaemail.render({**MESSAGE, "text": text})
    del text
    assert gone() is None
    assert sys.getrefcount(MESSAGE) == before


def test_submit(tmp_path: Path):
    pickup = pmtaemail.Pickup(tmp_path)
    receipt = pickup.submit(MESSAGE)
    octets = b"".join((tmp_path / name).read_bytes() for name in receipt.files)
    assert octets.endswith(RENDERED)
    assert receipt.asdict() == {
        "id": receipt.id,
        "messageId": "1@example.com",
        "files": [f"{receipt.id}.eml"],
        "recipients": 2,
        "octets": len(octets),
    }
    assert pickup.directory == tmp_path
    assert isinstance(pickup.directory, Path)
    assert str(tmp_path) in repr(pickup)
    assert pickup.submit(from_="shop@example.com", to="ann@example.org").recipients == 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        receipt.id = "2"


@pytest.mark.parametrize("options", [{}, {"durability": "none"}, {"syncfs": False}])
def test_submit_many_tells_of_each(tmp_path: Path, options):
    def messages():
        for number in range(600):
            yield {**MESSAGE, "subject": f"{number}"} if number % 100 else {"from": 5}
        yield object()

    results = pmtaemail.Pickup(str(tmp_path), **options).submit_many(messages())
    assert len(results) == 601
    assert isinstance(results[-1], TypeError)
    for number, result in enumerate(results[:-1]):
        if number % 100 == 0:
            assert isinstance(result, pmtaemail.MessageError)
        else:
            assert b"\r\nSubject: %d\r\n" % number in (tmp_path / result.files[0]).read_bytes()
    assert len(list(tmp_path.iterdir())) == 594


def test_submit_many_hands_nothing_over_when_the_iterable_fails(tmp_path: Path):
    def messages():
        yield MESSAGE
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        pmtaemail.Pickup(tmp_path).submit_many(messages())
    assert list(tmp_path.iterdir()) == []


def test_a_missing_directory(tmp_path: Path):
    with pytest.raises(pmtaemail.PickupError, match="make the directory") as error:
        pmtaemail.Pickup(tmp_path / "pickup")
    assert isinstance(error.value, OSError)
    assert isinstance(error.value, pmtaemail.Error)
    assert (error.value.errno, error.value.filename) == (errno.ENOENT, str(tmp_path / "pickup"))
    copy = pickle.loads(pickle.dumps(error.value))
    assert (type(copy), copy.errno, str(copy)) == (pmtaemail.PickupError, errno.ENOENT, str(error.value))


def test_a_directory_that_vanishes(tmp_path: Path):
    (tmp_path / "pickup").mkdir()
    pickup = pmtaemail.Pickup(tmp_path / "pickup")
    (tmp_path / "pickup").rmdir()
    with pytest.raises(pmtaemail.PickupError):
        pickup.submit(MESSAGE)
    assert [type(result) for result in pickup.submit_many([MESSAGE, {}, MESSAGE])] == [
        pmtaemail.PickupError,
        pmtaemail.MessageError,
        pmtaemail.PickupError,
    ]


def test_an_unknown_durability(tmp_path: Path):
    with pytest.raises(ValueError, match="durability"):
        pmtaemail.Pickup(tmp_path, durability="perhaps")


def test_many_threads_share_one_pickup(tmp_path: Path):
    pickup = pmtaemail.Pickup(tmp_path)
    receipts: list[pmtaemail.Receipt] = []

    def work():
        receipts.extend(pickup.submit(MESSAGE) for _ in range(10))

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {receipt.files[0] for receipt in receipts} == {file.name for file in tmp_path.iterdir()}
    assert len(receipts) == 160


def test_the_interpreter_is_free_while_a_message_is_handed_over(tmp_path: Path):
    """A thread that waits for the disk holds nobody up."""
    pickup = pmtaemail.Pickup(tmp_path)
    large = {**MESSAGE, "text": "x" * 20_000_000}
    turns = 0
    done = threading.Event()

    def work():
        pickup.submit(large)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    while not done.wait(0):
        turns += 1
    thread.join()
    assert turns > 100


def test_asyncio(tmp_path: Path):
    async def main() -> None:
        async with pmtaemail.AsyncPickup(tmp_path) as pickup:
            receipts = await asyncio.gather(*(pickup.submit(MESSAGE, subject=f"{n}") for n in range(100)))
            assert {receipt.files[0] for receipt in receipts} == {file.name for file in tmp_path.iterdir()}
            with pytest.raises(pmtaemail.MessageError):
                await pickup.submit({})
            first, second = await pickup.submit_many(iter([MESSAGE, {}]))
            assert read((tmp_path / first.files[0]).read_bytes()).recipients
            assert isinstance(second, pmtaemail.MessageError)
            assert pickup.directory == tmp_path

    asyncio.run(main())


def test_the_message_is_read_when_it_is_submitted(tmp_path: Path):
    async def main() -> bytes:
        async with pmtaemail.AsyncPickup(tmp_path) as pickup:
            message = {**MESSAGE}
            submitted = asyncio.ensure_future(pickup.submit(message))
            await asyncio.sleep(0)
            message.clear()
            return (tmp_path / (await submitted).files[0]).read_bytes()

    assert asyncio.run(main()).endswith(RENDERED)


def test_the_version_is_that_of_the_workspace():
    cargo = (Path(__file__).parent.parent / "Cargo.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{pmtaemail.__version__}"\n' in cargo


def finished(**headers: str) -> EmailMessage:
    mail = EmailMessage()
    for name, value in {"From": "shop@example.com", "To": "ann@example.org", "Subject": "News", **headers}.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("Hello\n.\nFrom here")
    return mail


def test_a_finished_message_is_sent_as_it_is():
    mail = finished(Date="Fri, 02 Jan 2026 03:04:05 +0000", Message_ID="<1@example.com>")
    assert pmtaemail.render(mail) == mail.as_bytes(policy=SMTP)


def test_a_finished_message_gets_what_it_must_have():
    got = message_from_bytes(pmtaemail.render(finished()), policy=SMTP)
    assert got["Message-ID"].endswith("@example.com>")
    assert got["Date"].datetime
    assert got["Subject"] == "News"


def test_a_finished_message_with_an_envelope(tmp_path: Path):
    pickup = pmtaemail.Pickup(tmp_path, durability="none")
    receipt = pickup.submit(finished(Bcc="eve@example.org"))
    (file,) = receipt.files
    octets = (tmp_path / file).read_bytes()
    assert read(octets).addresses == ["ann@example.org", "eve@example.org"]
    assert octets.count(b"eve@example.org") == 1
    receipt = pickup.submit(finished(), sender="bounces@example.com", to=["bob@example.org"], job="spring")
    got = read((tmp_path / receipt.files[0]).read_bytes())
    assert (got.sender, got.addresses, got.job) == ("bounces@example.com", ["bob@example.org"], "spring")


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
        (1.0, "1"),
        (True, "true"),
        (Priority.HIGH, "high"),
        (Decimal("19.90"), "19.90"),
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
def test_what_no_text_can_stand_for_is_of_the_wrong_type(value):
    recipients = ["ann@example.org", {"address": "bo@example.org", "variables": {"x": value, "y": 1}}]
    problems = pmtaemail.check(MERGE, variables={"x": 1}, recipients=recipients)
    assert [(problem.code, problem.pointer) for problem in problems] == [("wrong_type", "/recipients/1/variables/x")]


@pytest.mark.parametrize(
    ("value", "error", "place"),
    [
        (object(), TypeError, "/x"),
        (timedelta(1), TypeError, "/x"),
        ([1, {"y": 1j}], TypeError, "/x/1/y"),
        ({None: 1}, TypeError, "/x"),
        (10**400, OverflowError, "/x"),
    ],
    ids=["object", "time span", "complex number", "name that is none", "large number"],
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
    assert pmtaemail.Pickup(tmp_path).submit(MESSAGE).envids is None


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
    people = [{"address": f"r{number}@example.org", "variables": {"x": f"{number} here"}} for number in range(400)]
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
