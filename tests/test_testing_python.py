"""What an application sent, as its tests see it: `Pickup.memory()`, `pmtaemail.testing`, the fixture `outbox`."""

import asyncio
import email
import email.policy
import errno
import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path

import pytest

import pmtaemail
from django_mail import BACKEND
from pickup_reader import PickupFile, read
from pickup_reader.expansion import DATE
from pmtaemail import testing
from pmtaemail._native import Prepared

CASES = sorted(Path(__file__).parent.glob("cases/*/expected.pickup"))
RECEIVED = datetime(2026, 1, 1, tzinfo=UTC)
HELLO = {"from": "shop@example.com", "to": "ann@example.org", "subject": "Hello", "text": "Hi!"}


def mails(file: PickupFile) -> list[bytes]:
    """What PowerMTA makes of a pickup file, with the Date as we write one."""
    if file.form != "merge":
        return [file.message]
    return [each.message.replace(DATE.encode(), b"Thu, 1 Jan 2026 00:00:00 +0000") for each in file.expansions]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.parent.name)
def test_each_recipient_gets_what_a_strict_reader_says(path: Path):
    octets = path.read_bytes()
    file = read(octets)
    sent = testing.read(octets, received=RECEIVED.timestamp())
    assert [message.octets for message in sent] == mails(file)
    if file.form == "merge":
        wanted = [(e.sender, [e.recipient], e.envid, e.job, e.vmta, e.priority) for e in file.expansions]
    else:
        wanted = [(file.sender, file.addresses, file.envid, file.job, file.vmta, None)]
    envelopes = [message.envelope for message in sent]
    assert [(e.mail_from, e.rcpt_tos, e.envid, e.job, e.vmta, e.priority) for e in envelopes] == wanted
    assert {(e.verp, e.ret, e.smtputf8) for e in envelopes} == {(file.verp, file.ret, file.smtputf8)}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.parent.name)
def test_a_message_is_decoded_as_python_decodes_it(path: Path):
    for message in testing.read(path.read_bytes(), received=0):
        other = email.message_from_bytes(message.octets, policy=email.policy.default)
        assert [name for name, _ in message.headers] == other.keys()
        assert message.message_id == other["message-id"].strip("<> ")
        assert (message.subject is None) == (other["subject"] is None)
        for name, found in (("to", message.to), ("cc", message.cc)):
            fields = other.get_all(name, [])
            addresses = [utf8(address.addr_spec) for field in fields for address in field.addresses]
            assert [mailbox.rpartition(" <")[2].rstrip(">") for mailbox in found] == addresses
        text = other.get_body(("plain",))
        if text is not None and not text.get_filename():
            wanted = text.get_payload(decode=True).decode(text.get_content_charset("utf-8"))
            assert message.text == wanted.replace("\r\n", "\n").removesuffix("\n")
        named = [attachment for attachment in message.attachments if attachment.filename]
        named = [each for each in named if not each.content_type.startswith("message/")]
        # Blanks at the ends of a name are nothing that readers agree on.
        assert [(each.filename.strip(), each.content) for each in named] == [
            (part.get_filename().strip(), part.get_payload(decode=True))
            for part in leaves(other)
            if part.get_filename()
        ]


def utf8(text: str) -> str:
    """What the standard library could not read as ASCII."""
    return text.encode(errors="surrogateescape").decode()


def leaves(message: EmailMessage) -> list[EmailMessage]:
    """The parts that hold something, without those of enclosed messages."""
    if message.get_content_maintype() != "multipart":
        return [] if message.get_content_maintype() == "message" else [message]
    return [leaf for part in message.iter_parts() for leaf in leaves(part)]


def test_all_parts_of_a_message():
    pickup = pmtaemail.Pickup.memory()
    receipt = pickup.submit(
        {
            "from": {"name": 'Shop "24/7"', "address": "shop@example.com"},
            "to": [Address("Ann Lée", "ann", "example.org"), "bob@example.org"],
            "cc": "cc@example.org",
            "bcc": "Blind@example.org",
            "reply_to": "desk@example.com",
            "sender": "bounce@example.com",
            "subject": "Grüße",
            "text": "a\nb\n",
            "html": "<p>ø</p><img src=cid:logo>",
            "job": "spring",
            "vmta": "m1",
            "headers": {"X-Campaign": "Zürich"},
            "attachments": [
                {"filename": "rechnung ü.pdf", "content": b"%PDF"},
                {"filename": "logo.png", "content": b"png", "cid": "logo"},
            ],
        }
    )
    (message,) = pickup.messages
    assert message.id == message.envelope.envid == receipt.id
    assert message.message_id == receipt.message_id
    assert message.from_ == '"Shop \\"24/7\\"" <shop@example.com>'
    assert (message.to, message.cc) == (["Ann Lée <ann@example.org>", "bob@example.org"], ["cc@example.org"])
    assert (message.bcc, message.reply_to) == (["Blind@example.org"], ["desk@example.com"])
    assert message.envelope == testing.Envelope(
        mail_from="bounce@example.com",
        rcpt_tos=["ann@example.org", "bob@example.org", "cc@example.org", "Blind@example.org"],
        envid=receipt.id,
        job="spring",
        vmta="m1",
    )
    assert (message.subject, message.text, message.html) == ("Grüße", "a\nb", "<p>ø</p><img src=cid:logo>")
    assert message.header("x-campaign") == "Zürich"
    assert message.header("x-other") is None
    assert message.attachments == [
        testing.SentAttachment("logo.png", "image/png", b"png", "inline", "logo"),
        testing.SentAttachment("rechnung ü.pdf", "application/pdf", b"%PDF", "attachment", None),
    ]
    assert message.mime["subject"] == "Grüße"
    # A mailbox is written as fields of a message take it.
    assert pmtaemail.check(from_=message.from_, to=message.to) == []


