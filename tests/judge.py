"""Judges a pickup file by everything that nobody here wrote, and by the documented rules."""

import json

from message_rules import broken_rules
from model import Expected, expect
from pickup_reader import PickupFile, read
from readers import NodeReaders, Reading, excused, normal_address, read_all


def judge(message: bytes, octets: bytes, node: NodeReaders) -> list[str]:
    """What is wrong with the pickup file `octets` that was made of the JSON `message`."""
    expected = expect(json.loads(message))
    file = read(octets)
    wrong = broken_rules(file.message, smtputf8=file.smtputf8) + judge_envelope(expected, file)
    for reader, reading in read_all(file.message, node).items():
        wrong += [f"{reader}: {difference}" for difference in compare(reader, expected.reading, reading)]
    return wrong


def judge_envelope(expected: Expected, file: PickupFile) -> list[str]:
    got = [normal_address(address) for address in file.addresses]
    wrong = []
    if got != expected.recipients:
        wrong.append(f"recipients {got}, not {expected.recipients}")
    if normal_address(file.sender) != expected.sender:
        wrong.append(f"sender {file.sender}, not {expected.sender}")
    return wrong


def compare(reader: str, expected: Reading, got: Reading) -> list[str]:
    """Where a reading is not as expected, apart from the known faults of the reader itself."""
    parts = {
        "subject": (expected.subject, got.subject or ""),
        "bodies": (expected.bodies, {name: text for name, text in got.bodies.items() if text}),
        "fields": (expected.fields, sorted(name for name in got.fields if name != "content-transfer-encoding")),
        "attachments": (expected.attachments, got.attachments),
    }
    for name in sorted({*expected.addresses, *got.addresses}):
        parts[name] = (expected.addresses.get(name), got.addresses.get(name))
    if expected.message_id is not None:
        parts["message-id"] = (expected.message_id, got.message_id)
    return [
        f"{part}: {seen!r}, not {wanted!r}"
        for part, (wanted, seen) in parts.items()
        if wanted != seen and not excused(reader, part, wanted, seen)
    ]
