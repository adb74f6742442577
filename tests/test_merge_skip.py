"""`invalidRecipients: "skip"`: the good recipients get their messages, and the receipt lists the bad ones."""

import json
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pmtaemail
from crowd import FIXED, as_json, as_lines, known_crowd, recipient
from daemon import Daemon, assert_problem
from doors import Door, Http, Python, PythonJson, Refused, encode
from pickup_reader import read

SKIP = {**FIXED, "invalidRecipients": "skip"}
NDJSON = {"Content-Type": "application/x-ndjson"}


def bad(**fields: object) -> dict:
    return {**recipient(7, envid="e7"), **fields}


# What is wrong, where in the recipient, and the code.
BAD = [
    ("nobody", "", "invalid_address"),
    ("a@b.c, d@e.f", "", "too_many_mailboxes"),
    ("Ann <ann@my_host.example>", "", "invalid_domain"),
    (1, "", "wrong_type"),
    (["ann@example.org"], "", "wrong_type"),
    ({}, "/address", "missing_field"),
    ({"name": "Ann"}, "/address", "missing_field"),
    ("ann@example.org", "/variables/name", "missing_variable"),
    (bad(address="nobody"), "/address", "invalid_address"),
    (bad(name="Ann\r\nBcc: eve@example.org"), "/name", "control_character"),
    (bad(too=1), "/too", "unknown_field"),
    (bad(email="ann@example.org"), "/email", "duplicate_field"),
    (bad(variables={"name": "a\nb", "number": 1}), "/variables/name", "control_character"),
    (bad(variables={"name": "a", "number": [1]}), "/variables/number", "wrong_type"),
    (bad(variables={"name": "a", "number": "b c"}), "/variables", "invalid_message_id"),
    (bad(variables=1), "/variables/name", "missing_variable"),
    (bad(envid="a b"), "/envid", "invalid_token"),
    (bad(job="a\tb"), "/job", "invalid_token"),
    (bad(sender="nobody"), "/sender", "invalid_address"),
    (bad(priority=101), "/priority", "invalid_choice"),
    # Several: the first in document order.
    ({"too": 1, "address": "nobody", "variables": {"name": "a", "number": 1}}, "/too", "unknown_field"),
    ({"address": "nobody", "too": 1, "variables": {"name": "a", "number": 1}}, "/address", "invalid_address"),
]


def mixed() -> tuple[list, list[dict]]:
    """Good ones and bad ones in turn, and what is told of the bad ones."""
    recipients, rejected = [], []
    for number, (wrong, end, code) in enumerate(BAD):
        recipients += [recipient(number, envid=f"e{number}"), None, wrong]
        index = 3 * number + 2
        rejected.append({"index": index, "pointer": f"/recipients/{index}{end}", "code": code})
    return recipients, rejected


def test_the_good_ones_get_theirs_and_the_bad_ones_are_listed(door: Door):
    recipients, rejected = mixed()
    receipt, files = door.submit(as_json(SKIP, recipients))
    assert receipt["rejected"] == rejected
    assert receipt["recipients"] == len(BAD) == len(receipt["envids"])
    _, alone = door.submit(as_json(FIXED, known_crowd(len(BAD))))
    assert files == alone
    door.check(as_json(SKIP, recipients))
    assert door.render(as_json(SKIP, recipients)) == door.render(as_json(FIXED, known_crowd(1)))


@pytest.mark.parametrize("form", ["native", "expanded"])
def test_streams_do_the_same(daemon: Daemon, run, tmp_path, form: str):
    recipients, rejected = mixed()
    head = {**SKIP, "merge": form}
    receipt, files = Http(daemon).taken(daemon.post(as_json(head, recipients)))
    assert receipt["rejected"] == rejected
    # Spaces make it so large that it comes as a stream.
    large = as_json(head, recipients) + b" " * (2 << 20)
    for body, headers in ((large, {}), (as_lines(head, recipients), NDJSON)):
        received, streamed = Http(daemon).taken(daemon.post(body, **headers))
        assert (received["rejected"], streamed) == (rejected, files)
        assert daemon.post(body, "/messages/check", **headers).json() == {"problems": [], "rejected": rejected}
        rendered = daemon.post(body, "/messages/render", **headers)
        assert (rendered.status, rendered.body) == (200, Http(daemon).render(as_json(head, recipients)))
    done = run("submit", "--ndjson", "--pickup", daemon.pickup, "-", stdin=as_lines(head, recipients))
    assert json.loads(done.stdout)["rejected"] == rejected
    done = run("check", "--ndjson", stdin=as_lines(head, recipients))
    first = rejected[0]
    told = f"invalid recipients skipped: {len(BAD)}, first {first['pointer']}: {first['code']}\n"
    assert (done.returncode, done.stdout, done.stderr.decode()) == (0, b"", f"pmtaemailapi: {told}")


