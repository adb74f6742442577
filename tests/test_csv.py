"""A table of recipients (CSV): what comes out is what the same recipients make in JSON."""

import csv
import io
import json
import re
import shutil
import string
import subprocess
from collections.abc import Iterator
from os import EX_DATAERR, EX_NOINPUT, EX_USAGE
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crowd import gathered
from daemon import Answer, Daemon, assert_problem
from forms import BOUNDARY, part
from peak import peak_of, peak_of_command

HEAD = {
    "from": "Shop <shop@example.com>",
    "template": "merge",
    "subject": "{{ name | default: 'Hello' }}",
    "date": "2026-01-15T09:30:00Z",
    "messageId": "m{{ number }}@example.com",
    "text": "{{ First_name }}/{{ email }}/{{ number }}/{{ größe }}",
}
COLUMNS = ("E-Mail", "name", "First name", "number", "größe", "envid")


def as_json(rows: list[dict]) -> bytes:
    """The recipients that the rows mean, read as the documentation has it."""
    recipients = []
    for row in rows:
        own = {"email": row["E-Mail"], "name": row["name"], "envid": row["envid"]}
        variables = {re.sub(r"\W", "_", name): value for name, value in row.items()}
        variables |= {"email": row["E-Mail"]}
        recipients.append({name: value for name, value in own.items() if value} | {"variables": variables})
    return json.dumps({**MESSAGE, "recipients": recipients}).encode()


MESSAGE = {**HEAD, "text": HEAD["text"].replace("email", "E_Mail")}


def table(rows: list[dict], **dialect: object) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, **dialect)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def form(message: dict | None, rows: bytes | None, *parts: bytes, media_type: str = "text/csv") -> bytes:
    given = [part("message", json.dumps(message).encode())] if message is not None else []
    given += [part("recipients", rows, "r.csv", media_type)] if rows is not None else []
    return b"".join([*given, *parts]) + f"--{BOUNDARY}--\r\n".encode()


def post(daemon: Daemon, body: object, path: str = "/messages") -> Answer:
    return daemon.post(body, path, **{"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})


def row(number: int, **cells: str) -> dict:
    return {
        "E-Mail": f"r{number}@example.org",
        "name": f"Name «{number}»",
        "First name": "Ann",
        "number": str(number),
        "größe": "",
        "envid": f"e{number}",
        **cells,
    }


# ---- as JSON

# What JSON and the templates take anywhere; line ends are LF in values.
LETTERS = st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"))
LINE = st.text(LETTERS | st.sampled_from("\t\"',;|= "), max_size=20)
TEXT = st.text(LETTERS | st.sampled_from("\n\t\"',;| \0"), max_size=40)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "E-Mail": st.from_regex(r"[a-z]{1,8}@example\.org", fullmatch=True),
            "name": LINE,
            "First name": TEXT,
            "number": st.text(string.digits, min_size=1),
            "größe": TEXT,
            "envid": st.from_regex(r"[a-z]{1,8}", fullmatch=True),
        }
    ),
    min_size=1,
    max_size=4,
)
DIALECTS = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from(",;\t|"),
        "lineterminator": st.sampled_from(["\n", "\r\n", "\r"]),
        "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    }
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS, DIALECTS, st.booleans())
def test_any_table_is_what_json_would_be(shared_daemon: Daemon, rows: list[dict], dialect: dict, has_mark: bool):
    if dialect["lineterminator"] == "\r":
        # Python puts a cell with a line feed in quotation marks only where that ends lines.
        dialect = {**dialect, "quoting": csv.QUOTE_ALL}
    mark = "\ufeff".encode() if has_mark else b""
    answer = post(shared_daemon, form(MESSAGE, mark + table(rows, **dialect)))
    expected = shared_daemon.post(as_json(rows))
    assert answer.status == expected.status, answer.body
    if answer.status == 200:
        files, others = (
            [(shared_daemon.pickup / name).read_bytes() for name in each.json()["files"]] for each in (answer, expected)
        )
        assert files == others
    else:
        codes, others = (
            [(error["pointer"], error["code"]) for error in each.json()["errors"]] for each in (answer, expected)
        )
        assert codes == others


