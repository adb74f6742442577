"""`multipart/form-data`: a part `message` with the JSON, and files that its attachments name."""

import base64
import json
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
import requests

from daemon import Answer, Daemon
from forms import BOUNDARY, part

FIXED = {
    "from": "ann@example.com",
    "to": "bo@example.org",
    "text": "Hello",
    "date": "2026-11-23T05:33:54Z",
    "messageId": "1@example.com",
}
BINARY = bytes(range(256)) * 40 + b"\r\n--b\r\n\r\n.\r\n"
HEAD = f"--{BOUNDARY}\r\n".encode()


def message(*attachments: dict, **fields: object) -> bytes:
    return part("message", json.dumps({**FIXED, **fields, "attachments": attachments}).encode())


def post(daemon: Daemon, *parts: bytes, path: str = "/messages/render", end: bytes = b"--\r\n") -> Answer:
    body = b"".join(parts) + b"--" + BOUNDARY.encode() + end
    return daemon.post(body, path, **{"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})


def problems(answer: Answer) -> list[tuple[str, str]]:
    assert (answer.status, answer.headers["content-type"]) == (422, "application/problem+json")
    return [(error["pointer"], error["code"]) for error in answer.json()["errors"]]


def rendered_json(daemon: Daemon, *attachments: dict) -> bytes:
    answer = daemon.post(json.dumps({**FIXED, "attachments": attachments}), "/messages/render")
    assert answer.status == 200, answer.body
    return answer.body


def test_a_file_comes_out_as_from_base64(shared_daemon: Daemon):
    content = base64.b64encode(BINARY).decode()
    expected = rendered_json(
        shared_daemon,
        {"filename": "Übersicht.pdf", "content": content},
        {"filename": "b.png", "cid": "b", "content": "", "contentType": "image/x-own"},
    )
    answer = post(
        shared_daemon,
        part("two", b"", "x.gif", "image/gif"),
        message({"part": "one"}, {"part": "two", "filename": "b.png", "cid": "b", "contentType": "image/x-own"}),
        part("one", BINARY, "Übersicht.pdf", "application/octet-stream"),
    )
    assert answer.status == 200, answer.body
    assert answer.body == expected


def test_files_with_and_without_base64(shared_daemon: Daemon):
    texts = [{"filename": "a.txt", "content": "Hello", "encoding": "utf8"}, {"filename": "b", "content": "AAAA"}]
    expected = rendered_json(shared_daemon, *texts, {"filename": "c.csv", "contentType": "text/csv", "content": "eA=="})
    answer = post(shared_daemon, message(*texts, {"part": "c"}), part("c", b"x", "c.csv", "text/csv"))
    assert answer.body == expected


def test_files_of_one_name_are_taken_in_order(shared_daemon: Daemon):
    expected = rendered_json(shared_daemon, {"filename": "a", "content": "YQ=="}, {"filename": "b", "content": "Yg=="})
    files = [part("file", b"a", "a"), part("file", b"b", "b")]
    assert post(shared_daemon, message({"part": "file"}, {"part": "file"}), *files).body == expected


def test_a_form_without_files(daemon: Daemon):
    assert post(daemon, part("message", json.dumps(FIXED).encode()), path="/messages").status == 200
    assert len(daemon.files()) == 1


def test_large_files(daemon: Daemon):
    file = bytes(range(256)) * 4096 * 25
    assert post(daemon, message({"part": "f"}), part("f", file, "f.bin"), path="/messages").status == 200
    (path,) = daemon.files()
    assert base64.b64encode(file[:57]) in path.read_bytes()


@pytest.mark.parametrize(
    ("attachments", "files", "expected"),
    [
        ([], ["f"], [("#/attachments", "unused_part")]),
        ([{"part": "f"}], ["f", "f"], [("#/attachments", "unused_part")]),
        ([{"part": "g"}], [], [("#/attachments/0/part", "unknown_part")]),
        ([{"part": "F"}], ["f"], [("#/attachments/0/part", "unknown_part")]),
        ([{"part": 1}], ["f"], [("#/attachments/0/part", "wrong_type")]),
        ([{"part": "f", "content": "AAAA"}], ["f"], [("#/attachments/0/part", "conflict")]),
        ([{"part": "f", "encoding": "utf8"}], ["f"], [("#/attachments/0/part", "conflict")]),
        ([{"part": "f", "filename": ".."}], ["f"], [("#/attachments/0/filename", "invalid_filename")]),
        ([{}], [], [("#/attachments/0/content", "missing_field")]),
    ],
)
def test_files_and_attachments_belong_together(shared_daemon: Daemon, attachments, files, expected):
    answer = post(shared_daemon, message(*attachments), *(part(name, b"x", "x") for name in files))
    assert problems(answer) == expected


@pytest.mark.parametrize(
    ("filename", "media_type", "code"),
    [
        ("..", None, "invalid_filename"),
        (".", None, "invalid_filename"),
        ("x" * 256, None, "invalid_filename"),
        ("x", "multipart/mixed", "invalid_content_type"),
        ("x", "pdf", "invalid_content_type"),
    ],
)
def test_what_a_part_says_keeps_the_rules(shared_daemon: Daemon, filename: str, media_type: str | None, code: str):
    answer = post(shared_daemon, message({"part": "f"}), part("f", b"x", filename, media_type))
    assert problems(answer) == [("#/attachments/0/part", code)]


def named(parameters: bytes, more: bytes = b"") -> bytes:
    """A part `f` whose head has these parameters behind its name, and more fields."""
    return HEAD + b"Content-Disposition: form-data; name=f; " + parameters + more + b"\r\n\r\nx\r\n"


@pytest.mark.parametrize(
    ("parameters", "filename"),
    [
        pytest.param(
            b"filename=\"=?utf-8?B?w5xiZXJzaWNodC5wZGY=?=\"; filename*=utf-8''%C3%9Cbersicht.pdf",
            "Übersicht.pdf",
            id=".NET",
        ),
        pytest.param(b"filename*=UTF-8''%C3%9Cbersicht.pdf; filename=\"U.pdf\"", "Übersicht.pdf", id="RestSharp"),
        pytest.param(b"filename*=utf-8''%C3%9Cbersicht.pdf", "Übersicht.pdf", id="older requests"),
        pytest.param(b'filename="=?utf-8?Q?=C3=9Cbersicht.pdf?="', "Übersicht.pdf", id="an encoded word alone"),
        pytest.param(b'filename="a %22b%22 100%25.pdf"', 'a "b" 100%25.pdf', id="a browser"),
        pytest.param('filename="Übersicht.pdf"'.encode(), "Übersicht.pdf", id="UTF-8"),
    ],
)
def test_file_names_are_those_of_the_files(shared_daemon: Daemon, parameters: bytes, filename: str):
    expected = rendered_json(shared_daemon, {"filename": filename, "content": "eA=="})
    assert post(shared_daemon, message({"part": "f"}), named(parameters)).body == expected


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        pytest.param(b'filename="\xdcbersicht.pdf"', "invalid_filename", id="Latin-1"),
        pytest.param(b'filename="\xb9\xab\xcb\xbe.pdf"', "invalid_filename", id="GBK"),
        pytest.param(b"filename*=x-unheard-of''a.pdf", "invalid_filename", id="an unknown charset"),
        pytest.param(b'filename="a.pdf', "invalid_filename", id="an open quote"),
        pytest.param(b'filename="a%0Ab.pdf"', "control_character", id="a line end"),
    ],
)
def test_an_unreadable_file_name_is_reported(shared_daemon: Daemon, parameters: bytes, code: str):
    assert problems(post(shared_daemon, message({"part": "f"}), named(parameters))) == [("#/attachments/0/part", code)]
    answer = post(shared_daemon, message({"part": "f", "filename": "a.pdf"}), named(parameters))
    assert answer.body == rendered_json(shared_daemon, {"filename": "a.pdf", "content": "eA=="})


