"""Test sends and previews: one recipient of a mail merge, or the first few."""

import asyncio
import json

import pytest

import pmtaemail
from crowd import FIXED, as_json, as_lines, known_crowd
from daemon import Daemon, assert_problem
from doors import Http, read_files

NDJSON = {"Content-Type": "application/x-ndjson"}
MESSAGE = as_json(FIXED, known_crowd(5))
BODIES = [(MESSAGE, {}), (as_lines(FIXED, known_crowd(5)), NDJSON), (MESSAGE + b" " * (2 << 20), {})]
PLAIN = b'{"from": "a@example.com", "to": ["b@example.org", "c@example.org"], "text": "x"}'


def alone(start: int, end: int) -> bytes:
    return as_json(FIXED, known_crowd(5)[start:end])


@pytest.mark.parametrize("number", range(1, 6))
def test_one_recipient(daemon: Daemon, run, pickup, number: int):
    http = Http(daemon)
    expected = http.submit(alone(number - 1, number))[1]
    rendered = http.render(alone(number - 1, number))
    for body, headers in BODIES:
        receipt, files = http.taken(daemon.post(body, f"/messages?recipient={number}", **headers))
        assert (receipt["recipients"], len(receipt["envids"]), files) == (1, 1, expected)
        assert daemon.post(body, f"/messages/render?recipient={number}", **headers).body == rendered
    assert run("render", "--recipient", str(number), stdin=MESSAGE).stdout == rendered
    receipt = json.loads(run("submit", "--recipient", str(number), "--pickup", pickup, stdin=MESSAGE).stdout)
    assert read_files(pickup, receipt["files"], receipt["octets"]) == expected
    assert pmtaemail.render(MESSAGE, recipient=number) == rendered
    receipt = pmtaemail.Pickup(pickup).submit(json.loads(MESSAGE), recipient=number)
    assert read_files(pickup, receipt.files, receipt.octets) == expected


@pytest.mark.parametrize("limit", [1, 3, 5, 9])
def test_the_first_few(daemon: Daemon, run, pickup, limit: int):
    http = Http(daemon)
    expected = http.submit(alone(0, limit))[1]
    for body, headers in BODIES:
        receipt, files = http.taken(daemon.post(body, f"/messages?limit={limit}", **headers))
        assert (receipt["recipients"], files) == (min(limit, 5), expected)
    receipt = json.loads(run("submit", "--limit", str(limit), "--pickup", pickup, stdin=MESSAGE).stdout)
    assert read_files(pickup, receipt["files"], receipt["octets"]) == expected
    receipt = pmtaemail.Pickup(pickup).submit(MESSAGE, limit=limit)
    assert read_files(pickup, receipt.files, receipt.octets) == expected


def test_those_who_are_skipped_are_counted_and_not_sent_to(daemon: Daemon):
    good = known_crowd(3)
    recipients = ["nobody", good[0], None, good[1], 1, good[2]]
    head = {**FIXED, "invalidRecipients": "skip"}
    http = Http(daemon)
    for body, headers in ((as_json(head, recipients), {}), (as_lines(head, recipients), NDJSON)):
        for number, index in ((2, 0), (4, 1), (6, 2)):
            receipt, files = http.taken(daemon.post(body, f"/messages?recipient={number}", **headers))
            assert files == http.submit(alone(index, index + 1))[1]
            assert [entry["index"] for entry in receipt["rejected"]] == [0, 4]
        for number, error in (
            (1, ("invalid_address", "#/recipients/0")),
            (3, ("no_recipients", "#/recipients")),
            (5, ("wrong_type", "#/recipients/4")),
            (7, ("no_recipients", "#/recipients")),
        ):
            for path in ("/messages", "/messages/render"):
                document = assert_problem(daemon.post(body, f"{path}?recipient={number}", **headers), 422)
                assert [(found["code"], found["pointer"]) for found in document["errors"]] == [error]
        _, files = http.taken(daemon.post(body, "/messages?limit=2", **headers))
        assert files == http.submit(alone(0, 2))[1]
    gaps = as_json(FIXED, [None, *good])
    assert http.taken(daemon.post(gaps, "/messages?recipient=3"))[1] == http.submit(alone(1, 2))[1]
    assert daemon.files() == []


