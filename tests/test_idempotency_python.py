"""The argument `idempotency_key` of the Python package."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

import pmtaemail

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent / "python")}
MESSAGE = {"from": "a@example.com", "to": "b@example.org", "text": "Hello"}
MERGE = {
    "from": "a@example.com",
    "merge": "expanded",
    "invalid_recipients": "skip",
    "recipients": ["b@example.org", "nobody", {"address": "c@example.org", "envid": "c-1"}],
}


@pytest.fixture
def pickup(tmp_path: Path) -> pmtaemail.Pickup:
    (tmp_path / "pickup").mkdir()
    return pmtaemail.Pickup(tmp_path / "pickup")


@pytest.mark.parametrize("message", [MESSAGE, MERGE])
def test_a_message_is_submitted_once_under_its_key(pickup: pmtaemail.Pickup, message: dict):
    first = pickup.submit(message, idempotency_key="k")
    assert not first.replayed
    again = pickup.submit({name: message[name] for name in reversed(message)}, idempotency_key="k")
    assert again.replayed
    assert again == first
    assert again.asdict() == {**first.asdict(), "replayed": True}
    assert list(again.recipient_receipts) == list(first.recipient_receipts)
    assert sorted(path.name for path in pickup.directory.iterdir()) == sorted(first.files)
    with pytest.raises(pmtaemail.IdempotencyError, match="another message") as raised:
        pickup.submit(message, subject="other", idempotency_key="k")
    assert raised.value.code == "conflict"
    assert not pickup.submit(message, idempotency_key="another").replayed


def test_the_part_of_a_merge_belongs_to_the_message(pickup: pmtaemail.Pickup):
    pickup.submit(MERGE, limit=1, idempotency_key="k")
    assert pickup.submit(MERGE, limit=1, idempotency_key="k").replayed
    with pytest.raises(pmtaemail.IdempotencyError):
        pickup.submit(MERGE, idempotency_key="k")


def test_a_problem_leaves_the_key_free(pickup: pmtaemail.Pickup):
    with pytest.raises(pmtaemail.MessageError):
        pickup.submit(from_="a@example.com", idempotency_key="k")
    assert not pickup.submit(MESSAGE, idempotency_key="k").replayed


@pytest.mark.parametrize("key", ["", "å", "a\n", "x" * 256])
def test_a_key_is_printable_ascii_of_some_length(pickup: pmtaemail.Pickup, key: str):
    with pytest.raises(ValueError, match="1 to 255 printable ASCII characters"):
        pickup.submit(MESSAGE, idempotency_key=key)


def test_the_awaitable_twin_has_it_too(tmp_path: Path):
    async def recipients():
        yield "b@example.org"

    async def main():
        async with pmtaemail.AsyncPickup(tmp_path, state=tmp_path.with_name("keys")) as pickup:
            first = await pickup.submit(MESSAGE, idempotency_key="k")
            again = await pickup.submit(MESSAGE, idempotency_key="k")
            assert (again.id, again.replayed) == (first.id, True)
            for replayed in (False, True):
                receipt = await pickup.submit(from_="a@example.com", recipients=recipients(), idempotency_key="m")
                assert receipt.replayed == replayed

    asyncio.run(main())
    assert [path.name for path in tmp_path.with_name("keys").iterdir()] == ["keys.redb"]


def test_another_process_cannot_have_the_store(pickup: pmtaemail.Pickup):
    program = """
import pmtaemail, sys
pickup = pmtaemail.Pickup(sys.argv[1])
message = {"from": "a@example.com", "to": "b@example.org", "text": "Hello"}
print(pickup.submit(message, idempotency_key="k").replayed)
"""
    command = [sys.executable, "-c", program, pickup.directory]
    first = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert first.stdout == "False\n"
    receipt = pickup.submit(MESSAGE, idempotency_key="k")
    assert receipt.replayed
    second = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert "another process is using it" in second.stderr
    assert second.returncode == 1
