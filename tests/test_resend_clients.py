"""Resend's own clients, unchanged, against the daemon: npm `resend` and PyPI `resend` do the same."""

import base64
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
import resend
import resend.exceptions

from daemon import Daemon
from merge_judge import header_field
from readers import ForeignReaders
from stock_clients import KEY, PDF, PNG, NodeClients, assert_arrived, assert_nothing_arrived, to_all, write_keys

SHOP = "Shop <shop@example.com>"
ANN = "Ann Lee <ann@example.org>"
EMAIL = {"from": SHOP, "to": ANN, "subject": "Hello", "text": "Hello Ann"}
# As `EMAIL` in our own words.
SHOWN = {"from": SHOP, "to": ANN, "subject": "Hello", "text": "Hello Ann"}
NODES_NAMES = {
    "reply_to": "replyTo",
    "scheduled_at": "scheduledAt",
    "topic_id": "topicId",
    "idempotency_key": "idempotencyKey",
}
NODES_NAMES |= {"content_type": "contentType", "content_id": "contentId", "batch_validation": "batchValidation"}


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


class Refused(Exception):
    """What a client tells of a refusal; `kind` is the class of Python's exception."""

    def __init__(self, status: int, name: str, message: str, kind: str = ""):
        super().__init__(status, name, message, kind)
        self.status, self.name, self.message, self.kind = status, name, message, kind


class Client(Protocol):
    """What a test may ask of each; fields are in the API's own spelling, and files are octets."""

    url: str
    key: str

    def send(self, email: dict, **options: str) -> dict: ...
    def batch(self, emails: list[dict], **options: str) -> dict: ...
    def get(self, id_: str) -> dict: ...


class Python:
    """PyPI's, which sends octets as a list of numbers."""

    def __init__(self, url: str, monkeypatch: pytest.MonkeyPatch, key: str = KEY):
        self.url, self.key, self.monkeypatch = url, key, monkeypatch

    def send(self, email: dict, **options: str) -> dict:
        return self.ask(resend.Emails.send, self.with_numbers(email), options)

    def batch(self, emails: list[dict], **options: str) -> dict:
        return self.ask(resend.Batch.send, [self.with_numbers(email) for email in emails], options)

    def get(self, id_: str) -> dict:
        return self.ask(resend.Emails.get, id_)

    def ask(self, call: Callable, *arguments: object) -> Any:
        self.monkeypatch.setattr(resend, "api_url", self.url)
        self.monkeypatch.setattr(resend, "api_key", self.key)
        try:
            answer = dict(call(*arguments))
        except resend.exceptions.ResendError as error:
            raise Refused(int(error.code), error.error_type, error.message, type(error).__name__) from error
        answer.pop("http_headers", None)
        return answer

    def with_numbers(self, email: dict) -> dict:
        return with_files(email, lambda content: list(content))


class Node:
    """npm's, which sends Buffers in base64."""

    def __init__(self, url: str, clients: NodeClients, key: str = KEY):
        self.url, self.key, self.clients = url, key, clients

    def send(self, email: dict, **options: str) -> dict:
        return self.ask("resend.emails.send", email=self.with_buffers(email), options=renamed(options))

    def batch(self, emails: list[dict], **options: str) -> dict:
        return self.ask(
            "resend.batch.send", emails=[self.with_buffers(email) for email in emails], options=renamed(options)
        )

    def get(self, id_: str) -> dict:
        return self.ask("resend.emails.get", id=id_)

    def ask(self, name: str, **request: object) -> Any:
        answer = self.clients.call(name, url=self.url, key=self.key, **request)
        if answer["error"] is None:
            return answer["data"]
        assert answer["data"] is None
        error = answer["error"]
        assert set(error) == {"statusCode", "name", "message"}
        raise Refused(error["statusCode"], error["name"], error["message"])

    def with_buffers(self, email: dict) -> dict:
        return renamed(with_files(email, lambda content: {"$bytes": encoded(content)}))


