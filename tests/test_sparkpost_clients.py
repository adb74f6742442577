"""SparkPost's own clients, unchanged, against the daemon: npm `sparkpost` and `nodemailer-sparkpost-transport`."""

import base64
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from daemon import Daemon
from readers import ForeignReaders
from stock_clients import (
    KEY,
    PDF,
    PNG,
    NodeClients,
    assert_arrived,
    assert_nothing_arrived,
    to_all,
    write_keys,
)

SHOP = "Shop <shop@example.com>"
ANN = "Ann Lee <ann@example.org>"
CONTENT = {"from": SHOP, "subject": "Hello", "text": "Hello Ann"}
TRANSMISSION = {"content": CONTENT, "recipients": [{"address": ANN}]}


@pytest.fixture(scope="module")
def node() -> Iterator[NodeClients]:
    with NodeClients() as clients:
        yield clients


def shown(**more: object) -> dict:
    return {"from": SHOP, "to": ANN, "subject": "Hello", "text": "Hello Ann", **more}


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def transmission(content: dict | None = None, **more: object) -> dict:
    return {**TRANSMISSION, "content": {**CONTENT, **(content or {})}, **more}


def assert_results(value: dict, recipients: int) -> str:
    """The client has what SparkPost promises it; the id."""
    results = value["results"]
    assert set(results) == {"total_rejected_recipients", "total_accepted_recipients", "id"}
    assert (results["total_rejected_recipients"], results["total_accepted_recipients"]) == (0, recipients)
    assert re.fullmatch(r"[0-9]+", results["id"])
    return results["id"]


def test_sparkpost_for_node(node: NodeClients, daemon: Daemon, readers: ForeignReaders):
    value = node.call("sparkpost", url=daemon.url, transmission=TRANSMISSION)
    assert_results(value, 1)
    # Ours goes along: the file's name and the word in the log.
    assert daemon.files()[0].name.startswith(value["headers"]["x-pmtaemail-id"])
    assert_arrived(daemon, to_all(shown(), "ann@example.org"), readers)


def test_each_of_several_sees_itself_alone_and_copies_see_all(
    node: NodeClients, daemon: Daemon, readers: ForeignReaders
):
    given = transmission(
        recipients=[{"address": ANN}, {"address": {"name": "Bø, B.", "email": "bo@example.org"}}],
        cc=[{"address": '"Müller, Cy" <cy@example.org>'}, {"address": {"email": "di@example.org", "name": "Di"}}],
        bcc=[{"address": "ed@example.org"}],
    )
    assert_results(node.call("sparkpost", url=daemon.url, transmission=given, query={"num_rcpt_errors": 3}), 5)
    cc = ['"Müller, Cy" <cy@example.org>', "Di <di@example.org>"]
    bo = '"Bø, B." <bo@example.org>'
    told = [
        ("ann@example.org", shown(cc=cc)),
        ("bo@example.org", shown(cc=cc, to=bo)),
        *to_all(shown(cc=cc, to=[ANN, bo]), "cy@example.org", "di@example.org", "ed@example.org"),
    ]
    assert_arrived(daemon, told, readers)


def test_all_of_a_content(node: NodeClients, daemon: Daemon, readers: ForeignReaders):
    content = {
        "from": {"name": "Blåbær & Sønn, AS", "email": "shop@example.com"},
        "subject": "Grüße, 日本",
        "html": "<p>Grüß dich <img src='cid:logo'></p>",
        "reply_to": '"Help, please" <help@example.com>',
        "headers": {"X-Shop": "ø", "List-Unsubscribe": "<https://example.com/u>"},
        "attachments": [
            {"name": "größe.pdf", "type": "application/pdf", "data": encoded(PDF)},
            {"name": "a.txt", "type": "text/plain; charset=utf-8", "data": encoded("Grüße\n".encode())},
        ],
        "inline_images": [{"name": "logo", "type": "image/png", "data": encoded(PNG)}],
    }
    given = transmission(
        content,
        return_path="bounce@example.com",
        campaign_id="spring",
        metadata={"a": {"b": [1, None]}},
        options={"ip_pool": "pool-a", "open_tracking": False, "click_tracking": False, "transactional": True},
    )
    assert_results(node.call("sparkpost", url=daemon.url, transmission=given), 1)
    message = {
        "from": '"Blåbær & Sønn, AS" <shop@example.com>',
        "subject": content["subject"],
        "html": content["html"],
        "replyTo": content["reply_to"],
        "headers": content["headers"],
        "attachments": [
            *(
                {"filename": file["name"], "contentType": file["type"], "content": file["data"]}
                for file in content["attachments"]
            ),
            {"cid": "logo", "contentType": "image/png", "content": encoded(PNG)},
        ],
        "sender": "bounce@example.com",
        "job": "spring",
        "vmta": "pool-a",
    }
    assert_arrived(daemon, to_all(shown(**message), "ann@example.org"), readers)


