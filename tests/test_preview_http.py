"""The preview's side of the daemon: who may ask, what is told of a message, what its frames may do, the outbox."""

import base64
import json
import os
import re
import signal
import socket
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from daemon import Answer, Daemon, assert_problem
from preview_command import Command

MANIFEST = Path(__file__).parent.parent / "Cargo.toml"
VERSION = tomllib.loads(MANIFEST.read_text(encoding="utf-8"))["workspace"]["package"]["version"]
PLAIN = {"from": "a@example.com", "to": ["b@example.org", "c@example.org"], "subject": "Grüße", "text": "Hello"}
MERGE = {
    "from": "Shop <shop@example.com>",
    "subject": "Hello {{ name }}",
    "text": "Dear {{ name }}",
    "template": "merge",
    "variables": {"shop": "Eve"},
    "recipients": [
        {"address": "ann@example.org", "variables": {"name": "Ann"}},
        {"address": "bo@example.org", "variables": {"name": "Bø" * 20_000}, "envid": "bo"},
        {"address": "cy@example.org", "variables": {"name": "Cy"}, "envid": "bo"},
    ],
}
PNG = base64.b64encode(b"\x89PNG").decode()
HARD = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
VIEWS = "/preview/api/views"
OUTBOX = "/preview/api/outbox"


@pytest.fixture
def daemon(start_daemon: Callable[..., Daemon]) -> Daemon:
    return start_daemon("--preview")