def with_files(email: dict, written: Callable[[bytes], object]) -> dict:
    """The message with its octets as a client wants them."""
    files = [
        {**file, "content": written(file["content"])} if isinstance(file.get("content"), bytes) else file
        for file in email.get("attachments", [])
    ]
    return {**email, **({"attachments": files} if files else {})}


def renamed(value: Any) -> Any:
    """Names as Node's client has them."""
    if isinstance(value, list):
        return [renamed(item) for item in value]
    if isinstance(value, dict):
        return {
            NODES_NAMES.get(name, name): item if name == "headers" else renamed(item) for name, item in value.items()
        }
    return value


@pytest.fixture(scope="module")
def node() -> Iterator[NodeClients]:
    with NodeClients() as clients:
        yield clients


@pytest.fixture(params=["node", "python"])
def make_client(
    request: pytest.FixtureRequest, node: NodeClients, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Daemon], Client]:
    """A client of each language, for a daemon."""
    if request.param == "node":
        return lambda daemon: Node(daemon.url, node)
    return lambda daemon: Python(daemon.url, monkeypatch)


@pytest.fixture
def client(make_client: Callable, daemon: Daemon) -> Client:
    return make_client(daemon)


def assert_id(answer: dict) -> str:
    assert set(answer) == {"id"}
    assert str(uuid.UUID(answer["id"])) == answer["id"]
    return answer["id"]


def test_a_message(client: Client, daemon: Daemon, readers: ForeignReaders):
    assert_id(client.send(EMAIL))
    assert_arrived(daemon, to_all(SHOWN, "ann@example.org"), readers)


def test_all_of_a_message(client: Client, daemon: Daemon, readers: ForeignReaders):
    text = "{{ name }} [name] [*to]\n.\n\nGrüße"
    email = {
        "from": '"Blåbær & Sønn, AS" <shop@example.com>',
        "to": [ANN, '"Müller, Bo" <bo@example.org>'],
        "cc": "cy@example.org",
        "bcc": ["di@example.org", "Ed <ed@example.org>"],
        "reply_to": ["help@example.com", '"Help, please" <more@example.com>'],
        "subject": "Grüße, 日本 {{ name }}",
        "text": text,
        "html": f"<p>{text}<img src='cid:logo'></p>",
        "headers": {"X-Shop": "ø", "List-Unsubscribe": "<https://example.com/u>"},
        "attachments": [
            {"filename": "größe, 日本.pdf", "content": PDF},
            {
                "filename": "a.txt",
                "content": encoded("Grüße\n".encode()),
                "content_type": 'text/plain; charset="utf-8"',
            },
            {"filename": "logo.png", "content": PNG, "content_type": "image/png", "content_id": "logo"},
        ],
    }
    assert_id(client.send(email))
    message = {
        **{name: email[name] for name in ("from", "to", "cc", "subject", "text", "html", "headers")},
        "replyTo": email["reply_to"],
        "attachments": [
            {"filename": "größe, 日本.pdf", "contentType": "application/pdf", "content": encoded(PDF)},
            {"filename": "a.txt", "contentType": 'text/plain; charset="utf-8"', "content": encoded("Grüße\n".encode())},
            {"filename": "logo.png", "contentType": "image/png", "content": encoded(PNG), "cid": "logo"},
        ],
    }
    everybody = [f"{name}@example.org" for name in ("ann", "bo", "cy", "di", "ed")]
    assert len(daemon.files()) == 1
    assert_arrived(daemon, to_all(message, *everybody), readers)


def test_fifty_recipients_and_no_more(client: Client, daemon: Daemon, readers: ForeignReaders):
    to = [f"r{number}@example.org" for number in range(51)]
    with pytest.raises(Refused) as refused:
        client.send({**EMAIL, "to": to})
    assert (refused.value.status, refused.value.name) == (422, "validation_error")
    client.send({**EMAIL, "to": to[:50]})
    assert_arrived(daemon, to_all({**SHOWN, "to": to[:50]}, *to[:50]), readers)


