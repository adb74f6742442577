"""`sendmail`: what cron, PHP and git call. Its options are those of sendmail(8) and of Postfix's sendmail(1)."""

import email
import email.policy
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pickup_reader import read

SIGNED = b"DKIM-Signature: x\nFrom: a@example.com\nDate: Mon, 23 Nov 2026 05:33:54 +0000\nMessage-ID: <1@b>\n"
EX_USAGE, EX_DATAERR, EX_CANTCREAT, EX_TEMPFAIL = 64, 65, 73, 75
MAIL = b"Subject: Hello\nTo: bo@example.org\nBcc: cy@example.org\n\nHello\n"


def domain_of_host() -> str:
    path = Path("/etc/mailname")
    mailname = path.read_text().split("\n")[0].strip() if path.exists() else ""
    is_label = re.compile(r"(?!..--)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE).fullmatch
    names = (name.removesuffix(".") for name in (mailname, socket.gethostname()))
    domains = (name for name in names if len(name) <= 189 and all(map(is_label, name.split("."))))
    return next(domains, "localhost.localdomain")


HOST = domain_of_host()


@pytest.fixture
def pickup(tmp_path: Path) -> Path:
    path = tmp_path / "pickup"
    path.mkdir()
    return path


@pytest.fixture
def environment(pickup: Path) -> dict[str, str]:
    return {**os.environ, "PMTAEMAIL_PICKUP": str(pickup), "LOGNAME": "ann", "USER": "ben"}


@pytest.fixture(params=["link", "subcommand"])
def program(request: pytest.FixtureRequest, binary: Path, tmp_path: Path) -> list[str]:
    """The program as sendmail: by its own name, or by its first argument."""
    if request.param == "subcommand":
        return [str(binary), "sendmail"]
    (tmp_path / "sendmail").symlink_to(binary)
    return [str(tmp_path / "sendmail")]


@pytest.fixture
def sendmail(program: list[str], environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess]:
    def run(*arguments: str, mail: bytes = MAIL, **more: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [*program, *arguments],
            input=mail,
            capture_output=True,
            env={**environment, **more},
            check=False,
            timeout=60,
        )

    return run


@pytest.fixture
def sent(sendmail, pickup: Path):
    """Runs sendmail, which must go well and say nothing, and reads the file that it hands over."""

    def sent(*arguments: str, **more):
        done = sendmail(*arguments, **more)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        (path,) = pickup.iterdir()
        octets = path.read_bytes()
        path.unlink()
        file = read(octets)
        assert file.envid == path.stem or "-V" in arguments
        return file

    return sent


def fields(file):
    return email.message_from_bytes(file.message, policy=email.policy.default)


def test_recipients_of_the_header(sent):
    file = sent("-t", "-i", "-f", "bounce@example.com")
    assert (file.sender, file.addresses) == ("bounce@example.com", ["bo@example.org", "cy@example.org"])
    assert file.message.endswith(b"\r\nSubject: Hello\r\nTo: bo@example.org\r\n\r\nHello\r\n")
    mail = fields(file)
    assert mail["From"] == "bounce@example.com"
    assert mail["Date"]
    assert mail["Message-ID"] == f"<{file.envid}@example.com>"


def test_recipients_of_both(sent):
    assert sent("-t", "di@example.org").addresses == ["di@example.org", "bo@example.org", "cy@example.org"]


def test_recipients_of_the_command_line_alone(sent):
    file = sent("di@example.org", "El <el@example.org>, fy@example.org", "di@example.org")
    assert file.addresses == ["di@example.org", "el@example.org", "fy@example.org"]
    assert b"Bcc" not in file.message


@pytest.mark.parametrize(
    "mail",
    [
        b"To: bo@example.org\r\nSubject: a\rBcc: eve@example.org\r\n\r\nHello\r\n",
        b"To: bo@example.org\r\nX-App: 1\r\r\nBcc: eve@example.org\r\nSubject: a\r\n\r\nHello\r\n",
        b"To: bo@example.org\n\rBcc: eve@example.org\n\nHello\n",
    ],
)
def test_a_cr_ends_no_line_of_the_header(sendmail, pickup: Path, mail: bytes):
    done = sendmail("-t", mail=mail)
    assert (done.returncode, done.stdout) == (65, b"")
    assert b"control_character" in done.stderr
    assert not list(pickup.iterdir())


def test_doubled_crs_of_all_lines_are_one(sent):
    file = sent("-t", mail=b"To: bo@example.org\r\r\nSubject: a\r\r\n\r\r\nHello\r\r\n")
    assert (file.addresses, fields(file)["Subject"]) == (["bo@example.org"], "a")
    assert file.message.endswith(b"\r\n\r\nHello\r\n")


def test_who_calls(sent):
    file = sent("bo@example.org")
    assert (file.sender, fields(file)["From"]) == (f"ann@{HOST}", f"ann@{HOST}")
    assert sent("bo@example.org", LOGNAME="").sender == f"ben@{HOST}"
    assert fields(sent("-F", "Jörg Lee", "bo@example.org"))["From"] == f"Jörg Lee <ann@{HOST}>"
    assert fields(sent("-FCronDaemon", "bo@example.org"))["From"] == f"CronDaemon <ann@{HOST}>"


@pytest.mark.parametrize(
    ("login", "address"),
    [
        ("jdoe@corp.example.com", "jdoe@corp.example.com"),
        ("CORP\\jdoe", f'"CORP\\\\jdoe"@{HOST}'),
        ("john doe", f'"john doe"@{HOST}'),
        ("jdoe@my_corp", f'"jdoe@my_corp"@{HOST}'),
        ("a" * 65, f"ben@{HOST}"),
        ("ann\nBcc: eve@example.org", f"ben@{HOST}"),
    ],
)
def test_any_login_name_sends(sent, login: str, address: str):
    """Active Directory's names are addresses, or hold a backslash or a blank. Their cron mail goes too."""
    cron = (
        b"Subject: [cron] x\nTo: root\nFrom: root (Cron Daemon)\nMIME-Version: 1.0\n"
        b"Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\nX-Cron-Env: <SHELL=/bin/sh>\n\nok\n"
    )
    file = sent(
        "-i", "-FCronDaemon", "-B8BITMIME", "-oem", login if "@corp" in login else "root", mail=cron, LOGNAME=login
    )
    assert file.sender == address
    assert f"\r\nFrom: root@{HOST} (Cron Daemon)\r\n".encode() in file.message
    file = sent("bo@example.org", mail=b"Subject: x\n\nHello\n", LOGNAME=login)
    assert f"\r\nFrom: {address}\r\n".encode() in file.message


@pytest.mark.parametrize("sender", ["root@my_host", "root@host.example.", "Cron Daemon", ""])
def test_a_sound_envelope_goes_whatever_from_says(sent, sender: str):
    file = sent("-f", "ann@example.com", "bo@example.org", mail=f"From: {sender}\nSubject: x\n\nHello\n".encode())
    assert (file.sender, file.addresses) == ("ann@example.com", ["bo@example.org"])
    assert f"\r\nFrom: {sender}".encode() in file.message


def test_local_names_get_a_domain(sent):
    mail = b'From: root (Cron Daemon)\nTo: root\nCc: "Lee, Ann" <ann>, bo@example.org\nSubject: x\n\nHello\n'
    file = sent("-i", "-FCronDaemon", "-B8BITMIME", "-oem", "root", mail=mail)
    assert (file.sender, file.addresses) == (f"ann@{HOST}", [f"root@{HOST}"])
    assert f"\r\nFrom: root@{HOST} (Cron Daemon)\r\nTo: root@{HOST}\r\n".encode() in file.message
    assert f'\r\nCc: "Lee, Ann" <ann@{HOST}>, bo@example.org\r\n'.encode() in file.message
    assert sent("-t", "-f", "root", mail=mail).addresses == [f"root@{HOST}", f"ann@{HOST}", "bo@example.org"]


@pytest.mark.parametrize("sender", ["", "<>"])
def test_the_null_reverse_path(sent, sender: str):
    file = sent("-f", sender, "bo@example.org")
    assert (file.sender, fields(file)["From"]) == ("", f"ann@{HOST}")


@pytest.mark.parametrize("sender", [["-f", "x@example.com"], ["-fx@example.com"], ["-r", "<x@example.com>"]])
def test_senders(sent, sender: list[str]):
    assert sent(*sender, "bo@example.org").sender == "x@example.com"


def test_a_finished_message_is_left_as_it_is(sent):
    mail = b"From: a@example.com\r\nDate: Mon, 23 Nov 2026 05:33:54 +0000\r\nMessage-ID: <1@b>\r\n\r\n.\r\nx\r\n"
    assert sent("-i", "bo@example.org", mail=mail).message == mail


@pytest.mark.parametrize(("options", "ends"), [([], True), (["-bm"], True), (["-i"], False), (["-oi"], False)])
def test_a_lone_dot(sent, options: list[str], ends: bool):
    file = sent(*options, "bo@example.org", mail=b"Subject: x\n\none\n..\n.\ntwo\n")
    assert file.message.endswith(b"\r\n\r\none\r\n..\r\n" + (b"" if ends else b".\r\ntwo\r\n"))


def test_delivery_status_notifications(sent, pickup: Path):
    file = sent("-N", "success,failure", "-R", "hdrs", "-V", "e1", "bo@example.org")
    assert file.envid == "e1"
    assert (file.recipients[0].notify, file.ret) == (("SUCCESS", "FAILURE"), "HDRS")


def test_options_without_meaning_here(sent):
    options = [
        "-oem",
        "-odb",
        "-o7",
        "-O",
        "DeliveryMode=b",
        "-Am",
        "-G",
        "-U",
        "-v",
        "-h",
        "3",
        "-L",
        "tag",
        "-X",
        "f",
    ]
    assert sent(*options, "-ti", "--", "-x@example.org").addresses[0] == "-x@example.org"


def test_a_text_without_a_header(sent):
    assert sent("bo@example.org", mail=b"Hello: there\nyou\n").message.endswith(b"\r\nHello: there\r\n\r\nyou\r\n")
    assert sent("bo@example.org", mail=b"From ann Mon Nov 23\nX: y\n\nHi\n").message.endswith(b"\r\nX: y\r\n\r\nHi\r\n")
    assert sent("bo@example.org", mail=b"Hello\n").message.endswith(b"\r\n\r\nHello\r\n")


def test_obsolete_header_lines_are_read_as_postfix_does(sent):
    mail = (
        b"To: bo@example.org\nSubject: News\nContent-type : text/html; charset=utf-8\nX-Mailer: PHP\n\n<p>Hello</p>\n"
    )
    file = sent("-t", mail=mail)
    mail = fields(file)
    assert (file.addresses, mail["Subject"], mail.get_content_type()) == (["bo@example.org"], "News", "text/html")
    assert (mail["X-Mailer"], mail.get_content()) == ("PHP", "<p>Hello</p>\r\n")
    assert sent("-t", mail=b"To : bo@example.org\nBcc\t: cy@example.org\n\nHi\n").addresses == [
        "bo@example.org",
        "cy@example.org",
    ]


@pytest.mark.parametrize("lines", [b"", b"From joe Mon Nov 23 05:33:54 2026\n", b">>From a b\r\n>From a\n"])
def test_from_lines_are_left_out(sent, lines: bytes):
    mail = b">From joe Mon Nov 23 05:33:54 2026\nSubject: x\nTo: bo@example.org\n\nhi\n"
    file = sent("-t", mail=lines + mail)
    assert file.addresses == ["bo@example.org"]
    assert b"joe" not in file.message
    assert file.message.endswith(b"\r\nSubject: x\r\nTo: bo@example.org\r\n\r\nhi\r\n")


def test_a_header_whose_last_line_has_no_end(sent):
    file = sent("-t", mail=b"Subject: x\nTo: bo@example.org")
    assert (file.addresses, fields(file)["Subject"]) == (["bo@example.org"], "x")


@pytest.mark.parametrize("body", ["x" * 5_000, "a\0b", "10%\r20%\r30%", "é" * 998, f"-- \n.{'--a ' * 400}\n\n"])
def test_a_body_that_cannot_be_sent_is_encoded(sent, body: str):
    """What cron and bsd-mailx pass on is whatever a program printed."""
    for header in [
        b"",
        b"MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n",
    ]:
        file = sent("-i", "bo@example.org", mail=b"Subject: x\n" + header + b"\n" + body.encode())
        mail = fields(file)
        assert (mail["MIME-Version"], mail["Content-Transfer-Encoding"]) == ("1.0", "quoted-printable")
        assert all(len(line) <= 76 for line in file.message.partition(b"\r\n\r\n")[2].split(b"\r\n"))
        assert mail.get_payload(decode=True).rstrip(b"\r\n") == body.replace("\n", "\r\n").encode().rstrip(b"\r\n")
        assert mail.get_content_charset() in ("utf-8", None if body.isascii() else "utf-8")


def test_the_part_that_needs_it_is_encoded(sent):
    long, base64 = "x" * 2_000, "QUFB" * 500
    mail = email.message_from_string(
        f"""\
Subject: x
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=a

--a
Content-Type: multipart/alternative; boundary=b

--b

as it is = é
--b
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: 8bit

{long}é
--b--
--a
Content-Type: application/pdf
Content-Transfer-Encoding: base64

{base64}
--a
Content-Type: message/rfc822

Subject: inner

{long}
--a--
"""
    )
    file = sent("-i", "bo@example.org", mail=mail.as_string().encode())
    plain, html, pdf, inner = (part for part in fields(file).walk() if not part.is_multipart())
    assert plain.get_payload(decode=True) == "as it is = é".encode()
    assert (html["Content-Transfer-Encoding"], html.get_content()) == ("quoted-printable", f"{long}é")
    assert pdf.get_payload(decode=True) == b"AAA" * 500
    assert inner.get_payload(decode=True) == long.encode()
    assert all(len(line) <= 998 for line in file.message.split(b"\r\n"))


def test_addresses_that_are_there_twice_are_joined(sent):
    """PHP's mail() writes To itself, and its callers among their own fields again."""
    mail = (
        b"To: bo@example.org\nSubject: x\nCc: root\nTo: Cy <cy@example.org>,\n di@example.org\nSubject: x\n"
        b"CC: el@example.org\n\nHi\n"
    )
    file = sent("-t", "-i", mail=mail)
    assert set(file.addresses) == {f"{name}@example.org" for name in ("bo", "cy", "di", "el")} | {f"root@{HOST}"}
    mail = fields(file)
    assert mail.get_all("To") == ["bo@example.org, Cy <cy@example.org>, di@example.org"]
    assert (mail.get_all("Cc"), mail.get_all("Subject")) == ([f"root@{HOST}, el@example.org"], ["x"])


def test_options_after_recipients(sent):
    file = sent("di@example.org", "-t", "-i", "-f", "bounce@example.com", "el@example.org", "-N", "never")
    assert file.sender == "bounce@example.com"
    assert file.addresses == ["di@example.org", "el@example.org", "bo@example.org", "cy@example.org"]
    assert file.recipients[0].notify == ("NEVER",)


def long_options(binary: Path, *command: str) -> list[str]:
    text = subprocess.run([binary, *command, "--help"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^ +(?:-\w, )?--([a-z-]+)", text, re.MULTILINE)


def test_own_options_mail_to_nobody(sendmail, binary: Path, pickup: Path):
    commands = [[], ["serve"], ["check"], ["render"], ["submit"]]
    options = {option for command in commands for option in long_options(binary, *command)}
    assert {"pickup", "listen", "json", "recipient", "ndjson", "help", "version"} <= options
    options |= {"envid", "job", "vmta", "sender", "replyTo", "to", "from"}
    for option in sorted(options):
        for arguments in [f"-{option} abc a@example.org", f"a@example.org -{option}=abc"]:
            done = sendmail(*arguments.split())
            assert (done.returncode, done.stdout) == (EX_USAGE, b""), arguments
            assert f"-{option} ".encode() in done.stderr
    assert list(pickup.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "mail", "invalid", "addresses"),
    [
        (["-t"], b"To: bo@example.org, x@my_host\n\nHi\n", [b"x@my_host"], ["bo@example.org"]),
        (["-t"], b"To: bo@example.org\nBcc: cy@b@example.org\n\nHi\n", [b"cy@b@example.org"], ["bo@example.org"]),
        (["-t"], b'To: "Cy <cy@example.org\nCc: bo@example.org\n\nHi\n', [b'"Cy <cy@'], ["bo@example.org"]),
        (["a b", "bo@example.org"], MAIL, [b"a b"], ["bo@example.org"]),
        (["bo@example.org, a\x1b[2J\n@b c"], MAIL, [b"a\\u{1b}[2J\\n@b c"], ["bo@example.org"]),
        (["-t", "", "d@e@f"], b"Cc: x@a..b\n\nHi\n", [b"no recipient: : ", b"d@e@f", b"x@a..b"], []),
    ],
)
def test_bad_recipients_keep_nobody_back(sendmail, pickup: Path, arguments, mail, invalid, addresses):
    done = sendmail(*arguments, mail=mail)
    assert (done.returncode, done.stdout) == (EX_DATAERR, b"")
    lines = done.stderr.splitlines()
    assert len(lines) == len(invalid)
    assert all(text in line for text, line in zip(invalid, lines, strict=True))
    files = [read(path.read_bytes()) for path in pickup.iterdir()]
    assert [file.addresses for file in files] == ([addresses] if addresses else [])


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["-bs", "bo@example.org"],
        ["-bp"],
        ["-bi"],
        ["-bd"],
        ["-q"],
        ["-I"],
        ["-f"],
        ["-Z", "bo@example.org"],
        ["-B", "x", "b@c"],
        ["-"],
        ["b@c", "-"],
    ],
)
def test_what_cannot_be_done_is_refused(sendmail, pickup: Path, arguments: list[str]):
    done = sendmail(*arguments)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (EX_USAGE, b"", 1)
    assert list(pickup.iterdir()) == []


