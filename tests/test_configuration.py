"""Options come from the command line, the environment and a file, in this order.

The rows of docs/options.md, which is made from the program's own table, are what is tried: a new option is covered
without a word here, unless its value has a form of its own (`TEXTS`).
"""

import os
import re
import subprocess
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from daemon import Daemon

ROOT = Path(__file__).parent.parent
ROW = re.compile(
    r"^\| `(?P<name>[a-z0-9-]+)` \| `(?P<variable>\w+)` \| (?P<value>.*?) \| (?:`(?P<default>.*?)`)? \|", re.M
)
MESSAGE = b'{"from": "ann@example.com", "to": "bo@example.org", "text": "Hello"}'

# Values of texts, by the word for them.
TEXTS = {
    "FILE": ["/tmp/a", "/tmp/b", "/tmp/c"],
    "DIR": ["/tmp/a", "/tmp/b", "/tmp/c"],
    "HOST:PORT": ["127.0.0.1:1", "[::1]:2", ":3"],
    "ORIGIN": ["https://a.example", "https://b.example", "http://c.example"],
    "MODE": ["0640", "660", "0600"],
    "GROUP": ["pmta", "1001", "mail"],
    "URLS": ["nats://127.0.0.1:1", "nats://127.0.0.1:2,nats://127.0.0.1:3", "tls://nats.example:4222"],
    "NAME": ["one", "two", "three"],
    "VMTA=POOL/PRIORITY": ["a=b", "c=d/high", "e=f/low"],
    "LEVEL": ["debug", "error", "off"],
}
# What an option means nothing without.
COMPANIONS = {
    "socket-mode": ["--listen=unix:/tmp/a"],
    "socket-group": ["--listen=unix:/tmp/a"],
    "tls-cert": ["--tls-key=/tmp/a"],
    "tls-key": ["--tls-cert=/tmp/a"],
}
# What `config show` does not show, since addresses may have passwords: it tells where each comes from, and no more.
SECRETS = ["forward"]


@dataclass(frozen=True)
class Option:
    name: str
    variable: str
    value: str
    default: str | None

    @property
    def is_list(self) -> bool:
        return self.value.startswith("list of ")

    def samples(self) -> list[object]:
        """Three values as TOML has them, of which neighbours differ where that can be."""
        kind = self.value.removeprefix("list of ")
        if kind == "`true` or `false`":
            return [True, False, True]
        if kind in ("number", "size", "time"):
            return {"number": [7, 8, 9], "size": [50_000_000, "64MiB", "1GB"], "time": [5, "500ms", "2m"]}[kind]
        words = re.findall(r"`([^`]*)`", kind)
        return TEXTS[words[0]] if len(words) == 1 else [words[0], words[1], words[0]]


OPTIONS = [Option(*row.groups()) for row in ROW.finditer((ROOT / "docs/options.md").read_text())]
IN_FILE = [option for option in OPTIONS if option.name != "config"]

each = pytest.mark.parametrize("option", IN_FILE, ids=lambda option: option.name)


def as_toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else f'"{value}"'


