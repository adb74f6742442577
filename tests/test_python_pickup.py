"""What Python gets back when it submits: receipts, errors, threads, asyncio."""

import asyncio
import dataclasses
import errno
import json
import os
import pickle
import threading
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import pytest

import pmtaemail
from pickup_reader import read
from python_messages import MESSAGE, RENDERED


def test_submit(tmp_path: Path):
    pickup = pmtaemail.Pickup(tmp_path)
    receipt = pickup.submit(MESSAGE)
    octets = b"".join((tmp_path / name).read_bytes() for name in receipt.files)
    assert octets.endswith(RENDERED)
    assert receipt.asdict() == {
        "id": receipt.id,
        "messageId": "1@example.com",
        "files": [f"{receipt.id}.eml"],
        "recipients": 2,
        "octets": len(octets),
    }
    assert pickup.directory == tmp_path
    assert isinstance(pickup.directory, Path)
    assert str(tmp_path) in repr(pickup)
    assert pickup.submit(from_="shop@example.com", to="ann@example.org").recipients == 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        receipt.id = "2"


@pytest.mark.parametrize("options", [{}, {"durability": "none"}, {"syncfs": False}])
def test_submit_many_reports_each(tmp_path: Path, options):
    def messages():
        for number in range(600):
            yield {**MESSAGE, "subject": f"{number}"} if number % 100 else {"from": 5}
        yield object()

    results = pmtaemail.Pickup(str(tmp_path), **options).submit_many(messages())
    assert len(results) == 601
    assert isinstance(results[-1], TypeError)
    for number, result in enumerate(results[:-1]):
        if number % 100 == 0:
            assert isinstance(result, pmtaemail.MessageError)
        else:
            assert b"\r\nSubject: %d\r\n" % number in (tmp_path / result.files[0]).read_bytes()
    assert len(list(tmp_path.iterdir())) == 594


