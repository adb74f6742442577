"""Mail merge over HTTP: the receipt, very many recipients, lines of JSON, limits, memory."""

import json

import pytest

from crowd import FIXED, HEAD, as_json, as_lines, assert_right, crowd, json_pieces, known_crowd, line_pieces, recipient
from daemon import Answer, Daemon, assert_problem
from merge_judge import header_field
from peak import peak_of
from pickup_reader import PickupFile, read

NDJSON = {"Content-Type": "application/x-ndjson"}
MANY = 10_000


def taken(daemon: Daemon, answer: Answer) -> tuple[dict, list[bytes]]:
    """The receipt and its files, which are the only ones."""
    assert answer.status == 200, answer
    receipt = answer.json()
    assert sorted(receipt["files"]) == [path.name for path in daemon.files()]
    files = [(daemon.pickup / name).read_bytes() for name in receipt["files"]]
    assert receipt["octets"] == sum(map(len, files))
    for path in daemon.files():
        path.unlink()
    return receipt, files


def parsed(daemon: Daemon, answer: Answer) -> list[PickupFile]:
    return [read(octets) for octets in taken(daemon, answer)[1]]


# ---- the receipt


def test_the_receipt_joins_recipients_and_messages(daemon: Daemon):
    recipients = [*crowd(3), recipient(3, envid="own"), "cy@example.org"]
    head = {**HEAD, "variables": {"name": "x", "number": 0}}
    receipt, (octets,) = taken(daemon, daemon.post(as_json(head, recipients)))
    assert set(receipt) == {"id", "files", "recipients", "octets", "envids"}
    assert receipt["recipients"] == 5
    assert receipt["files"] == [f"{receipt['id']}-1.eml"]
    envids = receipt["envids"]
    assert [envid is None for envid in envids] == [False, False, False, True, False]
    sent = read(octets).expansions
    assert [expansion.envid for expansion in sent] == [envid or "own" for envid in envids]
    ids = [header_field(expansion.message, "message-id") for expansion in sent]
    assert len({*ids}) == len({expansion.envid for expansion in sent}) == 5
    assert [found for found, envid in zip(ids, envids, strict=True) if envid] == [
        f"<{envid}@example.com>" for envid in envids if envid
    ]
    assert ids[3].endswith("@example.com>")


def test_the_receipt_of_expanded_files(daemon: Daemon):
    recipients = [*crowd(3), recipient(3, envid="own")]
    receipt, files = taken(daemon, daemon.post(as_json({**HEAD, "merge": "expanded"}, recipients)))
    assert receipt["files"] == [f"{receipt['id']}-{number}.eml" for number in range(1, 5)]
    assert ("messageId" in receipt, receipt["recipients"], receipt["envids"][3]) == (False, 4, None)
    assert [read(octets).envid for octets in files] == [*receipt["envids"][:3], "own"]
    assert [header_field(read(octets).message, "message-id") for octets in files[:3]] == [
        f"<{envid}@example.com>" for envid in receipt["envids"][:3]
    ]


def test_an_envelope_id_of_the_message_is_not_repeated(daemon: Daemon):
    receipt, (octets,) = taken(daemon, daemon.post(as_json({**HEAD, "envid": "all"}, crowd(3))))
    sent = read(octets).expansions
    assert receipt["envids"] == [None] * 3
    assert [expansion.envid for expansion in sent] == ["all"] * 3
    assert len({header_field(expansion.message, "message-id") for expansion in sent}) == 3


def test_a_template_for_one_message_has_an_ordinary_receipt(daemon: Daemon):
    head = {**HEAD, "to": "ann@example.org", "variables": {"name": "Ann", "number": 1}}
    receipt, (octets,) = taken(daemon, daemon.post(json.dumps(head)))
    assert set(receipt) == {"id", "messageId", "files", "recipients", "octets"}
    assert header_field(read(octets).message, "message-id") == f"<{receipt['messageId']}>"


# ---- very many recipients


