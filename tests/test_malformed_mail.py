"""SpamAssassin's rules for malformed mail find nothing in any message."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from doors import Command
from pickup_reader import PickupFile, read
from readers.line_process import LineProcess

SCRIPT = Path(__file__).parent / "judges/malformed_mail.pl"
CASES = sorted((Path(__file__).parent / "cases").glob("*/expected.pickup"))

# The rules of SpamAssassin 4 about the form of a message, its header and its parts, not about what it says.
MALFORMED = """
    AXB_XMAILER_MIMEOLE_OL_024C2 BAD_ENC_HEADER BASE64_LENGTH_78_79 BASE64_LENGTH_79_INF BODY_8BITS
    BOGUS_MIME_VERSION CTE_8BIT_MISMATCH CTYPE_001C_A CTYPE_001C_B CTYPE_8SPACE_GIF DATE_SPAMWARE_Y2K
    DSN_NO_MIMEVERSION EMPTY_MESSAGE FROM_BLANK_NAME FROM_ILLEGAL_CHARS HEADER_COUNT_CTYPE HEADER_COUNT_SUBJECT
    HEADER_SPAM HEAD_ILLEGAL_CHARS HEAD_LONG HTML_MISSING_CTYPE INVALID_DATE INVALID_DATE_TZ_ABSURD
    INVALID_MSGID INVALID_TZ_CST INVALID_TZ_EST KB_DATE_CONTAINS_TAB KB_RATWARE_BOUNDARY KB_RATWARE_MSGID
    MIMEPART_LIMIT_EXCEEDED MIME_BAD_ISO_CHARSET MIME_BASE64_BLANKS MIME_BASE64_TEXT MIME_BOUND_DD_DIGITS
    MIME_BOUND_DIGITS_15 MIME_BOUND_EQ_REL MIME_BOUND_MANY_HEX MIME_HEADER_CTYPE_ONLY MIME_HTML_ONLY_MULTI
    MIME_QP_LONG_LINE MIME_SUSPECT_NAME MISSING_DATE MISSING_FROM MISSING_HB_SEP MISSING_HEADERS MISSING_MID
    MISSING_MIMEOLE MISSING_MIME_HB_SEP MISSING_SUBJECT MSGID_DOLLARS_RANDOM MSGID_FROM_MTA_HEADER
    MSGID_HDR_MALF MSGID_NOFQDN1 MSGID_OUTLOOK_INVALID MSGID_RANDY MSGID_SHORT MSGID_SPAM_CAPS
    MSGID_SPAM_LETTERS MULTIPART_ALT_NON_TEXT NONEXISTENT_CHARSET NO_HEADERS_MESSAGE NULL_IN_BODY
    RATWARE_MOZ_MALFORMED RATWARE_OE_MALFORMED SUBJECT_NEEDS_ENCODING SUBJ_ILLEGAL_CHARS TBIRD_SUSP_MIME_BDRY
    TEQF_USR_MSGID_HEX TEQF_USR_MSGID_MALF TO_MALFORMED TT_MSGID_TRUNC TVD_SPACE_ENCODED T_TVD_MIME_EPI
    T_TVD_MIME_NO_HEADERS UNPARSEABLE_RELAY WEIRD_QUOTING
""".split()  # noqa: SIM905
# What a case says on purpose, and no writer could mend.
OWN = {
    "EMPTY_MESSAGE": "the case has no text",
    "MISSING_MIMEOLE": "the case gives X-MSMail-Priority as Outlook does, and not the other fields of Outlook",
    "MISSING_HEADERS": "all recipients of the case are blind",
    "MISSING_SUBJECT": "the case has no subject",
    "MSGID_SHORT": "the case gives a short Message-ID, so that its file stays the same",
}


def has_spamassassin() -> bool:
    if shutil.which("perl") is None:
        return False
    return subprocess.run(["perl", "-MMail::SpamAssassin", "-e1"], capture_output=True, check=False).returncode == 0


# In continuous integration a missing SpamAssassin is an error, not a reason to skip.
pytestmark = pytest.mark.skipif(
    os.environ.get("CI") != "true" and not has_spamassassin(), reason="SpamAssassin is not installed"
)


@pytest.fixture(scope="module")
def spamassassin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LineProcess]:
    state = str(tmp_path_factory.mktemp("spamassassin"))
    with LineProcess("perl", str(SCRIPT), HOME=state, SA_STATE=state) as process:
        yield process


def malformed(spamassassin: LineProcess, message: bytes) -> set[str]:
    return set(spamassassin.ask({"message": message.hex()})["rules"]) & set(MALFORMED)


def test_the_rules_are_heard(spamassassin: LineProcess):
    message = b"From: a\r\nDate: yesterday\r\nMIME-Version: 2\r\n\r\nx\r\n"
    assert malformed(spamassassin, message) >= {"MISSING_MID", "INVALID_DATE", "MISSING_SUBJECT", "BOGUS_MIME_VERSION"}


def test_no_case_is_malformed(spamassassin: LineProcess):
    found = {path.parent.name: malformed_messages(spamassassin, read(path.read_bytes())) - set(OWN) for path in CASES}
    assert {case: rules for case, rules in found.items() if rules} == {}


def malformed_messages(spamassassin: LineProcess, file: PickupFile) -> set[str]:
    """What is found in any message of the file."""
    messages = [expansion.message for expansion in file.expansions] or [file.message]
    return set().union(*(malformed(spamassassin, message) for message in messages))


def test_what_is_made_here_is_not_malformed(spamassassin: LineProcess, binary: Path):
    """Date, Message-ID and boundaries of the product's own making."""
    message = b"""{"from": "Ann Lee <ann@example.com>", "to": "bo@example.org", "subject": "Hello there",
        "text": "Good morning, this is a text of a few words.",
        "html": "<html><body><p>Good morning.</p></body></html>",
        "attachments": [{"filename": "report.pdf", "content": "JVBERi0="}]}"""
    assert malformed(spamassassin, Command(binary).render(message)) == set()