def test_both_doors_say_the_same(run, daemon: Daemon, tmp_path: Path, pickup: Path):
    rows = [row(number) for number in range(7)]
    (tmp_path / "m.json").write_text(json.dumps(MESSAGE))
    (tmp_path / "r.csv").write_bytes(table(rows))
    done = run("submit", "--pickup", pickup, "--message", tmp_path / "m.json", "--csv", tmp_path / "r.csv")
    receipt = json.loads(done.stdout)
    answer = post(daemon, form(MESSAGE, table(rows)))
    assert (receipt["recipients"], answer.json()["recipients"], receipt["envids"]) == (7, 7, [None] * 7)
    [name] = receipt["files"]
    assert (pickup / name).read_bytes() == daemon.files()[-1].read_bytes()
    for verb in ("check", "render"):
        files = ("--message", tmp_path / "m.json", "--csv", tmp_path / "r.csv")
        done = run(verb, *files)
        answer = post(daemon, form(MESSAGE, table(rows)), f"/messages/{verb}")
        assert (done.returncode, answer.status) == (0, 200)
        if verb == "render":
            assert done.stdout == answer.body
            third = run(verb, "--recipient", "3", *files)
            assert b"Message-ID: <m2@example.com>\r\n" in third.stdout
            assert run(verb, "--recipient", "8", *files).returncode == EX_DATAERR


@pytest.mark.parametrize("from_stdin", ["--message", "--csv"])
def test_one_of_the_two_may_be_standard_input(run, tmp_path: Path, from_stdin: str):
    given = {"--message": json.dumps(MESSAGE).encode(), "--csv": table([row(1)])}
    arguments: list[str | Path] = []
    for option, content in given.items():
        path = tmp_path / option.strip("-")
        path.write_bytes(content)
        arguments += [option, "-" if option == from_stdin else path]
    done = run("render", *arguments, stdin=given[from_stdin])
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"r1@example.org" in done.stdout


def test_what_cannot_be_a_command(run, tmp_path: Path):
    (tmp_path / "m.json").write_text(json.dumps(MESSAGE))
    done = run("check", "--message", "-", "--csv", "-")
    assert (done.returncode, b"standard input" in done.stderr) == (EX_USAGE, True)
    assert run("check", "--csv", tmp_path / "m.json").returncode == EX_USAGE
    assert run("check", "--message", tmp_path / "m.json", "--csv", tmp_path / "none").returncode == EX_NOINPUT


# ---- problems, behind both doors


def told(run, daemon: Daemon, tmp_path: Path, message: dict, rows: bytes) -> list[tuple[str, str, str]]:
    """The problems that the command and the daemon tell, which are the same."""
    (tmp_path / "m.json").write_text(json.dumps(message))
    (tmp_path / "r.csv").write_bytes(rows)
    done = run("check", "--json", "--message", tmp_path / "m.json", "--csv", tmp_path / "r.csv")
    assert done.returncode == EX_DATAERR
    problems = [json.loads(line) for line in done.stdout.splitlines()]
    problems = [(problem["pointer"], problem["code"], problem["detail"]) for problem in problems]
    for path in ("/messages", "/messages/check", "/messages/render"):
        errors = assert_problem(post(daemon, form(message, rows), path), 422)["errors"]
        assert [(error["pointer"], error["code"], error["detail"]) for error in errors] == [
            ("#" + pointer, *rest) for pointer, *rest in problems
        ]
    assert daemon.files() == []
    return problems


GOOD = b"email,name,city\nann@example.org,Ann,Oslo\n"


