"""What the tests of other services' clients share: what arrives is compared with what a client was told to send."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from daemon import Daemon
from judge import judge_delivery
from merge_judge import Sent, differences, repeated, take_apart
from message_rules import broken_rules
from model import expect
from readers import ForeignReaders, normal_address
from readers.line_process import LineProcess

HERE = Path(__file__).parent
KEY = "a-key-that-only-tests-use"
PNG = b"\x89PNG\r\n\x1a\n\0\xff"
PDF = b"%PDF-1.7\n\0\xff\r\n.\r\n"
# What each recipient is to get, with its address in the envelope: a message of our own, whose `to` and `cc` are those
# that are shown, and whose `sender`, `job`, `vmta` and `dkim` are those of the envelope.
Told = list[tuple[str, dict]]


class NodeClients(LineProcess):
    """The clients for Node, in one process."""

    def __init__(self, **environment: str):
        super().__init__("node", str(HERE / "stock_clients.mjs"), **environment)

    def call(self, client: str, **request: object) -> dict:
        """What the client gives."""
        answer = self.ask({"client": client, "key": KEY, **request})
        assert "value" in answer, answer
        return answer["value"]

    def refused(self, client: str, **request: object) -> dict:
        """What the client throws."""
        answer = self.ask({"client": client, "key": KEY, **request})
        assert "refused" in answer, answer
        return answer["refused"]


def write_keys(path: Path, *options: str) -> tuple[str, str]:
    """The daemon's options for a file of keys in which `KEY` stands with these lines."""
    hashed = hashlib.sha256(KEY.encode()).hexdigest()
    path.write_text("\n".join(["[keys.shop]", f'hash = "sha256:{hashed}"', *options, ""]))
    return "--keys", str(path)


def to_all(message: dict, *addresses: str) -> Told:
    """One and the same message for each of these."""
    return [(address, message) for address in addresses]


def assert_arrived(daemon: Daemon, told: Told, readers: ForeignReaders) -> list[Sent]:
    """Each recipient got what the client was told, once, and nobody got more. The files are taken away."""
    files = daemon.files()
    sendings = take_apart([file.read_bytes() for file in files])
    for file in files:
        file.unlink()
    assert not repeated(sendings)
    everything = list(one_by_one(sendings))
    arrived = sorted(normal_address(sent.file.addresses[0]) for sent in everything)
    assert arrived == sorted(normal_address(address) for address, _ in told), arrived
    wanted = defaultdict(list)
    for address, message in told:
        wanted[normal_address(address)].append(message)
    wrong = []
    for sent in everything:
        address = normal_address(sent.file.addresses[0])
        # Who gets several messages gets them in any order.
        found = [complaints(sent, message, readers) for message in wanted[address]]
        nearest = min(range(len(found)), key=lambda at: len(found[at]))
        del wanted[address][nearest]
        wrong += [f"{address}: {complaint}" for complaint in found[nearest]]
    assert not wrong, "\n".join(wrong)
    return everything


def one_by_one(everything: Iterable[Sent]) -> Iterable[Sent]:
    """A message to several recipients as one for each."""
    for sent in everything:
        for recipient in sent.file.recipients:
            yield replace(sent, file=replace(sent.file, recipients=(recipient,)))


def complaints(sent: Sent, message: dict, readers: ForeignReaders) -> list[str]:
    """Where what arrived breaks a rule of mail, or is not what the client was told, to any reader."""
    expected = expect(message)
    (recipient,) = sent.file.recipients
    delivery = replace(
        expected.delivery,
        recipients=[normal_address(recipient.address)],
        form=sent.file.form,
        envid=expected.delivery.envid or sent.file.envid,
    )
    wrong = broken_rules(sent.file.message, smtputf8=sent.file.smtputf8)
    wrong += judge_delivery(delivery, sent.file)
    readings = readers.read_all(sent.file.message)
    return wrong + differences(readings, dict.fromkeys(readings, expected), lambda body: body.rstrip("\n"))


def assert_nothing_arrived(daemon: Daemon) -> None:
    assert daemon.files() == []


def sparkpost_errors(body: bytes | str) -> list[dict]:
    """The errors of an answer as SparkPost words them."""
    errors = json.loads(body)["errors"]
    assert errors
    for error in errors:
        assert set(error) <= {"message", "description", "code", "part"}
        assert all(isinstance(value, str) and value for value in error.values())
        assert error["message"]
    return errors