@pytest.mark.parametrize(
    ("encoding", "status"),
    [(b"binary", 200), (b"8BIT", 200), (b" 7bit ", 200), (b"base64", 400), (b"quoted-printable", 400), (b"", 400)],
)
def test_an_encoded_part_is_refused(shared_daemon: Daemon, encoding: bytes, status: int):
    field = b"\r\nContent-Transfer-Encoding:" + encoding
    answer = post(shared_daemon, message({"part": "f"}), named(b"filename=a", field))
    assert answer.status == status, answer.body
    assert status == 200 or "Content-Transfer-Encoding" in answer.json()["detail"]
    text = message().replace(b"\r\n\r\n", field + b"\r\n\r\n", 1)
    assert post(shared_daemon, text).status == status


def test_requests(daemon: Daemon):
    for name in ("Übersicht.pdf", 'a "b".pdf'):
        fields = {"message": (None, json.dumps({**FIXED, "attachments": [{"part": "f"}]})), "f": (name, b"x")}
        answer = requests.post(f"{daemon.url}/messages/render", files=fields)
        assert answer.content == rendered_json(daemon, {"filename": name, "content": "eA=="})


def test_json_has_no_parts(shared_daemon: Daemon):
    answer = shared_daemon.post(json.dumps({**FIXED, "attachments": [{"part": "f"}]}), "/messages/check")
    assert problems(answer) == [("#/attachments/0/part", "unknown_part")]


