"""What breaks no rule and may yet not be meant: told behind every door, in receipts where it is asked for, and as
problems where that is asked for."""

import asyncio
import json
import os
import subprocess
from os import EX_DATAERR, EX_USAGE
from pathlib import Path

import pytest

import pmtaemail
from daemon import Daemon, assert_problem

ROOT = Path(__file__).parent.parent
FIELDS = {
    "from": "ann@example.com",
    "to": "bo@example.org",
    "subject": "Hello *|FNAME|*",
    "html": "<img src='https://a.example/a'>\n<a href='http://a.example/{{ x }}'>a</a> <a href='javascript:a()'>b</a>",
    "template": "none",
}
CODES = ["foreign_placeholder", "missing_alt", "insecure_link", "script_link", "missing_text"]
POINTERS = ["/subject", "/html", "/html", "/html", "/text"]
RIGHT = {"from": "ann@example.com", "to": "bo@example.org", "text": "Hello"}
MERGE = {"from": "ann@example.com", "text": "Hello", "recipients": ["bo@example.org"] * 5_001}


def node(program: str, *arguments: str | Path) -> object:
    program = f"const p = require({json.dumps(str(ROOT / 'node'))}); {program}"
    done = subprocess.run(["node", "-e", program, *arguments], capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


def codes(warnings) -> list[str]:
    return [warning["code"] if isinstance(warning, dict) else warning.code for warning in warnings]


def test_every_interface_reports_the_same(shared_daemon: Daemon, run):
    message = json.dumps(FIELDS)
    answer = shared_daemon.post(message.encode(), "/messages/check")
    told = answer.json()["warnings"]
    assert (answer.status, codes(told), [one["pointer"] for one in told]) == (200, CODES, POINTERS)
    assert told[1]["detail"].startswith("In line 1, column 1 an image has no `alt`")
    assert told[2]["detail"].startswith("In line 2, column 1 a link does not start with `https://`")
    assert [one._asdict() for one in pmtaemail.warnings(FIELDS)] == told
    assert node(f"console.log(JSON.stringify(p.warnings({message})))") == told
    done = run("check", stdin=message.encode())
    assert (done.returncode, done.stdout) == (0, b"")
    lines = [f"pmtaemailapi: {one['pointer']}: {one['code']}: {one['detail']}" for one in told]
    assert done.stderr.decode().splitlines() == lines


@pytest.mark.parametrize("size", [1, 2 << 20])
def test_many_recipients_are_counted_however_they_come(shared_daemon: Daemon, run, tmp_path: Path, size: int):
    """The larger ones wait on the disk."""
    name = "x" * (size // 5_000)
    others = [{"address": "bo@example.org", "name": name}] * 5_001
    head = {"from": "ann@example.com", "text": "Hello"}
    one = json.dumps(head | {"recipients": others}).encode()
    lines = "\n".join(json.dumps(each) for each in [head, *others]).encode()
    (tmp_path / "a.csv").write_text("address,name\n" + f"bo@example.org,{name}\n" * 5_001)
    (tmp_path / "a.json").write_text(json.dumps(head))
    told = [
        shared_daemon.post(one, "/messages/check").json()["warnings"],
        shared_daemon.post(lines, "/messages/check", **{"Content-Type": "application/x-ndjson"}).json()["warnings"],
        pmtaemail.warnings(one),
    ]
    assert [codes(warnings) for warnings in told] == [["missing_unsubscribe"]] * 3
    for arguments in (["check", "a.json", "-ndjson"], ["check", "-message", "a.json", "-csv", "a.csv"]):
        if "-ndjson" in arguments:
            (tmp_path / "a.ndjson").write_bytes(lines)
            arguments[1:] = ["a.ndjson"]
        assert b"/unsubscribe: missing_unsubscribe: " in run(*arguments).stderr
    unsubscribe = {"unsubscribe": {"mailto": "off@example.com"}}
    fewer = json.dumps(head | {"recipients": others[1:]}).encode()
    for message in (json.dumps(head | unsubscribe | {"recipients": others}).encode(), fewer):
        assert "warnings" not in shared_daemon.post(message, "/messages/check").json()


def test_strictly_they_are_problems(shared_daemon: Daemon, run):
    message = json.dumps(FIELDS).encode()
    for path in ("/messages/check?strict", "/messages/check?strict=true"):
        problem = assert_problem(shared_daemon.post(message, path), 422)
        assert codes(problem["errors"]) == CODES
    assert shared_daemon.post(message, "/messages/check?strict=false").status == 200
    lines = json.dumps(MERGE).encode()
    assert codes(assert_problem(shared_daemon.post(lines, "/messages/check?strict"), 422)["errors"]) == [
        "missing_unsubscribe"
    ]
    done = run("check", "--strict", stdin=message)
    assert (done.returncode, done.stderr) == (EX_DATAERR, b"")
    assert [line.split(": ")[1] for line in done.stdout.decode().splitlines()] == CODES
    done = run("check", "--strict", "--json", stdin=message)
    assert [json.loads(line)["code"] for line in done.stdout.splitlines()] == CODES
    assert codes(pmtaemail.check(FIELDS, strict=True)) == CODES
    assert node(f"console.log(JSON.stringify(p.check({json.dumps(FIELDS)}, {{ strict: true }})))") == [
        one._asdict() for one in pmtaemail.warnings(FIELDS)
    ]
    right = json.dumps(RIGHT).encode()
    assert shared_daemon.post(right, "/messages/check?strict").json() == {"problems": []}
    assert run("check", "--strict", stdin=right).returncode == 0
    assert pmtaemail.check(RIGHT, strict=True) == []
    bad = FIELDS | {"to": "nobody"}
    assert codes(pmtaemail.check(bad, strict=True)) == ["invalid_address"]
    assert node(f"console.log(JSON.stringify(p.check({json.dumps(bad)}, {{ strict: true }})))")[0]["pointer"] == "/to"


def test_a_receipt_has_them_on_request(daemon: Daemon):
    message = json.dumps(FIELDS).encode()
    assert "warnings" not in daemon.post(message).json()
    told = daemon.post(message, "/messages/check").json()["warnings"]
    assert daemon.post(message, "/messages?warnings").json()["warnings"] == told
    assert daemon.post(json.dumps(RIGHT).encode(), "/messages?warnings=true").json()["warnings"] == []
    form = b'--x\r\nContent-Disposition: form-data; name="message"\r\n\r\n' + message + b"\r\n--x--\r\n"
    media_type = {"Content-Type": "multipart/form-data; boundary=x"}
    assert daemon.post(form, "/messages?warnings", **media_type).json()["warnings"] == told
    lines = daemon.post(json.dumps(MERGE).encode(), "/messages?warnings", Accept="application/x-ndjson").body
    assert codes(json.loads(lines.splitlines()[-1])["warnings"]) == ["missing_unsubscribe"]
    large = MERGE | {"text": "x" * (2 << 20)}
    receipt = daemon.post(json.dumps(large).encode(), "/messages?warnings").json()
    assert codes(receipt["warnings"]) == ["missing_unsubscribe"]
    batch = json.dumps([FIELDS, RIGHT, {}]).encode()
    answer = daemon.post(batch, "/messages/batch?warnings").body
    first, second, third = map(json.loads, answer.splitlines())
    assert (first["warnings"], second["warnings"], "warnings" in third) == (told, [], False)
    whole = daemon.post(json.dumps([FIELDS, RIGHT]).encode(), "/messages/batch?atomic&warnings").body
    assert [json.loads(line)["warnings"] for line in whole.splitlines()] == [told, []]
    assert "warnings" not in daemon.post(json.dumps([FIELDS]).encode(), "/messages/batch").body.decode()
    for path in (
        "/messages?warnings=maybe",
        "/messages?warnings&warnings",
        "/messages/check?strict=2",
        "/messages?strict",
    ):
        assert daemon.post(message, path).status == 400, path


def test_the_same_key_gives_the_same_receipt(daemon: Daemon):
    message = json.dumps(FIELDS).encode()
    first, second = (daemon.post(message, "/messages?warnings", **{"Idempotency-Key": "a"}) for _ in range(2))
    assert codes(first.json()["warnings"]) == CODES
    assert (first.body, second.headers["Idempotent-Replayed"]) == (second.body, "true")
    plain, again = (daemon.post(message, **{"Idempotency-Key": "b"}) for _ in range(2))
    assert ("warnings" in plain.json(), plain.body) == (False, again.body)
    assert len(daemon.files()) == 2


def test_the_command_includes_them_in_receipts(run, pickup: Path, tmp_path: Path):
    message = json.dumps(FIELDS).encode()
    submit = ["submit", "-pickup", str(pickup)]
    assert "warnings" not in json.loads(run(*submit, stdin=message).stdout)
    assert codes(json.loads(run(*submit, "--warnings", stdin=message).stdout)["warnings"]) == CODES
    (tmp_path / "many.ndjson").write_bytes(message + b"\n" + json.dumps(RIGHT).encode() + b"\n")
    for more in ([], ["-atomic"]):
        done = run(*submit, "-batch", "many.ndjson", "-warnings", *more)
        assert [codes(json.loads(line)["warnings"]) for line in done.stdout.splitlines()] == [CODES, []]
    done = run(*submit, "-warnings", "-receipt", "-", stdin=json.dumps(MERGE).encode())
    assert codes(json.loads(done.stdout.splitlines()[-1])["warnings"]) == ["missing_unsubscribe"]
    assert run("render", "--warnings", stdin=message).returncode == EX_USAGE


def test_receipts_in_python(pickup: Path, tmp_path: Path):
    directory = pmtaemail.Pickup(pickup, durability="none")
    told = tuple(pmtaemail.warnings(FIELDS))
    assert directory.submit(FIELDS).warnings is None
    receipt = directory.submit(FIELDS, warnings=True)
    assert receipt.warnings == told
    assert codes(receipt.asdict()["warnings"]) == CODES
    assert directory.submit(json.dumps(FIELDS), warnings=True).warnings == told
    assert directory.submit(RIGHT, warnings=True).warnings == ()
    for _ in range(2):
        assert directory.submit(FIELDS, warnings=True, idempotency_key="a").warnings == told
    # An iterator can be read once.
    merge = MERGE | {"recipients": iter(MERGE["recipients"])}
    receipt = directory.submit(merge, warnings=True)
    assert (receipt.recipients, codes(receipt.warnings)) == (5_001, ["missing_unsubscribe"])
    assert pmtaemail.check(MERGE | {"recipients": iter(MERGE["recipients"])}, strict=True) != []
    many = directory.submit_many([FIELDS, {}, RIGHT, MERGE], warnings=True)
    assert isinstance(many[1], pmtaemail.MessageError)
    assert [codes(many[at].warnings) for at in (0, 2, 3)] == [CODES, [], ["missing_unsubscribe"]]
    assert directory.submit_many([FIELDS])[0].warnings is None

    async def submit():
        async def recipients():
            yield "bo@example.org"

        async with pmtaemail.AsyncPickup(pickup, state=tmp_path / "other state") as directory:
            assert (await directory.submit(FIELDS)).warnings is None
            yields = {name: value for name, value in FIELDS.items() if name != "to"} | {"recipients": recipients()}
            return [
                (await directory.submit(FIELDS, warnings=True)).warnings,
                (await directory.submit(FIELDS, warnings=True, idempotency_key="b")).warnings,
                (await directory.submit(yields, warnings=True)).warnings,
                (await directory.submit_many([FIELDS], warnings=True))[0].warnings,
            ]

    assert asyncio.run(submit()) == [told] * 4


def test_receipts_in_node(pickup: Path):
    os.makedirs(pickup, exist_ok=True)
    program = f"""
    (async () => {{
      const pickup = new p.Pickup({json.dumps(str(pickup))}, {{ durability: 'none' }});
      const [m, right] = [{json.dumps(FIELDS)}, {json.dumps(RIGHT)}];
      const w = {{ warnings: true }};
      const keyed = {{ ...w, idempotencyKey: 'a' }};
      const found = [
        await pickup.submit(m, w), pickup.submitSync(m, w), await pickup.submit(JSON.stringify(m), w),
        await pickup.submit(m, keyed), await pickup.submit(m, keyed),
        ...(await pickup.submitMany([m, right], w)), ...pickup.submitManySync([m, right], w),
      ];
      const plain = [await pickup.submit(m), pickup.submitSync(m, {{ warnings: false }})];
      plain.push(...(await pickup.submitMany([m])));
      const together = await Promise.all([pickup.submit(m), pickup.submit(m, w), pickup.submit(m)]);
      const calls = [
        () => p.check(m, 1), () => p.check(m, {{ warnings: true }}),
        () => pickup.submitSync(m, {{ warnings: 1 }}), () => pickup.submitManySync([m], {{ limit: 1 }}),
      ];
      const refused = calls.map((call) => {{ try {{ call(); return ''; }} catch (e) {{ return e.name; }} }});
      const told = [found, plain, together].map((list) => list.map((receipt) => receipt.warnings ?? null));
      console.log(JSON.stringify([...told, refused]));
    }})();
    """
    found, plain, together, refused = node(program)
    assert [codes(warnings) for warnings in found] == [CODES] * 6 + [[], CODES, []]
    assert plain == [None] * 3
    assert [warnings and codes(warnings) for warnings in together] == [None, CODES, None]
    assert refused == ["TypeError"] * 4
