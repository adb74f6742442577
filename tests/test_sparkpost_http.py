"""SparkPost's API as it is spoken over HTTP: what its clients do not try by themselves."""

import json
import quopri
import re
from collections.abc import Callable, Iterator

import pytest

from daemon import Answer, Daemon
from merge_judge import header_field, take_apart
from peak import peak_of
from pickup_reader import read

PATH = "/api/v1/transmissions"
CONTENT = {"from": {"email": "shop@example.com", "name": "Shop"}, "subject": "Hello {{ name }}", "text": "Hi {{name}}"}
MANY = 20_000
RFC822 = "From: a@example.com\r\nTo: list@example.org\r\nSubject: x\r\n\r\nHi\r\n"


def transmission(**more: object) -> dict:
    return {"content": CONTENT, "recipients": [recipient("ann", name="Ann")], **more}


def recipient(local: str, **data: object) -> dict:
    return {"address": {"email": f"{local}@example.org"}, "substitution_data": data}


def content(**more: object) -> dict:
    fields = {**CONTENT, **more}
    return transmission(content={name: value for name, value in fields.items() if value is not ...})


def post(daemon: Daemon, body: object, path: str = PATH, **headers: str) -> Answer:
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    return daemon.post(octets, path, **{name.replace("_", "-"): value for name, value in headers.items()})


def results(answer: Answer, recipients: int) -> dict:
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()["results"]
    assert (found["total_accepted_recipients"], found["total_rejected_recipients"]) == (recipients, 0)
    assert re.fullmatch("[0-9]{1,40}", found["id"])
    return found


def errors(answer: Answer, status: int) -> list[tuple[str, str]]:
    """Code and place of each error."""
    assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
    found = answer.json()["errors"]
    for error in found:
        assert {*error} == {"message", "description", "code"}
        assert all(isinstance(value, str) and value for value in error.values())
    return [(error["code"], (re.findall("^`(.*?)`:", error["description"]) or [""])[0]) for error in found]


def arrived(daemon: Daemon) -> dict[str, bytes]:
    """What each recipient gets; it is taken away."""
    octets = [path.read_bytes() for path in daemon.files()]
    for path in daemon.files():
        path.unlink()
    return {sent.file.addresses[0]: sent.file.message for sent in take_apart(octets)}


def body_of(message: bytes) -> str:
    return quopri.decodestring(message.partition(b"\r\n\r\n")[2]).decode().rstrip()


# ---- what is sent


def test_a_slash_at_the_end_is_the_same_path(daemon: Daemon):
    for path in (PATH, f"{PATH}/", f"{PATH}?num_rcpt_errors=3"):
        results(post(daemon, transmission(), path), 1)
        assert [*arrived(daemon)] == ["ann@example.org"]
    assert errors(post(daemon, transmission(), f"{PATH}?x=1"), 400) == [("400", "")]


def test_recipients_data_win_over_the_transmissions_and_data_over_metadata(daemon: Daemon):
    given = transmission(
        content={**CONTENT, "subject": "x", "text": "{{a}} {{b}} {{c}} {{d}} {{e}}"},
        metadata={"a": "m", "b": "m", "c": "m", "d": "m"},
        substitution_data={"b": "s", "c": "s", "d": "s"},
        recipients=[
            {"address": "ann@example.org", "metadata": {"c": "rm", "d": "rm"}, "substitution_data": {"d": "r"}}
        ],
    )
    results(post(daemon, given), 1)
    assert body_of(arrived(daemon)["ann@example.org"]) == "m s rm r"


def test_what_powermta_is_told(daemon: Daemon):
    given = transmission(
        return_path="r@example.com",
        campaign_id="spring",
        description="a\nnote",
        options={"ip_pool": "bulk", "transactional": True, "sandbox": False, "open_tracking": False, "smtputf8": True},
        recipients=[recipient("ann"), {**recipient("bo"), "return_path": "own@example.com"}],
    )
    results(post(daemon, given), 2)
    (octets,) = [path.read_bytes() for path in daemon.files()]
    sent = read(octets).expansions
    assert [(it.sender, it.job, it.vmta) for it in sent] == [
        ("r@example.com", "spring", "bulk"),
        ("own@example.com", "spring", "bulk"),
    ]
    daemon.wait_for_event("submission")
    entry = next(entry for entry in daemon.entries() if entry["event"] == "submission")
    assert (entry["job"], entry["vmta"], entry["description"]) == ("spring", "bulk", "a\\nnote")