def test_a_merge_is_in_the_order_of_its_recipients():
    pickup = pmtaemail.Pickup.memory()
    names = ["Ann", "Bo " * 2000, "Cy", "Dée", "Ed"]
    recipients = [
        {"address": f"r{number}@example.org", "variables": {"name": name}} for number, name in enumerate(names)
    ]
    letter = {"from": "shop@example.com", "subject": "To {{ name }}", "text": "{{ name }}", "template": "merge"}
    receipt = pickup.submit(letter, recipients=recipients, job="j")
    assert [message.envelope.rcpt_tos for message in pickup.messages] == [[each["address"]] for each in recipients]
    known = [one.envid for one in receipt.recipient_receipts]
    assert [message.envelope.envid for message in pickup.messages] == known
    assert [message.text for message in pickup.messages] == names
    rendered = pmtaemail.render(letter, recipients=recipients, recipient=2)
    assert (
        pickup.messages[1].mime["subject"] == email.message_from_bytes(rendered, policy=email.policy.default)["subject"]
    )


def test_memory_does_what_a_directory_does():
    pickup = pmtaemail.Pickup.memory()
    assert str(pickup.directory) == ":memory:"
    first = pickup.submit(HELLO, idempotency_key="order-1")
    again = pickup.submit(HELLO, idempotency_key="order-1")
    assert again == first
    assert (first.replayed, again.replayed) == (False, True)
    with pytest.raises(pmtaemail.IdempotencyError):
        pickup.submit(HELLO, idempotency_key="order-1", subject="Other")
    results = pickup.submit_many([HELLO, {"from": 1}, Prepared(HELLO, subject="Prepared")])
    assert [type(result).__name__ for result in results] == ["Receipt", "MessageError", "Receipt"]
    assert [message.subject for message in pickup.messages] == ["Hello", "Hello", "Prepared"]
    pickup.clear()
    assert pickup.messages == []
    assert pickup.submit(HELLO, idempotency_key="order-1").replayed
    assert pickup.messages == []
    # Two of them share nothing.
    assert not pmtaemail.Pickup.memory().submit(HELLO, idempotency_key="order-1").replayed


def test_memory_has_an_end():
    pickup = pmtaemail.Pickup.memory()
    big = {**HELLO, "attachments": [{"filename": "a", "content": bytes(40 << 20)}]}
    results = pickup.submit_many([big] * 6)
    full = [result for result in results if isinstance(result, pmtaemail.PickupError)]
    assert full
    assert "in memory is full; clear it" in str(full[0])
    assert len(pickup.messages) + len(full) == 6
    pickup.clear()
    pickup.submit(big)


def test_a_directory_has_no_messages(tmp_path: Path):
    pickup = pmtaemail.Pickup(tmp_path)
    with pytest.raises(AttributeError, match=r"Pickup.memory\(\)"):
        _ = pickup.messages
    with pytest.raises(AttributeError):
        pickup.clear()


def test_an_application_is_captured_wherever_it_submits(tmp_path: Path):
    before = pmtaemail.Pickup(tmp_path)
    missing = tmp_path / "missing"
    with testing.capture() as outbox:
        assert len(outbox) == 0
        before.submit(HELLO)
        during = pmtaemail.Pickup(missing)
        assert during.directory == missing
        during.submit(HELLO, subject="During", idempotency_key="1")
        thread = threading.Thread(target=during.submit, args=(HELLO,), kwargs={"subject": "Thread"})
        thread.start()
        thread.join()

        async def main() -> None:
            async with pmtaemail.AsyncPickup(missing) as pickup:
                await pickup.submit(HELLO, subject="Async")
                await pickup.submit_many([{**HELLO, "subject": "Many"}])

        asyncio.run(main())
        subjects = ["Hello", "During", "Thread", "Async", "Many"]
        assert [message.subject for message in outbox] == subjects
        assert outbox[-1].subject == "Many"
        assert [message.subject for message in outbox[1:3]] == subjects[1:3]
        own = pmtaemail.Pickup.memory()
        own.submit(HELLO)
        assert (len(outbox), len(own.messages)) == (5, 1)
        with testing.capture() as inner:
            before.submit(HELLO)
        before.submit(HELLO)
        assert (len(inner), len(outbox)) == (1, 6)
        outbox.clear()
        assert list(outbox) == []
        before.submit(HELLO, subject="Last")
    assert list(tmp_path.iterdir()) == []
    assert [message.subject for message in outbox] == ["Last"]

    with pytest.raises(pmtaemail.PickupError) as error:
        during.submit(HELLO)
    assert error.value.errno == errno.ENOENT
    missing.mkdir()
    receipt = during.submit(HELLO)
    assert (missing / receipt.files[0]).exists()
    before.submit(HELLO)
    assert len(outbox) == 1