def as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.fixture
def call(binary: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess]:
    """Runs the program with nothing in its environment but what is given."""

    def call(*arguments: object, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PMTAEMAIL_")}
        return subprocess.run(
            [binary, *map(str, arguments)],
            env={**clean, **environment},
            input=stdin,
            capture_output=True,
            check=False,
            cwd=tmp_path,
            timeout=60,
        )

    return call


@pytest.fixture
def shown(call: Callable) -> Callable[..., tuple[dict, dict]]:
    """The values that hold and where each comes from."""

    def shown(*arguments: object, **environment: str) -> tuple[dict, dict]:
        done = call("config", "show", *arguments, **environment)
        assert (done.returncode, done.stderr) == (0, b"")
        text = done.stdout.decode()
        sources = dict(re.findall(r"^([a-z0-9-]+) = .*  # (.*)$", text, re.M))
        return tomllib.loads(text), sources

    return shown


@pytest.fixture
def config(tmp_path: Path) -> Callable[[str], Path]:
    def config(text: str) -> Path:
        path = tmp_path / "pmtaemail.toml"
        path.write_text(text)
        return path

    return config


def test_the_table_has_every_option(call: Callable):
    told = set(re.findall(r"\[env: (PMTAEMAIL_\w+)", call("--help").stdout.decode()))
    assert told == {option.variable for option in OPTIONS}
    assert len(OPTIONS) > 12


@pytest.mark.parametrize(
    "option", [option for option in IN_FILE if option.name not in SECRETS], ids=lambda option: option.name
)
def test_the_command_line_wins_over_the_environment_over_the_file_over_the_default(
    option: Option, shown: Callable, config: Callable
):
    in_file, in_environment, in_line = option.samples()
    name = option.name
    listed = [in_file] if option.is_list else in_file
    toml = f"[{as_toml(in_file)}]" if option.is_list else as_toml(in_file)
    file = ("--config", config(f"# first line\n{name} = {toml}\n"))
    environment = {option.variable: as_text(in_environment)}
    line = (f"--{name}={as_text(in_line)}",)
    file = (*file, *COMPANIONS.get(name, []))

    def written(value: object) -> object:
        """As `config show` has it: numbers that may have a unit are texts."""
        value = str(value) if option.value in ("size", "time") else value
        return [value] if option.is_list else value

    values, sources = shown()
    if option.default is None:
        assert name not in values
    else:
        assert as_text(values[name]) == (str([option.default]) if option.is_list else option.default)
        assert sources[name] == "default"
    values, sources = shown(*file)
    assert (values[name], sources[name]) == (written(in_file), f"{file[1]}:2"), listed
    values, sources = shown(*file, **environment)
    assert (values[name], sources[name]) == (written(in_environment), option.variable)
    values, sources = shown(*file, *line, **environment)
    assert (values[name], sources[name]) == (written(in_line), f"--{name}")
    # As the program that this one replaces reads its flags.
    values, sources = shown(line[0].removeprefix("-"), *COMPANIONS.get(name, []), **environment)
    assert (values[name], sources[name]) == (written(in_line), f"--{name}")


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_not_shown(name: str, call: Callable, config: Callable):
    secret = "nats://user:password@127.0.0.1:1"
    variable = {option.name: option.variable for option in OPTIONS}[name]
    path = config(f'{name} = "{secret}"\n')
    for arguments, environment, source in [
        ((f"--{name}={secret}",), {}, f"--{name}"),
        ((), {variable: secret}, variable),
        (("--config", path), {}, f"{path}:1"),
        # The same order as that of the others; which of them holds is told by where it comes from.
        (("--config", path), {variable: secret}, variable),
        (("--config", path, f"--{name}={secret}"), {variable: secret}, f"--{name}"),
        ((f"-{name}={secret}",), {variable: secret}, f"--{name}"),
    ]:
        done = call("config", "show", *arguments, **environment)
        assert f"# {name} is set but not shown  # {source}\n".encode() in done.stdout
        assert b"password" not in done.stdout + done.stderr + call("--help", **environment).stdout


@each
@pytest.mark.parametrize("value", ["1.5", "1979-05-27", "{ a = 1 }", "[[]]", "-1"])
def test_invalid_values_are_reported(option: Option, value: str, call: Callable, config: Callable):
    done = call("config", "check", config(f"\n  {option.name} = {value}\n"))
    assert done.returncode == 78
    place, _, sentence = done.stdout.decode().partition(": ")
    assert re.fullmatch(r".*pmtaemail\.toml:2:\d+", place)
    assert sentence.startswith(f"{option.name}: expected ")
    assert done.stdout.count(b"\n") == 1


def test_what_is_shown_is_a_file_that_says_the_same(shown: Callable, call: Callable, config: Callable):
    text = call("config", "show", "--allow-origin=https://a.example,https://b.example").stdout.decode()
    path = config(text)
    assert call("config", "check", path).returncode == 0
    again, sources = shown("--config", path)
    assert again == tomllib.loads(text)
    assert again["allow-origin"] == ["https://a.example", "https://b.example"]
    assert set(sources.values()) <= {f"{path}:{number}" for number in range(1, 100)}


PROBLEMS = {
    "unknown": ("pikcup = 1", "1:1: pikcup is not an option; did you mean pickup?"),
    "control characters": (r'"list\nn\u001b" = 1', r"1:1: list\nn\u{1b} is not an option; did you mean listen?"),
    "later line": ("\n\n listn = 1", "3:2: listn is not an option; did you mean listen?"),
    "table": ("[limits]\nmax-in-flight = 3", "1:2: limits is not an option: options must be at the top level"),
    "underscores": ("max_in_flight = 3", "1:1: max_in_flight is not an option; did you mean max-in-flight?"),
    "not itself": ('config = "a"', "1:1: config is not an option"),
    "number as text": ('max-in-flight = "3"', "1:17: max-in-flight: expected a whole number"),
    "text as number": ("pickup = 3", "1:10: pickup: expected a string in quotation marks"),
    "mode as number": ("file-mode = 0o640", "1:13: file-mode: expected a string in quotation marks"),
    "mode": ('file-mode = "1777"', "1:13: file-mode: expected octal permissions"),
    "boolean as text": ('no-syncfs = "true"', "1:13: no-syncfs: expected true or false"),
    "list for one": ('pickup = ["a"]', "1:10: pickup: expected a string in quotation marks"),
    "in a list": ('allow-origin = [\n  "https://a.example",\n  3]', "3:3: allow-origin: expected a list of: a string"),
    "unit": ('body-limit = "3 parsecs"', "1:14: body-limit: the unit must be one of"),
    "range": ("max-in-flight = 0", "1:17: max-in-flight: 0 is not in 1..=1000000"),
    "choice": ('durability = "much"', "1:14: durability: expected one of: durable, none"),
    "too large": ("max-in-flight = 99999999999999999999", "1:17: max-in-flight: the number is too large"),
    "twice": ('pickup = "a"\npickup = "b"', "2:1: this is not TOML: duplicate key"),
    "not TOML": ("\npickup = /var/pickup", "2:10: this is not TOML: "),
    "empty list item": ('allow-origin = [""]', "1:17: allow-origin: "),
}


@pytest.mark.parametrize(("text", "expected"), PROBLEMS.values(), ids=PROBLEMS)
def test_problems_have_a_line(text: str, expected: str, call: Callable, config: Callable):
    path = config(text)
    done = call("config", "check", path)
    assert done.returncode == 78
    assert done.stdout.decode().startswith(f"{path}:{expected}"), done.stdout
    # Nobody else begins with such a file.
    for arguments in (["serve"], ["submit"], ["config", "show"], []):
        done = call(*arguments, "--config", path, stdin=MESSAGE)
        assert (done.returncode, done.stdout) == (78, b"")
        assert done.stderr.decode().startswith(f"pmtaemailapi: {path}:{expected}")


def test_all_problems_are_reported_at_once(call: Callable, config: Callable):
    done = call("config", "check", config('listn = 1\npickup = 2\ndrain = "3s"\nlog-level = "loud"\n'))
    assert [line.split(b":")[1] for line in done.stdout.splitlines()] == [b"1", b"4", b"2"]


def test_a_file_that_cannot_be_read(call: Callable, config: Callable, tmp_path: Path):
    done = call("config", "check", tmp_path / "missing.toml")
    assert done.returncode == 78
    assert b"missing.toml: cannot read the file: " in done.stdout
    config("").write_bytes(b'pickup = "\xff"')
    assert call("config", "check", tmp_path / "pmtaemail.toml").returncode == 78


def test_check_takes_the_file_by_name_by_flag_and_from_the_environment(
    call: Callable, config: Callable, tmp_path: Path
):
    bad, good = config("x = 1"), tmp_path / "good.toml"
    good.write_text('listen = ":1"')
    for arguments, environment, code in [
        ([bad], {}, 78),
        (["--config", bad], {}, 78),
        ([], {"PMTAEMAIL_CONFIG": str(bad)}, 78),
        ([good], {}, 0),
        ([], {}, 0),
        # One of the two would be dropped.
        ([good, "--config", bad], {}, 64),
        ([good], {"PMTAEMAIL_CONFIG": str(bad)}, 64),
        (["--listen", "nonsense"], {}, 64),
        ([], {"PMTAEMAIL_LISTEN": "nonsense"}, 64),
        ([], {"PMTAEMAIL_LISEN": ":1"}, 64),
    ]:
        done = call("config", "check", *arguments, **environment)
        assert done.returncode == code, (arguments, environment, done)


def test_the_daemon_obeys_its_file(binary: Path, tmp_path: Path, config: Callable):
    for folder in ("pickup", "other"):
        (tmp_path / folder).mkdir()
    path = config(
        f'pickup = "{tmp_path}/other"\nbody-limit = 2000\nheader-timeout = 3\nbody-timeout = "4s"\n'
        'no-syncfs = true\nmax-in-flight = 3\ndurability = "none"\nallow-origin = ["https://a.example"]\n'
    )
    with Daemon(binary, tmp_path / "pickup", "--config", str(path), PMTAEMAIL_MAX_IN_FLIGHT="5") as daemon:
        entry = daemon.entries()[0]
        assert {name: entry[name] for name in ("pickup", "body_limit", "header_timeout_ms", "body_timeout_ms")} == {
            "pickup": str(tmp_path / "pickup"),
            "body_limit": 2000,
            "header_timeout_ms": 3000,
            "body_timeout_ms": 4000,
        }
        assert (entry["syncfs"], entry["max_in_flight"], entry["durability"]) == (False, 5, "none")
        assert daemon.post(MESSAGE, origin="https://a.example").status == 200
        assert daemon.post(MESSAGE, origin="https://b.example").status == 403


def test_files_have_the_mode_and_the_group_of_the_options(call: Callable, pickup: Path, start_daemon: Callable):
    # Who is not root may give files to his own groups alone.
    group = 4711 if os.geteuid() == 0 else os.getgid()
    options = ("--file-mode", "0604", "--file-group", str(group))
    assert start_daemon(*options).post(MESSAGE).status == 200
    assert call("submit", "--pickup", pickup, *options, stdin=MESSAGE).returncode == 0
    environment = {"PMTAEMAIL_PICKUP": str(pickup), "PMTAEMAIL_FILE_MODE": "604", "PMTAEMAIL_FILE_GROUP": str(group)}
    assert call("sendmail", "bo@example.org", stdin=b"Hello", **environment).returncode == 0
    files = [file.stat() for file in pickup.iterdir()]
    assert [(file.st_mode & 0o7777, file.st_gid) for file in files] == [(0o604, group)] * 3


def test_a_group_that_is_missing_ends_the_start(call: Callable, pickup: Path):
    done = call("serve", "--pickup", pickup, "--file-group", "no-such-group")
    assert done.returncode == 73
    assert b"cannot find the group of pickup files in /etc/group: there is no such group" in done.stderr


def test_a_switch_of_the_file_is_turned_off(shown: Callable, config: Callable):
    path = config("no-syncfs = true")
    assert shown("--config", path)[0]["no-syncfs"] is True
    assert shown("--config", path, "-no-syncfs=false")[0]["no-syncfs"] is False
    assert shown("--config", path, PMTAEMAIL_NO_SYNCFS="")[0]["no-syncfs"] is False
    assert shown("--no-syncfs")[0]["no-syncfs"] is True


def test_commands_take_the_file_too(call: Callable, config: Callable, pickup: Path):
    path = config(f'pickup = "{pickup}"\nlisten = ":1"\n')
    done = call("submit", "--config", path, stdin=MESSAGE)
    assert done.returncode == 0, done
    done = call("sendmail", "bo@example.org", stdin=b"Hello", PMTAEMAIL_CONFIG=str(path))
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(list(pickup.iterdir())) == 2


def test_sendmail_sends_whatever_the_file_says(call: Callable, config: Callable, pickup: Path):
    path = config(f'pickup = "{pickup}"\ndurability = "much"\nlisen = ":1"\n')
    done = call("sendmail", "bo@example.org", stdin=b"Hello", PMTAEMAIL_CONFIG=str(path))
    assert done.returncode == 0
    assert b":2:14: durability: expected one of" in done.stderr
    assert b":3:1: lisen is not an option" in done.stderr
    assert len(list(pickup.iterdir())) == 1


def test_without_options_nothing_is_read(call: Callable, shown: Callable):
    values, sources = shown()
    assert set(sources.values()) == {"default"}
    assert values["pickup"] == "/var/pickup"
    assert b"# config is not set" in call("config", "show").stdout