def test_nobody_is_rejected_and_it_is_said(door: Door):
    assert door.submit(as_json(SKIP, known_crowd(2)))[0]["rejected"] == []
    for word in ({}, {"invalidRecipients": "refuse"}, {"invalid_recipients": None}):
        assert "rejected" not in door.submit(as_json({**FIXED, **word}, known_crowd(2)))[0]


def problems(verb, message: bytes) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as refused:
        verb(message)
    return [(problem["code"], problem["pointer"]) for problem in refused.value.problems]


def test_what_is_the_messages_fault_refuses_it(door: Door):
    recipients = [*known_crowd(1), "nobody", 1]
    for fields, expected in (
        ({"too": 1}, ("unknown_field", "/too")),
        ({"subject": "{{ name"}, ("invalid_template", "/subject")),
        ({"from": "nobody"}, ("invalid_address", "/from")),
        ({"job": "a b"}, ("invalid_token", "/job")),
        ({"to": "ann@example.org"}, ("conflict", "/to")),
        ({"invalidRecipients": "ignore"}, ("invalid_choice", "/invalidRecipients")),
    ):
        found = problems(door.check, as_json({**SKIP, **fields}, recipients))
        assert found[0] == expected or expected in found
        if fields.get("invalidRecipients") != "ignore":
            assert found == [expected]
    bare = {"from": "shop@example.com", "text": "x", "invalidRecipients": "skip"}
    assert problems(door.check, as_json(bare, known_crowd(1))) == [("missing_field", "/template")]
    half = as_json(SKIP, [*known_crowd(1), bad(name="\ud83d")])
    assert problems(door.check, half) == [("lone_surrogate", "/recipients/1/name")]


def test_all_bad_is_nobody(door: Door):
    for recipients in (["nobody"], ["nobody"] * 1_500, [1, {"address": "nobody"}]):
        assert problems(door.submit, as_json(SKIP, recipients)) == [("no_recipients", "/recipients")]
    assert problems(door.submit, as_json(SKIP, [None])) == [("no_recipients", "/recipients")]


def test_without_recipients_there_is_nothing_to_say(door: Door):
    plain = {"from": "a@example.com", "to": "b@example.org", "text": "x"}
    assert problems(door.check, encode({**plain, "invalidRecipients": "skip"})) == [("conflict", "/invalidRecipients")]
    raw = {"raw": "From: a@example.com\r\n\r\nx\r\n", "to": "b@example.org", "invalidRecipients": "skip"}
    assert problems(door.check, encode(raw)) == [("conflict", "/invalidRecipients")]


def test_lines_that_are_no_json_refuse_all(daemon: Daemon):
    body = as_lines(SKIP, known_crowd(2)) + b"{\n" + as_lines({}, [])
    document = assert_problem(daemon.post(body, **NDJSON), 400)
    assert [error["code"] for error in document["errors"]] == ["not_json"]
    assert daemon.files() == []
    head = {**SKIP, "too": 1}
    document = assert_problem(daemon.post(as_lines(head, [*known_crowd(1), "nobody"]), **NDJSON), 422)
    assert [error["pointer"] for error in document["errors"]] == ["#/too"]


def test_very_many_bad_ones(door: Door):
    """More than a report tells: none of them is taken for a good one."""
    good = known_crowd(3)
    recipients = [good[0], *([1] * 1_500), good[1], *(["nobody"] * 1_500), good[2], {"too": 1}]
    message = as_json(SKIP, recipients)
    receipt, files = door.submit(message)
    assert [entry["index"] for entry in receipt["rejected"]] == [*range(1, 1_501), *range(1_502, 3_002), 3_003]
    assert {entry["code"] for entry in receipt["rejected"]} == {"wrong_type", "invalid_address", "missing_field"}
    assert files == door.submit(as_json(FIXED, good))[1]
    behind = json.dumps({**json.loads(message), "too": 1}).encode()
    with pytest.raises(Refused) as refused:
        door.check(behind)
    (problem,) = refused.value.problems
    assert (problem["code"], problem["pointer"]) == ("unknown_field", "/too")
    assert "did you mean" in problem["detail"] or "no field with this name" in problem["detail"]


