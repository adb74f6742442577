"""A host in a network of its own, whose way to the brokers is cut and healed.

    this machine                  router                  the host
    198.18.N.1 ────────── 198.18.N.2 │ 198.18.N.5 ────────── 198.18.N.6

What is cut is lost on the way, in silence, as in a network of many hosts: no end of it sees its link go down. The
addresses are those for tests of networks (RFC 2544), and nothing of it leaves this machine. Each namespace lives as
long as a process that ends with its standard input, so that nothing stays behind whatever becomes of this one.
"""

import fcntl
import random
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from brokers import wait_until

TIMEOUT = 60


class Namespace:
    """A network of its own. Ended by `end`, or by the end of this process."""

    def __init__(self) -> None:
        self.holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        # It answers when it is there.
        self.holder.stdin.write(b"?\n")
        self.holder.stdin.flush()
        if not self.holder.stdout.readline():
            self.end()
            raise PermissionError("no network namespace can be had here")
        self.inside = ("nsenter", f"--net=/proc/{self.holder.pid}/ns/net", "--")

    def run(self, *command: str, stdin: str = "") -> None:
        subprocess.run([*self.inside, *command], check=True, input=stdin, text=True, capture_output=True)

    def end(self) -> None:
        self.holder.stdin.close()
        self.holder.wait(TIMEOUT)
        self.holder.stdout.close()


# Chromium gives up all that it has asked for two seconds after an address of this machine has come or gone
# (ERR_NETWORK_CHANGED).
SETTLES = 4


@contextmanager
def steady(lock: Path) -> Iterator[None]:
    """Nobody changes the addresses of this machine meanwhile."""
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


@contextmanager
def changing(lock: Path) -> Iterator[None]:
    """Addresses of this machine change, while nobody needs them to be steady."""
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
        end = time.monotonic() + SETTLES
        wait_until(lambda: time.monotonic() > end, "the change is known everywhere")


class CutNetwork:
    """A context manager. `inside` is what a command begins with that runs at the host; brokers listen at `address`."""

    def __init__(self) -> None:
        if missing := [program for program in ("ip", "unshare", "nsenter") if not shutil.which(program)]:
            pytest.skip(f"{', '.join(missing)} missing")
        self.namespaces: list[Namespace] = []
        net = free_network()
        self.address = f"{net}.1"
        try:
            self.router, self.host = (self.add() for _ in range(2))
            self.join(net)
        except PermissionError as error:
            self.end()
            pytest.skip(str(error))
        except BaseException:
            self.end()
            raise
        self.inside = self.host.inside

    def __enter__(self) -> "CutNetwork":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        for namespace in self.namespaces:
            namespace.end()

    def add(self) -> Namespace:
        self.namespaces.append(Namespace())
        return self.namespaces[-1]

    def join(self, net: str) -> None:
        """Links go with their namespaces, and routes with their links."""
        # One of a name that is used again may still be going away.
        here = f"cut{secrets.token_hex(4)}"
        router, host = self.router, self.host
        run("ip", "link", "add", here, "type", "veth", "peer", "name", "near", "netns", str(router.holder.pid))
        router.run("ip", "link", "add", "far", "type", "veth", "peer", "name", "eth", "netns", str(host.holder.pid))
        run("ip", "address", "add", f"{net}.1/30", "dev", here)
        router.run("ip", "address", "add", f"{net}.2/30", "dev", "near")
        router.run("ip", "address", "add", f"{net}.5/30", "dev", "far")
        host.run("ip", "address", "add", f"{net}.6/30", "dev", "eth")
        run("ip", "link", "set", here, "up")
        for namespace, name in [(router, "near"), (router, "far"), (host, "eth"), (host, "lo")]:
            namespace.run("ip", "link", "set", name, "up")
        run("ip", "route", "add", f"{net}.4/30", "via", f"{net}.2")
        host.run("ip", "route", "add", "default", "via", f"{net}.5")
        self.heal()

    def cut(self) -> None:
        self.router.run("tee", "/proc/sys/net/ipv4/ip_forward", stdin="0\n")

    def heal(self) -> None:
        self.router.run("tee", "/proc/sys/net/ipv4/ip_forward", stdin="1\n")


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def free_network() -> str:
    """The first three numbers of addresses that nobody on this machine has."""
    taken = run("ip", "-4", "-oneline", "address")
    return random.choice([net for number in range(256) if f"{(net := f'198.18.{number}')}." not in taken])
