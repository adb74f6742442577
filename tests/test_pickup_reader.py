"""The strict pickup reader against files written by hand: each bad one is refused for its own reason."""

import pytest

from line_ends import octets
from pickup_reader import CAUTIOUS, Dialect, PickupError, read

MESSAGE = "From: a@example.com\nSubject: hi\n\nText.\n"
HEADERS = f"x-sender: bounce@example.com\nx-receiver: ann@example.org\nx-receiver: bo@example.org\n{MESSAGE}"
BSMTP = (
    "XACK OFF\nEHLO sender.example.com\nMAIL FROM:<bounce@example.com> RET=HDRS ENVID=a+2B1 VERP\n"
    "RCPT TO:<ann@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Ann+40example.org\nRCPT TO:<bo@example.org>\n"
    "DATA\nx-job: spring\nx-virtual-mta: mta1\nFrom: a@example.com\n\n..dots\n...\n.\n"
)
MERGE = (
    "XACK OFF\nXMRG FROM:<bounce@example.com> VERP\n"
    'XDFN name="Ann" city="[Oslo]"\n'
    'XDFN *vmta="mta1" *jobid="spring" *envid=a-1 *priority=7\nRCPT TO:<ann@example.org>\n'
    'XDFN NAME=Bo city="" *parts=2,3,1\nRCPT TO:<bo@example.org>\n'
    "XPRT 1\nFrom: <shop@example.com>\n.\n"
    "XPRT 2\nTo: [*to]\nDate: [*date]\n.\nXPRT 3 LAST\nSubject: Hello [name]\n\n..How is [city], [[name]? [Name]\n.\n"
)


def test_header_form():
    options = (
        "x-envid: e1\nx-job: j-1\nx-virtual-mta: pool\n"
        "x-dkim-options: s=s1; d=example.com; i=@example.com; key-list=k\n"
        "x-schedule: 2026-01-01 00:00:00/2026-01-01 06:00:00, 2026-01-02 00:00:00/2026-01-02 06:00:00\n"
    )
    file = read(octets(HEADERS.replace(MESSAGE, options + MESSAGE)))
    assert (file.form, file.sender, file.addresses) == (
        "headers",
        "bounce@example.com",
        ["ann@example.org", "bo@example.org"],
    )
    assert (file.envid, file.job, file.vmta) == ("e1", "j-1", "pool")
    assert file.dkim == {"s": "s1", "d": "example.com", "i": "@example.com", "key-list": "k"}
    assert file.schedule[1] == ("2026-01-02 00:00:00", "2026-01-02 06:00:00")
    assert file.message == octets(MESSAGE)


def test_header_form_does_not_unescape_dots():
    assert read(octets(HEADERS + "..\n.\n")).message == octets(MESSAGE + "..\n.\n")


def test_bsmtp():
    file = read(octets(BSMTP))
    assert (file.form, file.sender, file.ret, file.envid, file.verp) == (
        "bsmtp",
        "bounce@example.com",
        "HDRS",
        "a+1",
        True,
    )
    assert (file.job, file.vmta, file.bounces_bad_recipients) == ("spring", "mta1", True)
    assert file.recipients[0].notify == ("SUCCESS", "DELAY")
    assert file.recipients[0].orcpt == "rfc822;Ann+40example.org"
    assert file.message == octets("From: a@example.com\n\n.dots\n..\n")


def test_bsmtp_null_reverse_path_and_smtputf8():
    file = read(octets("MAIL FROM:<> SMTPUTF8\nRCPT TO:<jürgen@example.org>\nDATA\nFrom: a@b.example\n\n.\n"))
    assert (file.sender, file.smtputf8, file.addresses) == ("", True, ["jürgen@example.org"])


def test_merge():
    file = read(octets(MERGE))
    ann, bo = file.expansions
    assert (file.form, file.verp, file.dkim) == ("merge", True, {})
    assert (ann.vmta, ann.job, ann.envid, ann.priority) == ("mta1", "spring", "a-1", 7)
    assert ann.message == octets(
        "From: <shop@example.com>\nTo: ann@example.org\nDate: Thu, 01 Jan 2026 00:00:00 +0000\n"
        "Subject: Hello Ann\n\n.How is [Oslo], [name]? Ann\n"
    )
    assert (bo.recipient, bo.sender, bo.vmta) == ("bo@example.org", "bounce@example.com", None)
    assert bo.message.startswith(b"To: bo@example.org\r\n")
    assert bo.message.endswith(b".How is , [name]? Bo\r\nFrom: <shop@example.com>\r\n")


