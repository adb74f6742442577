"""To which hosts messages of a fleet go, in which order they are taken, and what a host tells of itself."""

import http.client
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from brokers import Broker, free_ports, wait_until
from daemon import assert_problem
from fleet import STREAM, Fleet, Host
from raw_http import MESSAGE

DASHBOARD = Path(__file__).parent.parent / "packaging/grafana/pmtaemail.json"


def message(text: str, **fields: object) -> bytes:
    return json.dumps({"from": "shop@example.com", "to": "ann@example.org", "text": f"text: {text}", **fields}).encode()


def text_of(path: Path) -> str:
    return re.search(rb"text: ([a-z ]+)", path.read_bytes())[1].decode()


def taken(host: Host) -> list[str]:
    """The texts of the messages in a pickup directory that nobody empties."""
    return sorted(text_of(path) for path in host.pickup.iterdir())


# ---- pools


def test_the_virtual_mta_chooses_the_pool(fleet: Fleet, tmp_path: Path):
    """By a table of the configuration file, whose names are in whatever letters."""
    config = tmp_path / "daemon.toml"
    config.write_text('pool = "rest"\nvmta-pool = { receipts = "fast/high", news = "bulk" }\n')
    daemon = fleet.daemon("--config", str(config))
    hosts = {pool: fleet.host("--pool", pool, takes=False).start() for pool in ("rest", "fast", "bulk")}
    recipients = [{"address": f"{name}@example.org"} for name in "ab"]
    posted = [
        message("to rest"),
        message("to fast", vmta="Receipts"),
        message("to bulk", vmta="news"),
        message("unknown to rest", vmta="other"),
    ]
    merge = {"from": "shop@example.com", "text": "text: merge to bulk", "vmta": "news", "recipients": recipients}
    for body in [*posted, json.dumps(merge).encode()]:
        assert daemon.post(body).status == 202
    fleet.drain()
    for host in hosts.values():
        host.stop()
    assert taken(hosts["rest"]) == ["to rest", "unknown to rest"]
    assert taken(hosts["fast"]) == ["to fast"]
    assert taken(hosts["bulk"]) == ["merge to bulk", "to bulk"]


@pytest.mark.parametrize("path", ["/messages", "/messages/batch?atomic=true"])
def test_mail_for_several_pools_is_refused(fleet: Fleet, path: str):
    """All files of a submission go to one host: half of them at a PowerMTA without that virtual MTA would bounce."""
    daemon = fleet.daemon("--vmta-pool", "receipts=fast,news=bulk/low")
    if path == "/messages":
        recipients = [{"address": "a@example.org", "vmta": "news"}, {"address": "b@example.org"}]
        body = json.dumps({"from": "shop@example.com", "text": "x", "vmta": "receipts", "recipients": recipients})
        answer = daemon.post(body.encode())
    else:
        answer = daemon.request("POST", path, b"[" + message("x", vmta="news") + b"," + message("x") + b"]")
    problem = assert_problem(answer, 422)
    assert problem["type"] == "urn:pmtaemail:problem:unqueueable"
    assert "different pools" in problem["detail"]
    assert "news" not in json.dumps(problem)
    assert fleet.brokers.messages_in(STREAM) == 0


def test_status_shows_messages_that_no_host_takes(fleet: Fleet):
    """The name of a pool that is misspelt in a table."""
    daemon = fleet.daemon("--vmta-pool", "receipts=fsat")
    fleet.host("--pool", "fast", takes=False).start()
    assert daemon.post(message("x", vmta="receipts")).status == 202
    (unclaimed,) = fleet.told("status")["unclaimed"]
    assert unclaimed == {"subject": f"{STREAM}.local.fsat.normal", "messages": 1}
    assert "fsat" in fleet.run("status").stdout


# ---- priorities


def test_what_somebody_waits_for_is_taken_first(fleet: Fleet):
    low, high = fleet.daemon("--priority", "low"), fleet.daemon("--vmta-pool", "receipts=default/high")
    for _ in range(20):
        assert low.post(message("low")).status == 202
        assert high.post(message("normal")).status == 202
    for _ in range(20):
        assert high.post(message("high", vmta="receipts")).status == 202
    # Batches are smaller than what there is of any priority.
    host = fleet.host("--batch", "7", takes=False).start()
    fleet.drain()
    host.stop()
    order = ["high", "normal", "low"]
    # Of two that came in one tick of the clock nobody knows which was first.
    came = sorted((path.stat().st_mtime_ns, order.index(text_of(path))) for path in host.pickup.iterdir())
    assert [rank for _, rank in came] == [0] * 20 + [1] * 20 + [2] * 20


