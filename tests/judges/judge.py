"""Judges a pickup file by everything that nobody here wrote, and by the documented rules."""

import json
from collections.abc import Callable
from dataclasses import fields, replace

from made_ids import is_made
from message_rules import broken_rules
from model import Delivery, Expected, expect
from pickup_reader import PickupFile, Recipient, read
from readers import Attachment, ForeignReaders, Reading, excused, normal_address


def judge(message: bytes, octets: bytes, readers: ForeignReaders) -> list[str]:
    """What is wrong with the pickup file `octets` that was made of the JSON `message`."""
    expected = expect(json.loads(message))
    file = read(octets)
    if expected.octets is not None:
        changed = [] if file.message == expected.octets else [f"octets {file.message!r}, not {expected.octets!r}"]
        return changed + judge_delivery(expected.delivery, file)
    wrong = broken_rules(file.message, smtputf8=file.smtputf8) + judge_delivery(expected.delivery, file)
    for reader, reading in readers.read_all(file.message).items():
        wrong += [f"{reader}: {difference}" for difference in compare(reader, expected, reading)]
    return wrong


def judge_delivery(expected: Delivery, file: PickupFile) -> list[str]:
    """Where the envelope and PowerMTA's options are not as expected."""
    got = {
        field.name: getattr(file, field.name)
        for field in fields(Delivery)
        if field.name not in ("sender", "recipients", "notify")
    }
    if expected.envid is None and is_made(file.envid):
        got["envid"] = None
    got["sender"] = normal_address(file.sender)
    got["recipients"] = [normal_address(address) for address in file.addresses]
    got["notify"] = next(iter({recipient.notify for recipient in file.recipients}))
    wrong = [
        f"{name} {value!r}, not {getattr(expected, name)!r}"
        for name, value in got.items()
        if value != getattr(expected, name)
    ]
    return wrong + [complaint for recipient in file.recipients for complaint in judge_recipient(expected, recipient)]


def judge_recipient(expected: Delivery, recipient: Recipient) -> list[str]:
    """A recipient's own DSN parameters: the same requests for all, and no original recipient but itself."""
    wrong = [] if recipient.notify == expected.notify else [f"NOTIFY {recipient.notify}, not {expected.notify}"]
    original = "rfc822;" + recipient.address.replace("+", "+2B").replace("=", "+3D").replace(" ", "+20")
    if recipient.orcpt not in (None, original):
        wrong.append(f"ORCPT {recipient.orcpt}, not {original}")
    return wrong


def without_last_end(body: str) -> str:
    """A body as far as a message can say it: one of a single part cannot say that it has no line end at its end."""
    return body.removesuffix("\n")


def compare(reader: str, expected: Expected, got: Reading, end: Callable[[str], str] = without_last_end) -> list[str]:
    """Where a reading is not as expected, apart from the known faults of the reader itself.

    `end` takes from the end of a body what does not count there.
    """
    wanted = expected.reading
    parts = {
        "subject": (wanted.subject, got.subject or ""),
        "bodies": tuple(
            {name: text for name, body in reading.bodies.items() if (text := end(body))} for reading in (wanted, got)
        ),
        "fields": (wanted.fields, sorted(name for name in got.fields if name != "content-transfer-encoding")),
        "count of values": (len(wanted.values), len(got.values)),
        "count of attachments": (len(wanted.attachments), len(got.attachments)),
    }
    for name in sorted({*wanted.addresses, *got.addresses}):
        parts[name] = (wanted.addresses.get(name), got.addresses.get(name))
    if wanted.message_id is not None:
        parts["message-id"] = (wanted.message_id, got.message_id)
    pairs = [(part, right, seen) for part, (right, seen) in parts.items()]
    pairs += [("value", *pair) for pair in zip(wanted.values, got.values, strict=False)]
    pairs += [("attachment", shown(*pair), pair[1]) for pair in zip(wanted.attachments, got.attachments, strict=False)]
    return [
        f"{part}: {seen!r}, not {right!r}"
        for part, right, seen in pairs
        if right != seen and not excused(reader, part, right, seen)
    ]


def shown(wanted: Attachment, got: Attachment) -> Attachment:
    """The expected part without what the reader never shows."""
    return replace(wanted, parameters=None) if got.parameters is None else wanted
