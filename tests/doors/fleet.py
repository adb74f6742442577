"""A fleet: brokers, daemons that forward to them, hosts whose PowerMTA takes away what a consumer hands over."""

import http.client
import json
import os
import signal
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

from brokers import Brokers, wait_until
from daemon import Daemon, Program
from fleet_load import Load
from storm.judge import Told, Verdict, judge
from storm.ledger import files_of, strays
from storm.taker import PowerMta

STREAM = "MAIL"
DEAD = "MAIL_DEAD"
KEYS = "KV_MAIL_KEYS"
TIMEOUT = 60


class Consumer(Program):
    """`pmtaemailapi consume`."""

    begun = "consuming"


class Host:
    """A pickup directory, PowerMTA that takes files out of it, and a consumer that is killed and begun again."""

    def __init__(
        self,
        binary: Path,
        folder: Path,
        brokers: Brokers,
        *arguments: str,
        takes: bool = True,
        wrapper: tuple[str, ...] = (),
    ):
        self.folder = folder
        self.pickup = folder / "pickup"
        self.pickup.mkdir(parents=True)
        if "--ack-wait" not in arguments:
            # What a host had taken when it was killed comes again after it.
            arguments = (*arguments, "--ack-wait", "15s")
        self.command = [*wrapper, binary, "consume", "--nats", brokers.url, "--pickup", self.pickup, *arguments]
        self.powermta = PowerMta(self.pickup, folder / "powermta.log") if takes else None
        self.consumer: Consumer | None = None
        self.logs: list[list[bytes]] = []

    def start(self) -> "Host":
        self.consumer = Consumer([*self.command, "--log-level", "debug"])
        self.logs.append(self.consumer.log)
        return self

    def kill(self) -> None:
        self.consumer.signal(signal.SIGKILL)
        self.consumer.wait()

    def stop(self) -> None:
        """Ends the consumer, which gives back what it has not handed over."""
        assert self.consumer.stop() == 0, self.consumer.log

    def end(self) -> None:
        if self.consumer and self.consumer.process.poll() is None:
            self.kill()
        if self.powermta:
            self.powermta.end()

    def entries(self) -> list[dict]:
        """The log of all its lives. What was killed may have left half a line."""
        lines = [line for log in self.logs for line in log if line.endswith(b"}\n")]
        return [json.loads(line) for line in lines]

    def counted(self, event: str, field: str = "messages") -> int:
        return sum(entry.get(field, 0) for entry in self.entries() if entry["event"] == event)

    def events(self, event: str) -> int:
        return sum(entry["event"] == event for entry in self.entries())

    def freeze_with_a_batch(self) -> None:
        """Stops it in the instant in which its journal has a batch: it is not handed over yet, or not acknowledged."""
        journal = self.folder / "pickup.journal"
        end = time.monotonic() + TIMEOUT
        # Looks all the time, since that takes some milliseconds.
        while os.listdir(journal) == ["lock"]:
            assert time.monotonic() < end, "it takes nothing"
        self.consumer.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.consumer.signal(signal.SIGCONT)

    def wait_until_settled(self) -> None:
        """Until all that was handed over is acknowledged."""
        journal = self.folder / "pickup.journal"
        wait_until(lambda: os.listdir(journal) == ["lock"], "the journal is empty")

    def left_over(self) -> list[str]:
        """What waits in its folders when the consumer has ended and PowerMTA has taken all."""
        own = {"pickup.journal/lock"}
        places = [f"{name}/{path}" for name in os.listdir(self.folder) for path in files_of(self.folder / name)]
        stores = [path for path in places if path.startswith("pickup.state/")]
        return sorted({*places} - {*stores} - own) + strays(self.folder / "pickup.state")