def test_a_key_of_dkim(daemon: Daemon):
    results(post(daemon, transmission(options={"dkim_key": "s1"})), 1)
    (octets,) = [path.read_bytes() for path in daemon.files()]
    assert read(octets).dkim["s"] == "s1"


def test_substitution_may_stop_in_bodies(daemon: Daemon):
    text = "{{ name }} {{{ name }}} {{{{ {{ if x }}"
    given = transmission(
        content={**CONTENT, "text": text, "html": f"<p>{text}</p>"}, options={"perform_substitutions": False}
    )
    results(post(daemon, given), 1)
    message = arrived(daemon)["ann@example.org"]
    assert header_field(message, "subject") == "Hello Ann"
    decoded = message.replace(b"=\r\n", b"").replace(b"=20", b" ").decode()
    assert decoded.count(text) == 2


def test_a_finished_message_goes_to_all(daemon: Daemon):
    people = [{"address": "ann@example.org"}, {"address": {"email": "bo@example.org", "name": "x"}}]
    given = {"content": {"email_rfc822": RFC822}, "recipients": [*people, people[0]], "return_path": "r@example.com"}
    own = {**people[0], "return_path": "own@example.com"}
    results(post(daemon, given), 3)
    (file,) = daemon.files()
    found = read(file.read_bytes())
    assert (found.addresses, found.sender) == (["ann@example.org", "bo@example.org"], "r@example.com")
    assert found.message.endswith(RFC822.encode())
    for problem, expected in [
        ({"content": {"email_rfc822": RFC822 + "{{ x }}"}}, ("1100", "content/email_rfc822")),
        ({"content": {"email_rfc822": RFC822, "subject": "x"}}, ("1301", "content/subject")),
        ({"recipients": [people[1], own]}, ("1100", "recipients/1/return_path")),
        ({"recipients": [own, people[1]]}, ("1100", "recipients/1")),
        ({"recipients": [own, people[1]], "return_path": None}, ("1100", "recipients/1")),
        ({"recipients": [people[1], own], "return_path": None}, ("1100", "recipients/1/return_path")),
    ]:
        assert errors(post(daemon, {**given, **problem}), 422) == [expected]
    for problem, place in [
        ({"return_path": 1}, "return_path"),
        ({"recipients": [{**people[0], "return_path": 1}]}, "recipients/0/return_path"),
    ]:
        assert errors(post(daemon, {**given, **problem}), 400) == [("1300", place)]
    file.unlink()
    results(post(daemon, {**given, "recipients": [own, own]}), 2)
    (file,) = daemon.files()
    assert read(file.read_bytes()).sender == "own@example.com"
    kept = {"content": {"email_rfc822": RFC822 + "{{ x }}"}, "options": {"perform_substitutions": False}}
    results(post(daemon, {**given, **kept}), 3)


def test_a_large_finished_message(daemon: Daemon):
    """More than is kept in memory as it is: its recipients come apart from it."""
    mail = RFC822 + "line of the body\r\n" * 100_000
    people = [{"address": f"r{number}@example.org"} for number in range(5)]
    results(post(daemon, {"recipients": people, "content": {"email_rfc822": mail}}), 5)
    assert read(daemon.files()[0].read_bytes()).message.endswith(mail.encode())
    people[3]["x"] = 1
    answer = post(daemon, {"recipients": people, "content": {"email_rfc822": mail}})
    assert errors(answer, 422) == [("1100", "recipients/3/x")]


# ---- very many


def pieces(count: int, people: Callable[[int], dict]) -> Iterator[bytes]:
    yield json.dumps({"content": CONTENT, "campaign_id": "spring"}).removesuffix("}").encode() + b', "recipients": ['
    for start in range(0, count, 1_000):
        lines = ",".join(json.dumps(people(number)) for number in range(start, start + 1_000))
        yield (lines if start == 0 else f",{lines}").encode()
    yield b"]}"


