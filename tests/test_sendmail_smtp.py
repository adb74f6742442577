"""`sendmail -bs`: SMTP on standard input and output, as Symfony Mailer and Alpine speak it with a program."""

import email
import email.policy
import json
import os
import smtplib
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pickup_reader import read

EX_USAGE, EX_IOERR = 64, 74
MAIL = b"From: ann@example.com\r\nTo: bo@example.org\r\nSubject: Hello\r\nMessage-ID: <1@example.com>\r\n\r\nHello\r\n"


class Pipe(smtplib.SMTP):
    """A client at a socket that is open already."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        super().__init__("sendmail", 25, local_hostname="localhost", timeout=60)

    def _get_socket(self, _host: str, _port: int, _timeout: float) -> socket.socket:
        return self.connection


@pytest.fixture
def pickup(tmp_path: Path) -> Path:
    path = tmp_path / "pickup"
    path.mkdir()
    return path


@pytest.fixture
def environment(pickup: Path) -> dict[str, str]:
    return {**os.environ, "PMTAEMAIL_PICKUP": str(pickup), "LOGNAME": "ann@example.com"}


@pytest.fixture
def client(binary: Path, environment: dict[str, str]) -> Iterator[Pipe]:
    """smtplib at one end, the program at the other."""
    ours, theirs = socket.socketpair()
    with (
        ours,
        subprocess.Popen([binary, "sendmail", "-bs", "-odb"], stdin=theirs, stdout=theirs, env=environment) as program,
    ):
        theirs.close()
        pipe = Pipe(ours)
        yield pipe
        pipe.close()
        assert program.wait(60) == 0


@pytest.fixture
def talk(binary: Path, environment: dict[str, str]):
    """Says all at once, as a client that pipelines; the codes of the replies and the exit code come back."""

    def talk(said: bytes, *arguments: str, **more: str) -> tuple[list[str], int]:
        command = [binary, "sendmail", "-bs", *arguments]
        done = subprocess.run(
            command, input=said, capture_output=True, env={**environment, **more}, timeout=60, check=False
        )
        replies = done.stdout.decode("ascii").split("\r\n")
        assert replies.pop() == ""
        assert all(len(reply) <= 510 for reply in replies)
        return [reply for reply in replies if reply[3:4] == " "], done.returncode

    return talk


def files(pickup: Path):
    return sorted((read(path.read_bytes()) for path in pickup.iterdir()), key=lambda file: file.addresses)


def codes(replies: list[str]) -> str:
    return " ".join(reply[:3] for reply in replies)


def test_smtplib(client: Pipe, pickup: Path):
    assert client.sendmail("bounce@example.com", ["bo@example.org", "cy@example.org"], MAIL) == {}
    (file,) = files(pickup)
    assert (file.sender, file.addresses) == ("bounce@example.com", ["bo@example.org", "cy@example.org"])
    mail = email.message_from_bytes(file.message, policy=email.policy.default)
    assert (mail["Subject"], mail["Message-ID"], mail.get_content()) == ("Hello", "<1@example.com>", "Hello\r\n")
    assert mail["Date"]
    assert client.has_extn("8bitmime")
    assert client.has_extn("smtputf8")
    assert not client.has_extn("dsn")
    assert int(client.esmtp_features["size"]) >= 32 << 20
    assert client.quit()[0] == 221


def test_messages_of_one_dialogue(client: Pipe, pickup: Path):
    for number in range(3):
        body = b"Bcc: eve@example.org\r\nSubject: x\r\n\r\n.\r\n..\r\n.hidden\r\n" + b"x" * 2_000 * number
        assert client.sendmail("", [f"{number}@example.org"], body) == {}
    client.rset()
    assert client.noop()[0] == 250
    assert client.verify("ann")[0] == 252
    for number, file in enumerate(files(pickup)):
        assert (file.sender, file.addresses) == ("", [f"{number}@example.org"])
        mail = email.message_from_bytes(file.message, policy=email.policy.default)
        assert (mail["Bcc"], mail["From"]) == (None, "ann@example.com")
        assert mail.get_payload(decode=True).startswith(b".\r\n..\r\n.hidden\r\n" + b"x" * 2_000 * number)


def test_refused_recipients_keep_nobody_back(client: Pipe, pickup: Path):
    refused = client.sendmail("ann@example.com", ["bo@my_host", "cy@example.org", "a@b@c"], MAIL)
    assert {address: code for address, (code, _) in refused.items()} == {"bo@my_host": 553, "a@b@c": 553}
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        client.sendmail("ann@example.com", ["bo@my_host"], MAIL)
    with pytest.raises(smtplib.SMTPSenderRefused):
        client.sendmail("ann@my_host", ["bo@example.org"], MAIL)
    assert [file.addresses for file in files(pickup)] == [["cy@example.org"]]


def test_a_refused_message_ends_no_dialogue(client: Pipe, pickup: Path):
    for mail in [
        b"x-receiver: eve@example.org\r\n\r\n",
        b"DKIM-Signature: x\r\n\r\na\0b\r\n",
        b"Subject: a\rBcc: b@c\r\n\r\n",
    ]:
        # smtplib's own sendmail() mends line ends.
        client.ehlo_or_helo_if_needed()
        assert client.mail("ann@example.com")[0] == 250
        assert client.rcpt("bo@example.org")[0] == 250
        assert client.docmd("DATA")[0] == 354
        client.send(mail + b".\r\n")
        code, text = client.getreply()
        assert (code, text[:6]) == (554, b"5.6.0 ")
        assert b"eve" not in text
    assert list(pickup.iterdir()) == []
    assert client.sendmail("ann@example.com", ["bo@example.org"], MAIL) == {}
    assert len(files(pickup)) == 1


def test_addresses_beyond_ascii(client: Pipe, pickup: Path):
    client.ehlo_or_helo_if_needed()
    client.command_encoding = "utf-8"
    assert client.mail("jörg@example.com") == (553, b"5.6.7 a non-ASCII address needs SMTPUTF8 after MAIL FROM")
    assert client.mail("ann@example.com")[0] == 250
    assert client.rcpt("jörg@example.org")[0] == 553
    assert client.rcpt("bo@bücher.example")[0] == 250
    assert client.rset()[0] == 250
    assert (
        client.sendmail("ann@example.com", ["jörg@example.org"], MAIL, mail_options=["SMTPUTF8", "BODY=8BITMIME"]) == {}
    )
    (file,) = files(pickup)
    assert file.addresses == ["jörg@example.org"]


def test_addresses_are_those_that_were_written(talk, pickup: Path):
    said = (
        b'HELO x\r\nMAIL FROM:<postmaster>\r\nRCPT TO:<"a>\\" b@c"@example.org>\r\nRCPT TO:<root>\r\n'
        b"DATA\r\nA: b\r\n\r\n.\r\nQUIT\r\n"
    )
    replies, code = talk(said, LOGNAME="root")
    assert (codes(replies), code) == ("220 250 250 250 250 354 250 221", 0)
    domain = replies[1].split()[1]
    (file,) = files(pickup)
    assert file.sender == f"postmaster@{domain}"
    assert file.addresses == ['"a>\\" b@c"@example.org', f"root@{domain}"]


def test_symfony(talk, pickup: Path):
    """Symfony Mailer says EHLO with an address literal, and mends each line that begins with a dot."""
    said = (
        b"EHLO [127.0.0.1]\r\nMAIL FROM:<shop@example.com>\r\nRCPT TO:<bo@example.org>\r\nDATA\r\n"
        + MAIL
        + b"..x\r\n\r\n.\r\n"
        b"NOOP\r\nMAIL FROM:<shop@example.com>\r\nRCPT TO:<cy@example.org>\r\nDATA\r\n"
        + MAIL
        + b".\r\nRSET\r\nQUIT\r\n"
    )
    replies, code = talk(said)
    assert (codes(replies), code) == ("220 250 250 250 354 250 250 250 250 354 250 250 221", 0)
    assert replies[-1].startswith("221 2.0.0 ")
    one, two = files(pickup)
    assert one.message.endswith(b"\r\n\r\nHello\r\n.x\r\n\r\n")
    assert two.message.endswith(b"\r\n\r\nHello\r\n")


def test_nodemailer(binary: Path, environment: dict[str, str], pickup: Path):
    def message(to: str, **more: object) -> dict:
        return {
            "from": "Shop <shop@example.com>",
            "to": to,
            "subject": "Grüße",
            "text": f".{'x' * 1_500}\r\n.\r\nEnd",
            **more,
        }

    messages = [
        message("bo@example.org", envelope={"from": "bounce@example.com", "to": ["bo@example.org", "cy@example.org"]}),
        message("di@example.org", bcc="el@example.org"),
        {"raw": "DKIM-Signature: x\r\n\r\na\0b", "envelope": {"from": "a@b.c", "to": "d@e.f"}},
    ]
    command = ["node", "doors/smtp_pipe.mjs", json.dumps(messages), str(binary), "sendmail", "-bs"]
    done = subprocess.run(
        command, env=environment, cwd=Path(__file__).parent, capture_output=True, timeout=60, check=True
    )
    one, two, three = map(json.loads, done.stdout.splitlines())
    assert (one["accepted"], one["rejected"]) == (["bo@example.org", "cy@example.org"], [])
    assert two["accepted"] == ["di@example.org", "el@example.org"]
    assert three["responseCode"] == 554
    assert [file.addresses for file in files(pickup)] == [
        ["bo@example.org", "cy@example.org"],
        ["di@example.org", "el@example.org"],
    ]
    mail = email.message_from_bytes(files(pickup)[0].message, policy=email.policy.default)
    assert mail["Subject"] == "Grüße"
    assert mail.get_content().replace("\r\n", "\n").rstrip("\n") == f".{'x' * 1_500}\n.\nEnd"


def test_lines_of_a_script(talk, pickup: Path):
    """A person or a shell script ends lines with LF alone, and a message too."""
    said = b"EHLO x\nMAIL FROM:<a@example.com>\nRCPT TO:<bo@example.org>\nDATA\nSubject: x\n\none\n..\n.\nQUIT\n"
    replies, code = talk(said)
    assert (codes(replies), code) == ("220 250 250 250 354 250 221", 0)
    assert files(pickup)[0].message.endswith(b"\r\n\r\none\r\n.\r\n")


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r\n", b"\r\n\x00.\r\n", b"\r\n. \r\n"])
def test_no_text_is_read_as_commands(talk, pickup: Path, end: bytes):
    """Where lines end with CRLF, nothing but CRLF, dot, CRLF ends the message."""
    smuggled = b"MAIL FROM:<eve@example.com>\r\nRCPT TO:<victim@example.org>\r\nDATA\r\nSubject: smuggled\r\n"
    said = (
        b"EHLO x\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<bo@example.org>\r\nDATA\r\nSubject: x\r\n\r\none"
        + end
        + smuggled
        + b"\r\n.\r\nQUIT\r\n"
    )
    replies, _ = talk(said)
    assert codes(replies) == "220 250 250 250 354 250 221"
    (file,) = files(pickup)
    assert file.addresses == ["bo@example.org"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"RCPT TO:<a@b>\r\n", "503 5.5.1"),
        (b"DATA\r\n", "503 5.5.1"),
        (b"MAIL FROM:<a@b>\r\nDATA\r\n", "554 5.5.1"),
        (b"MAIL FROM:<a@b>\r\nMAIL FROM:<a@b>\r\n", "503 5.5.1"),
        (b"MAIL FROM:<a@b>\r\nEHLO x\r\nRCPT TO:<a@b>\r\n", "503 5.5.1"),
        (b"MAIL FROM:<a@b>\r\nRSET\r\nRCPT TO:<a@b>\r\n", "503 5.5.1"),
        (b"MAIL\r\n", "501 5.5.4"),
        (b"EHLO\r\n", "501 5.5.4"),
        (b"MAIL FROM:<\xff@b>\r\n", "501 5.5.4"),
        (b"MAIL FROM:<a@b> RET=FULL\r\n", "555 5.5.4"),
        (b"MAIL FROM:<a@b> BODY=BINARYMIME\r\n", "555 5.5.4"),
        (b"MAIL FROM:<a@b> SIZE=1000000000\r\n", "552 5.3.4"),
        (b"MAIL FROM:<a@b> SIZE=x\r\n", "501 5.5.4"),
        (b"MAIL FROM:<a@b>\r\nRCPT TO:<a@b> NOTIFY=NEVER\r\n", "555 5.5.4"),
        (b"MAIL FROM:<a@b>\r\nRCPT TO:<>\r\n", "553 5.1.3"),
        (b"MAIL FROM:<a@b>\r\nRCPT TO:a@b,c@d\r\n", "553 5.1.3"),
        (b"MAIL FROM:<@x:a@b>\r\n", "553 5.1.7"),
        (b"AUTH PLAIN\r\n", "502 5.5.1"),
        (b"STARTTLS\r\n", "502 5.5.1"),
        (b"HACK\r\n", "500 5.5.2"),
        (b"NOOP " + b"x" * 100_000 + b"\r\n", "500 5.5.2"),
        (b"\r\n", "500 5.5.2"),
    ],
)
def test_what_is_refused(talk, pickup: Path, said: bytes, expected: str):
    replies, code = talk(said + b"QUIT\r\n")
    assert (replies[-2][:9], replies[-1][:3], code) == (expected, "221", 0)
    assert list(pickup.iterdir()) == []


def test_a_message_that_is_too_large(talk, pickup: Path):
    start = b"EHLO x\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<bo@example.org>\r\nDATA\r\n"
    replies, code = talk(
        start + (b"x" * 998 + b"\r\n") * (70 << 10) + b".\r\n" + start.partition(b"\r\n")[2] + MAIL + b".\r\nQUIT\r\n"
    )
    assert (codes(replies), code) == ("220 250 250 250 354 552 250 250 354 250 221", 0)
    assert len(list(pickup.iterdir())) == 1


def test_a_pickup_directory_that_is_missing_may_come_back(talk, pickup: Path):
    pickup.rmdir()
    said = b"MAIL FROM:<a@example.com>\r\nRCPT TO:<bo@example.org>\r\nDATA\r\n" + MAIL + b".\r\nQUIT\r\n"
    replies, code = talk(said)
    assert (codes(replies), code) == ("220 250 250 354 451 221", 0)


def test_an_end_within_a_message(talk, pickup: Path):
    replies, code = talk(b"MAIL FROM:<a@example.com>\r\nRCPT TO:<bo@example.org>\r\nDATA\r\n" + MAIL)
    assert (codes(replies), code) == ("220 250 250 354", EX_IOERR)
    assert list(pickup.iterdir()) == []
    assert talk(b"MAIL FROM:<a@example.com>\r\n") == (talk(b"MAIL FROM:<a@example.com>\r\n")[0], 0)


def test_recipients_are_those_of_the_dialogue(binary: Path, environment: dict[str, str]):
    for arguments in (["-bs", "bo@example.org"], ["-bs", "-t"]):
        done = subprocess.run(
            [binary, "sendmail", *arguments], input=b"", capture_output=True, env=environment, check=False
        )
        assert (done.returncode, done.stdout) == (EX_USAGE, b"")
