"""What Anymail's Resend backend says beyond Django: batches, tags, metadata."""

import json
import uuid

import pytest

from anymail_mail import ANN, mail, refused, send, shown, use_anymail
from daemon import Daemon
from readers import ForeignReaders
from stock_clients import assert_arrived, assert_nothing_arrived, to_all

BO = '"Müller, Bo" <bo@example.org>'


@pytest.fixture(autouse=True)
def anymail(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    use_anymail(monkeypatch, "Resend", daemon)


def test_tags_and_metadata_are_header_fields(daemon: Daemon, readers: ForeignReaders):
    message = mail()
    message.tags = ["spring", "größe"]
    message.metadata = {"order": 7, "shop": "nørth"}
    send(message)
    headers = {"X-Metadata": json.dumps(message.metadata), "X-Tags": json.dumps(message.tags)}
    assert_arrived(daemon, to_all(shown(headers=headers), "ann@example.org"), readers)


def test_a_batch_is_a_message_for_each_with_an_id_for_each(daemon: Daemon, readers: ForeignReaders):
    message = mail((ANN, BO), cc=["cy@example.org"], headers={"X-Shop": "ø"})
    message.metadata = {"shop": "north"}
    message.merge_metadata = {"ann@example.org": {"order": 7}}
    message.merge_headers = {"bo@example.org": {"X-Shop": "south"}}
    ids = send(message)
    # Those of the copies are not told apart.
    status = {address: item.message_id for address, item in message.anymail_status.recipients.items()}
    assert status["ann@example.org"] != status["bo@example.org"]
    assert status["cy@example.org"] is None
    assert ids == {status["ann@example.org"], status["bo@example.org"], None}
    assert all(str(uuid.UUID(item)) == item for item in ids - {None})
    ann = shown(cc="cy@example.org", headers={"X-Shop": "ø", "X-Metadata": '{"shop": "north", "order": 7}'})
    bo = shown(to=BO, cc="cy@example.org", headers={"X-Shop": "south", "X-Metadata": '{"shop": "north"}'})
    told = [*to_all(ann, "ann@example.org", "cy@example.org"), *to_all(bo, "bo@example.org", "cy@example.org")]
    assert_arrived(daemon, told, readers)


def test_a_batch_with_one_bad_address_is_refused_whole(daemon: Daemon):
    message = mail((ANN, "bo@" + "a" * 64 + ".org"))
    message.merge_data = {}
    error = refused(message)
    assert error.status_code == 422
    assert error.response.json()["name"] == "validation_error"
    assert_nothing_arrived(daemon)


def test_nothing_is_filled_in(daemon: Daemon, readers: ForeignReaders):
    text = "{{ name }} {% if %} {{{ x }}} [name] [*to]"
    message = mail(subject=text, body=text)
    message.attach_alternative(f"<p>{text}</p>", "text/html")
    send(message)
    assert_arrived(daemon, to_all(shown(subject=text, text=text, html=f"<p>{text}</p>"), "ann@example.org"), readers)


@pytest.mark.parametrize(
    "extra", [{"template": {"id": "welcome"}}, {"topic_id": "news"}, {"scheduled_at": "in 1 hour"}], ids=str
)
def test_what_cannot_be_done_here_is_refused_by_its_name(extra: dict, daemon: Daemon):
    message = mail()
    message.esp_extra = extra
    error = refused(message)
    assert (error.status_code, error.response.json()["name"]) == (422, "validation_error")
    (name,) = extra
    assert name in error.response.json()["message"]
    assert_nothing_arrived(daemon)