def test_very_many_recipients_are_a_stream(daemon: Daemon):
    before = peak_of(daemon)
    answer = post_pieces(daemon, pieces(MANY, lambda number: recipient(f"r{number}", name=f"N{number}")))
    results(answer, MANY)
    # All recipients in memory would take many times as much.
    assert peak_of(daemon) - before < 60 << 20
    found = arrived(daemon)
    assert len(found) == MANY
    for number in (0, 1, MANY - 1):
        message = found[f"r{number}@example.org"]
        assert (header_field(message, "subject"), body_of(message)) == (f"Hello N{number}", f"Hi N{number}")


def test_a_problem_of_one_of_very_many(daemon: Daemon):
    def people(number: int) -> dict:
        return {**recipient(f"r{number}"), **({"return_path": "nobody"} if number == 15_000 else {})}

    assert errors(post_pieces(daemon, pieces(MANY, people)), 422) == [("1300", "recipients/15000/return_path")]
    people_without = pieces(MANY, lambda number: {"address": {}} if number == 19_999 else recipient(f"r{number}"))
    assert errors(post_pieces(daemon, people_without), 400) == [("1400", "recipients/19999/address/email")]
    assert daemon.files() == []


def post_pieces(daemon: Daemon, body: Iterator[bytes]) -> Answer:
    return daemon.request("POST", PATH, body)


# ---- what is refused


@pytest.mark.parametrize(
    ("given", "status", "expected"),
    [
        (b"{", 400, [("1300", "")]),
        (b"[]", 400, [("1300", "")]),
        ({}, 400, [("1400", "content"), ("1400", "recipients")]),
        (transmission(recipients=[]), 400, [("1400", "recipients")]),
        (transmission(recipients=[{}]), 400, [("1400", "recipients/0/address")]),
        (transmission(recipients="ann@example.org"), 400, [("1300", "recipients")]),
        (transmission(recipients=[{"address": "nobody"}]), 422, [("1300", "recipients/0/address")]),
        (
            transmission(recipients=[{"address": {"email": "ann@example.org", "header_to": "a\r\nX-Forged: b"}}]),
            422,
            [("1300", "recipients/0/address/header_to")],
        ),
        (transmission(recipients={"list_id": "all"}), 422, [("1100", "recipients/list_id")]),
        (transmission(campaign_id="x" * 65), 422, [("1300", "campaign_id")]),
        (transmission(campaign_id="two words"), 422, [("1300", "campaign_id")]),
        (transmission(return_path="nobody"), 422, [("1300", "return_path")]),
        (transmission(unknown=1), 422, [("1100", "unknown")]),
        (transmission(options={"start_time": "2030-01-01T00:00:00Z"}), 422, [("1100", "options/start_time")]),
        (transmission(options={"inline_css": "yes"}), 400, [("1300", "options/inline_css")]),
        (transmission(options={"open_tracking": "yes"}), 400, [("1300", "options/open_tracking")]),
        (transmission(options={"ip_pool": "a b"}), 422, [("1300", "options/ip_pool")]),
        (transmission(options={"dkim_key": "a b"}), 422, [("1300", "options/dkim_key")]),
        (transmission(content={"template_id": "x"}), 422, [("1100", "content/template_id")]),
        (content(**{"from": ...}), 400, [("1400", "content/from")]),
        (content(**{"from": {"name": "x"}}), 400, [("1400", "content/from/email")]),
        (content(**{"from": {"email": "nobody"}}), 422, [("1300", "content/from/email")]),
        (content(**{"from": {"email": "{{x}}@example.com"}}), 422, [("1300", "recipients/0/substitution_data")]),
        (content(subject=...), 400, [("1400", "content/subject")]),
        (content(subject="a\nb"), 422, [("1300", "content/subject")]),
        (content(text=...), 400, [("1400", "content/text")]),
        (content(text=1), 400, [("1300", "content/text")]),
        (content(text="{{ if x }}"), 422, [("3000", "content/text")]),
        (content(headers={"X-A": "a\nb"}), 422, [("1300", "content/headers/X-A")]),
        (content(headers={"Subject": "x"}), 422, [("1300", "content/headers/Subject")]),
        (content(reply_to="nobody"), 422, [("1300", "content/reply_to")]),
        (
            content(attachments=[{"name": "a.txt", "type": "text/plain", "data": "?"}]),
            422,
            [("1300", "content/attachments/0/data")],
        ),
        (content(attachments=[{"name": "a.txt", "data": "abcd"}]), 400, [("1400", "content/attachments/0/type")]),
        (
            content(attachments=[{"type": "text/plain"}]),
            400,
            [("1400", "content/attachments/0/name"), ("1400", "content/attachments/0/data")],
        ),
        (
            content(html="x", inline_images=[{"name": "a b", "type": "image/png", "data": ""}]),
            422,
            [("1300", "content/inline_images/0/name")],
        ),
    ],
)  # fmt: skip
def test_errors_have_codes_and_places(shared_daemon: Daemon, given: object, status: int, expected: list):
    assert errors(post(shared_daemon, given), status) == expected


