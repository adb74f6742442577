"""The OpenAPI document: right by an independent validator, and what the daemon does."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from daemon import Answer, Daemon
from raw_http import BAD, MESSAGE

ROOT = Path(__file__).parent.parent
MERGE = {
    "from": "shop@example.com",
    "subject": "{{ name }}",
    "text": "Hello *|FNAME|*",
    "template": "merge",
    "invalidRecipients": "skip",
    "seeds": "seed@example.net",
    "recipients": [{"address": "ann@example.org", "variables": {"name": "Ann"}}, "nobody"],
}
LINES = {"Content-Type": "application/x-ndjson"}


@pytest.fixture(scope="module")
def document(binary: Path) -> dict:
    done = subprocess.run([binary, "openapi"], capture_output=True, check=True, timeout=60)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def valid(document: dict) -> Callable[[str, object], None]:
    """Asserts that a value is what a schema of the document says."""

    def valid(name: str, value: object) -> None:
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        Draft202012Validator(schema).validate(value)

    return valid


def form(parts: dict) -> tuple[bytes, str]:
    """A body of multipart/form-data and its Content-Type."""
    written = {
        name: (None, part, "text/csv") if isinstance(part, str) else (None, json.dumps(part), "application/json")
        for name, part in parts.items()
    }
    request = requests.Request("POST", "http://127.0.0.1/", files=written).prepare()
    return request.body, request.headers["Content-Type"]


def operations(document: dict) -> Iterator[tuple[str, str, dict]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def test_the_document_is_right(document: dict):
    assert document["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(document).validate()
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids)) == 10


def test_the_daemon_has_the_same_one(daemon: Daemon, document: dict):
    answer = daemon.request("GET", "/openapi.json")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == document


def test_it_needs_no_key_and_says_which_paths_do(start_daemon: Callable, run: Callable, tmp_path: Path, document: dict):
    keys = tmp_path / "keys.toml"
    run("keys", "add", "shop", "--keys", keys)
    daemon = start_daemon("--keys", str(keys))
    for path, method, operation in operations(document):
        answer = daemon.request(method, path)
        assert (answer.status == 401) == (operation["security"] != []), path
        assert ("401" in operation["responses"]) == (operation["security"] != []), path


def test_every_path_is_there_and_every_query_name_taken(daemon: Daemon, document: dict):
    samples = {"recipient": "1", "limit": "1", "atomic": "true", "warnings": "true", "strict": "false"}
    for path, method, operation in operations(document):
        names = [parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "query"]
        for name in ["", *names]:
            if name == "envelope":
                continue
            query = f"?{name}={samples[name]}" if name else ""
            body = json.dumps([MERGE] if path.endswith("batch") else MERGE)
            answer = daemon.request(method, path + query, body if method == "POST" else None)
            assert answer.status == 200, (path, name, answer)
            assert str(answer.status) in operation["responses"]
        assert daemon.request(method, path + "?nothing=1").status == 400, path
        other = "GET" if method == "POST" else "POST"
        assert daemon.request(other, path).status == 405, path


def test_each_example_of_a_message_is_taken(daemon: Daemon, document: dict, valid: Callable):
    count = 0
    for path, method, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {})
        for media_type, described in content.items():
            for example in described.get("examples", {}).values():
                value = example["value"]
                if media_type == "application/json":
                    valid(*("Message", value) if isinstance(value, dict) else ("BatchMessage", value[0]))
                headers = {"Content-Type": media_type}
                body = value if isinstance(value, str) else json.dumps(value)
                if media_type == "multipart/form-data":
                    body, headers["Content-Type"] = form(value)
                answer = daemon.request(method, path, body, headers)
                assert answer.status == 200, (path, media_type, answer)
                assert b"problem:" not in answer.body
                count += 1
    assert count == 3 * 5 + 2


def test_each_example_of_an_error_is_a_problem(document: dict, valid: Callable):
    kinds = set()
    for path, _, operation in operations(document):
        for status, response in operation["responses"].items():
            for example in response["content"].get("application/problem+json", {}).get("examples", {}).values():
                valid("Problem", example["value"])
                assert example["value"]["status"] == int(status), path
                kinds.add(example["value"]["type"])
    # The documentation and the program: no type is left out but of those that cannot be made without a broken disk.
    source = (ROOT / "cli/src/daemon/error/body.rs").read_text()
    known = set(re.findall(r"urn:pmtaemail:problem:[a-z-]+", source))
    assert (
        known - kinds
        == {
            "urn:pmtaemail:problem:idempotency-keys-unavailable",
            "urn:pmtaemail:problem:not-a-batch",
            "urn:pmtaemail:problem:unqueueable",
            # The preview is for its own page, and not in the document.
            "urn:pmtaemail:problem:no-preview",
        }
        - kinds
    )
    assert len(kinds) > 15


def test_answers_are_what_the_document_says(daemon: Daemon, valid: Callable):
    def whole(answer: Answer, status: int) -> object:
        assert answer.status == status
        return answer.json()

    merge = json.dumps(MERGE)
    valid("Receipt", whole(daemon.post(MESSAGE), 200))
    receipt = whole(daemon.post(merge), 200)
    valid("Receipt", receipt)
    assert {"envids", "rejected", "seeds"} <= receipt.keys()
    checked = whole(daemon.post(merge, "/messages/check"), 200)
    valid("Checked", checked)
    assert checked["warnings"]
    assert checked["rejected"]
    valid("Problem", whole(daemon.post(BAD), 422))
    keyed = json.dumps({**json.loads(MESSAGE), "idempotencyKey": "a"}).encode()
    lines = daemon.post(b"\n".join([keyed, keyed, BAD]), "/messages/batch", **LINES).body.splitlines()
    for line, name in zip(lines, ["Receipt", "Receipt", "Problem"], strict=True):
        valid(name, json.loads(line))
    valid("BatchMessage", json.loads(keyed))
    for path, name in [("/health", "Health"), ("/health/live", "Live"), ("/health/ready", "Ready")]:
        valid(name, whole(daemon.request("GET", path), 200))


def test_figures_of_back_pressure_are_what_the_document_says(start_daemon: Callable, tmp_path: Path, valid: Callable):
    daemon = start_daemon("--min-free", "4000000GiB", "--max-depth", "5", "--badmail", str(tmp_path))
    for path, name in [("/health", "Health"), ("/health/ready", "Ready")]:
        answer = daemon.request("GET", path)
        assert answer.status == 503
        valid(name, answer.json())
    answer = daemon.post(MESSAGE)
    assert answer.status == 503
    valid("Problem", answer.json())


def test_a_client_in_typescript_can_be_made_of_it(document: dict, tmp_path: Path):
    """By openapi-typescript, which understands 3.1."""
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(document))
    done = subprocess.run(
        [ROOT / "tests/node_modules/.bin/openapi-typescript", path],
        capture_output=True,
        check=False,
        timeout=120,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    for name in ("submitMessage", "Receipt", "BatchMessage"):
        assert name in done.stdout.decode()


def test_schemathesis_finds_nothing(start_daemon: Callable, tmp_path: Path, long: bool):
    """`pytest --long` gives it eleven minutes, in which it sends sequences of requests as well."""
    daemon = start_daemon("--durability", "none")
    if long:
        bounds = ["--phases", "examples,coverage,fuzzing,stateful", "--max-time", "660"]
    else:
        bounds = ["--phases", "examples,coverage,fuzzing", "--max-examples", "8"]
    bounds += ["--seed", "1", "--generation-database", "none"]
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("schemathesis"), "--config-file", ROOT / "tests/judges/schemathesis.toml"),
            *("run", f"{daemon.url}/openapi.json", *bounds, "--warnings", "off"),
        ],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests/judges")},
        timeout=1200,
    )
    said = done.stdout.decode()
    print(said)
    assert done.returncode == 0
    # All but the document itself.
    assert "Tested: 9\n" in said
    assert not [entry for entry in daemon.entries() if entry["level"] == "ERROR"]