@pytest.mark.parametrize(
    ("rows", "pointer", "code", "word"),
    [
        (b"", "/recipients", "missing_field", "`email`"),
        (b"name,city\nAnn,Oslo\n", "/recipients", "missing_field", "`email`"),
        (b"email,name,city\n", "/recipients", "no_recipients", ""),
        (GOOD.replace(b"city", b"e-mail"), "/recipients", "duplicate_field", "Columns 1 and 3"),
        (GOOD.replace(b"city", b"address"), "/recipients", "duplicate_field", "`address`"),
        (GOOD.replace(b"name,city", b"city,city"), "/recipients", "duplicate_field", "Columns 2 and 3"),
        (GOOD + b"bo@example.org\n", "/recipients/1", "invalid_content", "line 3"),
        (
            GOOD + b"\r\nbo@example.org,Bo,Rome,\n",
            "/recipients/1",
            "invalid_content",
            "has 4 cells and the first row has 3",
        ),
        (GOOD + b"\nbo,Bo,Rome\n", "/recipients/1/email", "invalid_address", "line 4"),
        (GOOD + 'bo@example.org,Bö,""\n'.encode("latin-1"), "/recipients/1", "invalid_content", "UTF-8"),
        (GOOD.decode().encode("utf-16"), "/recipients", "invalid_content", "UTF-8"),
        (GOOD + b'bo@example.org,Bo,"Rome\n' + GOOD * 3, "/recipients/1", "invalid_content", "line 3"),
        (GOOD + b"bo@example.org,Bo," + b"x" * 10_000_000, "/recipients/1", "too_long", "line 3"),
        (GOOD + b"bo@example.org,B\0,x", "/recipients/1/name", "control_character", "line 3"),
    ],
)
def test_problems(run, daemon: Daemon, tmp_path: Path, rows: bytes, pointer: str, code: str, word: str):
    message = {"from": "shop@example.com", "template": "merge", "text": "{{ name }} of {{ city }}"}
    [problem] = told(run, daemon, tmp_path, message, rows)
    assert problem[:2] == (pointer, code)
    assert word in problem[2]


def test_recipients_are_in_one_place(run, daemon: Daemon, tmp_path: Path):
    message = {"from": "shop@example.com", "template": "merge", "text": "x"}
    [problem] = told(run, daemon, tmp_path, {**message, "Recipients": ["a@example.org"]}, GOOD)
    assert problem[:2] == ("/Recipients", "conflict")
    [problem] = told(run, daemon, tmp_path, {**message, "to": "a@example.org"}, GOOD)
    assert problem[:2] == ("/to", "conflict")
    raw = {"raw": "From: a@example.com\r\n\r\nx\r\n"}
    problems = told(run, daemon, tmp_path, raw, GOOD)
    assert ("/raw", "conflict") in [problem[:2] for problem in problems]


def test_a_forgotten_template_is_reported_once(run, daemon: Daemon, tmp_path: Path):
    message = {"from": "shop@example.com", "text": "Hello {{ city }}"}
    [problem] = told(run, daemon, tmp_path, message, GOOD + b"bo@example.org,Bo,Rome\n")
    assert problem[:2] == ("/template", "missing_field")
    # A mailbox alone is no variable.
    assert post(daemon, form(message, b"email,name\na@example.org,Ann\n")).status == 200


def test_problems_of_message_and_rows_are_reported_together(run, daemon: Daemon, tmp_path: Path):
    message = {"from": "nobody", "template": "merge", "text": "{{ city }}"}
    problems = told(run, daemon, tmp_path, message, GOOD + b"x,y\n")
    assert {problem[:2] for problem in problems} == {
        ("/from", "invalid_address"),
        ("/recipients/1", "invalid_content"),
    }


# ---- fields and variables


def rendered(daemon: Daemon, message: dict, rows: str) -> str:
    answer = post(daemon, form({"from": "shop@example.com", **message}, rows.encode()), "/messages/render")
    assert answer.status == 200, answer.body
    return answer.body.decode()


def test_an_empty_cell_has_the_default(shared_daemon: Daemon):
    text = "{{ city | default('nowhere', true) }} {{ email }}"
    message = {"template": "jinja", "text": text}
    assert "\r\n\r\nnowhere a@example.org\r\n" in rendered(shared_daemon, message, "email,city\na@example.org,\n")