def test_merge_sender_of_a_recipient():
    file = read(octets(MERGE.replace("*envid=a-1", '*from="r@example.com"')))
    assert [expansion.sender for expansion in file.expansions] == ["r@example.com", "bounce@example.com"]


def test_merge_sender_of_a_recipient_in_utf_8():
    sender = MERGE.replace("*envid=a-1", '*from="jürgen@example.com"')
    assert read(octets(sender.replace("VERP", "SMTPUTF8"))).expansions[0].sender == "jürgen@example.com"
    refused(octets(sender), "not ASCII")


def test_right_address_literals_and_folded_header_fields():
    file = read(
        octets(HEADERS.replace("bo@example.org", "bo@[IPv6:2001:db8::1]").replace("Subject: hi", "Subject:\n hi"))
    )
    assert file.addresses[1] == "bo@[IPv6:2001:db8::1]"


def many(count: int) -> str:
    return "".join(f"x-receiver: r{number}@example.org\n" for number in range(count))


def test_5000_recipients_are_not_too_many():
    assert len(read(octets(f"x-sender: a@example.com\n{many(5_000)}{MESSAGE}")).recipients) == 5_000


BAD_OCTETS = {
    "empty file": (b"", "empty"),
    "no CRLF at the end": (octets(HEADERS)[:-2], "last line"),
    "bare LF": (octets(HEADERS).replace(b"Text.", b"Te\nxt."), "bare CR or LF"),
    "bare CR": (octets(HEADERS).replace(b"Text.", b"Te\rxt."), "bare CR or LF"),
    "NUL": (octets(HEADERS).replace(b"Text.", b"Te\0xt."), "NUL"),
    "LF line ends": (HEADERS.encode(), "last line"),
}