@pytest.mark.parametrize("form", ["json", "ndjson"])
def test_10000_recipients_are_two_files(daemon: Daemon, form: str):
    recipients = crowd(MANY)
    if form == "json":
        # As curl sends what it is given.
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = daemon.post(as_json(HEAD, recipients), **headers)
    else:
        answer = daemon.post(as_lines(HEAD, recipients), **NDJSON)
    receipt, files = taken(daemon, answer)
    found = [read(octets) for octets in files]
    assert [(file.form, len(file.recipients)) for file in found] == [("merge", 5_000)] * 2
    assert [expansion.envid for file in found for expansion in file.expansions] == receipt["envids"]
    assert len({*receipt["envids"]}) == receipt["recipients"] == MANY
    assert_right(found, recipients)


def test_5001_recipients_are_two_files(daemon: Daemon):
    files = parsed(daemon, daemon.post(as_json(HEAD, crowd(5_001))))
    assert sum(len(file.recipients) for file in files) == 5_001
    assert len(files) == 2
    assert_right(files, crowd(5_001))


def test_5000_recipients_are_one_file(daemon: Daemon):
    (file,) = parsed(daemon, daemon.post(as_json(HEAD, crowd(5_000))))
    assert len(file.recipients) == 5_000


@pytest.mark.parametrize("path", ["/messages", "/messages/check", "/messages/render"])
@pytest.mark.parametrize("form", ["json", "ndjson"])
def test_a_late_error_leaves_nothing(daemon: Daemon, form: str, path: str):
    recipients = crowd(MANY)
    recipients[6_999]["address"] = "nobody"
    if form == "json":
        answer = daemon.post(as_json(HEAD, recipients), path)
    else:
        answer = daemon.post(as_lines(HEAD, recipients), path, **NDJSON)
    (error,) = assert_problem(answer, 422)["errors"]
    assert (error["code"], error["pointer"]) == ("invalid_address", "#/recipients/6999/address")
    assert daemon.files() == []


def test_a_body_that_is_cut_leaves_nothing(daemon: Daemon):
    assert_problem(daemon.post(as_json(HEAD, crowd(MANY))[:-2]), 400)
    assert daemon.files() == []


# ---- the ways to say it


def test_recipients_may_be_first_in_the_middle_or_last(daemon: Daemon):
    recipients = known_crowd(6_000)
    members = list(FIXED.items())
    orders = [dict([*members[:at], ("recipients", recipients), *members[at:]]) for at in (0, 3, len(members))]
    first, middle, last = (taken(daemon, daemon.post(json.dumps(message)))[1] for message in orders)
    assert first == middle == last
    assert_right([read(octets) for octets in first], recipients)


def test_chunks(daemon: Daemon):
    recipients = known_crowd(6_000)
    body = as_json(FIXED, recipients)
    expected = taken(daemon, daemon.post(body))[1]
    for pieces in (iter([body[at : at + 1_000] for at in range(0, len(body), 1_000)]), json_pieces(FIXED, recipients)):
        assert taken(daemon, daemon.post(pieces))[1] == expected
    assert taken(daemon, daemon.post(line_pieces(FIXED, recipients), **NDJSON))[1] == expected


@pytest.mark.parametrize(
    "content_type",
    ["application/x-ndjson", "application/ndjson", "application/jsonl", "Application/X-NDJSON; charset=utf-8"],
)
def test_lines_of_json(daemon: Daemon, content_type: str):
    recipients = known_crowd(20)
    expected = taken(daemon, daemon.post(as_json(FIXED, recipients)))[1]
    lines = as_lines(FIXED, recipients)
    for body in (lines, lines[:-1], lines.replace(b"\n", b"\r\n"), lines.replace(b"\n", b"\n\n \t\n")):
        assert taken(daemon, daemon.post(body, **{"Content-Type": content_type}))[1] == expected


def test_made_ids_are_all_that_differs(daemon: Daemon):
    recipients = [*crowd(50), "cy@example.org"]
    head = {**HEAD, "variables": {"name": "x", "number": 0}}
    masked = []
    for receipt, (octets,) in (
        taken(daemon, daemon.post(as_json(head, recipients))),
        taken(daemon, daemon.post(as_lines(head, recipients), **NDJSON)),
    ):
        for number, envid in enumerate(receipt["envids"]):
            assert envid.encode() in octets
            octets = octets.replace(envid.encode(), f"ID-{number}".encode())
        masked.append(octets)
    assert masked[0] == masked[1]


