"""What Anymail's SparkPost backend says beyond Django: merge data, batches, tags, tracking, SparkPost's own options."""

import base64
from collections.abc import Callable

import pytest
from anymail.message import AnymailMessage

from anymail_mail import ANN, SHOP, mail, refused, send, shown, use_anymail
from daemon import Daemon
from readers import ForeignReaders
from stock_clients import assert_arrived, assert_nothing_arrived, sparkpost_errors, to_all

BO = '"Müller, Bo" <bo@example.org>'


@pytest.fixture(autouse=True)
def anymail(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    use_anymail(monkeypatch, "SparkPost", daemon)


def merge(**more: object) -> AnymailMessage:
    message = mail((ANN, BO), subject="{{ name }}, {{ offer }}", body="Hello {{name}}, {{ offer }} {{nobody}}.", **more)
    message.merge_data = {"ann@example.org": {"name": "Ann & [name]"}, "bo@example.org": {"name": "Bø", "offer": "new"}}
    message.merge_global_data = {"offer": "spring"}
    return message


def merged(to: str, name: str, offer: str, **more: object) -> dict:
    return shown(to=to, subject=f"{name}, {offer}", text=f"Hello {name}, {offer} .", **more)


def test_merge_data(daemon: Daemon, readers: ForeignReaders):
    send(merge())
    told = [
        ("ann@example.org", merged(ANN, "Ann & [name]", "spring")),
        ("bo@example.org", merged(BO, "Bø", "new")),
    ]
    sent = assert_arrived(daemon, told, readers)
    # Texts without statements are PowerMTA's to fill in.
    assert {item.file.form for item in sent} == {"merge"}


def test_merge_data_in_html_is_escaped_unless_it_is_asked_for_raw(daemon: Daemon, readers: ForeignReaders):
    message = merge()
    message.attach_alternative("<p>{{ name }}</p>{{{ name }}}", "text/html")
    send(message)
    html = {"ann": "<p>Ann &amp; [name]</p>Ann & [name]", "bo": "<p>Bø</p>Bø"}
    told = [
        ("ann@example.org", merged(ANN, "Ann & [name]", "spring", html=html["ann"])),
        ("bo@example.org", merged(BO, "Bø", "new", html=html["bo"])),
    ]
    assert_arrived(daemon, told, readers)


def test_statements(daemon: Daemon, readers: ForeignReaders):
    message = mail((ANN, BO))
    message.body = (
        "{{ if vip }}Dear {{ name or 'customer' }}{{ else }}Hello{{ end }}{{ each cities }} {{ loop_var }},{{ end }}"
    )
    message.merge_data = {
        "ann@example.org": {"vip": True, "cities": ["Oslo", "Bergen"]},
        "bo@example.org": {"vip": False, "cities": []},
    }
    send(message)
    told = [
        ("ann@example.org", shown(text="Dear customer Oslo, Bergen,")),
        ("bo@example.org", shown(to=BO, text="Hello")),
    ]
    assert_arrived(daemon, told, readers)


def test_the_names_that_are_there_by_themselves(daemon: Daemon, readers: ForeignReaders):
    message = mail((ANN,), body="{{ address.email }} {{ email }} {{ return_path }}")
    message.envelope_sender = "bounce@example.com"
    message.merge_data = {}
    send(message)
    text = "ann@example.org ann@example.org bounce@example.com"
    assert_arrived(daemon, to_all(shown(text=text, sender="bounce@example.com"), "ann@example.org"), readers)


def test_a_batch_shows_nobody_else_and_its_copies_are_of_each(daemon: Daemon, readers: ForeignReaders):
    # Anymail counts two recipients and two copies, and SparkPost, too, four messages and two copies more.
    send(merge(cc=["cy@example.org"], bcc=["di@example.org"]), status="unknown")
    told = [
        (address, message)
        for to, name, offer in [(ANN, "Ann & [name]", "spring"), (BO, "Bø", "new")]
        for message in [merged(to, name, offer, cc="cy@example.org")]
        for address in [to.rpartition("<")[2].rstrip(">"), "cy@example.org", "di@example.org"]
    ]
    assert len(told) == 6
    assert_arrived(daemon, told, readers)


def test_headers_of_each_recipient(daemon: Daemon, readers: ForeignReaders):
    message = mail((ANN, BO), headers={"List-Unsubscribe": "<mailto:leave@example.com>", "X-Shop": "ø"})
    message.merge_headers = {"ann@example.org": {"List-Unsubscribe": "<https://example.com/u/1>"}}
    send(message)
    told = [
        ("ann@example.org", shown(headers={"List-Unsubscribe": "<https://example.com/u/1>", "X-Shop": "ø"})),
        ("bo@example.org", shown(to=BO, headers={"List-Unsubscribe": "<mailto:leave@example.com>", "X-Shop": "ø"})),
    ]
    assert_arrived(daemon, told, readers)


def test_metadata_are_there_for_the_text_and_substitution_data_win(daemon: Daemon, readers: ForeignReaders):
    message = mail((ANN, BO), body="{{ order }} {{ shop }} {{ name }}")
    message.metadata = {"shop": "north", "order": 1}
    message.merge_metadata = {"ann@example.org": {"order": 2, "name": "of the metadata"}}
    message.merge_data = {"ann@example.org": {"name": "Ann"}}
    send(message)
    told = [
        ("ann@example.org", shown(text="2 north Ann")),
        ("bo@example.org", shown(to=BO, text="1 north ")),
    ]
    assert_arrived(daemon, told, readers)


def test_what_powermta_is_told(daemon: Daemon, readers: ForeignReaders):
    message = mail()
    message.tags = ["spring"]
    message.envelope_sender = "bounce@example.com"
    message.esp_extra = {
        "description": "the spring's first mail",
        "options": {"ip_pool": "pool-a", "dkim_key": "key1", "transactional": True},
    }
    send(message)
    envelope = {"job": "spring", "vmta": "pool-a", "sender": "bounce@example.com", "dkim": {"selector": "key1"}}
    assert_arrived(daemon, to_all(shown(**envelope), "ann@example.org"), readers)
    assert daemon.stop() == 0
    assert [entry["description"] for entry in daemon.entries() if "description" in entry] == ["the spring's first mail"]


@pytest.mark.parametrize(("number", "arrived"), [(42, "42"), (0, None)])
def test_a_subaccount(number: int, arrived: str | None, daemon: Daemon, readers: ForeignReaders, monkeypatch):
    use_anymail(monkeypatch, "SparkPost", daemon, SPARKPOST_SUBACCOUNT=str(number))
    send(mail((ANN, BO)))
    told = [("ann@example.org", shown()), ("bo@example.org", shown())]
    told = [(address, {**message, "to": [ANN, BO]}) for address, message in told]
    sent = assert_arrived(daemon, told, readers)
    assert [item.subaccount_id for item in sent] == [arrived, arrived]


def test_a_subaccount_that_is_no_number(daemon: Daemon, monkeypatch: pytest.MonkeyPatch):
    use_anymail(monkeypatch, "SparkPost", daemon, SPARKPOST_SUBACCOUNT="north")
    error = refused(mail())
    assert error.status_code == 422
    assert "X-MSYS-SUBACCOUNT" in str(sparkpost_errors(error.response.text))
    assert_nothing_arrived(daemon)


def test_amp(daemon: Daemon, readers: ForeignReaders):
    message = mail()
    amp = '<!doctype html><html ⚡4email data-css-strict><head></head><body>Hello {{ "Ann" }}</body></html>'
    amp = amp.replace('{{ "Ann" }}', "Ann")
    message.attach_alternative(amp, "text/x-amp-html")
    message.attach_alternative("<p>Hello</p>", "text/html")
    send(message)
    assert_arrived(daemon, to_all(shown(amp=amp, html="<p>Hello</p>"), "ann@example.org"), readers)


def test_a_finished_message(daemon: Daemon):
    raw = f"From: {SHOP}\r\nTo: {ANN}\r\nSubject: Hi\r\n\r\nHello\r\n"
    message = AnymailMessage(to=[ANN], from_email=SHOP)
    message.esp_extra = {"content": {"email_rfc822": raw}}
    error = refused(message)
    # Anymail always sends a subject and a text of its own: two kinds of content.
    assert (error.status_code, sparkpost_errors(error.response.text)[0]["code"]) == (422, "1301")
    assert_nothing_arrived(daemon)


REFUSED = {
    "template_id": {"template_id": "welcome"},
    "open_tracking": {"track_opens": True},
    "click_tracking": {"track_clicks": True},
    "start_time": {"send_at": "2030-01-01T00:00:00Z"},
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_done_here_is_refused_by_its_name(name: str, daemon: Daemon):
    message = AnymailMessage(to=[ANN]) if name == "template_id" else mail()
    message.from_email = None if name == "template_id" else SHOP
    for attribute, value in REFUSED[name].items():
        setattr(message, attribute, value)
    error = refused(message)
    assert error.status_code == 422
    (said,) = sparkpost_errors(error.response.text)
    assert name in said["message"] + said.get("description", "")
    assert_nothing_arrived(daemon)


def test_unrequested_tracking_is_not_a_fault(daemon: Daemon, readers: ForeignReaders):
    message = mail()
    message.track_opens = message.track_clicks = False
    send(message)
    assert_arrived(daemon, to_all(shown(), "ann@example.org"), readers)


def test_a_daemon_may_ignore_tracking(start_daemon: Callable, monkeypatch: pytest.MonkeyPatch, readers: ForeignReaders):
    daemon = start_daemon("--sparkpost-ignore", "open_tracking,click_tracking")
    use_anymail(monkeypatch, "SparkPost", daemon)
    message = mail()
    message.track_opens = message.track_clicks = True
    send(message)
    assert_arrived(daemon, to_all(shown(), "ann@example.org"), readers)


def test_a_campaign_that_is_too_long(daemon: Daemon):
    message = mail()
    message.tags = ["x" * 65]
    error = refused(message)
    assert error.status_code == 422
    assert "campaign_id" in str(sparkpost_errors(error.response.text))
    assert_nothing_arrived(daemon)


def test_a_transmission_to_many(daemon: Daemon, readers: ForeignReaders):
    message = mail(tuple(f"Reader {n} <r{n}@example.org>" for n in range(100)), subject="{{ n }}")
    message.merge_data = {f"r{n}@example.org": {"n": str(n)} for n in range(100)}
    message.attach("data", b"\0\1", "application/octet-stream")
    send(message)
    file = {
        "filename": "data",
        "contentType": "application/octet-stream",
        "content": base64.b64encode(b"\0\1").decode(),
    }
    told = [
        (f"r{n}@example.org", shown(to=f"Reader {n} <r{n}@example.org>", subject=str(n), attachments=[file]))
        for n in range(100)
    ]
    assert len(daemon.files()) == 1
    assert_arrived(daemon, told, readers)