def test_headers_of_old_scripts(sendmail, pickup: Path):
    """A header in Latin-1, and one with a line of very many recipients: Postfix carries both."""
    many = ",".join(f"user{number}@example.org" for number in range(100))
    fields = [
        f"To: Jörg <bo@example.org>,{many}",
        "Subject: Straße in Köln",
        "X-App: é",
        "From: ann@example.com (Ännchen)",
    ]
    mail = "\n".join([*fields, "", "Hello\n"])
    done = sendmail("-t", "-i", mail=mail.encode("latin-1"))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    (path,) = pickup.iterdir()
    file = read(path.read_bytes())
    assert len(file.recipients) == 101
    assert file.message.isascii()
    assert all(len(line) <= 998 for line in file.message.split(b"\r\n"))
    message = email.message_from_bytes(file.message, policy=email.policy.default)
    assert (message["Subject"], message["X-App"]) == ("Straße in Köln", "é")
    assert message["To"].addresses[0].display_name == "Jörg"
    assert len(message["To"].addresses) == 101


def test_a_long_line_of_quoted_printable(sendmail, pickup: Path):
    header = b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"
    done = sendmail("bo@example.org", mail=header + b"caf=C3=A9 " * 300 + b"x\n")
    assert (done.returncode, done.stderr) == (0, b"")
    (path,) = pickup.iterdir()
    message = email.message_from_bytes(read(path.read_bytes()).message, policy=email.policy.default)
    assert message.get_content() == "café " * 300 + "x\r\n"


