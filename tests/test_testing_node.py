"""What Node's `Pickup.memory()` tells of the messages that were submitted to it."""

import base64
from dataclasses import replace
from pathlib import Path

from case_files import GOOD, MERGES, cases
from doors import NodeProcess
from made_ids import KNOWN
from merge_judge import take_apart
from pickup_reader import PickupFile, read
from readers import Attachment, ForeignReaders, attachment, excused, normal_address


def ask(process: NodeProcess, case: Path) -> tuple[str, list[dict], str, list[bytes]]:
    """A case, submitted twice: its id and messages in memory, its id and files on disk."""
    message = base64.b64encode((case / "message.json").read_bytes()).decode()
    answer = process.ask({"verb": "sent", "message": message, "as": "json"})
    submitted = answer["submitted"]
    return answer["id"], answer["messages"], submitted["receipt"]["id"], list(map(base64.b64decode, submitted["files"]))


def octets(sent: dict) -> bytes:
    return base64.b64decode(sent["octets"])


@cases(GOOD)
def test_messages_and_envelopes_are_those_of_the_files(case: Path, node_process: NodeProcess):
    id_in_memory, messages, id_on_disk, files = ask(node_process, case)
    in_memory = [
        {
            **{name: value for name, value in sent["envelope"].items() if name in ENVELOPE},
            "octets": octets(sent),
        }
        for sent in messages
    ]
    if case in MERGES:
        on_disk = [
            {
                **envelope(sent.file),
                "priority": sent.priority,
                "subaccountId": sent.subaccount_id,
                "customMessageId": sent.custom_message_id,
            }
            for sent in take_apart(files)
        ]
    else:
        on_disk = [envelope(read(file)) for file in files]
        assert len(messages) == 1
        on_disk = [{**on_disk[0], "to": [address for file in on_disk for address in file["to"]]}]
    assert in_order(in_memory, id_in_memory) == in_order(on_disk, id_on_disk)


ENVELOPE = {
    "from",
    "to",
    "envid",
    "job",
    "vmta",
    "verp",
    "smtputf8",
    "ret",
    "priority",
    "subaccountId",
    "customMessageId",
}


def envelope(file: PickupFile) -> dict:
    return {
        "from": file.sender,
        "to": file.addresses,
        "envid": file.envid,
        "job": file.job,
        "vmta": file.vmta,
        "verp": file.verp,
        "smtputf8": file.smtputf8,
        "ret": file.ret,
        "octets": file.message,
    }


def in_order(messages: list[dict], made: str) -> list[dict]:
    """The messages in an order of their own, without what is not there, and all with one and the same made id."""

    def known(value: object) -> object:
        if isinstance(value, bytes):
            return value.replace(made.encode(), KNOWN.encode())
        return value.replace(made, KNOWN) if isinstance(value, str) else value

    named = [{name: known(value) for name, value in message.items() if value} for message in messages]
    return sorted(named, key=repr)


# It puts all texts of a message together; here the first is the text, and others are attachments.
SEVERAL_TEXTS = ("raw_bare_cr_in_parts",)


@cases([case for case in GOOD if case.name not in SEVERAL_TEXTS])
def test_what_it_decodes_is_what_mailparser_decodes(case: Path, node_process: NodeProcess, readers: ForeignReaders):
    for sent in ask(node_process, case)[1]:
        theirs = readers.node.read("mailparser", octets(sent))
        ours = {
            # It tells no empty one.
            "subject": sent.get("subject") or None,
            "bodies": {name: sent[name] for name in ("text", "html") if sent.get(name)},
            **{field: mailboxes(sent[name]) for field, name in ADDRESSES.items()},
            "message_id": f"<{sent['messageId']}>",
        }
        seen = {
            "subject": theirs.subject,
            # A last line has an end in a message, which `text` leaves out.
            "bodies": {
                name: text.removesuffix("\n") for name, text in theirs.bodies.items() if text.removesuffix("\n")
            },
            **{field: theirs.addresses.get(field, []) for field in ADDRESSES},
            "message_id": theirs.message_id,
        }
        for part, expected in ours.items():
            assert seen[part] == expected or excused("mailparser", part, expected, seen[part]), part
        parts = attachments(sent)
        assert len(parts) == len(theirs.attachments)
        for expected, told in zip(parts, theirs.attachments, strict=True):
            got = replace(told, parameters=None)
            assert expected == got or excused("mailparser", "attachment", expected, got)


ADDRESSES = {"from": "from", "to": "to", "cc": "cc", "reply-to": "replyTo"}


def mailboxes(found: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(mailbox["name"], normal_address(mailbox["address"])) for mailbox in found]


def attachments(sent: dict) -> list[Attachment]:
    """All files as mailparser lists them: what a program may show in place of the text is one to it."""
    alternatives = [
        attachment(None, media_type, sent[name].encode())
        for name, media_type in (("amp", "text/x-amp-html"), ("calendar", "text/calendar"))
        if sent.get(name)
    ]
    return alternatives + [
        attachment(
            part.get("filename"),
            part["type"],
            base64.b64decode(part["content"]),
            cid=part.get("contentId"),
            disposition=part.get("disposition"),
        )
        for part in sent["attachments"]
    ]