class KillableDaemon:
    """A daemon that is killed and begun again at the same address."""

    def __init__(self, binary: Path, *arguments: str):
        self.binary, self.arguments = binary, arguments
        self.daemon = Daemon(binary, None, *arguments)
        self.listen = f"127.0.0.1:{self.daemon.port}"

    def connect(self) -> http.client.HTTPConnection:
        return self.daemon.connect()

    def kill(self) -> None:
        self.daemon.signal(signal.SIGKILL)
        self.daemon.wait()

    def start(self) -> None:
        self.daemon = Daemon(self.binary, None, *self.arguments, listen=(self.listen,))

    def end(self) -> None:
        if self.daemon.process.poll() is None:
            self.daemon.stop()


class Fleet:
    """A context manager that ends all processes by their ids. `init` are options of `fleet init`."""

    def __init__(self, binary: Path, folder: Path, *init: str, address: str = "127.0.0.1"):
        self.binary = binary
        self.folder = folder
        self.hosts: list[Host] = []
        self.judged = Verdict()
        self.stack = ExitStack()
        self.brokers = Brokers(folder, address=address)
        self.init = init

    def __enter__(self) -> "Fleet":
        with self.stack:
            self.stack.enter_context(self.brokers)
            done = self.run("init", *self.init)
            assert done.returncode == 0, done.stderr
            # All went well: it ends with this fleet.
            self.stack = self.stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def run(self, *words: str) -> subprocess.CompletedProcess:
        """`pmtaemailapi fleet` and these words."""
        command = [self.binary, "fleet", *words, "--nats", self.brokers.url]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT)

    def told(self, word: str) -> object:
        """What `fleet status` or `fleet dead` tells."""
        done = self.run(word, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def daemon(self, *arguments: str) -> Daemon:
        """A daemon that forwards."""
        daemon = Daemon(self.binary, None, "--forward", self.brokers.url, *arguments)
        return self.stack.enter_context(daemon)

    def killable(self) -> "KillableDaemon":
        """A daemon that forwards, and begins again where it was."""
        daemon = KillableDaemon(self.binary, "--forward", self.brokers.url)
        self.stack.callback(daemon.end)
        return daemon

    def host(self, *arguments: str, **options: object) -> Host:
        """A host whose consumer has not begun yet."""
        host = Host(self.binary, self.folder / f"host{len(self.hosts)}", self.brokers, *arguments, **options)
        self.stack.callback(host.end)
        self.hosts.append(host)
        return host

    def drain(self, limit: float = 2 * TIMEOUT) -> None:
        """Waits until hosts have taken all, and have acknowledged it."""
        try:
            wait_until(lambda: self.brokers.messages_in(STREAM) == 0, "the queue is empty", limit)
        except TimeoutError as error:
            # What the hosts say tells why.
            error.add_note("\n".join(str(entry) for host in self.hosts for entry in host.entries()[-40:]))
            error.add_note(json.dumps(self.told("status")))
            raise

    def verdict(self, told: list[Told], keys: list[str] = ()) -> Verdict:
        """The queue is empty; consumers end; PowerMTA takes the last file. Is each message once at one host?"""
        for host in self.hosts:
            host.stop()
        taken = [file for host in self.hosts for file in host.powermta.take_all()]
        left_over = [path for host in self.hosts for path in host.left_over()]
        self.judged = judge(told, taken, left_over, keys)
        return self.judged

    def report(self, load: Load, begun: float, **more: object) -> None:
        """Prints what happened."""
        facts = {
            "told": len(load.told),
            "keys": len(load.begun),
            "refused": load.refused,
            "files": sum(len(host.powermta.taken) for host in self.hosts),
            **{name: len(found) for name, found in vars(self.judged).items()},
            "recovered": sum(host.counted("batch_recovered", "acknowledged") for host in self.hosts),
            "given back": sum(host.counted("batch_recovered", "given_back") for host in self.hosts),
            "redelivered": sum(host.counted("batch_handed_over", "redelivered") for host in self.hosts),
            "seconds": round(time.monotonic() - begun, 1),
            "seconds at most without an answer": round(load.longest_stall(), 1),
            **more,
        }
        print(", ".join(f"{count} {what}" for what, count in facts.items()))
