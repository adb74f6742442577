"""`/metrics` as Prometheus reads it, the dashboard and the alert rules that are made of it."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from daemon import Answer, Daemon, assert_problem
from raw_http import BAD, MESSAGE

ROOT = Path(__file__).parent.parent
ALERTS = ROOT / "packaging/prometheus/alerts.yml"
DASHBOARD = ROOT / "packaging/grafana/pmtaemail.json"
MERGE = {
    "from": "ann@example.com",
    "subject": "Hello {{ name }}",
    "text": "x",
    "template": "merge",
    "recipients": [{"address": f"bo{n}@example.org", "variables": {"name": f"Bo {n}"}} for n in range(3)],
}
needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="without promtool")


def asked(daemon: Daemon, **headers: str) -> str:
    answer = daemon.request("GET", "/metrics", headers=headers)
    assert answer.status == 200
    return answer.body.decode()


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Each value by its name and the values of its labels, in the order of their names."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def changed(daemon: Daemon, act: Callable[[], Answer]) -> tuple[Answer, dict[tuple[str, ...], float]]:
    """The answer, and the counters that it moved by how much."""
    before = samples(asked(daemon))
    answer = act()
    after = samples(asked(daemon))
    told = {
        name: value - before.get(name, 0)
        for name, value in after.items()
        if name[0].endswith("_total") and name[0].startswith("pmtaemail_") and value != before.get(name, 0)
    }
    return answer, {name: count for name, count in told.items() if "/metrics" not in name}


def batch(*lines: bytes, path: str = "/messages/batch") -> Callable[[Daemon], Answer]:
    return lambda daemon: daemon.post(b"\n".join(lines), path, **{"Content-Type": "application/x-ndjson"})


def submitted(api: str, **outcomes: int) -> dict[tuple[str, ...], int]:
    return {("pmtaemail_submissions_total", api, outcome): count for outcome, count in outcomes.items()}


def accepted(recipients: int, files: int, size: int) -> dict[tuple[str, ...], int]:
    names = {"recipients": recipients, "files": files, "submitted_bytes": size}
    return {(f"pmtaemail_{name}_total",): count for name, count in names.items()}


def test_what_is_accepted_is_counted(daemon: Daemon):
    answer, told = changed(daemon, lambda: daemon.post(MESSAGE))
    receipt = answer.json()
    assert told == {
        **submitted("messages", accepted=1),
        **accepted(1, 1, receipt["octets"]),
        ("pmtaemail_http_requests_total", "POST", "/messages", "200"): 1,
    }
    answer, told = changed(daemon, lambda: daemon.post(json.dumps(MERGE), "/messages/"))
    receipt = answer.json()
    assert told == {
        **submitted("messages", accepted=1),
        **accepted(3, len(receipt["files"]), receipt["octets"]),
        ("pmtaemail_http_requests_total", "POST", "/messages", "200"): 1,
    }


def test_a_replay_is_not_a_second_submission(daemon: Daemon):
    def keyed() -> Answer:
        return daemon.post(MESSAGE, **{"Idempotency-Key": "a"})

    _, told = changed(daemon, keyed)
    assert told["pmtaemail_submissions_total", "messages", "accepted"] == 1
    _, told = changed(daemon, keyed)
    assert told == {
        **submitted("messages", replayed=1),
        ("pmtaemail_http_requests_total", "POST", "/messages", "200"): 1,
    }


def test_what_is_refused_is_counted_by_its_reason(daemon: Daemon):
    answer, told = changed(daemon, lambda: daemon.post(BAD))
    assert_problem(answer, 422)
    codes = {error["code"] for error in answer.json()["errors"]}
    assert told == {
        **submitted("messages", rejected=1),
        **{("pmtaemail_problems_total", code): 1 for code in codes},
        ("pmtaemail_refusals_total", "invalid-message"): 1,
        ("pmtaemail_http_requests_total", "POST", "/messages", "422"): 1,
    }
    for method, path, status, reason, labels in [
        ("GET", "/nothing/here/bo@example.org", 404, "not-found", ("GET", "other")),
        ("GET", "/messages/check", 405, "method-not-allowed", ("GET", "/messages/check")),
        ("BO", "/messages/", 405, "method-not-allowed", ("other", "/messages")),
        ("GET", "/metrics?name=bo@example.org", 400, "bad-request", ("GET", "/metrics")),
    ]:
        answer, told = changed(daemon, lambda method=method, path=path: daemon.request(method, path))
        assert_problem(answer, status)
        assert told["pmtaemail_refusals_total", reason] == 1
        assert samples(asked(daemon))["pmtaemail_http_requests_total", *labels, str(status)] == 1
    # Nothing of a client's is ever a label.
    assert not {"bo@", "BO"} & set(re.findall(r"bo@|BO", asked(daemon)))


def test_messages_of_batches_are_counted_one_by_one(daemon: Daemon):
    answer, told = changed(daemon, lambda: batch(MESSAGE, BAD, MESSAGE)(daemon))
    size = sum(json.loads(line).get("octets", 0) for line in answer.body.splitlines())
    route = ("pmtaemail_http_requests_total", "POST", "/messages/batch")
    assert told == {
        **submitted("batch", accepted=2, rejected=1),
        **accepted(2, 2, size),
        ("pmtaemail_problems_total", "invalid_address"): 1,
        ("pmtaemail_refusals_total", "invalid-message"): 1,
        (*route, "200"): 1,
    }
    atomic = "/messages/batch?atomic=true"
    _, told = changed(daemon, lambda: batch(MESSAGE, BAD, MESSAGE, path=atomic)(daemon))
    assert told == {
        **submitted("batch", rejected=1),
        ("pmtaemail_problems_total", "invalid_address"): 1,
        ("pmtaemail_refusals_total", "invalid-message"): 1,
        (*route, "422"): 1,
    }
    answer, told = changed(daemon, lambda: batch(MESSAGE, MESSAGE, path=atomic)(daemon))
    size = sum(json.loads(line)["octets"] for line in answer.body.splitlines())
    assert told == {**submitted("batch", accepted=2), **accepted(2, 2, size), (*route, "200"): 1}


def test_what_may_be_sent_again_is_deferred(start_daemon: Callable):
    daemon = start_daemon("--min-free", "4000000GiB")
    answer, told = changed(daemon, lambda: daemon.post(MESSAGE))
    assert_problem(answer, 503)
    assert told["pmtaemail_submissions_total", "messages", "deferred"] == 1
    assert told["pmtaemail_refusals_total", "back-pressure"] == 1
    values = samples(asked(daemon))
    assert values["pmtaemail_back_pressure", "min-free"] == 1
    assert values["pmtaemail_back_pressure", "max-depth"] == 0
    assert (values["pmtaemail_ready", "disk"], values["pmtaemail_ready", "pickup"]) == (0, 1)


def test_a_directory_that_is_gone(daemon: Daemon):
    daemon.pickup.rmdir()
    answer, told = changed(daemon, lambda: daemon.post(MESSAGE))
    assert_problem(answer, 503)
    assert told["pmtaemail_submissions_total", "messages", "deferred"] == 1
    assert told["pmtaemail_refusals_total", "pickup-unavailable"] == 1
    values = samples(asked(daemon))
    assert values["pmtaemail_ready", "pickup"] == 0
    # What is not known is not there.
    assert ("pmtaemail_pickup_files",) not in values
    daemon.pickup.mkdir()


def test_syncs_are_timed_and_groups_counted(daemon: Daemon):
    for _ in range(3):
        assert daemon.post(MESSAGE).status == 200
    values = samples(asked(daemon))
    assert values["pmtaemail_commit_group_transactions_sum",] == 3
    for of in ("data", "directory"):
        assert values["pmtaemail_sync_duration_seconds_count", of] == 3
        assert 0 < values["pmtaemail_sync_duration_seconds_sum", of] < 60
    assert values["pmtaemail_http_request_duration_seconds_count", "/messages"] == 3
    assert values["pmtaemail_commit_errors_total",] == 0


def test_the_directory_its_disk_and_the_process(start_daemon: Callable, tmp_path: Path):
    badmail = tmp_path / "badmail"
    badmail.mkdir()
    (badmail / "a").touch()
    daemon = start_daemon("--badmail", str(badmail), "--max-connections", "77", "--max-in-flight", "5")
    for name in ("a", "b"):
        (daemon.pickup / name).touch()
    values = samples(asked(daemon))
    assert values["pmtaemail_pickup_files",] == 2
    assert 0 <= values["pmtaemail_pickup_oldest_file_age_seconds",] < 60
    assert values["pmtaemail_pickup_free_bytes",] > 1 << 20
    assert (values["pmtaemail_badmail_files",], values["pmtaemail_badmail_arrived_total",]) == (1, 0)
    assert (values["pmtaemail_connections",], values["pmtaemail_max_connections",]) == (1, 77)
    assert (values["pmtaemail_in_flight_messages",], values["pmtaemail_max_in_flight_messages",]) == (0, 5)
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    resident = int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024
    assert abs(values["process_resident_memory_bytes",] - resident) < 8 << 20
    assert 0 < values["process_open_fds",] < values["process_max_fds",]
    assert values["process_cpu_seconds_total",] > 0


def test_the_use_of_each_key_is_counted(start_daemon: Callable, run: Callable, tmp_path: Path):
    keys = tmp_path / "keys.toml"
    added = {
        name: run("keys", "add", name, "--keys", keys, *options).stdout.decode().strip()
        for name, options in [("shop", ()), ("prometheus", ("--from", "nobody.invalid"))]
    }
    daemon = start_daemon("--keys", str(keys))
    assert_problem(daemon.request("GET", "/metrics"), 401)
    reading = {"Authorization": f"Bearer {added['prometheus']}"}
    assert daemon.post(MESSAGE, Authorization=f"Bearer {added['shop']}").status == 200
    assert daemon.post(BAD, Authorization=f"Bearer {added['shop']}").status == 422
    assert daemon.post(MESSAGE, **reading).status == 403
    answer = daemon.post(
        b"\n".join([MESSAGE, MESSAGE]),
        "/messages/batch",
        **{"Content-Type": "application/x-ndjson", "Authorization": f"Bearer {added['shop']}"},
    )
    assert answer.status == 200
    values = samples(asked(daemon, **reading))
    assert key_use(values) == {
        ("pmtaemail_key_submissions_total", "shop", "accepted"): 3,
        ("pmtaemail_key_submissions_total", "shop", "rejected"): 1,
        ("pmtaemail_key_submissions_total", "prometheus", "rejected"): 1,
        ("pmtaemail_key_recipients_total", "shop"): 3,
        ("pmtaemail_key_refusals_total", "shop", "invalid-message"): 1,
        ("pmtaemail_key_refusals_total", "prometheus", "forbidden-sender"): 1,
    }
    assert values["pmtaemail_refusals_total", "no-access-key"] == 1
    assert values["pmtaemail_refusals_total", "forbidden-sender"] == 1


def key_use(values: dict[tuple[str, ...], float]) -> dict[tuple[str, ...], float]:
    return {name: value for name, value in values.items() if name[0].startswith("pmtaemail_key_") and value}


def test_exceeding_the_rate_is_reported(start_daemon: Callable, run: Callable, tmp_path: Path):
    keys = tmp_path / "keys.toml"
    added = {
        name: run("keys", "add", name, "--keys", keys, *options).stdout.decode().strip()
        for name, options in [("shop", ("--rate", "1/min")), ("prometheus", ())]
    }
    daemon = start_daemon("--keys", str(keys))
    headers = {"Authorization": f"Bearer {added['shop']}"}
    assert daemon.post(MESSAGE, **headers).status == 200
    # At the door, as a message like the others.
    assert_problem(daemon.post(MESSAGE, **headers), 429)
    assert_problem(daemon.post(MESSAGE, "/messages/check", **headers), 429)
    values = samples(asked(daemon, Authorization=f"Bearer {added['prometheus']}"))
    assert key_use(values) == {
        ("pmtaemail_key_submissions_total", "shop", "accepted"): 1,
        ("pmtaemail_key_submissions_total", "shop", "deferred"): 1,
        ("pmtaemail_key_recipients_total", "shop"): 1,
        ("pmtaemail_key_refusals_total", "shop", "over-rate"): 2,
    }
    assert values["pmtaemail_submissions_total", "messages", "deferred"] == 1
    # A first use is an increase.
    assert values["pmtaemail_key_submissions_total", "prometheus", "accepted"] == 0


# The formats


def test_openmetrics_is_served_on_request(daemon: Daemon):
    daemon.post(MESSAGE)
    # As Prometheus 2.42 asks.
    accept = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,*/*;q=0.1"
    answer = daemon.request("GET", "/metrics", headers={"Accept": accept})
    assert answer.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    families = {family.name: family for family in openmetrics.text_string_to_metric_families(answer.body.decode())}
    assert families["pmtaemail_submitted_bytes"].unit == "bytes"
    assert families["pmtaemail_http_request_duration_seconds"].type == "histogram"
    for headers in ({}, {"Accept": "*/*"}, {"Accept": "text/plain"}):
        answer = daemon.request("GET", "/metrics", headers=headers)
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert samples(answer.body.decode())["pmtaemail_recipients_total",] == 1


@needs_promtool
def test_promtool_finds_nothing(start_daemon: Callable, tmp_path: Path):
    daemon = start_daemon("--badmail", str(tmp_path))
    daemon.post(MESSAGE)
    daemon.post(BAD)
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=asked(daemon).encode(), capture_output=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


# What is made of it


def exposed(text: str) -> set[str]:
    """The names that a query may have."""
    return {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}


@pytest.fixture
def names(start_daemon: Callable, run: Callable, tmp_path: Path) -> set[str]:
    """All names, those with labels too."""
    keys = tmp_path / "keys.toml"
    key = run("keys", "add", "shop", "--keys", keys).stdout.decode().strip()
    daemon = start_daemon("--badmail", str(tmp_path), "--keys", str(keys))
    for message in (MESSAGE, BAD):
        daemon.post(message, Authorization=f"Bearer {key}")
    return exposed(asked(daemon, Authorization=f"Bearer {key}"))


def queries_of_dashboard() -> list[str]:
    dashboard = json.loads(DASHBOARD.read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    assert len(queries) > 20
    return queries


METRIC = re.compile(r"\b(?:pmtaemail|process)_[a-z_]+\b")


def test_the_page_has_each_metric_and_no_other(names: set[str]):
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}
    page = (ROOT / "docs/monitoring.md").read_text()
    table = page.partition("## Metrics")[2]
    assert set(METRIC.findall(table)) == families


def test_dashboard_and_alerts_have_no_metric_that_is_not_there(names: set[str]):
    queries = queries_of_dashboard()
    alerts = re.findall(r"expr: (?:\|\n)?((?:.|\n)*?)\n +(?:for|labels):", ALERTS.read_text())
    assert len(alerts) > 10
    for query in [*queries, *alerts]:
        used = set(METRIC.findall(query)) - {"pmtaemail_"}
        # Those of a consumer are not the daemon's: test_fleet_routes.py.
        of_daemons = {name for name in used if not name.startswith("pmtaemail_consumer_")}
        assert of_daemons <= names, query
        assert used or query.startswith("up{"), query


def test_each_alert_is_explained(names: set[str]):
    page = (ROOT / "docs/monitoring.md").read_text()
    alerts = re.findall(r"alert: (\w+)", ALERTS.read_text())
    assert sorted(alerts) == sorted(set(re.findall(r"`(Pmtaemail\w+)`", page)))


def worked_out(series: dict[str, str], firing: dict[str, list[dict[str, str]]], at: str, folder: Path) -> None:
    """Prometheus works out the alerts from these series, a value a minute, and these are firing `at` a time."""
    names = sorted({name for alerts in firing.values() for labels in alerts for name in labels} | {"alertname"})
    expected = [
        {
            "expr": f'count by ({", ".join(names)}) (ALERTS{{alertname="{alert}", alertstate="firing"}})',
            "eval_time": at,
            "exp_samples": [
                {
                    "labels": "{" + ", ".join(f'{k}="{v}"' for k, v in {"alertname": alert, **labels}.items()) + "}",
                    "value": 1,
                }
                for labels in alerts
            ],
        }
        for alert, alerts in firing.items()
    ]
    named = {f'{name[:-1]}, job="pmtaemail", instance="a"}}'.replace("{, ", "{"): it for name, it in series.items()}
    tests = {
        "rule_files": [str(ALERTS)],
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in named.items()],
                "promql_expr_test": expected,
            }
        ],
    }
    path = folder / "alerts_test.yml"
    # JSON is YAML.
    path.write_text(json.dumps(tests))
    done = subprocess.run(["promtool", "test", "rules", path], capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_prometheus_reads_the_queries_of_the_dashboard(tmp_path: Path):
    """Each as a rule, with what Grafana puts in."""
    rules = [
        {"record": f"query:{number}", "expr": query.replace("$__rate_interval", "5m")}
        for number, query in enumerate(queries_of_dashboard())
    ]
    path = tmp_path / "rules.yml"
    path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", path], capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_alerts_go_off(tmp_path: Path):
    """And no other."""
    series = {
        "up{}": "0x20",
        'pmtaemail_ready{check="pickup"}': "1x5 0x15",
        'pmtaemail_submissions_total{api="messages", outcome="unknown"}': "0x5 1x15",
        'pmtaemail_submissions_total{api="messages", outcome="accepted"}': "0+600x20",
        'pmtaemail_submissions_total{api="messages", outcome="deferred"}': "0x20",
        "pmtaemail_pickup_oldest_file_age_seconds{}": "3x20",
    }
    of = {"job": "pmtaemail", "instance": "a"}
    firing = {
        "PmtaemailDown": [{"severity": "critical", **of}],
        "PmtaemailNotReady": [{"severity": "critical", **of, "check": "pickup"}],
        "PmtaemailFailures": [{"severity": "critical", **of, "outcome": "unknown"}],
        "PmtaemailDeferrals": [],
        "PmtaemailPickupNotTaken": [],
    }
    worked_out(series, firing, "9m", tmp_path)
    done = subprocess.run(["promtool", "check", "rules", ALERTS], capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_each_alert_can_go_off(tmp_path: Path):
    """When everything is as bad as can be."""
    series = {
        "up{}": "0x80",
        'pmtaemail_ready{check="keys"}': "0x80",
        'pmtaemail_submissions_total{api="batch", outcome="failed"}': "0+1x80",
        'pmtaemail_submissions_total{api="batch", outcome="deferred"}': "0+10x80",
        'pmtaemail_submissions_total{api="batch", outcome="accepted"}': "0+90x80",
        'pmtaemail_back_pressure{limit="max-depth"}': "1x80",
        "pmtaemail_pickup_oldest_file_age_seconds{}": "0+60x80",
        "pmtaemail_badmail_arrived_total{}": "0+1x80",
        "pmtaemail_roll_forward_failures{}": "1x80",
        **{
            f'pmtaemail_http_request_duration_seconds_bucket{{route="/messages", le="{le}"}}': values
            for le, values in [("1.0", "0+90x80"), ("2.5", "0+100x80"), ("+Inf", "0+100x80")]
        },
        "pmtaemail_pickup_free_bytes{}": "9000000000x80",
        "pmtaemail_pickup_free_inodes{}": "200000-1000x80",
        "pmtaemail_connections{}": "95x80",
        "pmtaemail_max_connections{}": "100x80",
        'pmtaemail_refusals_total{reason="wrong-access-key"}': "0+70x80",
        "pmtaemail_consumer_connected{}": "0x80",
        "pmtaemail_consumer_dead_letters_total{}": "0+1x80",
        "pmtaemail_consumer_messages_redelivered_total{}": "0+1x80",
    }
    alerts = re.findall(r"alert: (\w+)", ALERTS.read_text())
    worked_out(series, {alert: [{}] for alert in alerts}, "79m", tmp_path)