@pytest.mark.parametrize("count", [2, 100])
def test_a_batch(client: Client, count: int, daemon: Daemon, readers: ForeignReaders):
    emails = [{**EMAIL, "to": f"r{number}@example.org", "subject": f"Number {number}"} for number in range(count)]
    answer = client.batch(emails)
    assert set(answer) == {"data"}
    ids = [assert_id(item) for item in answer["data"]]
    assert len(set(ids)) == count
    told = [
        (f"r{number}@example.org", {**SHOWN, "to": f"r{number}@example.org", "subject": f"Number {number}"})
        for number in range(count)
    ]
    sent = assert_arrived(daemon, told, readers)
    message_ids = {item.file.addresses[0]: header_field(item.file.message, "message-id") for item in sent}
    for number in (0, count - 1):
        assert client.get(ids[number])["message_id"] == message_ids[f"r{number}@example.org"]


def test_a_batch_is_submitted_whole_or_not_at_all(client: Client, daemon: Daemon):
    late = {**EMAIL, "scheduled_at": "in 1 hour"}
    for emails in ([EMAIL, {**EMAIL, "to": "ann@example..org"}], [EMAIL, late], [EMAIL] * 101, []):
        with pytest.raises(Refused) as refused:
            client.batch(emails)
        assert (refused.value.status, refused.value.name) == (422, "validation_error")
        assert_nothing_arrived(daemon)


def test_a_batch_may_leave_out_what_is_wrong(client: Client, daemon: Daemon, readers: ForeignReaders):
    bad = {**EMAIL, "to": "ann@example..org"}
    answer = client.batch(
        [bad, EMAIL, {**bad, "from": "nobody"}, {**EMAIL, "to": "bo@example.org"}], batch_validation="permissive"
    )
    assert [assert_id(item) for item in answer["data"]]
    assert [error["index"] for error in answer["errors"]] == [0, 2]
    assert all(error["message"] for error in answer["errors"])
    told = [("ann@example.org", SHOWN), ("bo@example.org", {**SHOWN, "to": "bo@example.org"})]
    assert_arrived(daemon, told, readers)


def test_a_message_is_known_by_its_id(client: Client, daemon: Daemon):
    email = {**EMAIL, "cc": "cy@example.org", "html": "<p>Hello</p>"}
    id_ = assert_id(client.send(email))
    known = client.get(id_)
    assert (known["id"], known["object"], known["last_event"]) == (id_, "email", "queued")
    in_batch = [item["id"] for item in client.batch([EMAIL, {**EMAIL, "to": "bo@example.org"}])["data"]]
    assert [client.get(item)["id"] for item in in_batch] == in_batch
    for unknown, status, name in [(str(uuid.uuid4()), 404, "not_found"), ("nonsense", 422, "invalid_parameter")]:
        with pytest.raises(Refused) as refused:
            client.get(unknown)
        assert (refused.value.status, refused.value.name) == (status, name)


def test_the_same_key_sends_once(client: Client, daemon: Daemon):
    first = client.send(EMAIL, idempotency_key="order/7 ")
    assert client.send(EMAIL, idempotency_key="order/7 ") == first
    assert len(daemon.files()) == 1
    with pytest.raises(Refused) as refused:
        client.send({**EMAIL, "text": "other"}, idempotency_key="order/7 ")
    assert (refused.value.status, refused.value.name) == (409, "invalid_idempotent_request")
    assert client.send(EMAIL, idempotency_key="order/8") != first
    with pytest.raises(Refused) as refused:
        client.send(EMAIL, idempotency_key="x" * 257)
    assert refused.value.status == 400
    assert len(daemon.files()) == 2


def test_the_same_key_sends_a_batch_once(client: Client, daemon: Daemon):
    emails = [EMAIL, {**EMAIL, "to": "bo@example.org"}]
    first = client.batch(emails, idempotency_key="orders-7")
    assert client.batch(emails, idempotency_key="orders-7") == first
    assert len(daemon.files()) == 2
    with pytest.raises(Refused) as refused:
        client.batch(emails[:1], idempotency_key="orders-7")
    assert (refused.value.status, refused.value.name) == (409, "invalid_idempotent_request")
    assert len(daemon.files()) == 2