def test_a_raw_message_takes_no_files(shared_daemon: Daemon):
    raw = "Date: Mon, 23 Nov 2026 05:33:54 +0000\nFrom: a@example.com\nTo: b@example.org\n\nHello\n"
    answer = post(shared_daemon, part("message", json.dumps({"raw": raw}).encode()), part("f", b"x"))
    assert problems(answer) == [("#/attachments", "unused_part")]


def test_json_that_is_none_is_400(shared_daemon: Daemon):
    answer = post(shared_daemon, part("message", b"{"))
    assert (answer.status, answer.json()["errors"][0]["code"]) == (400, "not_json")


@pytest.mark.parametrize(
    ("parts", "end"),
    [
        ([], b"--\r\n"),
        ([message()], b""),
        ([message()], b"\r\n"),
        ([message(), message()], b"--\r\n"),
        ([part("file", b"x")], b"--\r\n"),
        ([message()[:-2]], b"--\r\n"),
        ([b"{}"], b"--\r\n"),
        ([message(), HEAD + b"\r\n\r\n"], b"--\r\n"),
        ([message(), HEAD + b"X: y" * 100_000], b"--\r\n"),
        ([message(), HEAD + b"X: y\r\n" * 10_000 + b"\r\n\r\n"], b"--\r\n"),
        ([message(), part("f", b"") * 10_000], b"--\r\n"),
    ],
)
def test_broken_forms_are_400(daemon: Daemon, parts: list[bytes], end: bytes):
    answer = post(daemon, *parts, end=end, path="/messages")
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    assert answer.json()["detail"]
    assert daemon.files() == []
    assert daemon.post(json.dumps(FIXED)).status == 200


@pytest.mark.parametrize(
    "media_type", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data;"]
)
def test_a_missing_boundary_is_400(shared_daemon: Daemon, media_type: str):
    answer = shared_daemon.post(json.dumps(FIXED), "/messages/check", **{"Content-Type": media_type})
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")


def test_nothing_of_a_form_is_repeated(daemon: Daemon):
    canary = "kanarienvogel"
    for parts in (
        [message({"part": canary}), part(canary + "x", b"x", canary)],
        [message({"part": "f"}), part("f", b"x", canary * 20, canary)],
        [part(canary, b"x", canary, canary)],
    ):
        answer = post(daemon, *parts, path="/messages")
        assert answer.status in (400, 422)
        assert canary.encode() not in answer.body
    daemon.stop()
    assert canary.encode() not in b"".join(daemon.log)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl(daemon: Daemon, tmp_path: Path):
    (tmp_path / "report.pdf").write_bytes(BINARY)
    (tmp_path / "message.json").write_text(json.dumps({**FIXED, "attachments": [{"part": "file1"}]}))
    arguments = ["-F", "message=@message.json", "-F", "file1=@report.pdf"]
    url = f"{daemon.url}/messages/render"
    done = subprocess.run(["curl", "-sS", url, *arguments], cwd=tmp_path, capture_output=True, check=True)
    content = base64.b64encode(BINARY).decode()
    assert done.stdout == rendered_json(daemon, {"filename": "report.pdf", "content": content})


def announce(connection: socket.socket, octets: int) -> bytes:
    """Announces a body, which takes no room yet, and gives the start of what the daemon says to that."""
    head = f"POST /messages HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: {octets}\r\n\r\n"
    connection.sendall(head.encode())
    return connection.recv(1000)[:12]


def has_room(daemon: Daemon, octets: int) -> bool:
    with daemon.socket() as connection:
        return announce(connection, octets) == b"HTTP/1.1 100"


def test_octets_in_flight_are_bounded(start_daemon):
    daemon = start_daemon("--body-limit", "1000", "--max-octets-in-flight", "1500")
    body = json.dumps(FIXED).ljust(1000).encode()
    with daemon.socket() as first, daemon.socket() as second:
        assert announce(first, 1000) == announce(second, 1000) == b"HTTP/1.1 100"
        first.sendall(body[:900])
        while has_room(daemon, 700):
            pass
        answer = daemon.post(body[:700])
        assert (answer.status, answer.headers["content-type"]) == (503, "application/problem+json")
        assert int(answer.headers["retry-after"]) > 0
        second.sendall(body)
        assert second.recv(1000).startswith(b"HTTP/1.1 503 ")
        first.sendall(body[900:])
        assert first.recv(1000).startswith(b"HTTP/1.1 200 ")
    assert daemon.post(body).status == 200