recipients_of_any_kind = st.lists(st.sampled_from([("good", "", "")] * 12 + BAD), min_size=1, max_size=30)


@given(recipients_of_any_kind, st.booleans(), st.sampled_from(["native", "expanded"]))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_skipping_is_submitting_the_good_ones_alone(shared_daemon: Daemon, kinds: list, is_first: bool, form: str):
    recipients, good, rejected = [], [], []
    for index, (wrong, end, code) in enumerate(kinds):
        if wrong == "good":
            good.append(recipient(index, envid=f"e{index}"))
            recipients.append(good[-1])
        else:
            recipients.append(wrong)
            rejected.append({"index": index, "pointer": f"/recipients/{index}{end}", "code": code})
    head = {**FIXED, "merge": form}
    fields = {"invalidRecipients": "skip", "recipients": recipients}
    # Whether it stands before the recipients or behind them.
    message = {**fields, **head} if is_first else {**head, **dict(reversed(fields.items()))}
    lines = as_lines({**head, "invalidRecipients": "skip"}, recipients)
    http = Http(shared_daemon)
    ways = [
        lambda: Python().submit(encode(message)),
        lambda: PythonJson().submit(encode(message)),
        lambda: http.taken(shared_daemon.post(lines, **NDJSON)),
    ]
    for way in ways:
        if good:
            receipt, files = way()
            assert receipt["rejected"] == rejected
            assert files == http.submit(as_json(head, good))[1]
        else:
            with pytest.raises(Refused) as refused:
                way()
            assert [problem["code"] for problem in refused.value.problems] == ["no_recipients"]


# ---- reports that are cut


def test_a_cut_report_says_so(daemon: Daemon, run, node_process):
    total = 3 * 1_500
    message = as_json(FIXED, ["nobody"] * 1_500)
    cut = f"The message has {total} problems; the first 1000 are listed."
    for body, headers in (
        (message, {}),
        (as_lines(FIXED, ["nobody"] * 1_500), NDJSON),
        (message + b" " * (2 << 20), {}),
    ):
        document = assert_problem(daemon.post(body, **headers), 422)
        assert (document["total"], document["detail"], len(document["errors"])) == (total, cut, 1_000)
        last = document["errors"][-1]
        assert unquote(last["pointer"]) == "#/recipients/333"
    with pytest.raises(pmtaemail.MessageError) as raised:
        pmtaemail.render(message)
    assert (len(raised.value.problems), raised.value.total) == (1_000, total)
    assert str(raised.value).endswith(cut)
    done = run("check", stdin=message)
    assert (done.returncode, done.stdout.decode().splitlines()[1_000:]) == (65, [f"pmtaemailapi: {cut}"])
    done = run("check", "--json", stdin=message)
    assert (len(done.stdout.splitlines()), done.stderr.decode()) == (1_000, f"pmtaemailapi: {cut}\n")
    done = run("submit", "--pickup", daemon.pickup, stdin=message)
    assert done.stderr.decode().endswith(f"pmtaemailapi: {cut}\n")


def test_a_whole_report_does_not(daemon: Daemon):
    message = as_json(FIXED, ["nobody"] * 333)
    document = assert_problem(daemon.post(message), 422)
    assert len(document["errors"]) == 999
    assert "total" not in document
    assert "detail" not in document
    with pytest.raises(pmtaemail.MessageError) as raised:
        pmtaemail.render(message)
    assert raised.value.total == 999 == len(raised.value.problems)


def test_problems_of_the_message_are_listed_despite_very_many_recipients(door: Door):
    message = json.loads(as_json(FIXED, [1] * 2_000))
    with pytest.raises(Refused) as refused:
        door.check(encode({"zebra": 1, **message}))
    found = refused.value.problems
    assert (found[0]["pointer"], len(found)) == ("/zebra", 1_000)


def test_read_files_of_skipping(daemon: Daemon):
    """The envelopes name the good ones alone."""
    recipients, _ = mixed()
    _, files = Http(daemon).taken(daemon.post(as_json(SKIP, recipients)))
    addresses = [address for octets in files for address in read(octets).recipients]
    assert len(addresses) == len(BAD)
