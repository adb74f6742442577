"""A fleet on NATS JetStream: what is answered 202 is once in one pickup directory, whatever is killed or full."""

import asyncio
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import nats
import pytest

from brokers import wait_until
from crowd import HEAD, as_lines, assert_right, crowd
from daemon import assert_problem
from fleet import DEAD, STREAM, Fleet
from fleet_load import Client, Load
from pickup_reader import read
from raw_http import MESSAGE
from storm.judge import Told, Verdict
from storm.message import Work

NOTHING = Verdict()
NDJSON = {"Content-Type": "application/x-ndjson"}


# ---- nothing goes wrong


def test_messages_of_two_daemons_are_once_at_two_hosts(fleet: Fleet, long: bool):
    begun = time.monotonic()
    first, second = fleet.host().start(), fleet.host().start()
    with Load(fleet.daemon(), fleet.daemon()) as load:
        load.wait_for_more(100_000 if long else 2_000)
        told = load.finish()
    fleet.drain()
    verdict = fleet.verdict(told, load.begun)
    fleet.report(load, begun)
    assert verdict == NOTHING
    assert first.powermta.taken
    assert second.powermta.taken
    assert load.refused == 0
    # Once each, whoever has it.
    assert first.counted("batch_acknowledged") + second.counted("batch_acknowledged") == len(told)


def test_a_host_takes_messages_of_its_pool_alone(fleet: Fleet):
    bulk, other = fleet.host("--pool", "bulk").start(), fleet.host().start()
    with Load(fleet.daemon("--pool", "bulk"), clients=2, keys=False) as load:
        load.wait_for_more(20)
        told = load.finish()
    fleet.drain()
    assert fleet.verdict(told) == NOTHING
    assert (len(bulk.powermta.taken) >= 20, other.powermta.taken) == (True, [])


@pytest.mark.parametrize(
    ("merge", "text"),
    [("native", ""), ("expanded", ""), ("expanded", "This line makes the message longer.\n" * 40)],
    ids=["native", "expanded", "larger than a message of the queue"],
)
def test_a_merge_for_ten_thousand_arrives_whole(fleet: Fleet, merge: str, text: str):
    count = 10_000
    host = fleet.host(takes=False)
    head = {**HEAD, "merge": merge}
    if text:
        head["html"] = f"<pre>{text}</pre>"
    answer = fleet.daemon().post(as_lines(head, crowd(count)), **NDJSON)
    assert answer.status == 202, answer.body
    receipt = answer.json()
    assert receipt["recipients"] == len(receipt["envids"]) == count
    status = fleet.told("status")
    assert (status["messages"], status["large_bytes"] > 8 << 20) == (1, bool(text))
    host.start()
    fleet.drain()
    host.stop()
    assert sorted(receipt["files"]) == sorted(path.name for path in host.pickup.iterdir())
    files = [read((host.pickup / name).read_bytes()) for name in receipt["files"]]
    if merge == "native":
        assert_right(files, crowd(count))
    else:
        reached = [address for file in files for address in file.addresses]
        assert sorted(reached) == sorted(recipient["address"] for recipient in crowd(count))
        assert all(b"Dear" in file.message for file in files)
    # Of an object that is removed a mark stays.
    assert fleet.told("status")["large_bytes"] < 1_000


# ---- nobody is there


def test_no_broker_no_receipt(fleet: Fleet):
    daemon = fleet.daemon()
    assert daemon.post(MESSAGE).status == 202
    fleet.brokers.kill_all()
    daemon.wait_for_event("broker_lost")
    answer = daemon.post(MESSAGE)
    assert_problem(answer, 503)
    assert answer.headers["retry-after"]
    assert daemon.request("GET", "/health").status == 503
    fleet.brokers.restart_all()
    wait_until(lambda: daemon.post(MESSAGE).status == 202, "messages are taken again")


# ---- keys