@pytest.mark.parametrize("name", ["open_tracking", "initial_open", "click_tracking"])
def test_tracking_is_refused_unless_it_is_ignored(start_daemon: Callable[..., Daemon], name: str):
    given = transmission(options={name: True})
    daemon = start_daemon()
    assert errors(post(daemon, given), 422) == [("1100", f"options/{name}")]
    daemon.stop()
    daemon = start_daemon("--sparkpost-ignore", "open_tracking,click_tracking")
    results(post(daemon, given), 1)


def test_other_answers_are_in_the_same_form(start_daemon: Callable[..., Daemon]):
    daemon = start_daemon("--body-limit", "2kB", "--merge-limit", "2kB")
    for expected, answer in [
        (404, daemon.request("GET", "/api/v1/account")),
        (405, daemon.request("GET", PATH)),
        (413, post(daemon, content(text="x" * 3_000))),
        (415, post(daemon, transmission(), Content_Type="message/rfc822")),
        (415, post(daemon, transmission(), Content_Encoding="br")),
    ]:
        assert errors(answer, expected) == [(str(expected), "")]


def test_the_paths_may_be_closed(start_daemon: Callable[..., Daemon]):
    daemon = start_daemon("--no-compat")
    for path in (PATH, "/emails", "/emails/batch"):
        answer = post(daemon, transmission(), path)
        assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")


# ---- keys


def test_a_key_of_idempotency(daemon: Daemon):
    first = post(daemon, transmission(), Idempotency_Key="a.b-c_1")
    again = post(daemon, transmission(), Idempotency_Key="a.b-c_1")
    assert results(first, 1) == results(again, 1)
    assert first.headers["x-idempotent-replayed"] is None
    assert again.headers["x-idempotent-replayed"] == "true"
    assert first.headers["x-pmtaemail-id"] == again.headers["x-pmtaemail-id"]
    assert len(daemon.files()) == 1
    other = post(daemon, transmission(campaign_id="x"), Idempotency_Key="a.b-c_1")
    assert errors(other, 409) == [("1600", "")]
    assert errors(post(daemon, transmission(), Idempotency_Key="a b"), 400) == [("1602", "")]
    # The same octets under the same key are something else to our own API.
    own = daemon.post(json.dumps(transmission()).encode(), "/messages", **{"Idempotency-Key": "a.b-c_1"})
    assert own.status != 200


def test_access_keys(start_daemon: Callable[..., Daemon], run: Callable, tmp_path):
    keys = tmp_path / "keys.toml"
    added = run("keys", "add", "shop", "--keys", keys, "--from", "example.net", "--recipients-per-day", "1")
    key = added.stdout.decode().strip()
    daemon = start_daemon("--keys", str(keys))
    assert errors(post(daemon, transmission()), 401) == [("401", "")]
    assert errors(post(daemon, transmission(), Authorization="wrong"), 403) == [("403", "")]
    assert errors(post(daemon, transmission(), Authorization=key), 403) == [("7001", "content/from")]
    right = content(**{"from": "shop@example.net"})
    results(post(daemon, right, Authorization=key), 1)
    over = post(daemon, right, Authorization=key)
    assert errors(over, 420) == [("2101", "")]
    assert over.headers["retry-after"]


def test_it_is_counted_and_logged_as_what_it_is(daemon: Daemon):
    results(post(daemon, transmission()), 1)
    post(daemon, {})
    page = daemon.request("GET", "/metrics").body.decode()
    for outcome in ("accepted", "rejected"):
        assert f'pmtaemail_submissions_total{{api="sparkpost",outcome="{outcome}"}} 1' in page
    assert 'route="/api/v1/transmissions"' in page
    daemon.stop()
    events = [(entry["event"], entry["status"]) for entry in daemon.entries() if "status" in entry]
    assert events[:2] == [("submission", 200), ("submission", 400)]