def test_numbers_keep_their_digits(shared_daemon: Daemon):
    for template in ("merge", "jinja", "sparkpost"):
        message = {"template": template, "text": "{{ id }} {{ price }} {{ yes }}"}
        rows = "email;id;price;yes\na@example.org;00012345678901234567890;19.90;true\n"
        assert "\r\n00012345678901234567890 19.90 true\r\n" in rendered(shared_daemon, message, rows)


def test_own_fields_of_recipients(daemon: Daemon):
    head = {"from": "shop@example.com", "template": "merge", "text": "{{ Priority }} {{ JOB }} {{ Sender }}"}
    rows = "EMAIL,Sender,env_id,JOB,vmta,Priority,variables\n"
    rows += "a@example.org,b@example.com,e1,spring,pool,7,x\nc@example.org,,,,,,\n"
    assert post(daemon, form(head, rows.encode())).json()["envids"][0] is None
    [path] = daemon.files()
    content = path.read_bytes()
    for word in (b'*jobid="spring"', b'*vmta="pool"', b'*envid="e1"', b'*priority="7"', b"b@example.com"):
        assert content.count(word) == 1 or word == b"b@example.com", content
    wrong = assert_problem(post(daemon, form(head, rows.replace(",7,", ",soon,").encode())), 422)["errors"]
    assert [(error["pointer"], error["code"]) for error in wrong] == [("#/recipients/0/Priority", "invalid_choice")]


# ---- HTTP


@pytest.mark.parametrize("media_type", ["text/csv; charset=utf-8", "application/vnd.ms-excel", "Text/Plain"])
def test_media_types_of_tables(shared_daemon: Daemon, media_type: str):
    body = form(
        HEAD | {"text": "x", "messageId": "{{ number }}@a.example"},
        b"email,number\na@b.example,1\n",
        media_type=media_type,
    )
    assert post(shared_daemon, body, "/messages/check").status == 200


def test_parts_in_any_order_with_files(daemon: Daemon):
    message = {**MESSAGE, "attachments": [{"part": "f"}]}
    rows = table([row(1)])
    parts = [
        part("message", json.dumps(message).encode()),
        part("recipients", rows, "r.csv", "text/csv"),
        part("f", b"content of the file", "a.bin"),
    ]
    end = f"--{BOUNDARY}--\r\n".encode()
    answers = []
    for order in ((0, 1, 2), (2, 1, 0), (1, 0, 2)):
        answers.append(post(daemon, b"".join(parts[at] for at in order) + end, "/messages/render"))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert b'filename="a.bin"' in answers[0].body or b"filename=a.bin" in answers[0].body
    left = assert_problem(post(daemon, form(MESSAGE, rows, part("f", b"x"))), 422)["errors"]
    assert [error["code"] for error in left] == ["unused_part"]


@pytest.mark.parametrize(
    "body",
    [
        form(None, GOOD),
        form(MESSAGE, GOOD, part("recipients", GOOD)),
        form(MESSAGE, b"[]", media_type="application/json"),
        form(MESSAGE, GOOD)[:-10],
    ],
)
def test_forms_that_are_none(daemon: Daemon, body: bytes):
    answer = post(daemon, body)
    assert assert_problem(answer, 400)["detail"]
    assert daemon.files() == []


def test_a_table_without_a_message_says_how_to_send_it(daemon: Daemon):
    answer = daemon.post(GOOD, **{"Content-Type": "text/csv"})
    assert "multipart/form-data" in assert_problem(answer, 415)["detail"]