def test_a_merge_with_statements(node: NodeClients, daemon: Daemon, readers: ForeignReaders):
    given = transmission(
        {
            "subject": "{{ name or 'Customer' }}",
            "text": "{{ each things }}{{ loop_var.name }};{{ end }}{{ if total > 10 }}Thank you{{ else }}Hi{{ end }}",
            "html": "<a href='https://example.com/?q={{ q }}'>{{ name }}</a>{{{ raw }}}",
        },
        substitution_data={"total": 5, "things": [{"name": "a"}], "raw": "<b>x</b>", "q": "1"},
        recipients=[
            {"address": ANN, "substitution_data": {"name": "Ann <3", "total": 20}, "return_path": "b1@example.com"},
            {"address": "bo@example.org", "substitution_data": {"things": [{"name": "b"}, {"name": "ø"}]}},
        ],
    )
    assert_results(node.call("sparkpost", url=daemon.url, transmission=given), 2)
    link = "<a href='https://example.com/?q=1'>{}</a><b>x</b>"
    ann = {"subject": "Ann <3", "text": "a;Thank you", "html": link.format("Ann &lt;3"), "sender": "b1@example.com"}
    bo = {"subject": "Customer", "text": "b;ø;Hi", "html": link.format("")}
    assert_arrived(
        daemon, [("ann@example.org", shown(**ann)), ("bo@example.org", shown(to="bo@example.org", **bo))], readers
    )


def test_nothing_is_filled_in_where_that_is_said(node: NodeClients, daemon: Daemon, readers: ForeignReaders):
    given = transmission(
        {"text": "{{ name }} {{ if", "html": "<p>{{{ name }}}</p>"},
        options={"perform_substitutions": False},
        substitution_data={"name": "Ann"},
    )
    assert_results(node.call("sparkpost", url=daemon.url, transmission=given), 1)
    told = shown(text="{{ name }} {{ if", html="<p>{{{ name }}}</p>")
    assert_arrived(daemon, to_all(told, "ann@example.org"), readers)


def test_a_finished_message(node: NodeClients, daemon: Daemon):
    raw = (
        "From: shop@example.com\r\nTo: ann@example.org\r\nSubject: Hi\r\n"
        "Date: Thu, 26 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n\r\nHello\r\n"
    )
    given = {
        "content": {"email_rfc822": raw},
        "recipients": [{"address": "bo@example.org"}],
        "return_path": "b@example.com",
    }
    assert_results(node.call("sparkpost", url=daemon.url, transmission=given), 1)
    (file,) = daemon.files()
    assert raw.encode() in file.read_bytes()
    assert b"bo@example.org" in file.read_bytes()


def test_the_same_key_sends_once(node: NodeClients, daemon: Daemon):
    def send(text: str) -> dict:
        headers = {"Idempotency-Key": "order-7"}
        return node.ask(
            {
                "client": "sparkpost",
                "key": KEY,
                "url": daemon.url,
                "headers": headers,
                "transmission": transmission({"text": text}),
            }
        )

    first, again, other = send("a"), send("a"), send("b")
    assert first["value"]["results"] == again["value"]["results"]
    assert "x-idempotent-replayed" not in first["value"]["headers"]
    assert again["value"]["headers"]["x-idempotent-replayed"] == "true"
    assert other["refused"]["statusCode"] == 409
    assert other["refused"]["errors"][0]["code"] == "1600"
    assert len(daemon.files()) == 1