@pytest.fixture(scope="module")
def shared(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One for all tests that do not look at the outbox."""
    with Daemon(binary, tmp_path_factory.mktemp("pickup"), "--preview") as daemon:
        yield daemon


def post(daemon: Daemon, message: object, query: str = "", **headers: str) -> Answer:
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return daemon.post(body, VIEWS + query, **headers)


def view(daemon: Daemon, message: object, query: str = "", **headers: str) -> dict:
    answer = post(daemon, message, query, **headers)
    assert answer.status == 200, answer.body
    return answer.json()


def get(daemon: Daemon, path: str, **headers: str) -> Answer:
    return daemon.request("GET", path, headers=headers)


def policy(answer: Answer) -> dict[str, set[str]]:
    parts = (part.split() for part in answer.headers["content-security-policy"].split(";"))
    return {name: set(values) for name, *values in parts}


def field(view: dict, name: str) -> str:
    (value,) = [header["value"] for header in view["headers"] if header["name"] == name]
    return value


# Who may ask.


def test_it_is_there_only_where_it_is_asked_for(start_daemon: Callable[..., Daemon], tmp_path: Path):
    daemon = start_daemon()
    for path in ("/preview", "/preview/preview.js", OUTBOX, "/preview/api/status"):
        assert_problem(get(daemon, path), 404)
    assert_problem(post(daemon, PLAIN), 404)
    other = start_daemon(pickup=tmp_path / "other", PMTAEMAIL_PREVIEW="true")
    assert get(other, "/preview").status == 200
    assert get(other, "/preview/api/status").json() == {"outbox": True, "file": None, "version": VERSION}


def test_every_answer_is_hardened(shared: Daemon):
    shown = view(shared, PLAIN)
    for method, path, status in [
        ("GET", "/preview", 200),
        ("GET", "/preview/preview.js", 200),
        ("GET", "/preview/nothing.js", 404),
        ("GET", "/preview/api/status", 200),
        ("GET", "/preview/api/nothing", 404),
        ("GET", "/preview/nothing/at/all", 404),
        ("GET", OUTBOX, 200),
        ("DELETE", OUTBOX, 405),
        ("POST", VIEWS, 400),
        ("GET", f"{VIEWS}/{shown['view']}", 200),
        ("GET", f"{VIEWS}/{'0' * 32}", 404),
        ("GET", shown["source"]["url"], 200),
        ("GET", "/preview?x=1", 400),
        ("GET", f"{OUTBOX}?x=1", 400),
    ]:
        answer = shared.request(method, path)
        assert answer.status == status, path
        assert HARD.items() <= {name.lower(): value for name, value in answer.headers.items()}.items(), path
        rules = policy(answer)
        assert rules["default-src"] == {"'none'"}, path
        assert rules["frame-ancestors"] == {"'none'"}, path
        assert rules["base-uri"] == {"'none'"}, path


def test_json_is_as_deep_as_it_likes(shared: Daemon):
    deep = b"[" * 200_000 + b"]" * 200_000
    before = b'{"from": "a@example.com", "to": "b@example.org", "other": '
    for body, pointer, column in [
        (deep, "#", 1),
        (before + deep + b"}", "#/other", len(before) + 1),
    ]:
        errors = {error["pointer"]: error["column"] for error in assert_problem(post(shared, body), 422)["errors"]}
        assert errors.get(pointer) == column, errors
    assert get(shared, "/preview/api/status").status == 200


def test_the_page_runs_its_own_modules_alone(shared: Daemon):
    page = get(shared, "/preview")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert policy(page) == {
        "default-src": {"'none'"},
        "script-src": {"'self'"},
        "style-src": {"'self'"},
        "img-src": {"'self'", "data:"},
        "connect-src": {"'self'"},
        "frame-src": {"'self'"},
        "form-action": {"'none'"},
        "base-uri": {"'none'"},
        "frame-ancestors": {"'none'"},
    }
    assert page.body == get(shared, "/preview/").body == get(shared, "/preview/index.html").body
    types = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
    names = re.findall(r'(?:href|src)="/preview/([^"]+)"', page.body.decode())
    assert len(names) >= 3
    for name in names:
        answer = get(shared, f"/preview/{name}")
        assert (answer.status, answer.headers["content-type"]) == (200, types[name.rpartition(".")[2]])
    for path in ("/preview/..%2fmod.rs", "/preview/page%2fapi.js", "/preview/../metrics"):
        assert get(shared, path).status == 404


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200),
        ("localhost:{port}", 200),
        ("localhost", 200),
        ("[::1]:{port}", 200),
        # The other end of a tunnel.
        ("localhost:1", 200),
        ("evil.example:{port}", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example:{port}", 421),
        ("evil.example@localhost", 421),
        ("", 421),
    ],
)
def test_it_answers_to_its_own_names(shared: Daemon, host: str, status: int):
    shown = view(shared, PLAIN)
    host = host.format(port=shared.port)
    for path in ("/preview", "/preview/preview.js", OUTBOX, shown["source"]["url"]):
        answer = get(shared, path, Host=host)
        assert answer.status == status, path
        # What a proxy says of itself, anybody may.
        answer = get(shared, path, Host="evil.example", **{"X-Forwarded-Host": host, "Forwarded": f"host={host}"})
        assert_problem(answer, 421)
    answer = post(shared, PLAIN, Host=host)
    assert answer.status == status


def test_a_host_has_to_be_named(shared: Daemon):
    with shared.socket() as connection:
        connection.sendall(b"GET /preview/api/outbox HTTP/1.0\r\n\r\n")
        assert connection.makefile("rb").read().startswith(b"HTTP/1.0 421 ")


def test_named_hosts_are_its_own(start_daemon: Callable[..., Daemon]):
    daemon = start_daemon("--preview", "--allow-origin", "http://mail.internal:8000,http://app.example")
    for host, status in [("mail.internal:8000", 200), ("mail.internal", 421), ("app.example", 200)]:
        assert get(daemon, OUTBOX, Host=host).status == status
    # A page of such a host may use the daemon, and not see messages.
    origin = {"Origin": "http://app.example"}
    assert daemon.post(json.dumps(PLAIN), **origin).status == 200
    assert_problem(post(daemon, PLAIN, **origin), 403)
    assert_problem(get(daemon, OUTBOX, **origin), 403)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin", "Origin": "{own}"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": "http://127.0.0.1"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "{own}.evil.example"}, 403),
    ],
)
def test_its_page_alone_may_ask(shared: Daemon, headers: dict[str, str], status: int):
    shown = view(shared, PLAIN)
    headers = {name: value.format(own=shared.url) for name, value in headers.items()}
    for path in (OUTBOX, f"{OUTBOX}/events", shown["source"]["url"], "/preview/preview.js"):
        if status == 200 and path.endswith("/events"):
            continue
        assert get(shared, path, **headers).status == status, path
    assert post(shared, PLAIN, **headers).status == status
    # To the page itself a link may lead: it is empty, and in no frame.
    assert get(shared, "/preview", **headers).status == 200


def test_a_key_has_to_be_for_previews(start_daemon: Callable[..., Daemon], run: Callable, tmp_path: Path):
    file = tmp_path / "keys.toml"
    keys = {}
    for name, options in [("shop", []), ("eye", ["--preview"]), ("narrow", ["--preview", "--from", "example.net"])]:
        done = run("keys", "add", name, "--keys", file, *options)
        assert done.returncode == 0, done.stderr
        keys[name] = {"Authorization": f"Bearer {done.stdout.decode().strip()}"}
    daemon = start_daemon("--preview", "--keys", str(file))
    assert get(daemon, "/preview").status == 200
    assert get(daemon, "/preview/preview.js").status == 200
    for path in ("/preview/api/status", OUTBOX, f"{OUTBOX}/events", f"{VIEWS}/{'0' * 32}"):
        assert_problem(get(daemon, path), 401)
        assert_problem(get(daemon, path, Authorization="Bearer nonsense"), 403)
        problem = assert_problem(get(daemon, path, **keys["shop"]), 403)
        assert problem["type"] == "urn:pmtaemail:problem:no-preview"
    assert_problem(post(daemon, PLAIN), 401)
    assert_problem(post(daemon, PLAIN, **keys["shop"]), 403)
    assert daemon.post(json.dumps(PLAIN), **keys["shop"]).status == 200
    assert get(daemon, "/preview/api/status", **keys["eye"]).status == 200
    shown = view(daemon, PLAIN, **keys["eye"])
    assert_problem(get(daemon, f"{VIEWS}/{shown['view']}"), 401)
    # A frame cannot send a key: the name of its view is enough.
    for name in ("source", "pickup_file"):
        assert get(daemon, shown[name]["url"]).status == 200
        assert_problem(get(daemon, shown[name]["url"].replace(shown["view"], "0" * 32)), 404)
    (listed,) = get(daemon, OUTBOX, **keys["eye"]).json()["files"]
    assert daemon.post(b"", f"{OUTBOX}/{listed['name']}", **keys["eye"]).status == 200
    assert_problem(daemon.post(b"", f"{OUTBOX}/{listed['name']}", **keys["shop"]), 403)
    # From whom a key may send holds here as well.
    problem = assert_problem(post(daemon, PLAIN, **keys["narrow"]), 403)
    assert [error["code"] for error in problem["errors"]] == ["forbidden_sender"]


# What is told of a message.


def test_a_plain_message(shared: Daemon):
    html = '<p>Hi <img src="cid:logo" alt=""><img src="http://x.example/a.png" alt=""></p>'
    attachments = [
        {"filename": "logo.png", "content": PNG, "contentId": "logo"},
        {"filename": "ä b.txt", "content": "SGk="},
    ]
    message = PLAIN | {"html": html, "attachments": attachments, "amp": "<html ⚡4email>", "job": "j", "vmta": "v"}
    shown = view(shared, message)
    name = shown["view"]
    assert re.fullmatch("[0-9a-f]{32}", name)
    assert (shown["recipient"], shown["recipients"], shown["file"], shown["notice"]) == (0, 1, None, None)
    envelope = shown["envelope"]
    assert envelope.pop("envid")
    assert envelope == {"from": "a@example.com", "to": PLAIN["to"], "job": "j", "vmta": "v"}
    assert field(shown, "Subject") == "Grüße"
    assert field(shown, "To") == "b@example.org, c@example.org"
    assert (shown["text"], shown["amp"], shown["clipped"]) == ("Hello", "<html ⚡4email>", False)
    url = f"/preview/views/{name}/html?recipient=0"
    assert shown["html"] == {"octets": len(html), "url": url, "remote": 1}
    assert [(part["name"], part["octets"]) for part in shown["attachments"]] == [("logo.png", 4), ("ä b.txt", 2)]
    leaves = []
    waiting = [shown["parts"]]
    while waiting:
        part = waiting.pop(0)
        assert ("url" in part) != ("parts" in part)
        assert part["octets"] == sum(inner["octets"] for inner in part.get("parts", [])) or "url" in part
        waiting = part.get("parts", []) + waiting
        if "url" in part:
            leaves.append(part["type"])
    assert leaves == ["text/plain", "text/x-amp-html", "text/html", "image/png", "text/plain"]
    source = get(shared, shown["source"]["url"])
    assert len(source.body) == shown["source"]["octets"]
    assert b"Subject: =?utf-8?" in source.body
    file = get(shared, shown["pickup_file"]["url"])
    assert len(file.body) == shown["pickup_file"]["octets"]
    assert file.body.startswith(b"x-sender: a@example.com\r\nx-receiver: b@example.org\r\n")
    assert file.body.endswith(source.body)
    assert shared.files() == []


def test_a_mail_merge(shared: Daemon):
    """The second recipient has a file of their own, and an envelope id that another has too."""
    first = view(shared, MERGE)
    path = f"{VIEWS}/{first['view']}"
    views = [first, *(get(shared, f"{path}?recipient={number}").json() for number in (1, 2))]
    for number, (shown, recipient) in enumerate(zip(views, MERGE["recipients"], strict=True)):
        name = recipient["variables"]["name"]
        assert (shown["recipient"], shown["recipients"]) == (number, 3)
        assert shown["envelope"]["to"] == [recipient["address"]]
        assert shown["variables"] == {"shop": "Eve", "name": name}
        assert field(shown, "Subject") == f"Hello {name}"
        assert shown["text"] == f"Dear {name}"
        assert get(shared, shown["source"]["url"]).body.count(b"To: ") == 1
    assert views[0]["envelope"]["envid"] != "bo"
    assert [shown["envelope"]["envid"] for shown in views[1:]] == ["bo", "bo"]
    assert b"XMRG FROM" in get(shared, views[2]["pickup_file"]["url"]).body
    # Numbers as they are written, as the mail has them.
    text = json.dumps(MERGE).replace('"Eve"', "1.50")
    assert b'"shop":1.50' in post(shared, text.encode()).body
    assert_problem(get(shared, f"{path}?recipient=3"), 404)
    assert view(shared, MERGE, "?recipient=2")["text"] == "Dear Cy"
    assert_problem(post(shared, MERGE, "?recipient=3"), 404)
    for query in ("?recipient=-1", "?recipient=", "?recipient=+1", "?recipient=1&recipient=1", "?limit=1", "?x"):
        assert_problem(get(shared, path + query), 400)
    assert_problem(post(shared, MERGE, "?recipient=x"), 400)


def test_recipients_of_one_envelope_id_keep_their_order(shared: Daemon):
    merge = MERGE | {"recipients": MERGE["recipients"][::-1], "envid": "all"}
    merge["recipients"] = [{**recipient, "envid": "all"} for recipient in merge["recipients"]]
    shown = [view(shared, merge, f"?recipient={number}")["envelope"]["to"] for number in range(3)]
    assert shown == [[recipient["address"]] for recipient in merge["recipients"]]


def test_recipients_that_are_left_out_are_no_mails(shared: Daemon):
    merge = MERGE | {"invalidRecipients": "skip", "seeds": ["seed@example.com"]}
    merge["recipients"] = ["nobody", *MERGE["recipients"], MERGE["recipients"][0]]
    shown = view(shared, merge, "?recipient=2")
    assert shown["recipients"] == 4
    assert [(one["index"], one["code"]) for one in shown["rejected"]] == [(0, "invalid_address")]
    assert "rejected" not in view(shared, MERGE)
    assert shown["envelope"]["to"] == ["cy@example.org"]
    assert shown["variables"]["name"] == "Cy"
    assert view(shared, merge)["envelope"]["to"] == ["ann@example.org"]


def test_a_merge_in_lines(shared: Daemon):
    head = {key: value for key, value in MERGE.items() if key != "recipients"}
    lines = "\n".join(json.dumps(part) for part in [head, *MERGE["recipients"]]).encode()
    shown = view(shared, lines, "?recipient=2", **{"Content-Type": "application/x-ndjson"})
    assert (shown["text"], shown["recipients"]) == ("Dear Cy", 3)
    assert shown["variables"] == {"shop": "Eve", "name": "Cy"}


def test_a_finished_message(shared: Daemon):
    mail = b"From: a@example.com\r\nSubject: Hi\r\nMIME-Version: 1.0\r\n\r\nHello\r\n"
    shown = view(shared, mail, "?to=b%40example.org&job=j", **{"Content-Type": "message/rfc822"})
    assert (shown["text"], field(shown, "Subject")) == ("Hello", "Hi")
    assert shown["envelope"]["to"] == ["b@example.org"]
    assert shown["envelope"]["job"] == "j"
    assert shown["html"] is None
    assert get(shared, shown["source"]["url"]).body.endswith(b"\r\n\r\nHello\r\n")


def test_all_recipients_of_several_files_get_one_mail(shared: Daemon):
    to = [f"r{number}@example.org" for number in range(5_001)]
    shown = view(shared, PLAIN | {"to": to, "verp": True})
    assert shown["recipients"] == 1
    assert shown["envelope"]["to"] == to
    assert shown["envelope"]["verp"] is True


def test_problems_are_shown_where_they_are(shared: Daemon):
    text = '{\n  "from": "a@example.com",\n  "cc": "é", "to": ["b@example.org",\n\t"c"],\n  "subjekt": "x"\n}'
    answer = post(shared, text.encode())
    errors = assert_problem(answer, 422)["errors"]
    places = {error["pointer"]: (error["line"], error["column"]) for error in errors}
    assert places == {"#/cc": (3, 9), "#/to/1": (4, 2), "#/subjekt": (5, 14)}
    same = [{key: error[key] for key in ("code", "pointer", "detail")} for error in errors]
    assert same == assert_problem(shared.post(text.encode(), "/messages/check"), 422)["errors"]
    (error,) = assert_problem(post(shared, b'{"from":\n  x}'), 400)["errors"]
    assert (error["line"], error["column"]) == (2, 3)
    (error,) = assert_problem(post(shared, {"to": "b@example.org"}), 422)["errors"]
    assert (error["pointer"], error["line"], error["column"]) == ("#/from", 1, 1)
    # In a text of more than a MiB as well.
    large = f'{{"text": "{"x" * 1_100_000}",\n "to": "b"}}'
    for error in assert_problem(post(shared, large.encode()), 422)["errors"]:
        assert (error["line"], error["column"]) == {"#/to": (2, 8), "#/from": (1, 1)}[error["pointer"]]
    mail = {"Content-Type": "message/rfc822"}
    for error in assert_problem(post(shared, b"Subject: x\r\n\r\n", **mail), 422)["errors"]:
        assert "line" not in error


def test_warnings_are_those_of_check(shared: Daemon):
    text = '{"from": "a@example.com", "to": "b@example.org",\n "subject": "Hello *|FNAME|*", "html": "<img>"}'
    warnings = view(shared, text.encode())["warnings"]
    assert [(warning["pointer"], warning["line"], warning["column"]) for warning in warnings] == [
        ("/subject", 2, 13),
        ("/html", 2, 40),
        ("/text", 1, 1),
    ]
    without = [{key: warning[key] for key in ("code", "pointer", "detail")} for warning in warnings]
    assert without == shared.post(text.encode(), "/messages/check").json()["warnings"]


def test_what_gmail_would_clip_is_shown(shared: Daemon):
    for size, clipped in [(102_000, False), (102_001, True)]:
        assert view(shared, PLAIN | {"html": "x" * size})["clipped"] is clipped


# What frames may do.

HOSTILE = """<!doctype html><meta http-equiv=refresh content="0;url=http://x.example/"><base href="http://x.example/">
<script>fetch("/preview/api/outbox")</script><p onclick="alert(1)">Hello</p>
<a href="https://x.example/" target=_top>a</a>
<form action="http://x.example/"><button>b</button></form><link rel=preconnect href="http://x.example/">
<style>@import "http://x.example/a.css"; p { background: url(http://x.example/b.png) }</style>
<img src="cid:logo" alt="">
<svg><style><meta http-equiv=refresh content=0></style></svg><iframe src="http://x.example/"></iframe>"""


def test_hostile_html_is_shown_in_a_frame_that_can_do_nothing(shared: Daemon):
    message = PLAIN | {"html": HOSTILE, "attachments": [{"filename": "a.png", "content": PNG, "contentId": "logo"}]}
    shown = view(shared, message)
    answer = get(shared, shown["html"]["url"])
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "content-disposition" not in answer.headers
    assert answer.headers["x-dns-prefetch-control"] == "off"
    expected = {
        "sandbox": set(),
        "default-src": {"'none'"},
        "style-src": {"'unsafe-inline'"},
        "img-src": {"data:"},
        "font-src": {"data:"},
        "media-src": {"data:"},
        "form-action": {"'none'"},
        "base-uri": {"'none'"},
        "frame-ancestors": {"'self'"},
    }
    assert policy(answer) == expected
    html = answer.body.decode()
    for word in ("<meta", "<base", "<script", "<link", "<iframe", "onclick", "_top", "action="):
        assert word not in html, word
    assert html.startswith("<!DOCTYPE html>")
    assert f'src="data:image/png;base64,{PNG}"' in html
    assert '<a href="https://x.example/" target="_blank">' in html
    assert shown["html"]["remote"] == 3
    remote = get(shared, f"{shown['html']['url']}&remote=1&scheme=dark")
    expected |= {name: values | {"http:", "https:"} for name, values in expected.items() if "data:" in values}
    expected["style-src"] = {"'unsafe-inline'", "http:", "https:"}
    assert policy(remote) == expected
    assert '<!DOCTYPE html><meta name="color-scheme" content="dark">' in remote.body.decode()
    assert "preconnect" not in remote.body.decode()
    for query in ("&remote=2", "&scheme=blue", "&x=1", "&recipient=0"):
        assert_problem(get(shared, shown["html"]["url"] + query), 400)
    plain = view(shared, PLAIN)
    assert_problem(get(shared, f"/preview/views/{plain['view']}/html"), 404)


def test_downloads_are_never_shown(shared: Daemon):
    name = 'a"; filename=x.html\u2028é.html'
    attachment = {"filename": name, "content": base64.b64encode(b"<script>").decode(), "contentType": "text/html"}
    shown = view(shared, PLAIN | {"attachments": [attachment]})
    (part,) = shown["attachments"]
    answer = get(shared, part["url"])
    assert answer.body == b"<script>"
    assert answer.headers["content-type"] == "text/html"
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith("attachment; filename*=UTF-8''a%22%3B%20filename")
    assert disposition.isascii()
    assert policy(answer)["sandbox"] == set()
    for name in ("source", "pickup_file"):
        answer = get(shared, shown[name]["url"])
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["content-disposition"].startswith("attachment; ")
        assert policy(answer) == {
            "sandbox": set(),
            "default-src": {"'none'"},
            "base-uri": {"'none'"},
            "form-action": {"'none'"},
            "frame-ancestors": {"'none'"},
        }
    for number in ("99", "-1", "x", "99999999999999999999"):
        assert_problem(get(shared, f"/preview/views/{shown['view']}/parts/{number}"), 404)


# What is kept.


def test_the_oldest_views_make_room(start_daemon: Callable[..., Daemon]):
    daemon = start_daemon("--preview", "--memory", "32MiB")
    first = view(daemon, PLAIN)["view"]
    views = [view(daemon, PLAIN)["view"] for _ in range(63)]
    # It was asked for since, so it is not the oldest any more.
    assert get(daemon, f"{VIEWS}/{first}").status == 200
    view(daemon, PLAIN)
    assert_problem(get(daemon, f"{VIEWS}/{views[0]}"), 404)
    assert get(daemon, f"{VIEWS}/{first}").status == 200
    # By their bytes as well.
    for _ in range(12):
        view(daemon, PLAIN | {"text": "x" * 100_000})
    assert_problem(get(daemon, f"{VIEWS}/{first}"), 404)
    large = PLAIN | {"attachments": [{"filename": "a", "content": "A" * 2_000_000}]}
    assert "bytes of messages to preview" in assert_problem(post(daemon, large), 413)["detail"]


def test_of_a_merge_that_is_too_large_one_mail_is_shown(start_daemon: Callable[..., Daemon]):
    daemon = start_daemon("--preview", "--memory", "32MiB")
    head = {key: value for key, value in MERGE.items() if key != "recipients"} | {"seeds": ["seed@example.com"]}
    recipients = (
        {"address": f"r{number}@example.org", "variables": {"name": f"{number} {'x' * 500}"}} for number in range(3_000)
    )
    lines = "\n".join(json.dumps(part) for part in [head, *recipients]).encode()
    shown = view(daemon, lines, "?recipient=2999", **{"Content-Type": "application/x-ndjson"})
    assert (shown["recipient"], shown["recipients"]) == (2_999, 3_000)
    assert shown["envelope"]["to"] == ["r2999@example.org"]
    assert shown["text"].startswith("Dear 2999 ")
    assert_problem(get(daemon, f"{VIEWS}/{shown['view']}?recipient=0"), 404)
    assert_problem(post(daemon, lines, "?recipient=3000", **{"Content-Type": "application/x-ndjson"}), 404)


# The outbox.


def test_the_outbox_has_what_was_submitted(daemon: Daemon):
    assert get(daemon, OUTBOX).json() == {"files": [], "more": False}
    plain = daemon.post(json.dumps(PLAIN)).json()
    merge = daemon.post(json.dumps(MERGE)).json()
    foreign = daemon.pickup / "foreign é.eml"
    foreign.write_bytes(b"From: x\n\nnot ours")
    for age, name in enumerate([foreign.name, *merge["files"], *plain["files"]]):
        os.utime(daemon.pickup / name, ns=(time.time_ns(), 1_800_000_000_000_000_000 - age))
    files = get(daemon, OUTBOX).json()["files"]
    assert [file["name"] for file in files] == [foreign.name, *merge["files"], *plain["files"]]
    assert files[0] == {"name": foreign.name, "octets": 17, "time": "2027-01-15T08:00:00Z"}
    assert files[1]["subject"].startswith("Hello ")
    assert files[1]["from"] == "Shop <shop@example.com>"
    assert (files[-1]["subject"], files[-1]["recipients"]) == ("Grüße", 2)
    shown = daemon.post(b"", f"{OUTBOX}/{plain['files'][0]}").json()
    assert (shown["text"], shown["recipients"], shown["file"]) == ("Hello", 1, plain["files"][0])
    assert shown["envelope"]["to"] == PLAIN["to"]
    texts = []
    for name in merge["files"]:
        first = daemon.post(b"", f"{OUTBOX}/{name}").json()
        for number in range(first["recipients"]):
            texts.append(daemon.post(b"", f"{OUTBOX}/{name}?recipient={number}").json()["text"])
        assert_problem(daemon.post(b"", f"{OUTBOX}/{name}?recipient={first['recipients']}"), 404)
        assert first["variables"] or first["recipients"] == 1
    assert sorted(texts) == sorted(f"Dear {recipient['variables']['name']}" for recipient in MERGE["recipients"])
    shown = daemon.post(b"", f"{OUTBOX}/foreign%20%C3%A9.eml").json()
    assert shown["notice"]
    assert [shown[key] for key in ("envelope", "text", "html", "amp", "parts", "source")] == [None] * 6
    assert get(daemon, shown["pickup_file"]["url"]).body == foreign.read_bytes()
    # What is shown stays, though PowerMTA takes the file.
    foreign.unlink()
    assert get(daemon, shown["pickup_file"]["url"]).status == 200
    assert_problem(daemon.post(b"", f"{OUTBOX}/foreign%20%C3%A9.eml"), 404)


def test_whole_visible_files_of_the_directory_alone_are_shown(daemon: Daemon, tmp_path: Path):
    secret = tmp_path / "secret.eml"
    secret.write_text("secret")
    pickup = daemon.pickup
    (pickup / ".hidden.eml").write_text("hidden")
    (pickup / "folder").mkdir()
    (pickup / "folder" / "a.eml").write_text("a")
    (pickup / "link.eml").symlink_to(secret)
    os.mkfifo(pickup / "pipe.eml")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fspath(pickup / "socket.eml"))
        (pickup / "good.eml").write_text("good")
        assert [file["name"] for file in get(daemon, OUTBOX).json()["files"]] == ["good.eml"]
        for name in (
            "../secret.eml",
            "..%2Fsecret.eml",
            "%2e%2e%2fsecret.eml",
            "..%5Csecret.eml",
            str(secret).replace("/", "%2F"),
            ".hidden.eml",
            ".",
            "..",
            "%2E%2E",
            "%00",
            "good.eml%00.x",
            "folder",
            "folder%2Fa.eml",
            "folder/a.eml",
            "link.eml",
            "pipe.eml",
            "socket.eml",
            "nothing.eml",
            "%FF",
            "x" * 300,
        ):
            answer = daemon.post(b"", f"{OUTBOX}/{name}")
            assert answer.status in (400, 404), name
            assert b"secret" not in answer.body
        assert daemon.post(b"", f"{OUTBOX}/good.eml").status == 200


def test_the_newest_of_very_many_are_listed(daemon: Daemon):
    for number in range(205):
        path = daemon.pickup / f"{number}.eml"
        path.write_bytes(b"x")
        os.utime(path, (number, number))
    listing = get(daemon, OUTBOX).json()
    assert listing["more"] is True
    assert [file["name"] for file in listing["files"]] == [f"{number}.eml" for number in range(204, 4, -1)]


class Events:
    """Listens to the outbox."""

    def __init__(self, daemon: Daemon):
        self.connection = daemon.connect()
        self.connection.request("GET", f"{OUTBOX}/events")
        self.response = self.connection.getresponse()
        assert self.response.status == 200
        assert self.response.headers["content-type"] == "text/event-stream"

    def __enter__(self) -> "Events":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def next(self) -> list[str]:
        """The names of the next listing."""
        lines = []
        while (line := self.response.readline()) != b"\n":
            assert line, "the stream has ended"
            lines.append(line.decode())
        if lines == [":\n"]:
            return self.next()
        name, data = lines
        assert name == "event: outbox\n"
        return [file["name"] for file in json.loads(data.removeprefix("data: "))["files"]]

    def until(self, names: set[str]) -> None:
        """Waits until the outbox has just these files."""
        while set(self.next()) != names:
            pass


def test_listeners_hear_of_each_change(daemon: Daemon):
    with Events(daemon) as events, Events(daemon) as others:
        assert events.next() == []
        assert others.next() == []
        first = daemon.post(json.dumps(PLAIN)).json()["files"]
        events.until(set(first))
        others.until(set(first))
        second = daemon.post(json.dumps(PLAIN)).json()["files"]
        events.until({*first, *second})
        (daemon.pickup / first[0]).unlink()
        events.until(set(second))
        # Whoever comes later hears at once of what is there.
        with Events(daemon) as late:
            assert late.next() == second
    with Events(daemon) as again:
        assert again.next() == second


def test_the_daemon_ends_though_somebody_listens(daemon: Daemon):
    with Events(daemon) as events:
        events.next()
        started = time.monotonic()
        daemon.signal(signal.SIGTERM)
        assert events.response.read() == b""
        assert daemon.wait() == 0
        assert time.monotonic() - started < 10
    assert daemon.entries()[-1]["event"] == "stopped"
    assert "abandoned" not in daemon.entries()[-1]


def test_a_missing_directory_is_reported(daemon: Daemon):
    daemon.pickup.rmdir()
    assert_problem(get(daemon, OUTBOX), 503)
    with Events(daemon) as events:
        assert [events.response.readline() for _ in range(3)] == [b"event: unreadable\n", b"data: {}\n", b"\n"]
        daemon.pickup.mkdir()
        assert events.next() == []
    daemon.stop()
    assert any(entry.get("status") == 503 and "No such file" in entry["error"] for entry in daemon.entries())


def test_not_too_many_listen(daemon: Daemon):
    listeners = [Events(daemon) for _ in range(64)]
    assert_problem(get(daemon, f"{OUTBOX}/events"), 503)
    for events in listeners:
        events.connection.close()


# Logs, metrics, the command.


def test_metrics_have_the_routes_and_logs_no_names(daemon: Daemon):
    shown = view(daemon, PLAIN)
    name = daemon.post(json.dumps(PLAIN)).json()["files"][0]
    for path in (f"{VIEWS}/{shown['view']}", shown["source"]["url"], "/preview/preview.js", "/preview", OUTBOX):
        assert get(daemon, path).status == 200
    daemon.post(b"", f"{OUTBOX}/{name}")
    assert get(daemon, "/preview/api/x").status == 404
    metrics = get(daemon, "/metrics").body.decode()
    routes = set(re.findall(r'pmtaemail_http_requests_total\{[^}]*route="([^"]+)"', metrics))
    assert {
        "/preview",
        "/preview/{file}",
        "/preview/api/views",
        "/preview/api/views/{view}",
        "/preview/views/{view}",
        "/preview/api/outbox",
        "/preview/api/outbox/{file}",
        "other",
    } <= routes
    daemon.stop()
    assert shown["view"].encode() not in b"".join(daemon.log)
    assert daemon.entries()[0]["preview"] is True
    assert sum(entry["event"] == "preview" for entry in daemon.entries()) == 3


def test_the_command_shows_a_message(binary: Path, tmp_path: Path):
    file = tmp_path / "message.json"
    file.write_text(json.dumps(PLAIN))
    # The daemon's environment is not the command's.
    environment = {"PMTAEMAIL_LISTEN": "127.0.0.1:1", "PMTAEMAIL_KEYS": "/nonexistent", "TMPDIR": str(tmp_path)}
    with Command(binary, str(file), **environment) as command:
        assert command.url.endswith("/preview")
        assert command.get("/preview").status == 200
        status = command.get("/preview/api/status").json()
        assert status == {"outbox": False, "file": json.dumps(PLAIN), "version": VERSION}
        assert command.get(VIEWS, json.dumps(PLAIN).encode()).json()["text"] == "Hello"
        for path in (OUTBOX, f"{OUTBOX}/events", "/messages", "/metrics", "/"):
            assert command.get(path).status == 404
        assert command.get("/messages", json.dumps(PLAIN).encode()).status == 404
    assert (command.status, command.errors) == (0, b"")
    # Nothing stays.
    assert list(tmp_path.iterdir()) == [file]


def test_the_command_takes_finished_messages_and_standard_input(binary: Path):
    mail = b"From: a@example.com\r\nTo: b@example.org\r\nSubject: \xff\r\n\r\nHello\r\n"
    for stdin, raw in [
        (mail, {"encoding": "base64", "content": base64.b64encode(mail).decode()}),
        (mail.replace(b"\xff", b"x"), mail.replace(b"\xff", b"x").decode()),
    ]:
        with Command(binary, "-", stdin=stdin) as command:
            file = command.get("/preview/api/status").json()["file"]
            assert json.loads(file) == {"raw": raw}
    assert view_of(binary, file)["text"] == "Hello"


def view_of(binary: Path, text: str) -> dict:
    with Command(binary) as command:
        assert command.get("/preview/api/status").json()["file"] is None
        return command.get(VIEWS, text.encode()).json()


def test_the_command_shows_a_pickup_directory(binary: Path, daemon: Daemon):
    (name,) = daemon.post(json.dumps(PLAIN)).json()["files"]
    before = daemon.files()
    with Command(binary, "--pickup", str(daemon.pickup)) as command:
        assert [file["name"] for file in command.get(OUTBOX).json()["files"]] == [name]
        assert command.get(f"{OUTBOX}/{name}", b"").json()["text"] == "Hello"
    assert daemon.files() == before


def test_the_command_starts_the_browser(binary: Path, tmp_path: Path):
    opened = tmp_path / "opened"
    os.mkfifo(opened)
    opener = tmp_path / "xdg-open"
    opener.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    opener.chmod(0o755)
    with Command(binary, "--open", PATH=f"{tmp_path}:{os.environ['PATH']}") as command:
        assert opened.read_text().strip() == command.url
    with Command(binary, "--open", PATH="/nonexistent") as command:
        assert command.get("/preview").status == 200
    assert b"xdg-open cannot be started" in command.errors


def test_a_file_that_cannot_be_opened_is_reported(run: Callable):
    done = run("preview", "nothing.json")
    assert (done.returncode, done.stdout) == (66, b"")
