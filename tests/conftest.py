"""What all tests share: the binary under test, a daemon, the doors, the foreign parsers."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from browser import Browser, Page
from cut_network import steady
from daemon import Daemon
from doors import Command, Door, Http, Node, NodeJson, NodeProcess, Python, PythonJson
from fleet import Fleet
from readers import ForeignReaders

ROOT = Path(__file__).parent.parent
DOORS = ("command", "http", "python", "python-json", "node", "node-json")

# Schedules are written in the time of the host; the expected files are of this one.
os.environ["TZ"] = "Europe/Berlin"
time.tzset()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-cases", action="store_true", help="write the expected files of the cases anew, for a person to review"
    )
    parser.addoption("--long", action="store_true", help="kill, flood and fill for as long as it takes to be believed")


@pytest.fixture(scope="session")
def binary() -> Path:
    """The program under test: `PMTAEMAILAPI` when set, otherwise what cargo built for development."""
    path = Path(os.environ.get("PMTAEMAILAPI", ROOT / "target/debug/pmtaemailapi")).absolute()
    assert path.exists(), f"{path} is missing: run `cargo build` first"
    return path


@pytest.fixture(scope="session")
def long(pytestconfig: pytest.Config) -> bool:
    """Whether tests that are bounded in `make test` take their time: `pytest --long`."""
    return pytestconfig.getoption("--long")


@pytest.fixture
def start_daemon(binary: Path, tmp_path: Path) -> Iterator[Callable[..., Daemon]]:
    """Starts daemons that end with the test; each has the pickup directory `tmp_path/pickup` unless told otherwise."""
    with ExitStack() as stack:

        def start(*arguments: str, pickup: Path = tmp_path / "pickup", **options: object) -> Daemon:
            pickup.mkdir(exist_ok=True)
            return stack.enter_context(Daemon(binary, pickup, *arguments, **options))

        yield start


@pytest.fixture
def daemon(start_daemon: Callable[..., Daemon]) -> Daemon:
    """A daemon of the test's own."""
    return start_daemon()


@pytest.fixture(scope="session")
def shared_daemon(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One daemon for all tests that leave nothing behind in its pickup directory."""
    with Daemon(binary, tmp_path_factory.mktemp("pickup")) as daemon:
        yield daemon


@pytest.fixture
def start_fleet(binary: Path, tmp_path: Path) -> Iterator[Callable[..., Fleet]]:
    """Starts a fleet that ends with the test."""
    with ExitStack() as stack:
        yield lambda *init, **options: stack.enter_context(Fleet(binary, tmp_path, *init, **options))


@pytest.fixture
def fleet(start_fleet: Callable[..., Fleet]) -> Fleet:
    return start_fleet()


@pytest.fixture(scope="session")
def readers() -> Iterator[ForeignReaders]:
    """The parsers that nobody here wrote."""
    with ForeignReaders() as readers:
        yield readers


@pytest.fixture(scope="session")
def node_process() -> Iterator[NodeProcess]:
    """The package for Node, which `node/build.mjs` builds."""
    with NodeProcess() as process:
        yield process


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest, binary: Path) -> Door:
    """Each door in turn. A new door is one class in `doors.py`, one name in `DOORS`, one line here."""
    if request.param == "command":
        return Command(binary)
    if request.param in (Python.name, PythonJson.name):
        return Python() if request.param == Python.name else PythonJson()
    if request.param in (Node.name, NodeJson.name):
        process = request.getfixturevalue("node_process")
        return Node(process) if request.param == Node.name else NodeJson(process)
    return Http(request.getfixturevalue("shared_daemon"))


@pytest.fixture
def run(binary: Path, tmp_path: Path):
    """Runs the program in an empty folder."""

    def run(*arguments: str | Path, stdin: bytes = b"", **options: object) -> subprocess.CompletedProcess:
        return subprocess.run(
            [binary, *arguments], input=stdin, capture_output=True, cwd=tmp_path, check=False, timeout=60, **options
        )

    return run


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium for all pages."""
    with Browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def network_lock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of all workers of a run."""
    return tmp_path_factory.getbasetemp().parent / "network.lock"


@pytest.fixture
def steady_network(network_lock: Path) -> Iterator[None]:
    with steady(network_lock):
        yield


@pytest.fixture
def visit(steady_network: None, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens the preview of a daemon. At the end of a test no script has failed, nothing was against the page's own
    policy, and no dialog and no window has opened."""
    pages = []

    def visit(daemon: Daemon, place: str = "", **options: object) -> Page:
        page = browser.open(**options)
        pages.append(page)
        page.goto(f"{daemon.url}/preview{place}")
        page.begun()
        return page

    yield visit
    for page in pages:
        told, broken = page.told(), page.evaluate("brokenPolicies")
        page.close()
        assert [line for line in told if not line.startswith("saved: ")] == []
        assert broken == []


@pytest.fixture
def previewing(start_daemon: Callable[..., Daemon]) -> Daemon:
    """A daemon of the test's own that shows messages."""
    return start_daemon("--preview")


@pytest.fixture
def pickup(tmp_path: Path) -> Path:
    path = tmp_path / "pickup"
    path.mkdir(exist_ok=True)
    return path


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts small file systems, with a pickup directory each."""
    with ExitStack() as stack:

        def mount(options: str) -> Path:
            folder = tmp_path / "disk"
            folder.mkdir()
            done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=False)
            if done.returncode != 0:
                pytest.skip("nothing may be mounted here")
            stack.callback(subprocess.run, ["umount", "-l", folder], check=True)
            (folder / "pickup").mkdir()
            return folder

        yield mount
