"""Judges the files of a merge: each recipient gets the message that the model fills in by hand, and no other."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime

from judge import compare, judge_delivery
from merge_model import Personal, personal, recipients
from message_rules import broken_rules, split_message
from model import Delivery, Expected, expect
from model.addresses import mailboxes
from pickup_reader import CAUTIOUS, PickupError, PickupFile, Recipient, read
from readers import ForeignReaders, Reading, normal_address


@dataclass(frozen=True)
class Sent:
    """What one recipient gets, as a pickup file of its own: found so, or made of a merge file by expansion."""

    file: PickupFile
    priority: int | None = None
    subaccount_id: str | None = None
    custom_message_id: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        (address,) = self.file.addresses
        return normal_address(address), self.file.envid or ""


def take_apart(files: list[bytes]) -> list[Sent]:
    """What each recipient gets, in the order of the files; raises `PickupError` where a file is not strictly right."""
    return [sent for octets in files for sent in personal_files(read_in_one_way(octets))]


def read_in_one_way(octets: bytes) -> PickupFile:
    """A file that means the same however PowerMTA reads what its guide leaves open."""
    file = read(octets)
    if file.form == "merge":
        for dialect in CAUTIOUS:
            if read(octets, dialect).expansions != file.expansions:
                raise PickupError(f"{dialect} makes something else of it")
        if b"[[" in octets or b"]]" in octets:
            raise PickupError("a bracket stands twice")
    return file


def personal_files(file: PickupFile) -> list[Sent]:
    if file.form != "merge":
        return [Sent(file)]
    return [
        Sent(
            replace(
                file,
                sender=expansion.sender,
                recipients=(Recipient(recipient.address, recipient.notify, recipient.orcpt),),
                message=expansion.message,
                envid=expansion.envid,
                job=expansion.job,
                vmta=expansion.vmta,
                schedule=expansion.schedule,
                expansions=(),
            ),
            expansion.priority,
            expansion.subaccount_id,
            expansion.custom_message_id,
        )
        for recipient, expansion in zip(file.recipients, file.expansions, strict=True)
    ]


def in_order(message: dict, everything: list[Sent]) -> list[Sent]:
    """What was sent, in the order of the recipients, whatever file it stands in.

    Of recipients with one address each must have an envelope id of its own.
    """
    found = defaultdict(list)
    for sent in everything:
        address, envid = sent.key
        found[address].append((envid, sent))
    ordered = []
    for recipient in recipients(message):
        ((_, address),) = mailboxes(recipient["to"])
        candidates = found[address]
        place = next((at for at, (envid, _) in enumerate(candidates) if recipient.get("envid") in (None, envid)), None)
        assert place is not None, f"nothing was sent to {address}"
        ordered.append(candidates.pop(place)[1])
    surplus = [address for address, candidates in found.items() if candidates]
    assert not surplus, f"more was sent than asked for, to {surplus}"
    return ordered


def judge_merge(message: dict, files: list[bytes], readers: ForeignReaders, rendered: list[bytes] = ()) -> list[str]:
    """What is wrong with the files of a merge; `rendered` are the plain messages as the product itself renders them."""
    ordered = in_order(message, take_apart(files))
    wrong = [f"{message_id} stands twice" for message_id in repeated(ordered)]
    for index, sent in enumerate(ordered):
        readings = readers.read_all(sent.file.message)
        complaints = judge_sent(personal(message, index), sent, readings)
        if rendered:
            complaints += judge_beside(sent, readings, rendered[index], readers.read_all(rendered[index]))
        wrong += [f"recipient {index + 1}: {complaint}" for complaint in complaints]
    return wrong


def judge_sent(wanted: Personal, sent: Sent, readings: dict[str, Reading]) -> list[str]:
    """Where what was sent breaks a rule, or is not what the model expects."""
    expected = expect(wanted.message)
    wrong = broken_rules(sent.file.message, smtputf8=sent.file.smtputf8)
    wrong += judge_delivery(merge_delivery(expected.delivery, sent.file), sent.file)
    wrong += differences(readings, dict.fromkeys(readings, expected), lambda body: body.rstrip("\n"))
    if not sent.file.envid:
        wrong.append("no envelope id")
    if sent.file.form == "merge" and not sent.file.bounces_bad_recipients:
        wrong.append("one bad recipient would reject the whole file")
    for name in ("priority", "subaccount_id", "custom_message_id"):
        got, want = getattr(sent, name), getattr(wanted, name)
        if got != want:
            wrong.append(f"{name} {got!r}, not {want!r}")
    if "date" in wanted.message and header_field(sent.file.message, "date") != written_date(wanted.message["date"]):
        wrong.append("another date")
    return wrong


def judge_beside(sent: Sent, readings: dict[str, Reading], rendered: bytes, others: dict[str, Reading]) -> list[str]:
    """Where a reader makes something else of what was sent than of the plain message that the product renders."""
    wrong = [f"beside render: {rule}" for rule in broken_rules(rendered, smtputf8=sent.file.smtputf8)]
    expected = {reader: Expected(delivery=None, reading=as_expected(reading)) for reader, reading in others.items()}
    return wrong + [f"beside render: {difference}" for difference in differences(readings, expected, last_end)]


def last_end(body: str) -> str:
    """A body at whose end of several line ends one counts."""
    return re.sub(r"\n+\Z", "\n", body)


def differences(readings: dict[str, Reading], expected: dict[str, Expected], end: Callable[[str], str]) -> list[str]:
    return [
        f"{reader}: {difference}"
        for reader, reading in readings.items()
        for difference in compare(reader, expected[reader], reading, end)
    ]


def merge_delivery(expected: Delivery, file: PickupFile) -> Delivery:
    """The envelope of a plain message with what a merge may choose: form, and envelope id where none is given."""
    form = file.form if file.form == "merge" else expected.form
    return replace(expected, form=form, envid=expected.envid or file.envid)


def as_expected(reading: Reading) -> Reading:
    """A reading in the shape that expectations have. The Message-ID may have been made for it."""
    return replace(
        reading,
        message_id=None,
        subject=reading.subject or "",
        fields=sorted(name for name in reading.fields if name != "content-transfer-encoding"),
        bodies={name: text for name, text in reading.bodies.items() if text},
    )


def written_date(given: str) -> str:
    """A date of RFC 3339 as a Date field has it."""
    return format_datetime(datetime.fromisoformat(given))


def header_field(message: bytes, name: str) -> str:
    """The body of a header field that stands once."""
    (body,) = [field.body for field in split_message(message)[0] if field.name == name]
    return body


def repeated(everything: list[Sent]) -> set[str]:
    """Message-IDs that stand in more than one message."""
    ids = Counter(header_field(sent.file.message, "message-id") for sent in everything)
    return {message_id for message_id, times in ids.items() if times > 1}
