"""The message rules against messages written by hand: each rule has a message that breaks it, and it alone."""

import pytest

from line_ends import octets
from message_rules import broken_rules

HEAD = (
    'From: =?utf-8?Q?J=C3=BCrgen?= <j@example.com>\nTo: "Lee, Ann" <ann@example.org>,\n bo@example.org\n'
    "Subject: Hello there\nDate: Sun, 23 Nov 2025 05:32:00 +0000\nMessage-ID: <id.1@example.com>\nMIME-Version: 1.0\n"
)
PLAIN = (
    HEAD
    + "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nCaf=C3=A9=20\nx=\ny\n"
)
BOTH = HEAD + (
    'Content-Type: multipart/alternative; boundary="b1"\n\n'
    "--b1\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nHi\n"
    "--b1\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\nSGVsbG8=\n"
    "--b1--\n"
)
ASCII_SUBJECT = "Hello there"


@pytest.mark.parametrize(
    "message",
    [
        PLAIN,
        BOTH,
        PLAIN.replace(ASCII_SUBJECT, "a" * 75),
        PLAIN.replace(ASCII_SUBJECT, "a" * 900),
        PLAIN.replace(ASCII_SUBJECT, ""),
        PLAIN.replace(ASCII_SUBJECT, "=? no word ?="),
        PLAIN.replace("quoted-printable\n\nCaf=C3=A9=20\nx=\ny\n", "8bit\n\nPlain.\n"),
        PLAIN.replace(" " + ASCII_SUBJECT, "\n =?utf-8?B?YQ==?="),
        PLAIN.replace("id.1@example.com", "a" * 80 + "@example.com"),
        PLAIN.replace("Lee, Ann", "Lee, " + "Ann " * 40),
    ],
)
def test_right_messages(message):
    assert broken_rules(octets(message)) == []


def test_utf8_where_it_is_allowed():
    message = octets(PLAIN.replace("bo@", "bö@"))
    assert broken_rules(message) == ["an octet that is not ASCII"]
    assert broken_rules(message, smtputf8=True) == []