# name -> (good file, what to replace, with what, why it is refused)
BAD_HEADERS = {
    "another first line": ("x-sender: b", "Subject: b", "first line"),
    "receiver first": ("x-sender: bounce@example.com\n", "", "first line"),
    "sender twice": ("x-receiver: ann", "x-sender: ann", "no x-receiver"),
    "sender in capitals": ("x-sender", "X-Sender", "first line"),
    "sender override": ("x-receiver: bo@", "x-sender-override: bo@", "after the message began"),
    "no receiver": ("x-receiver: ann@example.org\nx-receiver: bo@example.org\n", "", "no x-receiver"),
    "no space after the colon": ("x-receiver: bo", "x-receiver:bo", "one space"),
    "two spaces after the colon": ("x-receiver: bo", "x-receiver:  bo", "one space"),
    "trailing space": ("bo@example.org", "bo@example.org ", "one space"),
    "angle brackets": ("bo@example.org", "<bo@example.org>", "local part"),
    "angle brackets in the sender": ("bounce@example.com", "<bounce@example.com>", "local part"),
    "a name": ("bo@example.org", "Bo <bo@example.org>", "local part"),
    "null reverse-path": ("bounce@example.com", "<>", "without @"),
    "two addresses": ("bo@example.org", "bo@example.org, c@example.org", "local part"),
    "no at": ("bo@example.org", "bo", "without @"),
    "empty local part": ("bo@", "@", "local part"),
    "two dots": ("bo@", "b..o@", "local part"),
    "space in the local part": ("bo@", "b o@", "local part"),
    "unended quoted local part": ("bo@", '"bo@', "local part"),
    "long local part": ("bo@", "b" * 65 + "@", "64"),
    "long address": ("bo@example.org", "b@" + "a.bcdefgh." * 26 + "org", "254"),
    "long label": ("bo@example", "bo@" + "e" * 64, "not a domain"),
    "hyphen at a label's end": ("bo@example", "bo@example-", "not a domain"),
    "empty label": ("bo@example", "bo@example.", "not a domain"),
    "trailing dot": ("bo@example.org", "bo@example.org.", "not a domain"),
    "bad literal": ("bo@example.org", "bo@[1.2.3]", "literal"),
    "UTF-8": ("bo@", "bö@", "not ASCII"),
    "control character": ("bo@", "b\to@", "control character"),
    "empty job": ("From: a", "x-job: \nFrom: a", "white space"),
    "white space in job": ("From: a", "x-job: a b\nFrom: a", "white space"),
    "white space in envid": ("From: a", "x-envid: a b\nFrom: a", "white space"),
    "white space in virtual MTA": ("From: a", "x-virtual-mta: a b\nFrom: a", "white space"),
    "job twice": ("From: a", "x-job: a\nx-job: a\nFrom: a", "twice"),
    "unknown DKIM option": ("From: a", "x-dkim-options: s=a; x=b\nFrom: a", "unknown or repeated"),
    "DKIM option twice": ("From: a", "x-dkim-options: s=a; s=b\nFrom: a", "unknown or repeated"),
    "empty DKIM option": ("From: a", "x-dkim-options: s=\nFrom: a", "not a value"),
    "DKIM options without space": ("From: a", "x-dkim-options: s=a;d=b\nFrom: a", "not a value"),
    "schedule without end": ("From: a", "x-schedule: 2026-01-01 00:00:00\nFrom: a", "START/END"),
    "schedule backwards": ("From: a", "x-schedule: 2026-01-02 00:00:00/2026-01-01 00:00:00\nFrom: a", "START/END"),
    "schedule of RFC 3339": ("From: a", "x-schedule: 2026-01-02T00:00:00Z/2026-01-03T00:00:00Z\nFrom: a", "YYYY"),
    "schedule of no day": ("From: a", "x-schedule: 2026-02-30 00:00:00/2026-03-01 00:00:00\nFrom: a", "no such time"),
    "job after the message began": ("Subject: hi", "x-job: a", "after the message began"),
    "job in capitals": ("From: a", "X-Job: a\nFrom: a", "after the message began"),
    "job with space before the colon": ("Subject: hi", "x-job : a", "after the message began"),
    "receiver after the message began": ("Subject: hi", "x-receiver: a@b.example", "after the message began"),
    "receiver after an option": ("From: a", "x-job: a\nx-receiver: c@example.org\nFrom: a", "after the message began"),
    "empty line after the envelope": ("From: a", "\nFrom: a", "no header section"),
    "continuation first": ("From: a", " From: a", "continuation"),
    "no field": ("Subject: hi", "Subject", "not a header field"),
    "space in a field name": ("Subject: hi", "Sub ject: hi", "not a header field"),
    "no body": ("\n\nText.\n", "\n", "no empty line"),
    "5001 recipients": ("x-receiver: bo@example.org\n", many(5_000), "5000"),
}

