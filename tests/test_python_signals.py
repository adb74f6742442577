"""Long calls answer signals, and say what was handed over."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

import pmtaemail
from pmtaemail._native import Prepared
from python_messages import MESSAGE

MERGE = {"from": "shop@example.com", "subject": "News", "template": "merge", "text": "{{ x }}"}
# Each of the calls below takes some seconds with so many.
MANY = 100_000


class Alarm(Exception):
    """What a handler raises: an ordinary exception, as that of Celery's time limit is."""


@contextmanager
def alarm_after(seconds: float) -> Iterator[list[float]]:
    """Raises `Alarm` in the main thread after a time; its time is added to the list."""
    times = []

    def ring(number: int, frame: FrameType | None) -> None:
        times.append(time.monotonic())
        raise Alarm

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield times
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def people() -> list[dict]:
    return [{"address": f"a{number}@example.org", "variables": {"x": number}} for number in range(MANY)]


@pytest.fixture(scope="module")
def text(people: list[dict]) -> str:
    return json.dumps({**MERGE, "recipients": people})


CALLS = {
    "check": lambda pickup, message: pmtaemail.check(message),
    "render": lambda pickup, message: pmtaemail.render(message),
    "submit": lambda pickup, message: pickup.submit(message),
    "submit_many": lambda pickup, message: pickup.submit_many([message]),
    "prepare": lambda pickup, message: Prepared(message),
}


@pytest.mark.parametrize("after", [0.1, 0.6, 1.2])
@pytest.mark.parametrize("form", ["object", "JSON"])
@pytest.mark.parametrize("name", CALLS)
def test_a_merge_is_interrupted_within_a_second(
    tmp_path: Path, people: list[dict], text: str, name: str, form: str, after: float
):
    message = text if form == "JSON" else {**MERGE, "recipients": people}
    (tmp_path / "pickup").mkdir()
    pickup = pmtaemail.Pickup(tmp_path / "pickup", durability="none")
    start = time.monotonic()
    try:
        with alarm_after(after):
            CALLS[name](pickup, message)
    except Alarm as alarm:
        results = getattr(alarm, "pmtaemail_results", None)
    else:
        results = None
    assert time.monotonic() - start < after + 1
    files = {file.name for file in (tmp_path / "pickup").iterdir()}
    if results is None:
        # It was done before the alarm.
        assert bool(files) == name.startswith("submit")
        return
    assert files == {file for receipt in results for file in receipt.files}
    assert [file for file in tmp_path.rglob("*") if file.is_file() and file.name not in files] == []


def test_submit_many_says_what_was_submitted(tmp_path: Path):
    """Between two groups, without a step of the interpreter in between."""
    pickup = pmtaemail.Pickup(tmp_path, durability="none")
    messages = [MESSAGE, {"from": 5}, *[MESSAGE] * 200_000]
    with pytest.raises(Alarm) as error, alarm_after(0.3) as due:
        pickup.submit_many(messages)
    assert time.monotonic() - due[0] < 1
    results = error.value.pmtaemail_results
    assert isinstance(results[1], pmtaemail.MessageError)
    receipts = [result for result in results if isinstance(result, pmtaemail.Receipt)]
    assert 0 < len(receipts) == len(results) - 1 < 200_000
    assert {file for receipt in receipts for file in receipt.files} == {file.name for file in tmp_path.iterdir()}
    assert error.value.__notes__[0].startswith(f"pmtaemail had handed over {len(receipts)} of")


@pytest.mark.parametrize("count", [0, 1, 600])
def test_control_c_in_the_callers_code_says_what_was_submitted(tmp_path: Path, count: int):
    def people() -> Iterator[str]:
        yield "ann@example.org"
        os.kill(os.getpid(), signal.SIGINT)
        yield "bo@example.org"

    pickup = pmtaemail.Pickup(tmp_path, durability="none")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt) as error:
            pickup.submit_many([MESSAGE] * count + [{**MESSAGE, "to": people()}, MESSAGE])
        files = {file.name for file in tmp_path.iterdir()}
        assert {receipt.files[0] for receipt in error.value.pmtaemail_results} == files
        # Whole groups.
        assert len(files) == count // 256 * 256
        with pytest.raises(KeyboardInterrupt) as error:
            pickup.submit({**MESSAGE, "to": people()})
        assert error.value.pmtaemail_results == []
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_receipt_is_not_lost_to_a_signal(tmp_path: Path):
    """One that comes when the file is visible already, while the directory is synced."""
    pickup = pmtaemail.Pickup(tmp_path)

    def ring_when_visible(known: int) -> None:
        while len(os.listdir(tmp_path)) == known:
            pass
        os.kill(os.getpid(), signal.SIGALRM)

    told = []
    for known in range(20):
        thread = threading.Thread(target=ring_when_visible, args=[known])
        try:
            # One that comes behind the call is the interpreter's.
            with alarm_after(60):
                thread.start()
                pickup.submit(MESSAGE)
                thread.join()
        except Alarm as alarm:
            told += getattr(alarm, "pmtaemail_results", [])
        thread.join()
    assert told
    assert {file for receipt in told for file in receipt.files} <= {file.name for file in tmp_path.iterdir()}


def test_other_threads_are_not_interrupted(tmp_path: Path, people: list[dict]):
    """Signals are those of the main thread alone."""
    pickup = pmtaemail.Pickup(tmp_path, durability="none")
    receipts = []
    done = threading.Event()

    def work() -> None:
        receipts.append(pickup.submit({**MERGE, "recipients": people}))
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    with pytest.raises(Alarm), alarm_after(0.05):
        done.wait()
    done.wait()
    thread.join()
    assert receipts[0].recipients == MANY