@pytest.mark.parametrize(
    ("arguments", "mail"),
    [
        (["nobody@@example.org"], MAIL),
        (["-f", "a b", "bo@example.org"], MAIL),
        (["-F", "a\nBcc: b@example.org", "bo@example.org"], MAIL),
        (["-t"], b"Subject: x\n\nto nobody\n"),
        (["-V", "a b", "bo@example.org"], MAIL),
        (["-N", "sometimes", "bo@example.org"], MAIL),
        (["bo@example.org"], b"x-receiver: eve@example.org\n\nHello\n"),
        (["bo@example.org"], b"DKIM-Signature: v=1\n" + MAIL),
        (["bo@example.org"], b"X-Token: " + b"x" * 999 + b"\n\nHello\n"),
        (["bo@example.org"], SIGNED + b"Subject: " + b"x " * 999 + b"\n\nHello\n"),
        (["bo@example.org"], SIGNED + b"Subject: Stra\xdfe\n\nHello\n"),
        (["bo@example.org"], SIGNED + b"\n" + b"x" * 999 + b"\n"),
        (["bo@example.org"], SIGNED.replace(b"DKIM-Signature", b"ARC-Seal") + b"\na\rb\n"),
        (["bo@example.org"], b"Content-Type: multipart/signed; boundary=a\n\n--a\n\na\0b\n--a--\n"),
        (["bo@example.org"], b"Content-Transfer-Encoding: x-uuencode\n\n" + b"x" * 999 + b"\n"),
        (["bo@example.org"], b"Subject: x\nSubject: y\n\nHello\n"),
        (["bo@example.org"], b"From: ann@example.com\nFrom: ben@example.com\n\nHello\n"),
    ],
)
def test_problems(sendmail, pickup: Path, arguments: list[str], mail: bytes):
    done = sendmail(*arguments, mail=mail)
    assert (done.returncode, done.stdout) == (EX_DATAERR, b"")
    assert done.stderr
    assert list(pickup.iterdir()) == []