FORKS = """
import os, threading
import pmtaemail
from pmtaemail import testing

HELLO = {hello}
pickup = pmtaemail.Pickup.memory()
done = threading.Event()

def submit():
    while not done.is_set():
        captured.submit(HELLO)
        pickup.submit(HELLO)
        outbox.clear()
        pickup.clear()

with testing.capture() as outbox:
    captured = pmtaemail.Pickup("/nowhere")
    threads = [threading.Thread(target=submit) for _ in range(3)]
    [thread.start() for thread in threads]
    for _ in range(40):
        child = os.fork()
        if child == 0:
            captured.submit(HELLO)
            pickup.submit(HELLO)
            os._exit(0 if len(outbox) == len(pickup.messages) == 1 else 1)
        assert os.waitpid(child, 0)[1] == 0
    done.set()
    [thread.join() for thread in threads]
"""


def test_a_fork_has_messages_of_its_own(tmp_path: Path):
    environment = {**os.environ, "PYTHONPATH": str(Path(pmtaemail.__file__).parent.parent)}
    program = FORKS.replace("{hello}", json.dumps(HELLO))
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_capture_ends_where_the_test_raises(tmp_path: Path):
    pickup = pmtaemail.Pickup(tmp_path)
    with pytest.raises(ZeroDivisionError), testing.capture():
        raise ZeroDivisionError
    assert (tmp_path / pickup.submit(HELLO).files[0]).exists()


def test_async_memory():
    async def main() -> list[testing.SentMessage]:
        async with pmtaemail.AsyncPickup.memory() as pickup:
            await pickup.submit(HELLO)
            messages = pickup.messages
            pickup.clear()
            assert pickup.messages == []
            return messages

    assert [message.subject for message in asyncio.run(main())] == ["Hello"]


def test_what_is_not_ours_is_refused():
    with pytest.raises(ValueError, match="line 1"):
        testing.read(b"Subject: x\r\n\r\n")
    with pytest.raises(ValueError, match="negative"):
        testing.read(b"", received=-1)


PYTEST = """
import pmtaemail

pickup = pmtaemail.Pickup.memory()

def send():
    return pmtaemail.Pickup("/nowhere").submit({hello})

def test_one(outbox):
    assert not outbox
    send()
    assert outbox[0].text == "Hi!"

def test_the_next_has_an_outbox_of_its_own(outbox):
    assert len(outbox) == 0

def test_without_it_nothing_is_captured():
    try:
        send()
    except pmtaemail.PickupError:
        return
    assert False
"""


def test_the_fixture(tmp_path: Path):
    (tmp_path / "test_it.py").write_text(PYTEST.replace("{hello}", json.dumps(HELLO)))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "pmtaemail._pytest", "-p", "no:cacheprovider", tmp_path]
    environment = {**os.environ, "PYTHONPATH": str(Path(pmtaemail.__file__).parent.parent)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert "3 passed" in done.stdout, done.stdout


def test_djangos_outbox():
    from django.core import mail
    from django.core.mail import EmailMessage
    from django.test import override_settings

    with override_settings(EMAIL_BACKEND="pmtaemail.django.testing.EmailBackend", PMTAEMAIL={}):
        mail.outbox = []
        message = EmailMessage("Hello", "Hi!", "shop@example.com", ["ann@example.org"], bcc=["bo@example.org"])
        assert message.send() == 1
        (kept,) = mail.outbox
        (sent,) = kept.pmtaemail_messages
        assert (sent.subject, sent.text, sent.bcc) == ("Hello", "Hi!", ["bo@example.org"])
        assert kept.pmtaemail_receipt == message.pmtaemail_receipt
        message.subject = "Changed later"
        assert kept.subject == "Hello"
        merge = EmailMessage("News for {{ name }}", "Hello!", "shop@example.com")
        people = [{"address": f"{name}@example.org", "variables": {"name": name}} for name in ("ann", "bo")]
        merge.pmtaemail = {"template": "merge", "recipients": people}
        assert merge.send() == 1
        assert [each.subject for each in mail.outbox[1].pmtaemail_messages] == ["News for ann", "News for bo"]
        with pytest.raises(pmtaemail.MessageError):
            EmailMessage("Hello", "Hi!", "shop@example.com", ["nobody"]).send()
        assert len(mail.outbox) == 2
        del mail.outbox
        message.send()
        assert len(mail.outbox) == 1


def test_djangos_backend_is_captured():
    from django.core.mail import send_mail
    from django.test import override_settings

    settings = override_settings(EMAIL_BACKEND=BACKEND, PMTAEMAIL={"PICKUP": "/nowhere"})
    with settings, testing.capture() as outbox:
        send_mail("Hello", "Hi!", "shop@example.com", ["ann@example.org"])
    assert [message.subject for message in outbox] == ["Hello"]