BAD_PLAIN = {
    "NUL": (ASCII_SUBJECT, "Hello\0there", "a NUL"),
    "long line": (ASCII_SUBJECT, "a" * 990, "a line of more than 998 octets"),
    "no Date": ("Date:", "X-Date:", "no date field"),
    "no From": ("From:", "X-From:", "no from field"),
    "no Message-ID": ("Message-ID:", "X-Id:", "no message-id field"),
    "no MIME-Version": ("MIME-Version:", "X-MIME:", "no mime-version field"),
    "Date twice": ("Date:", "DATE: Sun, 23 Nov 2025 05:32:00 +0000\nDate:", "more than one date field"),
    "Subject twice": ("Subject:", "Subject: a\nSubject:", "more than one subject field"),
    "Bcc": ("Subject:", "BCC: c@example.org\nSubject:", "a bcc field"),
    "x-receiver": ("Subject:", "X-Receiver: c@example.org\nSubject:", "a x-receiver field"),
    "x-job": ("Subject:", "x-job: c\nSubject:", "a x-job field"),
    "line that is no field": ("Subject:", "Subject", "a header line is not `Name: body`"),
    "no space": ("Subject: ", "Subject:", "a header line is not `Name: body`"),
    "trailing space": (ASCII_SUBJECT, "Hello ", "white space at the end of a header line"),
    "white line": (ASCII_SUBJECT, "Hello\n  ", "a header line of white space alone"),
    "control character": (ASCII_SUBJECT, "Hel\x07lo", "a control character in a header line"),
    "unfolded": (ASCII_SUBJECT, "word " * 20 + "end", "a subject line of more than 78 characters could be folded"),
    "folded at the name": (" " + ASCII_SUBJECT, "\n " + "a" * 75, "a fold behind the name of subject"),
    "wrong day of the week": ("Sun, 23", "Mon, 23", "date is not of its grammar"),
    "no such day": ("Sun, 23 Nov", "Sun, 31 Nov", "date is not of its grammar"),
    "named zone": ("+0000", "GMT", "date is not of its grammar"),
    "Message-ID without brackets": ("<id.1@example.com>", "id.1@example.com", "message-id is not of its grammar"),
    "Message-ID without @": ("<id.1@example.com>", "<id.1>", "message-id is not of its grammar"),
    "MIME-Version": ("MIME-Version: 1.0", "MIME-Version: 1.1", "mime-version is not of its grammar"),
    "unquoted comma": ('"Lee, Ann"', "Lee, Ann", "to is not a list of mailboxes"),
    "empty mailbox": ("bo@example.org", ", bo@example.org", "to is not a list of mailboxes"),
    "trailing comma": ("bo@example.org", "bo@example.org,", "to is not a list of mailboxes"),
    "unquoted dot": ('"Lee, Ann"', "Ann L.", "to is not a list of mailboxes"),
    "group": ("bo@example.org", "friends: bo@example.org;", "to is not a list of mailboxes"),
    "two senders": ("Subject:", "Sender: a@b.example, c@d.example\nSubject:", "sender has more than one mailbox"),
    "long encoded word": (ASCII_SUBJECT, f"\n =?utf-8?Q?{'a' * 64}?=", "an encoded word of more than 75 characters"),
    "long line with an encoded word": (
        ASCII_SUBJECT,
        f"\n {'b' * 40}=?utf-8?Q?a?= {'b' * 30}",
        "a line with an encoded word has more than 76 characters",
    ),
    "half a character": (ASCII_SUBJECT, "=?utf-8?Q?=C3?=", "an encoded word that is not of whole characters"),
    "unknown charset": (ASCII_SUBJECT, "=?klingon?Q?a?=", "an encoded word that is not of whole characters"),
    "unknown encoding of a word": (ASCII_SUBJECT, "=?utf-8?X?a?=", "an encoded word that is not of whole characters"),
    "raw quotation mark in a phrase": ("=C3=BC", "'", "an encoded word that is not of whole characters"),
    "encoded word in an address": (
        "<j@example.com>",
        "<=?utf-8?Q?a?=@example.com>",
        "an encoded word within an address",
    ),
    "empty encoded word": (ASCII_SUBJECT, "=?utf-8?Q??=", "an encoded word that is not of whole characters"),
    "bad Base64": (ASCII_SUBJECT, "=?utf-8?B?YQ?=", "an encoded word that is not of whole characters"),
    "line end in a word": (ASCII_SUBJECT, "=?utf-8?Q?a=0D=0Ab?=", "an encoded word that is not of whole characters"),
    "encoded word in quotes": ("Lee, Ann", "Lee =?utf-8?Q?a?= Ann", "an encoded word within a quoted string"),
    "encoded word not set off": (ASCII_SUBJECT, "a=?utf-8?Q?a?=", "an encoded word that no white space sets off"),
    "encoded word in a quotation": (ASCII_SUBJECT, 'a "=?utf-8?Q?b?= c"', "that no white space sets off"),
    "encoded words not set off": (ASCII_SUBJECT, "=?utf-8?Q?a?==?utf-8?Q?b?=", "that no white space sets off"),
    "encoded word in Message-ID": ("id.1@", "id.1=?utf-8?Q?a?=@", "an encoded word in message-id"),
    "long quoted-printable": ("Caf", "a" * 70, "a quoted-printable line of more than 76 characters"),
    "lower-case quoted-printable": ("=C3=A9", "=c3=a9", "a quoted-printable line that is not of its grammar"),
    "trailing blank": ("=20\n", " \n", "white space at the end of a quoted-printable line"),
    "soft break at the end": ("x=\ny\n", "x=\n", "a soft line break at the end of a body"),
    "wrong charset": ("=C3=A9", "=C3", "text that is not of its charset"),
    "unknown encoding": ("quoted-printable", "uuencode", "an unknown transfer encoding"),
    "control character in 7bit": ("quoted-printable\n\n", "7bit\n\n\x07", "a control character in a 7bit body"),
    "no media type": ("text/plain; ", "plain; ", "a Content-Type without a media type"),
    "bad parameter": ("charset=utf-8", "charset=utf 8", "a Content-Type with a parameter that is not of its grammar"),
    "In-Reply-To without brackets": ("Subject:", "In-Reply-To: a@b\nSubject:", "in-reply-to is not of its grammar"),
    "References with a comma": ("Subject:", "References: <a@b>, <c@d>\nSubject:", "references is not of its grammar"),
    "List-Unsubscribe": ("Subject:", "List-Unsubscribe: https://a\nSubject:", "list-unsubscribe is not of its grammar"),
    "List-Unsubscribe-Post": (
        "Subject:",
        "List-Unsubscribe-Post: One-Click\nSubject:",
        "list-unsubscribe-post is not of its grammar",
    ),
    "List-Unsubscribe twice": (
        "Subject:",
        "List-Unsubscribe: <https://a>\nList-Unsubscribe: <https://b>\nSubject:",
        "more than one list-unsubscribe field",
    ),
    "parameter twice": ("charset=utf-8", "charset=utf-8; Charset=utf-8", "a Content-Type parameter stands twice"),
}
BAD_BOTH = {
    "boundary in content": ("Hi\n", "b1\n", "the boundary stands in the content"),
    "line like a delimiter": ("Hi\n", "--b1x\n", "a line starts with the boundary and is no delimiter"),
    "no closing delimiter": ("--b1--\n", "", "a multipart without its closing delimiter"),
    "preamble": ("\n\n--b1\n", "\n\nPreamble.\n--b1\n", "a multipart with a preamble or an epilogue"),
    "epilogue": ("--b1--\n", "--b1--\nEpilogue.\n", "a multipart with a preamble or an epilogue"),
    "one child": (BOTH[BOTH.rindex("--b1\n") : BOTH.rindex("--b1--")], "", "a multipart with fewer than two children"),
    "no boundary": ('; boundary="b1"', "", "a multipart without a right boundary"),
    "boundary with a blank at its end": ('"b1"', '"b1 "', "a multipart without a right boundary"),
    "multipart with an encoding": (
        "MIME-V",
        "Content-Transfer-Encoding: base64\nMIME-V",
        "a multipart with a transfer",
    ),
    "8bit part": ("base64\n\nSGVsbG8=", "8bit\n\nJürgen", "an 8bit part in a multipart that is not 8bit"),
    "octets that are not 7bit": ("base64\n\nSGVsbG8=", "7bit\n\nJürgen", "an octet that is not ASCII"),
    "disposition": ("base64\n", "base64\nContent-Disposition: form-data\n", "a Content-Disposition of another kind"),
    "file name": (
        "base64\n",
        "base64\nContent-Disposition: attachment; filename=a b\n",
        "a Content-Disposition with a parameter that is not of its grammar",
    ),
    "encoded message": (
        "application/octet-stream",
        "message/rfc822",
        "a message/rfc822 with the transfer encoding base64",
    ),
    "field of a message in a part": ("--b1\nContent", "--b1\nX-Job: a\nContent", "a x-job field in a body part"),
    "part field twice": ("--b1\n", "--b1\nContent-Type: a/b\n", "more than one content-type field in a body part"),
    "no empty line": ("base64\n\n", "base64\n", "no empty line ends a header section"),
    "bad base64": ("SGVsbG8=", "SGVsbG8", "a body that is not base64"),
    "long base64": ("SGVsbG8=", "SGVs" * 20, "a base64 line of more than 76 characters"),
}


@pytest.mark.parametrize(("old", "new", "rule"), BAD_PLAIN.values(), ids=BAD_PLAIN.keys())
def test_bad_messages(old, new, rule):
    assert old in PLAIN
    assert any(rule in broken for broken in broken_rules(octets(PLAIN.replace(old, new, 1))))


@pytest.mark.parametrize(("old", "new", "rule"), BAD_BOTH.values(), ids=BAD_BOTH.keys())
def test_bad_multiparts(old, new, rule):
    assert old in BOTH
    assert any(rule in broken for broken in broken_rules(octets(BOTH.replace(old, new, 1))))


@pytest.mark.parametrize(
    ("message", "rule"),
    [
        (PLAIN.encode(), "the last line does not end with CRLF"),
        (octets(PLAIN) + b"a\nb\r\n", "a bare CR or LF"),
        (octets(PLAIN) + b"a\rb\r\n", "a bare CR or LF"),
        (octets(PLAIN) + b"\xff\r\n", "an octet that is not ASCII"),
        (octets(" a\n" + PLAIN), "a header section starts with a continuation line"),
    ],
)
def test_bad_octets(message, rule):
    assert rule in broken_rules(message)