BAD_BSMTP = {
    "unknown command": ("RCPT TO:<bo", "SEND TO:<bo", "unknown command"),
    "lower-case command": ("RCPT TO:<bo", "rcpt TO:<bo", "unknown command"),
    "space in TO: <": ("RCPT TO:<bo", "RCPT TO: <bo", "RCPT command"),
    "bare address": ("<bo@example.org>", "bo@example.org", "RCPT command"),
    "name within brackets": ("<bo@", "<Bo bo@", "local part"),
    "name before brackets": ("TO:<bo", "TO:Bo <bo", "RCPT command"),
    "null recipient": ("<bo@example.org>", "<>", "without @"),
    "nested brackets": ("<bo@example.org>", "<<bo@example.org>>", "bracket"),
    "closing bracket missing": ("<bo@example.org>", "<bo@example.org", "bracket"),
    "no RCPT": ("RCPT TO:<ann", "DATA\nRCPT TO:<ann", "no RCPT"),
    "no DATA": ("DATA\n", "", "unknown command"),
    "DATA with a word": ("DATA\n", "DATA x\n", "unknown command"),
    "MAIL twice": ("RCPT TO:<bo", "MAIL FROM:<bo", "unknown command"),
    "no MAIL": ("MAIL FROM:<bounce@example.com> RET=HDRS ENVID=a+2B1 VERP\n", "", "MAIL command"),
    "XACK neither ON nor OFF": ("XACK OFF", "XACK MAYBE", "XACK"),
    "XACK second": ("XACK OFF\nEHLO sender.example.com", "EHLO sender.example.com\nXACK OFF", "MAIL command"),
    "EHLO without a domain": ("EHLO sender.example.com", "EHLO", "greeting"),
    "EHLO with a bad domain": ("EHLO sender", "EHLO _sender", "not a domain"),
    "long line": ("RCPT TO:<bo@example.org>", "RCPT TO:<bo@example.org> ORCPT=rfc822;" + "a" * 473, "512"),
    "long ORCPT": ("ORCPT=rfc822;", "ORCPT=rfc822;" + "a" * 600, "512"),
    "unknown MAIL parameter": ("VERP", "SIZE=7", "unknown parameter"),
    "unknown RCPT parameter": ("NOTIFY=SUCCESS,DELAY", "VERP", "unknown parameter"),
    "parameter twice": ("VERP", "RET=FULL", "twice"),
    "two spaces before a parameter": (" VERP", "  VERP", "unknown parameter"),
    "no space before a parameter": ("> RET", ">RET", "no space"),
    "RET of neither kind": ("RET=HDRS", "RET=SOME", "RET"),
    "empty ENVID": ("ENVID=a+2B1", "ENVID=", "ENVID"),
    "ENVID not xtext": ("ENVID=a+2B1", "ENVID=a+2b1", "xtext"),
    "long ENVID": ("ENVID=a+2B1", "ENVID=" + "a" * 101, "ENVID"),
    "VERP with a value": ("VERP", "VERP=1", "VERP"),
    "VERP of the null reverse-path": ("bounce@example.com", "", "VERP needs"),
    "NOTIFY unknown": ("SUCCESS,DELAY", "SUCCESS,NOW", "NOTIFY"),
    "NOTIFY twice the same": ("SUCCESS,DELAY", "DELAY,DELAY", "NOTIFY"),
    "NOTIFY never and more": ("SUCCESS,DELAY", "NEVER,DELAY", "NOTIFY"),
    "ORCPT without type": ("ORCPT=rfc822;Ann", "ORCPT=Ann", "ORCPT"),
    "ORCPT not xtext": ("Ann+40", "Ann=", "xtext"),
    "UTF-8 without SMTPUTF8": ("<bo@", "<bö@", "not ASCII"),
    "no lone dot": ("\n.\n", "\n", "no lone dot"),
    "end of the file within the commands": ("DATA\n" + BSMTP.partition("DATA\n")[2], "", "file ends"),
    "options alone": ("From: a@example.com\n\n..dots\n...\n", "", "no empty line"),
    "RET without a value": ("RET=HDRS", "RET", "RET"),
    "5001 recipients": ("RCPT TO:<bo@example.org>\n", "RCPT TO:<bo@example.org>\n" * 5_000, "5000"),
    "unescaped dot": ("\n..dots", "\n.dots", "not escaped"),
    "something after the dot": ("\n.\n", "\n.\nQUIT\n", "follows"),
    "second message": ("\n.\n", "\n.\nMAIL FROM:<a@example.com>\n", "follows"),
    "envelope id twice": ("x-job: spring", "x-envid: e", "said twice"),
    "receiver in the data": ("x-job: spring", "x-receiver: a@b.example", "after the message began"),
    "job in the middle": ("From: a@example.com", "From: a@example.com\nx-job: a", "after the message began|twice"),
    "XDFN outside merge": ("RCPT TO:<bo", 'XDFN a="b"\nRCPT TO:<bo', "unknown command"),
    "XPRT outside merge": ("DATA", "XPRT 1 LAST", "unknown command"),
}