def test_a_subaccount_is_part_of_the_request_that_a_key_stands_for(node: NodeClients, daemon: Daemon):
    def send(client: Callable, number: str) -> dict:
        headers = {"Idempotency-Key": "order-7", "X-MSYS-SUBACCOUNT": number}
        return client("sparkpost", url=daemon.url, headers=headers, transmission=TRANSMISSION)

    first = send(node.call, "7")
    assert send(node.call, "7")["results"] == first["results"]
    assert send(node.refused, "8")["errors"][0]["code"] == "1600"
    assert len(daemon.files()) == 1
    raw = {"email_rfc822": "From: shop@example.com\r\n\r\nHello\r\n"}
    headers = {"X-MSYS-SUBACCOUNT": "7"}
    finished = {"content": raw, "recipients": [{"address": "bo@example.org"}]}
    error = node.refused("sparkpost", url=daemon.url, headers=headers, transmission=finished)
    assert (error["statusCode"], error["errors"][0]["code"]) == (422, "1100")
    assert len(daemon.files()) == 1


@pytest.mark.parametrize("key", ["order 7", "order/7", "x" * 256])
def test_a_key_has_letters_digits_and_three_signs(key: str, node: NodeClients, daemon: Daemon):
    headers = {"Idempotency-Key": key}
    error = node.refused("sparkpost", url=daemon.url, headers=headers, transmission=TRANSMISSION)
    (said,) = error["errors"]
    assert (error["statusCode"], said["code"]) == (400, "1602")
    assert "letters, digits, dots, hyphens and underscores" in said["description"]
    assert_nothing_arrived(daemon)


REFUSED = [
    ({"options": {"start_time": "2030-01-01T00:00:00Z"}}, 422, "start_time"),
    ({"options": {"open_tracking": True}}, 422, "open_tracking"),
    ({"options": {"click_tracking": True}}, 422, "click_tracking"),
    ({"content": {"template_id": "welcome"}}, 422, "template_id"),
    ({"recipients": {"list_id": "everybody"}}, 422, "list_id"),
    ({"content": {**CONTENT, "email_rfc822": "From: a@b\r\n\r\n"}}, 422, "email_rfc822"),
    ({"content": {**CONTENT, "from": None}}, 400, "from"),
    ({"recipients": []}, 400, "recipients"),
    ({"recipients": [{"address": "ann@example..org"}]}, 422, "address"),
    ({"campaign_id": "x" * 65}, 422, "campaign_id"),
    ({"options": {"nonsense": 1}}, 422, "nonsense"),
    ({"nonsense": 1}, 422, "nonsense"),
    ({"content": {**CONTENT, "text": "{{ if x }}"}}, 422, "text"),
]


@pytest.mark.parametrize(("change", "status", "name"), REFUSED, ids=lambda value: str(value)[:60])
def test_each_refusal_is_the_clients_own_error(change: dict, status: int, name: str, node: NodeClients, daemon: Daemon):
    error = node.refused("sparkpost", url=daemon.url, transmission={**TRANSMISSION, **change})
    assert (error["name"], error["statusCode"]) == ("SparkPostError", status)
    assert name in str(error["errors"])
    assert all(isinstance(item["code"], str) and item["message"] for item in error["errors"])
    assert_nothing_arrived(daemon)


def test_keys(node: NodeClients, start_daemon: Callable, tmp_path: Path):
    daemon = start_daemon(*write_keys(tmp_path / "keys.toml", 'rate = "1/m"'))
    wrong = node.refused("sparkpost", url=daemon.url, key="another", transmission=TRANSMISSION)
    node.call("sparkpost", url=daemon.url, transmission=TRANSMISSION)
    often = node.refused("sparkpost", url=daemon.url, transmission=TRANSMISSION)
    assert [error["statusCode"] for error in (wrong, often)] == [403, 429]
    assert all(error["errors"][0]["message"] for error in (wrong, often))
    assert len(daemon.files()) == 1


def test_a_message_that_is_too_large(node: NodeClients, start_daemon: Callable):
    daemon = start_daemon("--body-limit", "5000")
    large = transmission({"text": "Hello " * 1000})
    error = node.refused("sparkpost", url=daemon.url, transmission=large)
    assert (error["statusCode"], error["errors"][0]["code"]) == (413, "413")
    node.call("sparkpost", url=daemon.url, transmission=TRANSMISSION)


