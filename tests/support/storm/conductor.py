"""The conductor of a storm."""

import random
import subprocess
import sys
import threading
from pathlib import Path

from .judge import Verdict, judge
from .ledger import Ledger, files_of, strays
from .process import Process
from .taker import PowerMta

HERE = Path(__file__).parent
# Of those that were told, so many are tried again in each life.
AGAIN = 3


class Storm:
    """Processes that hand over to one pickup directory, from which all is taken away; see `run` and `end`."""

    def __init__(self, binary: Path, folder: Path, *powermta: str):
        self.binary = binary
        self.folder = folder
        self.pickup = folder / "pickup"
        self.pickup.mkdir(exist_ok=True)
        self.chance = random.Random()
        self.ledger = Ledger()
        self.processes: list[Process] = []
        self.kills = 0
        self.powermta = PowerMta(self.pickup, folder / "powermta.log", *powermta)

    def __enter__(self) -> "Storm":
        return self

    def __exit__(self, *_: object) -> None:
        for process in (*self.processes, self.powermta):
            process.end()
        self.ledger.close()

    # ---- who takes part

    def add(self, name: str, *command: object, ends_by_signal: bool = False) -> Process:
        out = subprocess.DEVNULL if ends_by_signal else self.ledger.writes
        process = Process(name, list(command), out, self.folder / f"{name}.log", ends_by_signal)
        self.processes.append(process)
        process.start(**self.orders(process))
        return process

    def add_daemon(self, durability: str = "durable", clients: int = 1) -> None:
        socket = f"unix:{self.folder / 'api.sock'}"
        options = ["--listen", socket, "--pickup", self.pickup, "--durability", durability]
        self.add("daemon", self.binary, *options, ends_by_signal=True)
        for number in range(clients):
            self.add(f"client{number}", sys.executable, "-m", "storm.http_worker", self.folder / "api.sock")

    def add_python(self, way: str, *weaknesses: str, durability: str = "durable") -> Process:
        state = self.folder / f"state.{way}"
        return self.add(
            f"python.{way}",
            sys.executable,
            "-m",
            "storm.python_worker",
            self.pickup,
            state,
            durability,
            way,
            *weaknesses,
        )

    def add_python_forks(self, way: str) -> Process:
        state = self.folder / f"state.fork.{way}"
        return self.add(f"forks.{way}", sys.executable, "-m", "storm.fork_worker", self.pickup, state, way)

    def add_node(self, way: str, durability: str = "durable") -> Process:
        state = self.folder / f"state.node.{way}"
        return self.add(f"node.{way}", "node", HERE / "node_worker.mjs", self.pickup, state, durability, way)

    def add_command(self) -> Process:
        return self.add("command", sys.executable, "-m", "storm.command_worker", self.binary, self.pickup)

    # ---- what happens

    def orders(self, process: Process) -> dict[str, object]:
        """Keys that its last life began and was not told of, and some of which it was."""
        self.ledger.catch_up()
        begun = self.ledger.begun[process.name]
        pending = [work for tag, work in begun.items() if tag not in self.ledger.known]
        told = [work for tag, work in begun.items() if tag in self.ledger.known]
        again = pending + self.chance.sample(told, min(AGAIN, len(told)))
        return {"again": [[work.tag, work.kind, work.lines] for work in again]}

    def run(self, kills: int, acknowledged: int) -> None:
        """So many kills, and between two of them on average so many submissions that are acknowledged."""
        while (before := self.kills) < kills:
            process = self.chance.choice(self.processes)
            self.kill(self.processes if self.chance.random() < 0.1 else [process])
            self.ledger.wait_for_more(
                sum(self.chance.randrange(2 * acknowledged + 1) for _ in range(before, self.kills))
            )

    def kill(self, processes: list[Process]) -> None:
        for process in processes:
            process.kill()
            self.kills += 1
            while self.chance.random() < 0.25:
                # One more, while it goes on with what the one before it has left.
                process.start(**self.orders(process))
                threading.Event().wait(self.chance.uniform(0.002, 0.15))
                process.kill()
                self.kills += 1
        for process in processes:
            process.start(**self.orders(process))

    def end(self, restart: bool = True) -> Verdict:
        """All end by themselves; each is begun once more, and ends; PowerMTA takes the last file. What is left?"""
        # Clients before their daemon.
        for process in reversed(self.processes):
            process.stop()
        if restart:
            # What a fork left that was killed is removed by the next process alone.
            for process in self.processes:
                process.start(again=[], idle=True)
            for process in reversed(self.processes):
                process.stop()
        return self.verdict()

    def verdict(self) -> Verdict:
        taken = self.powermta.take_all()
        self.ledger.catch_up()
        assert not self.ledger.failures, self.ledger.failures[0]
        staging = files_of(self.folder / "pickup.staging")
        states = [name for path in self.folder.glob("*state*") for name in strays(path)]
        return judge(self.ledger.told, taken, files_of(self.pickup) + staging + states, self.keys())

    def keys(self) -> list[str]:
        return [tag for begun in self.ledger.begun.values() for tag in begun]

    def summary(self) -> str:
        told = self.ledger.told
        again = len(told) - len({(one.tag, one.id) for one in told})
        return (
            f"{self.kills} kills, {self.ledger.killed} of forks, {len(told)} acknowledged, {again} of them again, "
            f"{len(self.keys())} keys, {len(self.powermta.taken)} files"
        )