BAD_MERGE = {
    "quote in a value": ('"Ann"', '"A"nn"', "quoting"),
    "escaped quote in a value": ('"Ann"', r'"A\"nn"', "quoting"),
    "backslash in a value": ('"Ann"', r'"A\nn"', "quoting"),
    "unended quote": ('city="[Oslo]"', 'city="Oslo', "quoting"),
    "backslash in a bare value": ("NAME=Bo", "NAME=B\\o", "quoting"),
    "white space in a bare value": ("NAME=Bo", "NAME=Bo Lee", "quoting"),
    "empty bare value": ("NAME=Bo", "NAME=", "quoting"),
    "tab in a value": ('"Ann"', '"A\tnn"', "control character"),
    "UTF-8 in a value": ('"Ann"', '"Ånn"', "not ASCII"),
    "nothing defined": ("XDFN NAME=Bo", "XDFN\nXDFN NAME=Bo", "nothing"),
    "no name": ("NAME=Bo", "=Bo", "not name=value"),
    "no value": ("NAME=Bo", "NAME", "not name=value"),
    "a digit first": ("NAME=Bo", "1NAME=Bo", "not name=value"),
    "hyphen in a name": ("NAME=Bo", "NA-ME=Bo", "not name=value"),
    "no space between definitions": ('"Ann" city', '"Ann"city', "quoting"),
    "two spaces between definitions": ('"Ann" city', '"Ann"  city', "quoting"),
    "duplicate variable": ('city="[Oslo]"', 'name="Bo"', "twice"),
    "duplicate in another case": ('city="[Oslo]"', 'Name="Bo"', "twice"),
    "duplicate on another line": ('*vmta="mta1"', 'city="Rome"', "twice"),
    "reserved *to": ('*vmta="mta1"', '*to="a@b.example"', "PowerMTA's own"),
    "reserved *date": ('*vmta="mta1"', '*date="now"', "PowerMTA's own"),
    "unknown reserved": ('*vmta="mta1"', '*colour="red"', "unknown reserved"),
    "reserved with white space": ('*vmta="mta1"', '*vmta="m 1"', "white space"),
    "reserved empty": ('*vmta="mta1"', '*vmta=""', "white space"),
    "sender with a name": ('*vmta="mta1"', '*from="Ann <a@b.example>"', "local part"),
    "priority 0": ("*priority=7", "*priority=0", "1 to 100"),
    "priority 101": ("*priority=7", "*priority=101", "1 to 100"),
    "schedule of words": ("*priority=7", '*schedule="tomorrow"', "START/END"),
    "parts of words": ("*parts=2,3,1", "*parts=all", "list of part numbers"),
    "part that is not there": ("*parts=2,3,1", "*parts=2-4", "not there"),
    "range in a list of parts": ("*parts=2,3,1", "*parts=2-3,1", "range in a list"),
    "part zero": ("*parts=2,3,1", "*parts=0", "not there"),
    "parts backwards": ("*parts=2,3,1", "*parts=3-2", "not there"),
    "part twice": ("*parts=2,3,1", "*parts=2,1,2", "part twice"),
    "XDFN of nobody": ('XDFN NAME=Bo city="" *parts=2,3,1\nRCPT TO:<bo@example.org>\n', "XDFN a=b\n", "RCPT command"),
    "no recipients": ("XDFN name", "XPRT 1 LAST\nXDFN name", "no RCPT"),
    "long XDFN": ('"Ann"', '"' + "a" * 490 + '"', "512"),
    "undefined variable": ("NAME=Bo", "other=Bo", "not defined"),
    "undefined for one": ('city=""', 'town=""', "not defined"),
    "unended variable": ("Hello [name]", "Hello [name", "neither doubled"),
    "space in a variable": ("Hello [name]", "Hello [ name]", "neither doubled"),
    "lone bracket": ("Hello [name]", "Hello [", "neither doubled"),
    "DATA": ("XPRT 1\n", "DATA\n", "XPRT"),
    "RCPT after XPRT": ("XPRT 2\n", "RCPT TO:<c@example.org>\nXPRT 2\n", "XPRT"),
    "part 2 first": ("XPRT 1\n", "XPRT 2\n", "numbered"),
    "part missing": ("XPRT 2\n", "XPRT 3\n", "numbered"),
    "part without number": ("XPRT 1\n", "XPRT\n", "XPRT"),
    "no last part": ("XPRT 3 LAST", "XPRT 3", "file ends"),
    "last part too early": ("XPRT 2\n", "XPRT 2 LAST\n", "follows"),
    "unended part": ("[Name]\n.\n", "[Name]\n", "no lone dot"),
    "unescaped dot in a part": ("..How", ".How", "not escaped"),
    "job as a header field": ("XPRT 1\n", "XPRT 1\nx-job: a\n", "reserved variable"),
    "envelope id as a header field": ("XPRT 1\n", "XPRT 1\nx-envid: a\n", "reserved variable"),
    "DKIM options as a header field": ("XPRT 1\n", "XPRT 1\nx-dkim-options: s=a\n", "reserved variable"),
    "envelope id in the template": ("Hello [name]", "Hello [*envid]", "not known to be replaced"),
    "virtual MTA as a header field": ("To: [*to]", "x-virtual-mta: a", "after the message began"),
    "ENVID parameter": ("VERP", "ENVID=a", "unknown parameter"),
    "sender in brackets twice": ("<bounce@example.com>", "<<bounce@example.com>>", "bracket"),
    "MAIL in a merge file": ("XMRG FROM:", "MAIL FROM:", "no RCPT"),
}


