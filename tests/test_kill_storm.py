"""kill -9, again and again, under load, while PowerMTA takes files: nothing is lost, doubled, partial, left over."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from storm.conductor import Storm
from storm.judge import Taken, Told, Verdict, judge
from storm.ledger import files_of

NOTHING = Verdict()
# By what is killed: who takes part, kills in the long version, submissions acknowledged between two kills.
STORMS: dict[str, tuple[Callable[[Storm], object], int, int]] = {
    "daemon": (lambda storm: storm.add_daemon(), 250, 120),
    "daemon without syncs": (lambda storm: storm.add_daemon("none"), 50, 120),
    "command": (lambda storm: storm.add_command(), 50, 5),
    "python threads": (lambda storm: storm.add_python("threads"), 120, 120),
    "python async": (lambda storm: storm.add_python("async"), 60, 120),
    "python forks": (lambda storm: storm.add_python("forks"), 120, 120),
    "node promises": (lambda storm: storm.add_node("promises"), 100, 120),
    "node threads": (lambda storm: storm.add_node("threads"), 100, 120),
}
KILLS, ACKNOWLEDGED = 5, 12


def everybody(storm: Storm) -> None:
    storm.add_daemon()
    storm.add_python("threads")
    storm.add_python("forks", durability="none")
    storm.add_python("async")
    storm.add_node("promises")
    storm.add_node("threads", durability="none")
    storm.add_command()


STORMS["all at once"] = (everybody, 250, 120)


@pytest.mark.parametrize("who", STORMS)
def test_nothing_is_lost_doubled_partial_or_left_over(binary: Path, tmp_path: Path, who: str, long: bool):
    begun = time.monotonic()
    join, kills, acknowledged = STORMS[who]
    with Storm(binary, tmp_path) as storm:
        join(storm)
        storm.run(*((kills, acknowledged) if long else (KILLS, min(acknowledged, ACKNOWLEDGED))))
        verdict = storm.end()
    print(f"{who}: {storm.summary()}, {time.monotonic() - begun:.0f} s")
    assert verdict == NOTHING
    assert storm.ledger.told


# ---- the judge sees each of them

ONE = Told("a", "1", 1)
THREE = Told("b", "2", 3)
FILES = [Taken("1.eml", "a", 1), *(Taken(f"2-{number}.eml", "b", 3) for number in (1, 2, 3))]


@pytest.mark.parametrize(
    ("told", "taken", "left_over", "expected"),
    [
        ([ONE, THREE], FILES, [], NOTHING),
        # Nobody was told of it, and tried again.
        ([], FILES, [], NOTHING),
        ([ONE, ONE, THREE], FILES, [], NOTHING),
        ([ONE], [], [], Verdict(lost=["1.eml"])),
        ([ONE, THREE], FILES[1:], [], Verdict(lost=["1.eml"])),
        ([ONE, THREE], FILES[:3], [], Verdict(lost=["2-3.eml"], partial=["b"])),
        ([ONE], FILES[:3], [], Verdict(partial=["b"])),
        ([ONE], [Taken("1.eml", None, None)], [], Verdict(partial=["1.eml"])),
        ([ONE, THREE], [*FILES, FILES[2]], [], Verdict(doubled=["2-2.eml"])),
        # A key of which the second submission is another one.
        ([ONE], [*FILES, Taken("3.eml", "a", 1)], [], Verdict(doubled=["a"])),
        ([ONE, Told("a", "3", 1)], FILES, [], Verdict(lost=["3.eml"])),
        ([ONE], FILES, ["pmtaemail-1-1-0.private"], Verdict(left_over=["pmtaemail-1-1-0.private"])),
    ],
)
def test_a_verdict(told: list[Told], taken: list[Taken], left_over: list[str], expected: Verdict):
    assert judge(told, taken, left_over) == expected


def test_a_key_that_is_never_answered_is_seen():
    assert judge([ONE], FILES, keys=["a"]) == NOTHING
    assert judge([ONE], FILES, keys=["a", "b"]) == Verdict(unanswered=["b"])


@pytest.mark.parametrize(
    ("weakness", "seen"),
    [("writes in place", "partial"), ("tells before", "lost"), ("forgets keys", "doubled"), ("loses", "lost")],
)
def test_the_judge_sees(binary: Path, tmp_path: Path, weakness: str, seen: str):
    """A worker, or a PowerMTA, that does what it should not."""
    is_powermta = weakness == "loses"
    with Storm(binary, tmp_path, *([weakness] if is_powermta else [])) as storm:
        worker = storm.add_python("threads", *([] if is_powermta else [weakness]))
        for _ in range(3):
            storm.ledger.wait_for_more(30)
            storm.kill([worker])
        verdict = storm.end()
    print(weakness, storm.summary(), {name: len(value) for name, value in vars(verdict).items()})
    assert getattr(verdict, seen)
    # What of one is lost makes a merge partial, and the other way round; what a lost store decided on stays.
    others = {
        "loses": {"partial"},
        "writes in place": {"lost"},
        "forgets keys": {"left_over", "partial"},
        "tells before": {"partial"},
    }
    assert all(not value for name, value in vars(verdict).items() if name not in {seen, *others.get(weakness, ())})


def test_the_judge_sees_what_nobody_has_cleared_away(binary: Path, tmp_path: Path):
    with Storm(binary, tmp_path) as storm:
        worker = storm.add_python("threads")
        storm.ledger.wait_for_more(30)
        worker.kill()
        assert files_of(tmp_path / "pickup.staging")
        assert storm.verdict().left_over