def test_pointers_count_recipients_and_not_lines(shared_daemon: Daemon):
    body = as_lines(HEAD, crowd(2)) + b'\n\n"nobody"\n\n' + b'{"address": "x@example.org", "envid": " "}\n'
    answer = shared_daemon.post(body, "/messages/check", **NDJSON)
    errors = assert_problem(answer, 422)["errors"]
    found = {(error["code"], error["pointer"]) for error in errors}
    assert {("invalid_address", "#/recipients/2"), ("invalid_token", "#/recipients/3/envid")} <= found


def test_lines_without_a_recipient(shared_daemon: Daemon):
    answer = shared_daemon.post(as_lines(HEAD, []), "/messages/check", **NDJSON)
    (error,) = assert_problem(answer, 422)["errors"]
    assert (error["code"], error["pointer"]) == ("no_recipients", "#/recipients")


def test_render_of_lines_is_the_first_message(shared_daemon: Daemon):
    recipients = known_crowd(3)
    by_json = shared_daemon.post(as_json(FIXED, recipients), "/messages/render")
    by_lines = shared_daemon.post(as_lines(FIXED, recipients), "/messages/render", **NDJSON)
    assert (by_lines.status, by_lines.headers["content-type"]) == (200, "message/rfc822")
    assert by_lines.body == by_json.body
    assert b"<m0@example.com>" in by_lines.body


# ---- limits


@pytest.mark.parametrize("last", [True, False], ids=["recipients last", "recipients first"])
def test_recipients_do_not_count_for_the_limit(start_daemon, last: bool):
    daemon = start_daemon("--body-limit", "256KiB")
    recipients = crowd(MANY)
    message = {**HEAD, "recipients": recipients} if last else {"recipients": recipients, **HEAD}
    body = json.dumps(message).encode()
    assert len(body) > 2 * 256 * 1024
    assert_right(parsed(daemon, daemon.post(body)), recipients)
    assert_right(parsed(daemon, daemon.post(iter([body[:1_000], body[1_000:]]))), recipients)


def test_lines_of_recipients_do_not_count_for_the_limit(start_daemon):
    daemon = start_daemon("--body-limit", "256KiB")
    assert_right(parsed(daemon, daemon.post(as_lines(HEAD, crowd(MANY)), **NDJSON)), crowd(MANY))


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunks"])
@pytest.mark.parametrize("form", ["recipients last", "recipients first", "ndjson"])
def test_the_rest_counts_for_the_limit(start_daemon, form: str, chunked: bool):
    daemon = start_daemon("--body-limit", "256KiB")
    head = {**HEAD, "html": "x" * 300_000}
    if form == "ndjson":
        body, headers = as_lines(head, crowd(10)), NDJSON
    else:
        message = {**head, "recipients": crowd(10)} if form.endswith("last") else {"recipients": crowd(10), **head}
        body, headers = json.dumps(message).encode(), {}
    pieces = iter([body[at : at + 50_000] for at in range(0, len(body), 50_000)]) if chunked else body
    assert_problem(daemon.post(pieces, **headers), 413)
    assert daemon.files() == []


def test_a_message_without_recipients_has_the_limit_as_ever(start_daemon):
    daemon = start_daemon("--body-limit", "256KiB")
    message = {"from": "a@b.example", "to": [f"r{number}@example.org" for number in range(20_000)], "text": "x"}
    assert_problem(daemon.post(json.dumps(message)), 413)
    assert daemon.files() == []


# ---- memory


@pytest.mark.parametrize(("pieces", "headers"), [(json_pieces, {}), (line_pieces, NDJSON)], ids=["json", "ndjson"])
def test_memory_does_not_grow_with_recipients(start_daemon, pieces, headers: dict[str, str]):
    # They have envelope ids, so that the answer is short, too.
    daemon = start_daemon("--body-timeout", "300s")
    peaks = []
    for count in (20_000, 200_000):
        everybody = (recipient(number, envid=f"e{number}") for number in range(count))
        answer = daemon.post(pieces(HEAD, everybody), **headers)
        assert (answer.status, answer.json()["recipients"]) == (200, count)
        assert len(daemon.files()) == count // 5_000
        peaks.append(peak_of(daemon))
        for path in daemon.files():
            path.unlink()
    print(f"20,000 recipients: {peaks[0] / 2**20:.1f} MiB, 200,000: {peaks[1] / 2**20:.1f} MiB")
    assert peaks[1] - peaks[0] < 8 * 2**20