# What may be read in two ways -> (what to replace, with what, the dialect that makes something else of it).
OPEN = {
    "blank at the end of a value": ('"Ann"', '"Ann "', Dialect(trims=True)),
    "value of a blank": ('NAME=Bo city=""', 'NAME=Bo city=" "', Dialect(trims=True)),
    "doubled closing bracket": ("Hello [name]", "Hello [name]]]", Dialect(closing_is_doubled=True)),
    "closing bracket behind a variable": ("Hello [name]", "Hello [[[name]]", Dialect(closing_is_doubled=True)),
    "variable in a value": ('"[Oslo]"', '"[name]"', Dialect(scans_again=True)),
    "unknown variable in a value": ('"[Oslo]"', '"[Oslo]"', Dialect(scans_again=True)),
    "variable of two values": ('"Ann" city="[Oslo]"', '"[" city="x]"', Dialect(scans_again=True)),
}


@pytest.mark.parametrize(("old", "new", "dialect"), OPEN.values(), ids=OPEN.keys())
def test_what_the_guide_leaves_open_is_read_in_two_ways(old, new, dialect):
    assert old in MERGE
    text = MERGE.replace(old, new).replace("[city], [[name]?", "[name][city]")
    assert read(octets(text)) != read(octets(text), dialect)
    assert dialect in CAUTIOUS


def test_an_unknown_variable_may_be_empty():
    text = octets(MERGE.replace("Hello [name]", "Hello [other]"))
    refused(text, "not defined")
    (ann, _) = read(text, Dialect(unknown_is_empty=True)).expansions
    assert b"Subject: Hello \r\n" in ann.message


@pytest.mark.parametrize("dialect", CAUTIOUS)
def test_what_the_guide_says_is_read_in_one_way(dialect):
    text = octets(MERGE.replace("[Oslo]", "Oslo").replace("[[name]", ""))
    assert read(text) == read(text, dialect)


def refused(octets: bytes, reason: str):
    with pytest.raises(PickupError, match=reason):
        read(octets)


@pytest.mark.parametrize(("file", "reason"), BAD_OCTETS.values(), ids=BAD_OCTETS.keys())
def test_bad_octets_are_refused(file, reason):
    refused(file, reason)


@pytest.mark.parametrize(("old", "new", "reason"), BAD_HEADERS.values(), ids=BAD_HEADERS.keys())
def test_bad_header_forms_are_refused(old, new, reason):
    assert old in HEADERS
    refused(octets(HEADERS.replace(old, new)), reason)


@pytest.mark.parametrize(("old", "new", "reason"), BAD_BSMTP.values(), ids=BAD_BSMTP.keys())
def test_bad_bsmtp_is_refused(old, new, reason):
    assert old in BSMTP
    refused(octets(BSMTP.replace(old, new)), reason)


@pytest.mark.parametrize(("old", "new", "reason"), BAD_MERGE.values(), ids=BAD_MERGE.keys())
def test_bad_merge_is_refused(old, new, reason):
    assert old in MERGE
    refused(octets(MERGE.replace(old, new)), reason)