REFUSED = [
    ({"scheduled_at": "in 1 hour"}, "validation_error", "scheduled_at"),
    ({"topic_id": "news"}, "validation_error", "topic_id"),
    ({"template": {"id": "welcome"}}, "validation_error", "template"),
    ({"attachments": [{"filename": "a", "path": "https://example.com/a"}]}, "invalid_attachment", "path"),
    ({"attachments": [{"filename": "a", "content": "no base64!"}]}, "invalid_attachment", "content"),
    ({"to": "ann@example..org"}, "validation_error", "to"),
    ({"to": []}, "validation_error", "to"),
    ({"from": None}, "missing_required_field", "from"),
    ({"to": None}, "missing_required_field", "to"),
    ({"headers": {"X-A": "a\r\nBcc: b@example.org"}}, "validation_error", "headers"),
    ({"cc": "a@example.org\r\nX: y"}, "validation_error", "cc"),
]
KINDS = {"validation_error": "ValidationError", "missing_required_field": "MissingRequiredFieldsError"}


@pytest.mark.parametrize(("change", "name", "field"), REFUSED, ids=lambda value: str(value)[:60])
def test_each_refusal_is_the_clients_own_error(change: dict, name: str, field: str, client: Client, daemon: Daemon):
    with pytest.raises(Refused) as refused:
        client.send({key: value for key, value in {**EMAIL, **change}.items() if value is not None})
    error = refused.value
    assert (error.status, error.name) == (422, name)
    assert field in error.message
    if isinstance(client, Python):
        assert error.kind == KINDS.get(name, "ResendError")
    assert_nothing_arrived(daemon)


def refusal(client: Client, email: dict) -> Refused:
    with pytest.raises(Refused) as refused:
        client.send(email)
    return refused.value


def test_keys(make_client: Callable, start_daemon: Callable, tmp_path: Path):
    daemon = start_daemon(*write_keys(tmp_path / "keys.toml", 'rate = "1/m"', 'from = ["example.com"]'))
    client = make_client(daemon)
    client.key = "another"
    wrong = refusal(client, EMAIL)
    client.key = KEY
    assert_id(client.send(EMAIL))
    often = refusal(client, EMAIL)
    assert (wrong.status, wrong.name) == (403, "invalid_api_key")
    assert (often.status, often.name) == (429, "rate_limit_exceeded")
    if isinstance(client, Python):
        assert (wrong.kind, often.kind) == ("InvalidApiKeyError", "RateLimitError")
    assert len(daemon.files()) == 1


def test_a_key_sends_from_its_own_domains_and_knows_its_own_messages(
    make_client: Callable, start_daemon: Callable, tmp_path: Path
):
    client = make_client(start_daemon(*write_keys(tmp_path / "keys.toml", 'from = ["example.com"]')))
    assert refusal(client, {**EMAIL, "from": "shop@example.net"}).status == 403
    id_ = assert_id(client.send(EMAIL))
    assert client.get(id_)["id"] == id_
    client.key = "another"
    with pytest.raises(Refused) as refused:
        client.get(id_)
    assert refused.value.status == 403


def test_a_message_that_is_too_large(make_client: Callable, start_daemon: Callable):
    daemon = start_daemon("--body-limit", "5000")
    client = make_client(daemon)
    assert refusal(client, {**EMAIL, "text": "Hello " * 1000}).status == 413
    assert_id(client.send(EMAIL))


def test_nodes_client_takes_its_address_from_the_environment(daemon: Daemon, readers: ForeignReaders):
    with NodeClients(RESEND_BASE_URL=daemon.url) as clients:
        assert_id(clients.call("resend.emails.send", email=EMAIL)["data"])
    assert_arrived(daemon, to_all(SHOWN, "ann@example.org"), readers)