def test_while_nothing_waits_each_priority_is_taken_at_once(fleet: Fleet):
    daemons = {name: fleet.daemon("--priority", name) for name in ("high", "normal", "low")}
    host = fleet.host(takes=False).start()
    for number, name in enumerate(["low", "high", "low", "normal", "high", "low"], 1):
        assert daemons[name].post(message(name)).status == 202
        wait_until(lambda count=number: len(list(host.pickup.iterdir())) == count, f"message {number} is there")
    host.stop()
    assert fleet.brokers.messages_in(STREAM) == 0


# ---- memory


def test_messages_that_wait_for_brokers_stay_within_their_memory(fleet: Fleet):
    daemon = fleet.daemon("--forward-memory", "100k")
    large = message("x" * 150_000)
    assert assert_problem(daemon.post(large), 422)["type"] == "urn:pmtaemail:problem:unqueueable"
    # What it had reserved is free again, each time.
    for _ in range(5):
        assert daemon.post(message("y" * 70_000)).status == 202
        assert daemon.post(large).status == 422
    # While brokers do not answer one waits in memory, and there is no room for another one.
    fleet.brokers.kill_all()
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: daemon.post(message("z" * 70_000)), range(2)))
    for answer in answers:
        assert_problem(answer, 503)
        assert answer.headers["retry-after"]
    said = [entry.get("error", "") for entry in daemon.entries()]
    assert sum("use all the memory" in sentence for sentence in said) == 1


# ---- init


def test_init_looks_how_brokers_sync(fleet: Fleet, tmp_path: Path):
    ports = [f"http://127.0.0.1:{broker.monitor}" for broker in fleet.brokers.brokers]
    done = fleet.run("init", "--monitoring", ",".join(ports))
    assert (done.returncode, done.stderr) == (0, "")
    # Nobody looked.
    done = fleet.run("init")
    assert done.returncode == 0
    assert "sync_interval" in done.stderr
    # The same broker three times is one.
    done = fleet.run("init", "--monitoring", ",".join([ports[0]] * 3))
    assert done.returncode != 0
    assert "different brokers" in done.stderr
    seldom_ports = tuple(free_ports(3))
    seldom = Broker(tmp_path, 9, seldom_ports, [seldom_ports[2]], "max_file_store: 1MB")
    text = seldom.configuration.read_text()
    assert "sync_interval: always" in text
    seldom.configuration.write_text(text.replace("sync_interval: always", "sync_interval: 10s"))
    seldom.start()
    try:
        wait_until(lambda: tells(seldom), "it is there")
        done = fleet.run("init", "--monitoring", ",".join([*ports, f"http://127.0.0.1:{seldom.monitor}"]))
    finally:
        seldom.kill()
    assert done.returncode != 0
    assert "n9: sync_interval is 10s but must be always" in done.stderr


def tells(broker: Broker) -> bool:
    """Whether it tells of itself. It leads nothing, so that it is never ready."""
    with suppress(OSError):
        return broker.ask("/varz")[0] == 200
    return False


# ---- what a host tells


def test_a_host_reports_what_it_does(start_fleet: Callable[..., Fleet]):
    """The metrics of the dashboard, and whether it takes messages."""
    fleet = start_fleet()
    host = fleet.host("--metrics-listen", "127.0.0.1:0", "--max-depth", "2", takes=False).start()
    (entry,) = [entry for entry in host.entries() if entry["event"] == "metrics_listening"]
    port = int(entry["address"].rsplit(":", 1)[1])

    def get(path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    wait_until(lambda: get("/health") == (200, "ok\n"), "it takes messages")
    daemon = fleet.daemon()
    for _ in range(4):
        assert daemon.post(MESSAGE).status == 202
    wait_until(lambda: get("/health") == (503, "back-pressure\n"), "the pickup directory is full")
    _, text = get("/metrics")
    values = dict(re.findall(r"^(pmtaemail_consumer_\w+) (\d+)$", text, re.M))
    assert int(values["pmtaemail_consumer_messages_handed_over_total"]) == len(list(host.pickup.iterdir()))
    assert values["pmtaemail_consumer_open"] == "0"
    asked = set(re.findall(r"pmtaemail_consumer_\w+", DASHBOARD.read_text()))
    assert asked
    assert asked <= {*values}
    assert get("/other")[0] == 404
    fleet.brokers.kill_all()
    wait_until(lambda: get("/health") == (503, "no-broker\n"), "it tells of the brokers")
