"""Hosts, daemons and brokers of a fleet are killed, frozen and cut off: what was answered 202 is there, and once."""

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from brokers import wait_until
from cut_network import CutNetwork, changing
from daemon import Daemon
from fleet import KEYS, STREAM, Fleet, Host
from fleet_load import Load
from raw_http import MESSAGE
from storm.judge import Verdict

NOTHING = Verdict()
BATCH = 64
# How long nobody may be answered when a leader is lost, in seconds.
STALL = 10
# What follows on an election: a try that a lost leader did not answer ends, and another one is answered.
AFTERWARDS = 3
# How long a daemon waits for an answer of the brokers, and some more.
LONGER_THAN_A_TRY = 3


# ---- hosts and daemons


def test_hosts_that_are_killed_lose_and_double_nothing(fleet: Fleet, long: bool):
    """kill -9, and now and then SIGTERM; who is killed comes back before another host is given what it had."""
    begun = time.monotonic()
    hosts = [fleet.host("--ack-wait", "10s", "--batch", f"{BATCH}").start() for _ in range(2)]
    kills = 100 if long else 6
    with Load(fleet.daemon(), fleet.daemon()) as load:
        for number in range(kills):
            load.wait_for_more(random.randrange(400))
            host = random.choice(hosts)
            if number % 4 == 3:
                host.stop()
            else:
                host.kill()
            host.start()
        told = load.finish()
    fleet.drain()
    verdict = fleet.verdict(told, load.begun)
    fleet.report(load, begun, kills=kills)
    assert verdict == NOTHING


def messages(names: list[str]) -> set[str]:
    """Of which submissions files are."""
    return {name.split("-")[0].removesuffix(".eml") for name in names}


def assert_one_batch_at_most(verdict: Verdict, other: Host) -> None:
    """Nothing is lost, and what is there twice is counted."""
    assert (verdict.lost, verdict.partial, verdict.left_over, verdict.unanswered) == ([], [], [], [])
    assert len(messages(verdict.doubled)) <= min(BATCH, other.counted("batch_handed_over", "redelivered"))


def test_a_host_that_does_not_come_back_is_replaced(fleet: Fleet):
    """What it had taken and not handed over, another one does after `ack-wait`. Its last batch may be there twice."""
    begun = time.monotonic()
    lost, other = [fleet.host("--ack-wait", "5s", "--batch", f"{BATCH}") for _ in range(2)]
    with Load(fleet.daemon()) as load:
        load.wait_for_more(10 * BATCH)
        lost.start()
        lost.freeze_with_a_batch()
        lost.kill()
        told = load.finish()
    other.start()
    fleet.drain()
    # Too late.
    lost.start()
    lost.wait_until_settled()
    verdict = fleet.verdict(told, load.begun)
    fleet.report(load, begun)
    assert_one_batch_at_most(verdict, other)
    assert other.powermta.taken


def test_daemons_that_are_killed_lose_and_double_nothing(fleet: Fleet, long: bool):
    """Keys that one had claimed are another one's after a minute, whether their message was published or not."""
    begun = time.monotonic()
    kills = 10 if long else 2
    for _ in range(2):
        fleet.host().start()
    daemons = [fleet.killable() for _ in range(2)]
    with Load(*daemons) as load:
        for number in range(kills):
            load.wait_for_more(random.randrange(100, 400))
            daemon = daemons[number % 2]
            daemon.kill()
            daemon.start()
        if not long:
            # Nobody waits that minute.
            load.gives_up.set()
        told = load.finish()
    fleet.drain()
    verdict = fleet.verdict(told, load.begun if long else ())
    fleet.report(load, begun, kills=kills)
    assert verdict == NOTHING


# ---- brokers


def lead(fleet: Fleet) -> float:
    """Waits until there are leaders, and tells how long that took."""
    begun = time.monotonic()
    for stream in (STREAM, KEYS):
        fleet.brokers.leader_of(stream)
    return time.monotonic() - begun


@pytest.mark.parametrize(
    ("strike", "heal"), [("kill", "restart"), ("freeze", "thaw")], ids=["is killed", "is frozen and goes on"]
)
def test_a_leader_that(fleet: Fleet, strike: str, heal: str, long: bool):
    """One that is frozen believes that it leads when it goes on."""
    begun = time.monotonic()
    strikes = 20 if long else 1
    for _ in range(2):
        # Longer than two elections.
        fleet.host("--ack-wait", "30s").start()
    elections = []
    with Load(fleet.daemon(), fleet.daemon()) as load:
        for _ in range(strikes):
            load.wait_for_more(300)
            leader = fleet.brokers.leader_of(STREAM)
            getattr(fleet.brokers, strike)(leader)
            elections.append(lead(fleet))
            load.wait_for_more(300)
            getattr(fleet.brokers, heal)(leader)
        told = load.finish()
    fleet.drain()
    verdict = fleet.verdict(told, load.begun)
    fleet.report(load, begun, strikes=strikes, elections=[round(seconds, 1) for seconds in elections])
    assert verdict == NOTHING
    # Brokers take from four to nine seconds to agree, and seldom longer, when votes are split.
    assert load.longest_stall() <= max(STALL, max(elections) + AFTERWARDS)


def test_all_brokers_are_killed_at_once(fleet: Fleet, long: bool):
    begun = time.monotonic()
    kills = 10 if long else 1
    for _ in range(2):
        fleet.host().start()
    with Load(fleet.daemon(), fleet.daemon()) as load:
        for _ in range(kills):
            load.wait_for_more(500)
            fleet.brokers.restart_all()
        load.wait_for_more(300)
        told = load.finish()
    fleet.drain()
    verdict = fleet.verdict(told, load.begun)
    fleet.report(load, begun, kills=kills)
    assert verdict == NOTHING


