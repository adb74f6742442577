"""BSMTP files arrive through a real MTA's batch SMTP as they were meant."""

import json
import re
from pathlib import Path

import pytest

from doors import Command
from exim import BatchSmtp, Delivery, needs_exim
from not_yet import NOT_YET
from pickup_reader import PickupFile, read
from pickup_reader.control_fields import take_options
from pickup_reader.octets import join_lines, split_lines
from readers import normal_address

CASES = Path(__file__).parent / "cases"
# Mail merge is PowerMTA's alone.
ALL = [path for path in sorted(CASES.glob("*/expected.pickup")) if not path.parent.name.startswith("merge_")]
BSMTP = [path for path in ALL if not path.read_bytes().startswith(b"x-sender:")]
HEADER_FORM = [path for path in ALL if path not in BSMTP]

pytestmark = needs_exim


@pytest.fixture(scope="module")
def exim(tmp_path_factory: pytest.TempPathFactory) -> BatchSmtp:
    folder = tmp_path_factory.mktemp("exim")
    # Exim delivers as another user, who must find the way.
    for parent in [folder, *folder.parents]:
        if not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
    return BatchSmtp(folder / "mta")


def expected(file: PickupFile) -> set[Delivery]:
    return {Delivery(plain(file.sender), plain(address), file.message) for address in file.addresses}


def plain(address: str) -> str:
    """An address as exim shows it: the domain in lower case, the local part without its quotes."""
    local, at, domain = normal_address(address).rpartition("@")
    return re.sub(r"\\(.)", r"\1", local[1:-1] if local.startswith('"') else local) + at + domain


def without_options(delivery: Delivery) -> Delivery:
    """What PowerMTA would deliver: it takes its own header lines out, exim leaves them."""
    message = join_lines(take_options(split_lines(delivery.message))[1])
    return Delivery(plain(delivery.sender), plain(delivery.recipient), message)


@pytest.mark.parametrize("path", BSMTP, ids=lambda path: path.parent.name)
def test_a_case_arrives(path: Path, exim: BatchSmtp):
    octets = path.read_bytes()
    assert {without_options(delivery) for delivery in exim.submit(octets)} == expected(read(octets))


def test_all_other_messages_arrive_in_this_form_too(binary: Path, exim: BatchSmtp):
    """Every case with the null reverse-path, which only batched SMTP can say."""
    for path in HEADER_FORM:
        message = json.loads((path.parent / "message.json").read_bytes())
        names = {name.lower().replace("_", "") for name in message}
        if "sender" in names or path.parent.name in NOT_YET:
            continue
        octets = Command(binary).pickup_file(json.dumps({**message, "sender": "<>"}).encode())
        file = read(octets)
        assert file.form == "bsmtp"
        assert {without_options(delivery) for delivery in exim.submit(octets)} == expected(file), path.parent.name


def test_lines_of_dots(binary: Path, exim: BatchSmtp):
    inner = "Subject: x\r\n\r\n" + "".join("." * n + "\r\n" for n in range(1, 9)) + "..end\r\nQUIT\r\n.\r\n"
    message = {
        "from": "ann@example.com",
        "sender": "<>",
        "to": "bo@example.org",
        "text": ".\n..\n.a\n\n.",
        "attachments": [{"content": inner, "encoding": "utf8", "contentType": "message/rfc822"}],
    }
    octets = Command(binary).pickup_file(json.dumps(message).encode())
    (delivery,) = exim.submit(octets)
    assert delivery.message == read(octets).message
    assert inner.encode() in delivery.message