def test_one_key_at_two_daemons_at_once_is_one_message(fleet: Fleet, long: bool):
    """All that ask under a key get one receipt, those that come too early after another try."""
    fleet.host().start()
    daemons = [fleet.daemon(), fleet.daemon()]
    clients = [Client(daemons[number % 2]) for number in range(4)]
    told = []
    with ThreadPoolExecutor(len(clients)) as pool:
        for number in range(500 if long else 20):
            work = Work(f"k{number}", "several" if number % 3 else "single", 1, is_keyed=True)
            line = threading.Barrier(len(clients))

            def post(client: Client, work=work, line=line) -> dict:
                line.wait()
                return client.post_until_told(work.body(), work.tag, threading.Event())

            receipts = list(pool.map(post, clients))
            # Receipts of several submissions are lost or doubled.
            told.extend(Told(work.tag, receipt["id"], len(receipt["files"])) for receipt in receipts)
    # Whoever asks later is told as well, of another message that there is a conflict.
    last = Work(told[-1].tag, "single", 60, is_keyed=True)
    for daemon in daemons:
        again = daemon.post(work.body(), **{"Idempotency-Key": work.tag})
        assert (again.status, again.headers["Idempotent-Replayed"], again.json()) == (202, "true", receipts[0])
        assert assert_problem(daemon.post(last.body(), **{"Idempotency-Key": last.tag}), 409)
    for client in clients:
        client.close()
    fleet.drain()
    assert fleet.verdict(told, [one.tag for one in told]) == NOTHING


# ---- full


def test_the_other_host_drains_when_one_stops(fleet: Fleet):
    """PowerMTA at one host is slow: nothing is taken there until its files are fewer."""
    slow, quick = fleet.host("--max-depth", "10", takes=False), fleet.host()
    waiting = [slow.pickup / f"waits-{number}.eml" for number in range(11)]
    for path in waiting:
        path.touch()
    slow.start()
    quick.start()
    daemon = fleet.daemon()
    with Load(daemon) as load:
        load.wait_for_more(400)
        told = load.finish()
    fleet.drain()
    assert sorted(slow.pickup.iterdir()) == sorted(waiting)
    quick.stop()
    assert daemon.post(MESSAGE).status == 202
    assert fleet.brokers.messages_in(STREAM) == 1
    for path in waiting:
        path.unlink()
    fleet.drain()
    (path,) = slow.pickup.iterdir()
    assert read(path.read_bytes()).message
    slow.stop()
    fleet.hosts.remove(slow)
    assert fleet.verdict(told, load.begun) == NOTHING


def test_a_full_queue_is_answered_503_until_hosts_take_of_it(start_fleet: Callable[..., Fleet]):
    fleet = start_fleet("--max-bytes", "300k")
    daemon = fleet.daemon()
    with Load(daemon, clients=4, keys=False) as load:
        load.wait_for(lambda: load.refused > 10)
        told = list(load.finish())
    answer = daemon.post(Work("full", "single", 4_000, is_keyed=False).body())
    assert_problem(answer, 503)
    assert answer.headers["retry-after"]
    # A key whose message was refused is free.
    keyed = Work("keyed", "single", 4_000, is_keyed=True)
    assert_problem(daemon.post(keyed.body(), **{"Idempotency-Key": "keyed"}), 503)
    assert fleet.told("status")["bytes"] <= 300 << 10
    fleet.host().start()
    fleet.drain()
    again = daemon.post(keyed.body(), **{"Idempotency-Key": "keyed"})
    assert again.status == 202
    told.append(Told("keyed", again.json()["id"], 1))
    fleet.drain()
    assert fleet.verdict(told) == NOTHING


# ---- dead letters

PARCEL = b'{"version":1,"files":[["%s",%d]]}\n%s'
POISON = [
    b"",
    b"hello",
    b"{}\n",
    b'{"version":1,"files":[["a.eml"',
    b'{"version":99}\n',
    PARCEL % (b"a.eml", 99, b"short"),
    PARCEL % (b"a.eml", 2, b"too long"),
    PARCEL % (b"../../escaped.eml", 4, b"Mail"),
    PARCEL % (b".hidden", 4, b"Mail"),
    b'{"version":1,"large":"nowhere","size":9}\n',
    random.Random(7).randbytes(1_000),
]