def test_nodemailer(node: NodeClients, daemon: Daemon, readers: ForeignReaders):
    mail = {
        "from": {"name": "Blåbær, AS", "address": "shop@example.com"},
        "to": "Ann Lee <ann@example.org>, bo@example.org",
        "cc": [{"name": "Cy", "address": "cy@example.org"}],
        "subject": "Grüße",
        "text": "Hello",
        "html": "<p>Hello</p>",
        "replyTo": "help@example.com",
        "headers": {"X-Shop": "ø"},
        "campaign_id": "spring",
    }
    value = node.call("nodemailer", url=daemon.url, mail=mail, defaults={"options": {"ip_pool": "pool-a"}})
    assert (value["accepted"], value["rejected"]) == (3, 0)
    assert re.fullmatch(r"[0-9]+", value["messageId"])
    same = {
        "from": '"Blåbær, AS" <shop@example.com>',
        "cc": "Cy <cy@example.org>",
        "subject": "Grüße",
        "text": "Hello",
        "html": "<p>Hello</p>",
        "replyTo": "help@example.com",
        "headers": {"X-Shop": "ø"},
        "job": "spring",
        "vmta": "pool-a",
    }
    told = [
        ("ann@example.org", {**same, "to": ANN}),
        ("bo@example.org", {**same, "to": "bo@example.org"}),
        ("cy@example.org", {**same, "to": [ANN, "bo@example.org"]}),
    ]
    assert_arrived(daemon, told, readers)


def test_nodemailers_attachments(node: NodeClients, daemon: Daemon, readers: ForeignReaders):
    # The transport sends text as it is, and makes an object of numbers of a Buffer.
    mail = {
        "from": {"address": "shop@example.com"},
        "to": ANN,
        "subject": "Hello",
        "text": "Hello Ann",
        "attachments": [
            {"filename": "report.pdf", "contentType": "application/pdf", "content": encoded(PDF)},
            {"filename": "a.txt", "content": "Grüße, not in base64.\n"},
            {"filename": "logo.png", "content": {"$bytes": encoded(PNG)}},
        ],
    }
    node.call("nodemailer", url=daemon.url, mail=mail)
    files = [
        {"filename": "report.pdf", "contentType": "application/pdf", "content": encoded(PDF)},
        {"filename": "a.txt", "content": "Grüße, not in base64.\n", "encoding": "utf8"},
        {"filename": "logo.png", "contentType": "image/png", "content": encoded(PNG)},
    ]
    told = shown(**{"from": "shop@example.com"}, attachments=files)
    assert_arrived(daemon, to_all(told, "ann@example.org"), readers)


@pytest.mark.parametrize("file", [{"content": "Hell"}, {"content": "no base64!", "contentType": "text/plain"}], ids=str)
def test_nodemailers_text_is_never_decoded_to_rubbish(file: dict, node: NodeClients, daemon: Daemon):
    mail = {
        "from": SHOP,
        "to": ANN,
        "subject": "Hello",
        "text": "Hello",
        "attachments": [{"filename": "a.txt", **file}],
    }
    error = node.refused("nodemailer", url=daemon.url, mail=mail)
    assert error["name"] == "SparkPostError"
    assert error["statusCode"] in (400, 422)
    assert "content/attachments/0" in str(error["errors"])
    assert_nothing_arrived(daemon)


def test_nodemailers_finished_message(node: NodeClients, daemon: Daemon):
    raw = "From: shop@example.com\r\nTo: ann@example.org\r\nSubject: Hi\r\n\r\nHello\r\n"
    node.call("nodemailer", url=daemon.url, mail={"raw": raw, "to": "bo@example.org"})
    (file,) = daemon.files()
    assert b"\r\nSubject: Hi\r\n" in file.read_bytes()
    assert b"bo@example.org" in file.read_bytes()


@pytest.mark.parametrize("change", [{"options": {"open_tracking": True}}, {"to": "ann@example..org"}], ids=str)
def test_nodemailers_errors(change: dict, node: NodeClients, daemon: Daemon):
    mail = {"from": SHOP, "to": ANN, "subject": "Hello", "text": "Hello", **change}
    error = node.refused("nodemailer", url=daemon.url, mail=mail)
    assert (error["name"], error["statusCode"]) == ("SparkPostError", 422)
    assert error["errors"][0]["message"]
    assert_nothing_arrived(daemon)