def test_the_limits_of_forms(start_daemon):
    daemon = start_daemon("--body-limit", "20kB", "--merge-limit", "200kB")
    rows = b"email,number,name,First name,E-Mail-2\n"
    message = {"from": "a@example.com", "template": "merge", "text": "x"}
    line = b"a@example.org," + b"x" * 1000 + b",,,\n"
    assert post(daemon, form(message, rows + line * 100)).status == 200
    # Which of the two limits it was depends on how much of the form had come.
    document = assert_problem(post(daemon, form({**message, "text": "x" * 30_000}, rows + line)), 413)
    assert "20000 bytes" in document["detail"]
    assert_problem(post(daemon, form(message, rows + line * 300)), 413)
    assert_problem(post(daemon, form(message, None, part("f", b"x" * 30_000))), 413)


def test_a_head_without_an_end_takes_no_memory(start_daemon):
    daemon = start_daemon("--body-timeout", "300s")

    def pieces() -> Iterator[bytes]:
        yield f"--{BOUNDARY}\r\nX: ".encode()
        for _ in range(1_000):
            yield b"y" * 60_000

    before = peak_of(daemon)
    assert_problem(post(daemon, pieces()), 413)
    assert peak_of(daemon) - before < 30 * 2**20


def test_memory_does_not_grow_with_rows(start_daemon):
    daemon = start_daemon("--body-timeout", "300s")
    message = {"from": "a@b.example", "template": "merge", "text": "Your number is {{ number }}."}
    peaks = []
    for count in (20_000, 200_000):
        start = (
            f"--{BOUNDARY}\r\nContent-Disposition: form-data; name=message\r\n\r\n{json.dumps(message)}\r\n--{BOUNDARY}"
        )
        start += "\r\nContent-Disposition: form-data; name=recipients; filename=r.csv\r\nContent-Type: text/csv\r\n\r\n"
        rows = (f"r{number}@example.org,{number},e{number}\n" for number in range(count))
        body = gathered(start + "email,number,envid\n", rows, f"\r\n--{BOUNDARY}--\r\n")
        answer = post(daemon, body)
        assert (answer.status, answer.json().get("recipients")) == (200, count), answer.body
        assert len(daemon.files()) == count // 5_000
        peaks.append(peak_of(daemon))
        for path in daemon.files():
            path.unlink()
    print(f"20,000 rows: {peaks[0] / 2**20:.1f} MiB, 200,000: {peaks[1] / 2**20:.1f} MiB")
    assert peaks[1] - peaks[0] < 8 * 2**20


# A table of so many rows is 45 MB; what they may take beyond what two take.
ROWS = 110_000
ROWS_LIMIT = 10_000_000


@pytest.mark.parametrize("verb", ["check", "submit"])
def test_memory_of_the_command(binary: Path, pickup: Path, tmp_path: Path, verb: str):
    message, table = tmp_path / "m.json", tmp_path / "r.csv"
    message.write_text(json.dumps({"from": "a@b.example", "template": "merge", "text": "{{ name }}"}))
    options = ["--pickup", pickup] if verb == "submit" else []
    peaks = []
    for count in (2, ROWS):
        with table.open("w") as out:
            out.write("email;name;other\n")
            out.writelines(f"c{n}@d.example;{'x' * 100};{'y' * 300}\n" for n in range(count))
        peaks.append(peak_of_command(binary, verb, "--message", message, "--csv", table, *options))
    assert table.stat().st_size > 2 * ROWS_LIMIT
    assert len(list(pickup.iterdir())) == (1 + ROWS / 5000 if verb == "submit" else 0)
    size = peaks[1] - peaks[0]
    print(f"the command: {size / 1e6:.1f} MB")
    assert size < ROWS_LIMIT


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl(daemon: Daemon, tmp_path: Path):
    (tmp_path / "m.json").write_text(json.dumps(MESSAGE))
    (tmp_path / "r.csv").write_bytes(table([row(1), row(2)]))
    arguments = ["-F", "message=@m.json;type=application/json", "-F", "recipients=@r.csv;type=text/csv"]
    done = subprocess.run(
        ["curl", "-sS", f"{daemon.url}/messages", *arguments], cwd=tmp_path, capture_output=True, check=True
    )
    assert json.loads(done.stdout)["recipients"] == 2
