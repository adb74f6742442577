"""Each promise of a fleet is broken on purpose, in a build of its own, and the test that tries it has to see that."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from weakened import ROOT, Change, build

# What is seen depends on the instant in which something is killed.
ATTEMPTS = 8


@dataclass(frozen=True)
class Weakness:
    changes: tuple[Change, ...]
    # Which see it, each with the word in its report; none where it has none.
    tests: dict[str, str]


FAULTS = "test_fleet_faults.py"
KILLED = f"{FAULTS}::test_hosts_that_are_killed_lose_and_double_nothing"
WEAKNESSES = {
    "a host acknowledges what is not there yet": Weakness(
        (
            Change(
                "self.host.hand_over(round.messages).await;",
                "{ for (message, _) in &round.messages { let _ = message.ack().await; }"
                " self.host.hand_over(round.messages).await };",
            ),
        ),
        {KILLED: "lost", f"{FAULTS}::test_a_host_that_does_not_come_back_is_replaced": "lost"},
    ),
    "a host keeps no journal": Weakness((Change("journal.write(&entry)?;", ""),), {KILLED: "doubled"}),
    "a host that comes back looks into no journal": Weakness(
        (Change("() = self.host.recover(entry) => {}", "() = async { drop(entry) } => {}"),), {KILLED: "doubled"}
    ),
    "acknowledgements are not confirmed": Weakness(
        (
            Change(
                "let asked = self.client.send_request(message.reply.clone(), request);",
                "drop(request); let asked = self.client.publish(message.reply.clone(), Bytes::from_static(what));",
            ),
        ),
        {
            f"{FAULTS}::test_a_leader_that[is frozen and goes on]": "doubled",
            f"{FAULTS}::test_a_host_is_cut_off_for_less_than_ack_wait": "doubled",
        },
    ),
    "a host does not know what it has handed over": Weakness(
        (
            Change(
                "match self.seen.find(delivered.sequence) { Known::No => {} // It comes",
                "match Known::No { Known::No => {} // It comes",
            ),
        ),
        {f"{FAULTS}::test_the_only_host_is_cut_off_for_longer_than_ack_wait": "doubled"},
    ),
    "nobody counts what may be there twice": Weakness(
        (Change("redelivered += usize::from(deliveries > 1);", "let _ = deliveries;"),),
        {f"{FAULTS}::test_a_host_is_cut_off_for_longer_than_ack_wait[it lives]": ""},
    ),
    "a daemon does not wait until the queue has it": Weakness(
        (Change("Ok(acknowledgement.await?.await?.duplicate)", "drop(acknowledgement.await?); Ok(false)"),),
        {
            f"{FAULTS}::test_all_brokers_are_killed_at_once": "lost",
            f"{FAULTS}::test_daemons_that_are_killed_lose_and_double_nothing": "lost",
        },
    ),
    "a daemon seldom tries again": Weakness(
        (
            Change(
                "const PAUSE: Duration = Duration::from_millis(200); /// The maximum duration of a probe",
                "const PAUSE: Duration = Duration::from_secs(12); /// The maximum duration of a probe",
            ),
        ),
        {f"{FAULTS}::test_a_leader_that[is frozen and goes on]": ""},
    ),
    "a message that is tried again has no identifier": Weakness(
        (Change("headers.insert(header::NATS_MESSAGE_ID, id);", "let _ = id;"),),
        {f"{FAULTS}::test_all_brokers_are_killed_at_once": "doubled"},
    ),
    "a key is given to whoever comes": Weakness(
        (
            Change("if found.state != CLAIMED || !is_stale || !is_same(&found.record) {", "if false {"),
            Change('format!("key-{}", self.name)', "pmtaemail::Identity::now().id().to_string()"),
        ),
        {"test_fleet.py::test_one_key_at_two_daemons_at_once_is_one_message": ""},
    ),
    "a claim whose answer is lost is another's": Weakness(
        (Change("if found.state == CLAIMED && found.record == value.record {", "if false {"),),
        {f"{FAULTS}::test_a_claim_whose_answer_is_lost_keeps_its_own_key_from_nobody": ""},
    ),
    "a key is not free when its message is refused": Weakness(
        (Change("key.release(&self.keys).await;", "drop(key);"),),
        {"test_fleet.py::test_a_full_queue_is_answered_503_until_hosts_take_of_it": ""},
    ),
    "a host takes what it has no room for": Weakness(
        (Change("if !may_take() {", "if false {"),),
        {"test_fleet.py::test_the_other_host_drains_when_one_stops": ""},
    ),
    "what is no message is dropped": Weakness(
        (Change("published.await?.await?; self.end(delivered).await", "drop(published); self.end(delivered).await"),),
        {"test_fleet.py::test_an_invalid_message_is_a_dead_letter_and_the_rest_goes_on": ""},
    ),
}
each = pytest.mark.parametrize("weakness", WEAKNESSES.values(), ids=WEAKNESSES)


@each
def test_there_is_what_is_weakened(weakness: Weakness):
    for change in weakness.changes:
        assert len(change.places(ROOT / "fleet/src")) == 1, change.before


@each
def test_a_weakness_is_seen(weakness: Weakness, tmp_path: Path, long: bool):
    if not long:
        pytest.skip("a build of each takes minutes: --long")
    program = tmp_path / "pmtaemailapi"
    build("fleet", weakness.changes, program)
    for test, word in weakness.tests.items():
        assert is_seen(program, test, word), f"{ATTEMPTS} runs saw nothing: {test}"


def is_seen(program: Path, test: str, word: str) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", test]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment["PMTAEMAILAPI"] = str(program)
    for attempt in range(1, ATTEMPTS + 1):
        done = subprocess.run(command, cwd=ROOT / "tests", env=environment, check=False, capture_output=True, text=True)
        assert done.returncode in (0, 1), done.stdout
        if done.returncode == 1 and "AssertionError" in done.stdout:
            reports = re.findall(r"^\d+ told, .*", done.stdout, re.M)
            report = reports[-1] if reports else "AssertionError"
            print(f"{test}, run {attempt}: {report}")
            if not word or re.search(rf"\b[1-9]\d* {word},", report):
                return True
    return False