def publish(fleet: Fleet, subject: str, payloads: list[bytes]) -> None:
    async def work() -> None:
        client = await nats.connect(fleet.brokers.url.split(","))
        stream = client.jetstream()
        for payload in payloads:
            await stream.publish(subject, payload)
        await client.close()

    asyncio.run(work())


def test_an_invalid_message_is_a_dead_letter_and_the_rest_goes_on(fleet: Fleet):
    host = fleet.host("--ack-wait", "2s")
    daemon = fleet.daemon()
    told = []

    def post(tag: str) -> None:
        receipt = daemon.post(Work(tag, "single", 1, is_keyed=False).body()).json()
        told.append(Told(tag, receipt["id"], 1))

    post("before")
    subject = subject_of_first(fleet)
    publish(fleet, subject, POISON)
    post("behind")
    host.start()
    fleet.drain()
    letters = fleet.told("dead")
    assert [letter["subject"] for letter in letters] == [subject] * len(POISON)
    # Those whose object may still come are given more time.
    assert sorted(letter["bytes"] for letter in letters) == sorted(map(len, POISON))
    assert all(letter["problem"] for letter in letters)
    assert fleet.told("status")["dead"] == fleet.brokers.messages_in(DEAD) == len(POISON)
    assert host.entries()
    # Nobody has mended them, so they are dead again.
    done = fleet.run("replay")
    assert (done.returncode, done.stdout) == (0, f"{len(POISON)}\n")
    fleet.drain()
    fleet.brokers.wait_for_messages(DEAD, len(POISON))
    assert sorted(letter["bytes"] for letter in fleet.told("dead")) == sorted(map(len, POISON))
    post("afterwards")
    fleet.drain()
    assert fleet.verdict(told) == NOTHING
    assert not list(fleet.folder.rglob("escaped.eml"))


def subject_of_first(fleet: Fleet) -> str:
    async def work() -> str:
        client = await nats.connect(fleet.brokers.url.split(","))
        message = await client.jetstream().get_msg(STREAM, seq=1)
        await client.close()
        return message.subject

    return asyncio.run(work())


# ---- the command


def test_init_creates_safe_streams_and_refuses_unsafe_ones(fleet: Fleet):
    config = fleet.brokers.stream(STREAM)["config"]
    kept = ("retention", "discard", "storage", "num_replicas", "duplicate_window", "max_age")
    assert [config.get(name) for name in kept] == ["workqueue", "new", "file", 3, 3_600 * 10**9, 0]
    assert fleet.brokers.stream(DEAD)["config"]["retention"] == "limits"
    assert fleet.run("init").returncode == 0
    # Longer than the window of duplicates, or no broker would do it.
    change(fleet, max_age=86_400)
    done = fleet.run("init")
    assert (done.returncode != 0, done.stdout) == (True, "")
    assert "max_age" in done.stderr
    change(fleet, max_age=0)
    assert fleet.run("init").returncode == 0
    # Without the streams nothing begins.
    daemon = fleet.run("status", "--stream", "OTHER")
    assert daemon.returncode != 0
    assert "fleet init" in daemon.stderr


def change(fleet: Fleet, **settings: object) -> None:
    async def work() -> None:
        client = await nats.connect(fleet.brokers.url.split(","))
        stream = client.jetstream()
        info = await stream.stream_info(STREAM)
        await stream.update_stream(info.config.evolve(**settings))
        await client.close()

    asyncio.run(work())


def test_status_shows_what_waits_and_who_takes(fleet: Fleet):
    status = fleet.told("status")
    assert (status["messages"], status["dead"], status["replicas"], status["current"]) == (0, 0, 3, 3)
    daemon = fleet.daemon()
    for _ in range(3):
        assert daemon.post(MESSAGE).status == 202
    host = fleet.host().start()
    fleet.drain()
    host.stop()
    for _ in range(2):
        assert daemon.post(MESSAGE).status == 202
    status = fleet.told("status")
    consumer = next(one for one in status["consumers"] if one["name"] == "local=default=normal")
    assert (status["messages"], consumer["waiting"], consumer["on_their_way"]) == (2, 2, 0)
    text = fleet.run("status").stdout
    assert "2 messages" in text
    assert consumer["name"] in text