def test_without_its_directory(sendmail, tmp_path: Path):
    done = sendmail("-t", PMTAEMAIL_PICKUP=str(tmp_path / "missing"))
    assert done.returncode == EX_CANTCREAT


def test_with_a_full_disk(program: list[str], environment: dict[str, str], pickup: Path):
    command = ["sh", "-c", 'ulimit -f 64; exec "$@"', "sh", *program, "-t"]
    mail = MAIL + b"0123456789abcde\n" * 65_536
    done = subprocess.run(command, input=mail, env=environment, capture_output=True, check=False)
    assert done.returncode == EX_TEMPFAIL
    assert list(pickup.iterdir()) == []


@pytest.mark.parametrize("arguments", [["--help"]])
def test_help(sendmail, arguments: list[str]):
    done = sendmail(*arguments)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"-t" in done.stdout


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_git_send_email(program: list[str], environment: dict[str, str], pickup: Path, tmp_path: Path):
    usage = subprocess.run(["git", "send-email", "-h"], capture_output=True, check=False)
    if b"--envelope-sender" not in usage.stdout + usage.stderr:
        pytest.skip("git send-email is not installed")
    git = {**environment, "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
    for name in ("AUTHOR", "COMMITTER"):
        git |= {f"GIT_{name}_NAME": "Jörg Lee", f"GIT_{name}_EMAIL": "joerg@example.com"}
    repository = tmp_path / "repository"
    for command in (
        ["git", "init", "-q", str(repository)],
        ["git", "-C", str(repository), "commit", "-q", "--allow-empty", "-m", "Begin"],
    ):
        subprocess.run(command, env=git, check=True)
    (repository / "naïve.txt").write_text("naïve\n.\n")
    for command in (
        ["git", "add", "."],
        ["git", "commit", "-q", "-m", "A naïve change"],
        [
            *("git", "send-email", "--quiet", "--confirm=never", "--from=Jörg Lee <joerg@example.com>"),
            *("--to=bo@example.org", "--cc=cy@example.org", "--bcc=di@example.org", "--suppress-cc=all"),
            *("--envelope-sender=bounce@example.com", f"--sendmail-cmd={' '.join(program)}", "-1"),
        ],
    ):
        subprocess.run(command, cwd=repository, env=git, check=True, stdin=subprocess.DEVNULL)
    (path,) = pickup.iterdir()
    file = read(path.read_bytes())
    assert file.sender == "bounce@example.com"
    assert set(file.addresses) == {"bo@example.org", "cy@example.org", "di@example.org"}
    mail = fields(file)
    assert mail["Subject"] == "[PATCH] A naïve change"
    assert "+naïve\n+.\n" in mail.get_content().replace("\r\n", "\n")


@pytest.mark.skipif(shutil.which("php") is None, reason="PHP is not installed")
def test_php(program: list[str], environment: dict[str, str], pickup: Path):
    code = (
        "exit(mail('Bo <bo@example.org>', '=?utf-8?Q?Hall=C3=B6?=', \"Hello\\n.\\nyou\", "
        "['From' => 'ann@example.com', 'Bcc' => 'cy@example.org'], '-fbounce@example.com') ? 0 : 1);"
    )
    command = ["php", "-d", f"sendmail_path={' '.join(program)} -t -i", "-r", code]
    subprocess.run(command, env=environment, check=True)
    (path,) = pickup.iterdir()
    file = read(path.read_bytes())
    assert (file.sender, file.addresses) == ("bounce@example.com", ["bo@example.org", "cy@example.org"])
    assert fields(file)["Subject"] == "Hallö"
    assert file.message.endswith(b"Hello\r\n.\r\nyou\r\n")
