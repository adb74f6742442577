"""`seeds`: mailboxes that get a copy of the first recipient's message, in a file of their own."""

import json

import pytest

from crowd import FIXED, as_json, as_lines, crowd, known_crowd
from daemon import Daemon
from doors import Door, Http, Refused, encode
from pickup_reader import read

SEEDS = ["Seed <one@seeds.example>", {"address": "two@seeds.example"}, "one@SEEDS.example"]
NDJSON = {"Content-Type": "application/x-ndjson"}


def split(files: list[bytes]) -> tuple[list, list[bytes]]:
    """The files of the seeds, and the others."""
    seeds = [octets for octets in files if b"@seeds.example" in octets]
    return [read(octets) for octets in seeds], [octets for octets in files if octets not in seeds]


def test_seeds_get_the_first_recipients_message(door: Door):
    message = as_json({**FIXED, "seeds": SEEDS, "job": "spring"}, known_crowd(3))
    receipt, files = door.submit(message)
    (seeds,), others = split(files)
    assert others == door.submit(as_json({**FIXED, "job": "spring"}, known_crowd(3)))[1]
    assert [str(recipient.address) for recipient in seeds.recipients] == ["one@seeds.example", "two@seeds.example"]
    assert (seeds.envid, seeds.job) == (receipt["id"], "spring")
    assert seeds.message == door.render(message)
    assert (receipt["recipients"], len(receipt["envids"]), len(receipt["files"])) == (3, 3, 2)
    assert receipt["seeds"] == 2


@pytest.mark.parametrize("form", ["native", "expanded"])
def test_their_envelope_id_is_no_recipients(daemon: Daemon, form: str):
    head = {**FIXED, "seeds": SEEDS, "merge": form}
    http = Http(daemon)
    for body, headers in ((as_json(head, crowd(2)), {}), (as_lines(head, crowd(2)), NDJSON)):
        receipt, files = http.taken(daemon.post(body, **headers))
        (seeds,), _ = split(files)
        assert seeds.envid == receipt["id"]
        assert seeds.envid not in receipt["envids"]


def test_the_first_is_the_first_who_gets_it(daemon: Daemon):
    head = {**FIXED, "seeds": SEEDS, "invalidRecipients": "skip"}
    http = Http(daemon)
    for recipients, query, first in (
        (["nobody", *known_crowd(3)], "", 0),
        (["nobody", *known_crowd(3)], "?limit=1", 0),
        (known_crowd(3), "?recipient=3", 2),
    ):
        for body, headers in ((as_json(head, recipients), {}), (as_lines(head, recipients), NDJSON)):
            (seeds,), _ = split(http.taken(daemon.post(body, f"/messages{query}", **headers))[1])
            assert seeds.message == http.render(as_json(FIXED, known_crowd(3)[first : first + 1]))


def test_what_only_the_merge_form_says(daemon: Daemon):
    head = {**FIXED, "seeds": SEEDS, "subaccountId": "7"}
    files = Http(daemon).submit(as_json(head, known_crowd(1)))[1]
    (seeds,), _ = split(files)
    assert len(seeds.expansions) == 2


def test_problems(door: Door):
    for message, expected in (
        (as_json({**FIXED, "seeds": ["x"]}, known_crowd(1)), ("invalid_address", "/seeds/0")),
        (encode({"from": "a@b.c", "to": "d@e.f", "seeds": "a@b.c"}), ("conflict", "/seeds")),
    ):
        with pytest.raises(Refused) as refused:
            door.check(message)
        assert [(problem["code"], problem["pointer"]) for problem in refused.value.problems] == [expected]


def test_there_are_as_many_as_a_file_holds(daemon: Daemon):
    http = Http(daemon)
    for count in (5_000, 5_001):
        head = {**FIXED, "seeds": [f"s{n}@seeds.example" for n in range(count)]}
        for body, headers in ((as_json(head, crowd(1)), {}), (as_lines(head, crowd(1)), NDJSON)):
            if count == 5_000:
                receipt, files = http.taken(daemon.post(body, **headers))
                (seeds,), _ = split(files)
                assert receipt["seeds"] == len(seeds.recipients) == count
                continue
            with pytest.raises(Refused) as refused:
                http.taken(daemon.post(body, **headers))
            assert [(each["code"], each["pointer"]) for each in refused.value.problems] == [
                ("too_many_mailboxes", "/seeds")
            ]


def test_without_seeds_the_receipt_has_none(door: Door):
    for head in (FIXED, {**FIXED, "seeds": []}):
        assert "seeds" not in door.submit(as_json(head, known_crowd(1)))[0]


def test_the_last_line_lists_them(daemon: Daemon):
    answer = daemon.post(as_json({**FIXED, "seeds": SEEDS}, known_crowd(1)), Accept="application/x-ndjson")
    assert json.loads(answer.body.splitlines()[-1])["seeds"] == 2
