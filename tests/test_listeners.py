"""Where the daemon listens: several addresses, Unix sockets, sockets that systemd passes, TLS; and CORS."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from daemon import TIMEOUT, Daemon, assert_problem
from raw_http import MESSAGE, exchange, head, read_answer

# Takes sockets over as systemd passes them: from descriptor 3 on, to a process of this id. Words: how many, their names
# or "-", then the command.
ACTIVATE = """
import fcntl, os, sys
count, names, *command = sys.argv[1:]
# Out of the way first: one of them may have another's number.
high = [fcntl.fcntl(int(word), fcntl.F_DUPFD, 100) for word in os.environ.pop("PASSED").split()]
for place, descriptor in enumerate(high):
    os.dup2(descriptor, 3 + place)
    os.close(descriptor)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=count)
if names != "-":
    os.environ["LISTEN_FDNAMES"] = names
os.execv(command[0], command)
"""


@dataclass(frozen=True)
class Certificate:
    """A certificate of its own for 127.0.0.1 and localhost, and its key."""

    certificate: Path
    key: Path

    @property
    def options(self) -> tuple[str, ...]:
        return ("--tls-cert", str(self.certificate), "--tls-key", str(self.key))

    def replace(self, other: "Certificate") -> None:
        self.certificate.write_bytes(other.certificate.read_bytes())
        self.key.write_bytes(other.key.read_bytes())

    def context(self, *protocols: str) -> ssl.SSLContext:
        """A client that trusts this certificate alone."""
        context = ssl.create_default_context(cafile=self.certificate)
        if protocols:
            context.set_alpn_protocols(list(protocols))
        return context


@pytest.fixture
def make_certificate(tmp_path: Path) -> Callable[..., Certificate]:
    def make(name: str, *algorithm: str) -> Certificate:
        files = Certificate(tmp_path / f"{name}.pem", tmp_path / f"{name}.key")
        algorithm = algorithm or ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
        command = ["openssl", "req", "-x509", "-nodes", "-days", "2", "-newkey", *algorithm]
        command += ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
        subprocess.run(
            [*command, "-keyout", files.key, "-out", files.certificate], check=True, capture_output=True, timeout=60
        )
        return files

    return make


@pytest.fixture
def certificate(make_certificate: Callable) -> Certificate:
    return make_certificate("first")


@pytest.fixture
def listening(binary: Path, pickup: Path) -> Iterator[Callable[..., Daemon]]:
    """Starts a daemon that listens where it is told."""
    daemons = []

    def start(*listen: str, options: tuple[str, ...] = (), **how: object) -> Daemon:
        daemons.append(Daemon(binary, pickup, *options, listen=listen, **how))
        return daemons[-1]

    yield start
    for daemon in daemons:
        assert daemon.stop() == 0


@pytest.fixture
def activated(listening: Callable) -> Callable[..., Daemon]:
    """Starts a daemon as systemd does, with these sockets."""

    def start(*sockets: socket.socket, names: str = "-", listen: tuple[str, ...] = (), **how: object) -> Daemon:
        numbers = [one.fileno() for one in sockets]
        wrapper = (sys.executable, "-c", ACTIVATE, str(len(sockets)), names)
        return listening(*listen, wrapper=wrapper, pass_fds=tuple(numbers), PASSED=" ".join(map(str, numbers)), **how)

    return start


def refused(binary: Path, pickup: Path, *options: str) -> tuple[int, str]:
    """The exit code and the sentence of a daemon that does not start."""
    done = subprocess.run(
        [binary, "-pickup", pickup, *options], capture_output=True, check=False, timeout=TIMEOUT, text=True
    )
    return done.returncode, done.stderr


def addresses(daemon: Daemon) -> list[str]:
    entry = next(entry for entry in daemon.entries() if entry["event"] == "listening")
    return entry["address"].split(", ")


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def curl(*arguments: object) -> tuple[str, str]:
    """The status and the version of HTTP of an answer to a message."""
    command = ["curl", "-sS", "-o", os.devnull, "-w", "%{http_code} %{http_version}", "--max-time", "60"]
    done = subprocess.run(
        [*command, "-d", MESSAGE.decode(), *map(str, arguments)], check=True, capture_output=True, timeout=90
    )
    status, version = done.stdout.decode().split()
    return status, version


def unix_request(path: Path) -> int:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(TIMEOUT)
        client.connect(str(path))
        return exchange(client, head(f"Content-Length: {len(MESSAGE)}") + MESSAGE).status


# Several addresses


def test_every_address_that_is_named_takes_messages(listening: Callable, tmp_path: Path, pickup: Path):
    path = tmp_path / "api.sock"
    daemon = listening("127.0.0.1:0", "[::1]:0", f"unix:{path}")
    first, second, third = addresses(daemon)
    assert re.fullmatch(r"127\.0\.0\.1:\d+", first)
    assert re.fullmatch(r"\[::1\]:\d+", second)
    assert third == f"unix:{path}"
    for address in (first, second):
        assert curl(f"http://{address}/messages") == ("200", "1.1")
    assert curl("--unix-socket", path, "http://localhost/messages") == ("200", "1.1")
    assert len(list(pickup.iterdir())) == 3


def test_several_addresses_come_with_commas_from_the_environment(listening: Callable, tmp_path: Path):
    path = tmp_path / "api.sock"
    daemon = listening(PMTAEMAIL_LISTEN=f"127.0.0.1:0, unix:{path}")
    assert len(addresses(daemon)) == 2
    assert unix_request(path) == 200


def test_one_address_that_is_taken_ends_the_start(listening: Callable, binary: Path, pickup: Path, tmp_path: Path):
    daemon = listening("127.0.0.1:0")
    path = tmp_path / "api.sock"
    code, sentence = refused(binary, pickup, "-listen", f"unix:{path}", "-listen", f"127.0.0.1:{daemon.port}")
    assert code == 71
    assert f"cannot listen on 127.0.0.1:{daemon.port}" in sentence
    # What was opened before it is gone.
    assert not path.exists()


def test_each_address_has_its_turn(listening: Callable, tmp_path: Path):
    """Connections without end on one address keep nobody from another."""
    path = tmp_path / "api.sock"
    daemon = listening("127.0.0.1:0", f"unix:{path}")
    done = threading.Event()

    def flood() -> None:
        while not done.is_set():
            daemon.socket().close()

    threads = [threading.Thread(target=flood) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        assert [unix_request(path) for _ in range(5)] == [200] * 5
    finally:
        done.set()
        for thread in threads:
            thread.join()


# Unix sockets


def test_whoever_may_write_to_a_socket_may_connect(listening: Callable, tmp_path: Path):
    group = 4711 if os.geteuid() == 0 else os.getgid()
    first, second = tmp_path / "first.sock", tmp_path / "second.sock"
    listening(f"unix:{first}")
    listening(f"unix:{second}", options=("--socket-mode", "0602", "--socket-group", str(group)))
    assert stat.S_IMODE(first.stat().st_mode) == 0o660
    seen = second.stat()
    assert (stat.S_IMODE(seen.st_mode), seen.st_gid) == (0o602, group)
    assert stat.S_ISSOCK(seen.st_mode)
    assert unix_request(second) == 200


def test_the_socket_goes_with_the_daemon(listening: Callable, tmp_path: Path):
    path = tmp_path / "api.sock"
    assert listening(f"unix:{path}").stop() == 0
    assert not path.exists()


def test_the_socket_of_a_killed_daemon_is_replaced(binary: Path, pickup: Path, listening: Callable, tmp_path: Path):
    path = tmp_path / "api.sock"
    with Daemon(binary, pickup, listen=(f"unix:{path}",)) as killed:
        killed.signal(signal.SIGKILL)
        assert killed.wait() == -signal.SIGKILL
    assert path.exists()
    listening(f"unix:{path}")
    assert unix_request(path) == 200


def test_what_is_there_and_not_dead_stays(listening: Callable, binary: Path, pickup: Path, tmp_path: Path):
    living, file = tmp_path / "living.sock", tmp_path / "file"
    listening(f"unix:{living}")
    file.write_text("mine")
    (tmp_path / "link").symlink_to(file)
    for path, sentence in [
        (living, "another program is listening there"),
        (file, "there is a file of this name that is no socket"),
        (tmp_path / "link", "there is a file of this name that is no socket"),
    ]:
        code, told = refused(binary, pickup, "-listen", f"unix:{path}")
        assert (code, sentence in told) == (71, True), told
    assert unix_request(living) == 200
    assert file.read_text() == "mine"


def test_a_client_of_a_unix_socket_has_no_address_in_the_log(listening: Callable, tmp_path: Path):
    path = tmp_path / "api.sock"
    daemon = listening(f"unix:{path}")
    assert unix_request(path) == 200
    daemon.stop()
    assert [entry["client"] for entry in daemon.entries() if "client" in entry] == ["local"]


# Sockets that systemd passes


def tcp_socket() -> socket.socket:
    one = socket.create_server(("127.0.0.1", 0))
    one.settimeout(TIMEOUT)
    return one


def test_sockets_that_are_passed_take_the_place_of_the_default(activated: Callable, tmp_path: Path):
    path = tmp_path / "api.sock"
    with tcp_socket() as tcp, socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(path))
        unix.listen()
        port = tcp.getsockname()[1]
        daemon = activated(tcp, unix)
        assert addresses(daemon) == [f"127.0.0.1:{port}", f"unix:{path}"]
        assert daemon.post(MESSAGE).status == 200
        assert unix_request(path) == 200
        daemon.stop()
        # The socket is systemd's: it stays, and a client waits there for the next daemon.
        with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as waiting:
            waiting.sendall(head(f"Content-Length: {len(MESSAGE)}") + MESSAGE)
            activated(tcp, unix)
            assert read_answer(waiting).status == 200
        assert path.exists()


def test_an_address_that_is_named_as_well_is_opened_once(activated: Callable):
    with tcp_socket() as tcp:
        port = tcp.getsockname()[1]
        daemon = activated(tcp, listen=(f"127.0.0.1:{port}", "127.0.0.1:0"))
        assert addresses(daemon)[0] == f"127.0.0.1:{port}"
        assert len(addresses(daemon)) == 2


def test_the_name_of_a_socket_says_whether_it_speaks_tls(activated: Callable, certificate: Certificate):
    with tcp_socket() as plain, tcp_socket() as secret:
        daemon = activated(plain, secret, names="http:https", options=certificate.options)
        first, second = addresses(daemon)
        assert first.startswith("127.0.0.1:")
        assert second.startswith("https://127.0.0.1:")
        assert curl(f"http://{first}/messages")[0] == "200"
        assert curl("--cacert", certificate.certificate, f"{second}/messages")[0] == "200"


def test_a_connection_in_place_of_a_socket_is_refused(binary: Path, pickup: Path):
    """`Accept=yes` starts a program for each connection, which this one is not."""
    one, other = socket.socketpair()
    with one, other:
        done = subprocess.run(
            [sys.executable, "-c", ACTIVATE, "1", "-", str(binary), "-pickup", str(pickup)],
            env={**os.environ, "PASSED": str(one.fileno())},
            pass_fds=[one.fileno()],
            capture_output=True,
            check=False,
            timeout=TIMEOUT,
        )
    assert done.returncode == 71
    assert b"the socket unit must not have Accept=yes" in done.stderr


def test_sockets_for_another_process_are_not_ours(listening: Callable):
    """A child of a program that systemd started has the variables, but not the sockets."""
    daemon = listening("127.0.0.1:0", LISTEN_PID="1", LISTEN_FDS="3")
    assert len(addresses(daemon)) == 1
    assert daemon.post(MESSAGE).status == 200


# TLS


@pytest.mark.parametrize("algorithm", [(), ("rsa:2048",), ("ed25519",)], ids=["ecdsa", "rsa", "ed25519"])
def test_tls_speaks_both_versions_of_http(listening: Callable, make_certificate: Callable, algorithm: tuple[str, ...]):
    certificate = make_certificate("server", *algorithm)
    [address] = addresses(listening("127.0.0.1:0", options=certificate.options))
    assert address.startswith("https://127.0.0.1:")
    trusting = ("--cacert", certificate.certificate, f"{address}/messages")
    if algorithm != ("ed25519",):
        # This build of curl may not know Ed25519.
        assert curl("--http1.1", *trusting) == ("200", "1.1")
        assert curl("--http2", *trusting) == ("200", "2")
        assert curl("--http2-prior-knowledge", *trusting) == ("200", "2")
        assert curl("--no-alpn", *trusting) == ("200", "1.1")
    for protocols, chosen in [(("h2", "http/1.1"), "h2"), (("http/1.1",), "http/1.1"), ((), None)]:
        context = certificate.context(*protocols)
        with (
            socket.create_connection(("127.0.0.1", port_of(address)), timeout=TIMEOUT) as tcp,
            context.wrap_socket(tcp, server_hostname="localhost") as client,
        ):
            assert client.selected_alpn_protocol() == chosen


def test_old_versions_of_tls_are_refused(listening: Callable, certificate: Certificate):
    daemon = listening("127.0.0.1:0", options=certificate.options)
    [address] = addresses(daemon)
    for version, works in [("1_1", False), ("1_2", True), ("1_3", True)]:
        # What a client of its own would refuse before the server does is asked for by openssl's word.
        done = subprocess.run(
            [
                *("openssl", "s_client", "-connect", address.removeprefix("https://"), f"-tls{version}"),
                *("-CAfile", certificate.certificate, "-cipher", "DEFAULT@SECLEVEL=0"),
            ],
            input=b"",
            capture_output=True,
            check=False,
            timeout=TIMEOUT,
        )
        assert (done.returncode == 0) == works, (version, done)
    daemon.wait_for_event("tls_handshake_failed")


def test_a_client_that_speaks_http_without_tls_gets_an_answer(listening: Callable, certificate: Certificate):
    [address] = addresses(listening("127.0.0.1:0", options=certificate.options))
    connection = http.client.HTTPConnection("127.0.0.1", port_of(address), timeout=TIMEOUT)
    connection.request("POST", "/messages", MESSAGE)
    answer = connection.getresponse()
    body = json.loads(answer.read())
    assert answer.status == body["status"] == 400
    assert "https://" in body["detail"]
    connection.close()


def test_an_address_may_stay_without_tls(listening: Callable, certificate: Certificate, tmp_path: Path):
    path = tmp_path / "api.sock"
    daemon = listening("http://127.0.0.1:0", "127.0.0.1:0", f"unix:{path}", options=certificate.options)
    plain, secret, _ = addresses(daemon)
    assert curl(f"http://{plain.removeprefix('http://')}/messages")[0] == "200"
    assert curl("--cacert", certificate.certificate, f"{secret}/messages")[0] == "200"
    assert unix_request(path) == 200


def test_a_handshake_that_stalls_is_cut(listening: Callable, certificate: Certificate):
    daemon = listening("127.0.0.1:0", options=(*certificate.options, "--header-timeout", "1s"))
    [address] = addresses(daemon)
    # The head of a record whose content never comes, and nothing at all.
    for first in (b"\x16\x03\x01\x02\x00", b"\x16", b""):
        with socket.create_connection(("127.0.0.1", port_of(address)), timeout=TIMEOUT) as client:
            client.sendall(first)
            assert client.recv(1000) == b""
    assert curl("--cacert", certificate.certificate, f"{address}/messages")[0] == "200"


def test_rubbish_instead_of_a_handshake_ends_the_connection(listening: Callable, certificate: Certificate):
    [address] = addresses(listening("127.0.0.1:0", options=certificate.options))
    for rubbish in (b"\x00" * 100, b"\x16\x03\x01\x00\x05hello", b"\xff"):
        with socket.create_connection(("127.0.0.1", port_of(address)), timeout=TIMEOUT) as client:
            client.sendall(rubbish)
            # An alert, or nothing: what was not read may even reset the connection.
            with contextlib.suppress(ConnectionResetError):
                assert len(client.recv(1000)) < 100
    assert curl("--cacert", certificate.certificate, f"{address}/messages")[0] == "200"


def reload(daemon: Daemon, event: str) -> dict:
    daemon.signal(signal.SIGHUP)
    daemon.wait_for_event(event)
    return next(entry for entry in daemon.entries() if entry["event"] == event)


def subject(address: str) -> str:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port_of(address)), timeout=TIMEOUT) as tcp,
        context.wrap_socket(tcp) as client,
    ):
        octets = client.getpeercert(binary_form=True)
    # The name in an X.509 certificate is plain text.
    return "second" if b"second" in octets else "first"


def test_sighup_reads_certificate_and_keys_together(
    listening: Callable, certificate: Certificate, make_certificate: Callable, run: Callable, tmp_path: Path
):
    keys = tmp_path / "keys.toml"
    first = run("keys", "add", "first", "--keys", keys).stdout.decode().strip()
    daemon = listening("127.0.0.1:0", options=(*certificate.options, "--keys", str(keys)))
    [address] = addresses(daemon)
    assert curl("--cacert", certificate.certificate, "--oauth2-bearer", first, f"{address}/messages")[0] == "200"
    second = run("keys", "add", "second", "--keys", keys).stdout.decode().strip()
    assert curl("-k", "--oauth2-bearer", second, f"{address}/messages")[0] == "403"
    # A connection that is open goes on with the certificate that it began with.
    context = certificate.context()
    with (
        socket.create_connection(("127.0.0.1", port_of(address)), timeout=TIMEOUT) as tcp,
        context.wrap_socket(tcp, server_hostname="localhost") as open_before,
    ):
        certificate.replace(make_certificate("second"))
        entry = reload(daemon, "certificate_reloaded")
        daemon.wait_for_event("keys_reloaded")
        assert entry["path"] == str(certificate.certificate)
        assert exchange(open_before, head(method="GET", path="/health/live")).status == 200
    assert subject(address) == "second"
    assert curl("--cacert", certificate.certificate, "--oauth2-bearer", second, f"{address}/messages")[0] == "200"


def damaged(files: Certificate, make: Callable) -> Iterator[str]:
    """Makes the files unfit in one way after the other, and gives a part of what is then told."""
    whole = files.certificate.read_bytes(), files.key.read_bytes()
    files.certificate.write_bytes(b"")
    yield "there is no certificate in PEM in"
    files.certificate.write_bytes(b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n")
    yield "is damaged"
    files.certificate.write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    yield "is damaged"
    files.certificate.write_bytes(make("other").certificate.read_bytes())
    yield "does not belong to the certificate"
    files.certificate.write_bytes(whole[0])
    files.key.write_bytes(whole[0])
    yield "there is no private key in PEM in"
    files.key.write_bytes(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    yield "the private key"
    files.key.unlink()
    yield "cannot read the private key"
    files.key.write_bytes(whole[1])


def test_a_bad_certificate_is_reported_at_startup(
    binary: Path, pickup: Path, certificate: Certificate, make_certificate: Callable
):
    for sentence in damaged(certificate, make_certificate):
        code, told = refused(binary, pickup, "-listen", "127.0.0.1:0", *certificate.options)
        assert (code, sentence in told) == (78, True), (sentence, told)
        assert "AAAA" not in told


def test_a_damaged_certificate_leaves_the_old_one_in_force(
    listening: Callable, certificate: Certificate, make_certificate: Callable
):
    daemon = listening("127.0.0.1:0", options=certificate.options)
    [address] = addresses(daemon)
    for sentence in damaged(certificate, make_certificate):
        count = len(daemon.entries())
        daemon.signal(signal.SIGHUP)
        with daemon.news:
            assert daemon.news.wait_for(lambda seen=count: len(daemon.entries()) > seen, TIMEOUT)
        entry = daemon.entries()[-1]
        assert (entry["event"], entry["level"]) == ("certificate_kept", "ERROR")
        assert sentence in entry["error"]
        assert subject(address) == "first"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--tls-cert", "a"], "tls-cert and tls-key must be given together"),
        (["--tls-key", "a"], "tls-cert and tls-key must be given together"),
        (["--listen", "https://127.0.0.1:0"], "needs tls-cert and tls-key"),
        (["--tls-cert", "a", "--tls-key", "a", "--listen", "unix:/tmp/a"], "no address that speaks TLS"),
        (["--socket-mode", "0600"], "apply to Unix sockets"),
        (["--socket-group", "0"], "apply to Unix sockets"),
        (["--listen", "unix:@abstract"], "abstract sockets are not supported"),
        (["--listen", "127.0.0.1:0 127.0.0.1:0"], "separate several with commas"),
    ],
)
def test_conflicting_options_are_reported(binary: Path, pickup: Path, run: Callable, options: list[str], sentence: str):
    code, told = refused(binary, pickup, *options)
    assert (code, sentence in told) == (64, True), told
    assert run("config", "check", *options).returncode != 0


# Who may reach it


@pytest.mark.parametrize("with_keys", [False, True])
def test_an_address_that_others_reach_without_keys_is_warned_of(
    listening: Callable, run: Callable, tmp_path: Path, with_keys: bool
):
    keys = tmp_path / "keys.toml"
    run("keys", "add", "shop", "--keys", keys)
    options = ("--keys", str(keys)) if with_keys else ()
    daemon = listening("0.0.0.0:0", "[::1]:0", "127.0.0.1:0", f"unix:{tmp_path / 'api.sock'}", options=options)
    public = addresses(daemon)[0]
    daemon.stop()
    warned = [entry for entry in daemon.entries() if entry["event"] == "listens_without_keys"]
    expected = [] if with_keys else [("WARN", public)]
    assert [(entry["level"], entry["address"]) for entry in warned] == expected


# CORS

PAGE = "https://app.example.com"
ASKED = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,authorization"}


def cors_fields(answer) -> list[str]:
    return [name.lower() for name in answer.headers if name.lower().startswith("access-control-")]


def test_a_page_that_is_named_may_send_and_read(start_daemon: Callable, run: Callable, tmp_path: Path):
    keys = tmp_path / "keys.toml"
    key = run("keys", "add", "page", "--keys", keys).stdout.decode().strip()
    daemon = start_daemon("--allow-origin", PAGE, "--keys", str(keys))
    # A browser asks first, without a key.
    answer = daemon.request("OPTIONS", "/messages", headers={"Origin": PAGE, **ASKED})
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert "POST" in answer.headers["access-control-allow-methods"].split(", ")
    allowed = answer.headers["access-control-allow-headers"].split(", ")
    assert {"authorization", "content-type", "idempotency-key"} <= set(allowed)
    assert int(answer.headers["access-control-max-age"]) > 0
    # Its answers may be read, problems too.
    for sent, status in [({"Authorization": f"Bearer {key}"}, 200), ({}, 401)]:
        answer = daemon.post(MESSAGE, Origin=PAGE, **sent)
        assert answer.status == status
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert "x-request-id" in answer.headers["access-control-expose-headers"].split(", ")
        assert "origin" in answer.headers["vary"].lower()


def test_other_pages_learn_nothing(start_daemon: Callable):
    named = start_daemon("--allow-origin", PAGE)
    unnamed = start_daemon()
    for daemon, origin in [(named, "https://evil.example"), (named, "null"), (unnamed, PAGE)]:
        answer = daemon.request("OPTIONS", "/messages", headers={"Origin": origin, **ASKED})
        assert_problem(answer, 403)
        assert cors_fields(answer) == []
        answer = daemon.post(MESSAGE, Origin=origin)
        assert_problem(answer, 403)
        assert cors_fields(answer) == []
    # What may be kept must not be given to another page.
    assert "origin" in named.post(MESSAGE).headers["vary"].lower()
    assert unnamed.post(MESSAGE).headers["vary"] is None
    assert cors_fields(unnamed.post(MESSAGE)) == []