def test_all_rules_are_checked_for_all(daemon: Daemon):
    for query in ("recipient=1", "limit=1"):
        document = assert_problem(daemon.post(as_json(FIXED, [*known_crowd(1), "nobody"]), f"/messages?{query}"), 422)
        assert document["errors"][0]["pointer"] == "#/recipients/1"
    assert daemon.files() == []


def test_what_is_no_merge_has_nobody_to_choose(daemon: Daemon, run, pickup):
    for path in ("/messages?recipient=1", "/messages?limit=1", "/messages/render?recipient=1"):
        for body in (PLAIN, PLAIN + b" " * (2 << 20)):
            document = assert_problem(daemon.post(body, path), 422)
            assert [(error["code"], error["pointer"]) for error in document["errors"]] == [("conflict", "#")]
    assert daemon.files() == []
    for call in (
        lambda: pmtaemail.render(PLAIN, recipient=1),
        lambda: pmtaemail.Pickup(pickup).submit(PLAIN, limit=1),
    ):
        with pytest.raises(pmtaemail.MessageError):
            call()
    assert run("submit", "--limit", "1", "--pickup", pickup, stdin=PLAIN).returncode == 65
    assert list(pickup.iterdir()) == []


def test_numbers_that_make_no_sense(shared_daemon: Daemon, run, pickup):
    for value in ("0", "-1", "+1", "1.0", "x", "", "1%20", "99999999999999999999999"):
        for name in ("recipient", "limit"):
            assert_problem(shared_daemon.post(MESSAGE, f"/messages?{name}={value}"), 400)
        if value != "+1":
            assert run("submit", f"--limit={value}", "--pickup", pickup, stdin=MESSAGE).returncode == 64
    for query in ("recipient=1&recipient=1", "limit=1&limit=2", "recipient=1&limit=1"):
        assert_problem(shared_daemon.post(MESSAGE, f"/messages?{query}"), 400)
    done = run("submit", "--limit", "1", "--recipient", "1", "--pickup", pickup, stdin=MESSAGE)
    assert done.returncode == 64
    for error, arguments in ((ValueError, {"recipient": 0}), (ValueError, {"limit": 0}), (TypeError, {"limit": "1"})):
        with pytest.raises(error):
            pmtaemail.Pickup(pickup).submit(MESSAGE, **arguments)
    with pytest.raises(TypeError):
        pmtaemail.Pickup(pickup).submit(MESSAGE, limit=1, recipient=1)
    assert list(pickup.iterdir()) == []


@pytest.mark.parametrize("query", ["x=1", "Recipient=1", "to=a%40b.c", "limit", "recipients=1", "%ff=1", "envid"])
def test_unknown_names_are_problems_on_every_path(shared_daemon: Daemon, query: str):
    for path in ("/messages", "/messages/", "/messages/check", "/messages/render"):
        for body, headers in BODIES[:2]:
            assert_problem(shared_daemon.post(body, f"{path}?{query}", **headers), 400)
    assert_problem(shared_daemon.request("GET", f"/health?{query}"), 400)


def test_names_of_one_path_are_unknown_to_others(shared_daemon: Daemon):
    assert_problem(shared_daemon.post(MESSAGE, "/messages/check?recipient=1"), 400)
    assert_problem(shared_daemon.post(MESSAGE, "/messages/render?limit=1"), 400)
    mail = b"From: a@example.com\r\nTo: b@example.org\r\n\r\nx\r\n"
    headers = {"Content-Type": "message/rfc822"}
    document = assert_problem(shared_daemon.post(mail, "/messages?limit=1", **headers), 422)
    assert document["errors"][0]["code"] == "conflict"
    document = assert_problem(shared_daemon.post(mail, "/messages/check?limit=1", **headers), 422)
    assert document["errors"][0]["code"] == "unknown_field"


def test_selection_of_the_awaitable_twin(pickup):
    async def recipients():
        for each in known_crowd(5):
            yield each

    async def submit(**arguments):
        async with pmtaemail.AsyncPickup(pickup) as twin:
            return await twin.submit(**arguments)

    for given in ({"recipients": known_crowd(5)}, {"recipients": recipients()}):
        receipt = asyncio.run(submit(limit=2, **FIXED, **given))
        assert receipt.recipients == 2
    receipt = asyncio.run(submit(recipient=5, **FIXED, recipients=recipients()))
    assert read_files(pickup, receipt.files, receipt.octets) == [(pickup / receipt.files[0]).read_bytes()]
    assert b"<m4@example.com>" in (pickup / receipt.files[0]).read_bytes()