def test_a_claim_whose_answer_is_lost_keeps_its_own_key_from_nobody(fleet: Fleet):
    """The leader of the keys cannot answer without the others. The next try finds the key taken: by itself."""
    leader = fleet.brokers.leader_of(KEYS)
    broker = fleet.brokers.brokers[leader]
    # One that is connected to no other.
    daemon = fleet.stack.enter_context(Daemon(fleet.binary, None, "--forward", f"nats://127.0.0.1:{broker.client}"))
    others = [number for number in range(3) if number != leader]
    for number in others:
        fleet.brokers.freeze(number)
    begun = time.monotonic()
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(daemon.post, MESSAGE, **{"Idempotency-Key": "one"})
        wait_until(lambda: time.monotonic() > begun + LONGER_THAN_A_TRY, "a try has ended")
        for number in others:
            fleet.brokers.brokers[number].thaw()
        assert answer.result().status == 202
    assert fleet.brokers.messages_in(STREAM) == 1


# ---- the network


@pytest.fixture(scope="session")
def joined_network(network_lock: Path) -> Iterator[CutNetwork]:
    """Its links come and go once for all tests."""
    with ExitStack() as stack:
        with changing(network_lock):
            network = stack.enter_context(CutNetwork())
        yield network
        with changing(network_lock):
            stack.close()


@pytest.fixture
def network(joined_network: CutNetwork) -> Iterator[CutNetwork]:
    yield joined_network
    joined_network.heal()


@pytest.fixture
def cut_fleet(network: CutNetwork, start_fleet: Callable[..., Fleet]) -> Fleet:
    """Whose hosts reach the brokers from another network."""
    return start_fleet(address=network.address)


def test_a_host_is_cut_off_for_less_than_ack_wait(cut_fleet: Fleet, network: CutNetwork, long: bool):
    """What it has handed over it acknowledges when the network is whole again, and nobody else is given it."""
    begun = time.monotonic()
    fleet, cuts = cut_fleet, 20 if long else 2
    cut_off, other = [fleet.host("--ack-wait", "20s", wrapper=wrapper).start() for wrapper in (network.inside, ())]
    with Load(fleet.daemon(), fleet.daemon()) as load:
        for number in range(1, cuts + 1):
            load.wait_for_more(random.randrange(100, 400))
            network.cut()
            # Longer than a batch takes, and until it is noticed.
            load.wait_for_more(200)
            wait_until(lambda number=number: cut_off.events("broker_lost") >= number, "the host has noticed")
            network.heal()
            before = cut_off.counted("batch_acknowledged")
            wait_until(lambda before=before: cut_off.counted("batch_acknowledged") > before, "the host goes on")
        told = load.finish()
    fleet.drain()
    verdict = fleet.verdict(told, load.begun)
    fleet.report(load, begun, cuts=cuts)
    assert verdict == NOTHING
    assert other.powermta.taken


def cut_off_with_a_batch(host: Host, network: CutNetwork) -> None:
    """In the instant in which it hands a batch over: it does, and nobody is told."""
    host.start()
    host.freeze_with_a_batch()
    network.cut()
    host.thaw()
    wait_until(lambda: host.counted("batch_handed_over"), "the batch is handed over")


@pytest.mark.parametrize("is_killed", [False, True], ids=["it lives", "it is killed"])
def test_a_host_is_cut_off_for_longer_than_ack_wait(cut_fleet: Fleet, network: CutNetwork, is_killed: bool):
    """The worst of all that is known: its last batch is there twice, and no more than that."""
    begun = time.monotonic()
    fleet = cut_fleet
    options = ("--ack-wait", "5s", "--batch", f"{BATCH}")
    cut_off, other = fleet.host(*options, wrapper=network.inside), fleet.host(*options)
    with Load(fleet.daemon()) as load:
        load.wait_for_more(10 * BATCH)
        cut_off_with_a_batch(cut_off, network)
        if is_killed:
            cut_off.kill()
        told = load.finish()
    other.start()
    fleet.drain()
    network.heal()
    if is_killed:
        cut_off.start()
    cut_off.wait_until_settled()
    verdict = fleet.verdict(told, load.begun)
    fleet.report(load, begun, submissions=len(messages(verdict.doubled)))
    assert_one_batch_at_most(verdict, other)
    assert verdict.doubled


def test_the_only_host_is_cut_off_for_longer_than_ack_wait(cut_fleet: Fleet, network: CutNetwork):
    """It is given again what it has handed over, and knows."""
    # In half of it the batch is handed over, or not at all, and this machine may be busy.
    begun, ack_wait = time.monotonic(), 8
    fleet = cut_fleet
    host = fleet.host("--ack-wait", f"{ack_wait}s", "--batch", f"{BATCH}", wrapper=network.inside)
    with Load(fleet.daemon()) as load:
        load.wait_for_more(10 * BATCH)
        cut_off_with_a_batch(host, network)
        cut = time.monotonic()
        told = load.finish()
    wait_until(lambda: time.monotonic() > cut + 2 * ack_wait, "the brokers think that it is gone")
    network.heal()
    fleet.drain()
    host.wait_until_settled()
    verdict = fleet.verdict(told, load.begun)
    fleet.report(load, begun)
    assert verdict == NOTHING