@pytest.mark.parametrize("group", [os.getgid(), str(os.getgid())])
def test_files_have_the_mode_and_the_group_that_are_asked_for(tmp_path: Path, group: int | str):
    receipt = pmtaemail.Pickup(tmp_path, file_mode=0o604, file_group=group).submit(MESSAGE)
    stat = (tmp_path / receipt.files[0]).stat()
    assert (stat.st_mode & 0o7777, stat.st_gid) == (0o604, os.getgid())
    pickup = pmtaemail.AsyncPickup(tmp_path, file_mode=0o600, file_group=group)
    receipt = asyncio.run(pickup.submit(MESSAGE))
    assert (tmp_path / receipt.files[0]).stat().st_mode & 0o7777 == 0o600
    for wrong in ({"file_mode": 0o1777}, {"file_group": ""}, {"file_group": "a:b"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            pmtaemail.Pickup(tmp_path, **wrong)
    for wrong in ({"file_mode": "640"}, {"file_group": 1.5}):
        with pytest.raises(TypeError, match=next(iter(wrong))):
            pmtaemail.Pickup(tmp_path, **wrong)
    with pytest.raises(pmtaemail.PickupError, match="there is no such group"):
        pmtaemail.Pickup(tmp_path, file_group="no-such-group")


def test_submit_many_hands_nothing_over_when_the_iterable_fails(tmp_path: Path):
    def messages():
        yield MESSAGE
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        pmtaemail.Pickup(tmp_path).submit_many(messages())
    assert list(tmp_path.iterdir()) == []


def test_a_missing_directory(tmp_path: Path):
    with pytest.raises(pmtaemail.PickupError, match="create the directory") as error:
        pmtaemail.Pickup(tmp_path / "pickup")
    assert isinstance(error.value, OSError)
    assert isinstance(error.value, pmtaemail.Error)
    assert (error.value.errno, error.value.filename) == (errno.ENOENT, str(tmp_path / "pickup"))
    copy = pickle.loads(pickle.dumps(error.value))
    assert (type(copy), copy.errno, str(copy)) == (pmtaemail.PickupError, errno.ENOENT, str(error.value))


def test_a_directory_that_vanishes(tmp_path: Path):
    (tmp_path / "pickup").mkdir()
    pickup = pmtaemail.Pickup(tmp_path / "pickup")
    (tmp_path / "pickup").rmdir()
    with pytest.raises(pmtaemail.PickupError):
        pickup.submit(MESSAGE)
    assert [type(result) for result in pickup.submit_many([MESSAGE, {}, MESSAGE])] == [
        pmtaemail.PickupError,
        pmtaemail.MessageError,
        pmtaemail.PickupError,
    ]


def test_an_unknown_durability(tmp_path: Path):
    with pytest.raises(ValueError, match="durability"):
        pmtaemail.Pickup(tmp_path, durability="perhaps")


def test_many_threads_share_one_pickup(tmp_path: Path):
    pickup = pmtaemail.Pickup(tmp_path)
    receipts: list[pmtaemail.Receipt] = []

    def work():
        receipts.extend(pickup.submit(MESSAGE) for _ in range(10))

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {receipt.files[0] for receipt in receipts} == {file.name for file in tmp_path.iterdir()}
    assert len(receipts) == 160


def test_the_interpreter_is_free_while_a_message_is_submitted(tmp_path: Path):
    """A thread that waits for the disk holds nobody up."""
    pickup = pmtaemail.Pickup(tmp_path)
    large = {**MESSAGE, "text": "x" * 20_000_000}
    turns = 0
    done = threading.Event()

    def work():
        pickup.submit(large)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    while not done.wait(0):
        turns += 1
    thread.join()
    assert turns > 100


def test_asyncio(tmp_path: Path):
    async def main() -> None:
        async with pmtaemail.AsyncPickup(tmp_path) as pickup:
            receipts = await asyncio.gather(*(pickup.submit(MESSAGE, subject=f"{n}") for n in range(100)))
            assert {receipt.files[0] for receipt in receipts} == {file.name for file in tmp_path.iterdir()}
            with pytest.raises(pmtaemail.MessageError):
                await pickup.submit({})
            first, second = await pickup.submit_many(iter([MESSAGE, {}]))
            assert read((tmp_path / first.files[0]).read_bytes()).recipients
            assert isinstance(second, pmtaemail.MessageError)
            assert pickup.directory == tmp_path

    asyncio.run(main())


def test_the_message_is_read_when_it_is_submitted(tmp_path: Path):
    async def main() -> bytes:
        async with pmtaemail.AsyncPickup(tmp_path) as pickup:
            message = {**MESSAGE}
            submitted = asyncio.ensure_future(pickup.submit(message))
            await asyncio.sleep(0)
            message.clear()
            return (tmp_path / (await submitted).files[0]).read_bytes()

    assert asyncio.run(main()).endswith(RENDERED)


LETTER = {"from": "shop@example.com", "subject": "News", "template": "merge", "text": "Hello {{ name }}!"}


async def people(*names: str) -> AsyncIterator[dict]:
    for name in names:
        await asyncio.sleep(0)
        yield {"address": f"{name}@example.org", "variables": {"name": name}}


async def broken(each: object) -> AsyncIterator[object]:
    yield each
    raise ZeroDivisionError


def test_recipients_may_come_from_an_async_generator(tmp_path: Path):
    async def main() -> list[pmtaemail.Receipt]:
        async with pmtaemail.AsyncPickup(tmp_path) as pickup:
            by_keyword = await pickup.submit(LETTER, recipients=people("ann", "bo"))
            in_the_dict = await pickup.submit({**LETTER, "recipients": people("cy")})
            with pytest.raises(pmtaemail.MessageError) as error:
                await pickup.submit(LETTER, recipients=people("ann", "not an address"))
            assert [problem.pointer for problem in error.value.problems] == ["/recipients/1/address"]
            return [by_keyword, in_the_dict]

    receipts = asyncio.run(main())
    assert [receipt.recipients for receipt in receipts] == [2, 1]
    assert {file for receipt in receipts for file in receipt.files} == {file.name for file in tmp_path.iterdir()}
    found = read((tmp_path / receipts[0].files[0]).read_bytes()).expansions
    assert [(each.recipient, b"Hello ann!" in each.message) for each in found] == [
        ("ann@example.org", True),
        ("bo@example.org", False),
    ]


def test_messages_may_come_from_an_async_generator(tmp_path: Path):
    async def messages() -> AsyncIterator[object]:
        yield MESSAGE
        yield {**LETTER, "recipients": people("ann", "bo")}
        yield {"from": 5}

    async def main() -> list[pmtaemail.Receipt | Exception]:
        async with pmtaemail.AsyncPickup(tmp_path) as pickup:
            return await pickup.submit_many(messages())

    first, second, third = asyncio.run(main())
    assert (first.recipients, second.recipients) == (2, 2)
    assert isinstance(third, pmtaemail.MessageError)
    assert len(list(tmp_path.iterdir())) == 2


def test_generators_that_raise_leave_nothing_behind(tmp_path: Path):
    def raising(each: object):
        yield each
        raise ZeroDivisionError

    async def main() -> None:
        async with pmtaemail.AsyncPickup(tmp_path) as pickup:
            for call in (
                lambda: pickup.submit(LETTER, recipients=broken("ann@example.org")),
                lambda: pickup.submit_many(broken(MESSAGE)),
                lambda: pickup.submit_many([MESSAGE, {**LETTER, "recipients": broken("ann@example.org")}]),
                lambda: pickup.submit(LETTER, recipients=raising("ann@example.org")),
                lambda: pickup.submit_many(raising(MESSAGE)),
            ):
                with pytest.raises(ZeroDivisionError):
                    await call()

    asyncio.run(main())
    with pytest.raises(ZeroDivisionError):
        pmtaemail.Pickup(tmp_path).submit(LETTER, recipients=raising("ann@example.org"))
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_iterated_is_reported(tmp_path: Path):
    for recipients in (5, True, "ann@example.org", b"x"):
        (problem,) = pmtaemail.check({**LETTER, "variables": {"name": "you"}, "recipients": recipients})
        assert (problem.code, problem.pointer) == ("wrong_type", "/recipients")
        assert "iterable" in problem.detail
    with pytest.raises(TypeError, match="iterable"):
        pmtaemail.Pickup(tmp_path).submit_many(5)
    with pytest.raises(TypeError, match="AsyncPickup"):
        pmtaemail.Pickup(tmp_path).submit_many(people("ann"))
    ones = (5, MESSAGE, json.dumps(MESSAGE), b"{}", EmailMessage())
    for one in ones:
        with pytest.raises(TypeError, match="iterable"):
            pmtaemail.Pickup(tmp_path).submit_many(one)

    async def main() -> None:
        async with pmtaemail.AsyncPickup(tmp_path) as pickup:
            for one in ones:
                with pytest.raises(TypeError, match="iterable"):
                    await pickup.submit_many(one)

    asyncio.run(main())
