"""What `make install` and `make deb` install: whole, right, and gone again.

The program is the one under test, not a release. The Debian package is installed, run and purged in a copy of this very
system: an overlay in a mount namespace of its own, of which nothing remains. There is no systemd at work in it: what
the unit says is checked by systemd-analyze, and its command is run as its user.
"""

import json
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon import TIMEOUT

ROOT = Path(__file__).parent.parent
UNIT = "lib/systemd/system/pmtaemailapi.service"
# So many files that they wait in the staging folder.
MERGE = {
    "from": "ann@example.com",
    "subject": "Hello {{ name }}",
    "template": "merge",
    "merge": "expanded",
    "recipients": [{"address": f"bo{n}@example.org", "variables": {"name": f"Bo {n}"}} for n in range(100)],
}


def needs(*commands: str) -> pytest.MarkDecorator:
    missing = [command for command in commands if shutil.which(command, path=f"{os.environ['PATH']}:/usr/sbin") is None]
    return pytest.mark.skipif(bool(missing) and os.environ.get("CI") != "true", reason=f"without {', '.join(missing)}")


def package(script: str, binary: Path, **environment: str) -> str:
    generate = binary.parent / "examples/generate"
    assert generate.exists(), f"{generate} is missing: `make build`"
    environment = {**os.environ, "BINARY": str(binary), "GENERATE": str(generate), **environment}
    done = subprocess.run([ROOT / "packaging" / script], env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().strip()


@pytest.fixture(scope="module")
def installed(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root that everything was installed into."""
    root = tmp_path_factory.mktemp("root")
    package("install", binary, DESTDIR=str(root), PREFIX="/opt/mail")
    return root


def test_everything_is_installed(installed: Path):
    files = {str(path.relative_to(installed)): path for path in installed.rglob("*") if path.is_file()}
    for name in [
        "etc/pmtaemail/pmtaemailapi.toml",
        "opt/mail/bin/pmtaemailapi",
        f"opt/mail/{UNIT}",
        f"opt/mail/{UNIT.replace('.service', '.socket')}",
        "opt/mail/lib/sysusers.d/pmtaemailapi.conf",
        "opt/mail/lib/tmpfiles.d/pmtaemailapi.conf",
        "opt/mail/share/bash-completion/completions/pmtaemailapi",
        "opt/mail/share/man/man1/pmtaemailapi.1",
        "opt/mail/share/man/man1/pmtaemailapi-config-show.1",
        "opt/mail/share/doc/pmtaemailapi/options.md",
        "opt/mail/share/pmtaemailapi/grafana/pmtaemail.json",
        "opt/mail/share/pmtaemailapi/prometheus/alerts.yml",
        "opt/mail/share/doc/pmtaemailapi/idempotency.md",
    ]:
        mode = files[name].stat().st_mode & 0o777
        assert mode == (0o755 if name.endswith("bin/pmtaemailapi") else 0o644), name
    assert "ExecStart=/opt/mail/bin/pmtaemailapi serve " in files[f"opt/mail/{UNIT}"].read_text()


def test_the_configuration_is_right_and_stays_as_a_site_wrote_it(installed: Path, binary: Path):
    path = installed / "etc/pmtaemail/pmtaemailapi.toml"
    done = subprocess.run([binary, "config", "check", path], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert tomllib.loads(path.read_text()) == {"pickup": "/var/spool/pmtaemail/pickup"}
    before = path.read_text()
    path.write_text('listen = ":8025"\n')
    package("install", binary, DESTDIR=str(installed), PREFIX="/opt/mail")
    assert path.read_text() == 'listen = ":8025"\n'
    path.write_text(before)


@needs("man")
def test_manual_pages_are_read_without_a_warning(installed: Path):
    pages = sorted((installed / "opt/mail/share/man/man1").iterdir())
    assert len(pages) > 8
    shown = {}
    for page in pages:
        done = subprocess.run(
            ["man", "--local-file", "--warnings", "--encoding=UTF-8", page],
            capture_output=True,
            env={**os.environ, "MANWIDTH": "100", "LC_ALL": "C.UTF-8"},
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b""), page
        shown[page.stem] = done.stdout.decode()
    assert "PMTAEMAIL_MAX_CONNECTIONS" in shown["pmtaemailapi"]
    assert "PMTAEMAIL_CONFIG" in shown["pmtaemailapi-config-show"]


def test_completions_know_the_options(installed: Path):
    script = installed / "opt/mail/share/bash-completion/completions/pmtaemailapi"
    ask = f"""source {script}
COMP_WORDS=(pmtaemailapi config show --max-) COMP_CWORD=3
_pmtaemailapi pmtaemailapi --max- show
printf '%s\\n' "${{COMPREPLY[@]}}" """
    done = subprocess.run(["bash", "-euc", ask], capture_output=True, check=True)
    options = set(done.stdout.decode().split())
    assert options >= {"--max-in-flight", "--max-bytes-in-flight", "--max-connections", "--max-depth"}
    assert all(option.startswith("--max-") for option in options)


class System:
    """A copy of this system that is gone when its process ends."""

    MAKE = """
        mount -t tmpfs tmpfs "$1" && cd "$1" && mkdir upper work root
        mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
        mount --rbind /proc root/proc && mount --rbind /dev root/dev
        echo ready && exec cat
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-euc", self.MAKE, "sh", folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        if self.process.stdout.readline() != b"ready\n":
            self.end()
            pytest.skip("nothing may be mounted here")

    def end(self) -> None:
        self.process.communicate()

    def command(self, *words: str) -> list[str]:
        inside = ["nsenter", f"--mount=/proc/{self.process.pid}/ns/mnt", "chroot", f"{self.folder}/root"]
        return [*inside, *words]

    def run(self, *words: str) -> str:
        done = subprocess.run(self.command(*words), capture_output=True, check=False, timeout=TIMEOUT)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout.decode()

    def changed(self) -> set[str]:
        """What is there now and was not, or has another content."""
        upper = Path(f"/proc/{self.process.pid}/root{self.folder}/upper")
        kept = re.compile(
            r"(var/lib/dpkg|var/log|var/cache/(man|ldconfig)|run|etc/(passwd|group|shadow|gshadow|\.pwd))"
        )
        names = {str(path.relative_to(upper)) for path in upper.rglob("*") if not path.is_dir() or path.is_symlink()}
        folders = {str(path.relative_to(upper)) for path in upper.rglob("*pmtaemail*")}
        return {name for name in names | folders if not kept.match(name)}


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    folder = tmp_path / "system"
    folder.mkdir()
    system = System(folder)
    yield system
    system.end()


@needs(
    "dpkg-deb",
    "dpkg-shlibdeps",
    "deb-systemd-helper",
    "systemd-sysusers",
    "systemd-tmpfiles",
    "systemd-analyze",
    "setpriv",
)
def test_the_debian_package_is_installed_run_and_purged(system: System, binary: Path, tmp_path: Path):
    deb = package("deb", binary, FOLDER=str(tmp_path / "deb"), COMPRESSION="-Znone")
    # Triggers index all manual pages of the system.
    dpkg = ("dpkg", "--no-triggers")
    system.run(*dpkg, "--install", deb)
    assert "install ok installed" in system.run("dpkg-query", "--show", "--showformat=${Status}", "pmtaemailapi")
    assert system.run("dpkg", "--verify", "pmtaemailapi") == ""
    assert system.run("systemctl", "is-enabled", "pmtaemailapi").strip() == "enabled"
    unit = f"/usr/{UNIT}"
    assert system.run("systemd-analyze", "verify", "--man=no", unit, unit.replace(".service", ".socket")) == ""
    # From 0, all that can be closed is, to 100.
    system.run("systemd-analyze", "security", "--no-pager", "--offline=yes", "--threshold=20", unit)
    assert {"pmtaemail", "pmta"} <= set(system.run("id", "-Gn", "pmtaemail").split())

    assert_runs(system, unit)

    # An upgrade leaves the site's own configuration, and mail.
    config = "/etc/pmtaemail/pmtaemailapi.toml"
    system.run("sh", "-c", f"echo 'drain = 5' >> {config}")
    system.run(*dpkg, "--install", deb)
    assert "drain = 5" in system.run("cat", config)
    pickup = "/var/spool/pmtaemail/pickup"
    assert len(system.run("ls", pickup).split()) == 100
    system.run(*dpkg, "--remove", "pmtaemailapi")
    assert "drain = 5" in system.run("cat", config)
    assert len(system.run("ls", pickup).split()) == 100
    system.run("sh", "-c", f"rm {pickup}/*")
    system.run(*dpkg, "--purge", "pmtaemailapi")
    assert system.changed() == set()


def assert_runs(system: System, unit: str) -> None:
    """The unit's own command takes a message as the unit's user."""
    words = re.search(r"^ExecStart=(.*)$", system.run("cat", unit), re.M)[1].split()
    group = re.search(r"^Group=(.*)$", system.run("cat", unit), re.M)[1]
    user = (
        "setpriv",
        "--reuid=pmtaemail",
        f"--regid={group}",
        "--init-groups",
        "--bounding-set=-all",
        "--no-new-privs",
    )
    command = system.command("env", "PMTAEMAIL_LISTEN=127.0.0.1:0", *user, *words)
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, umask=0o007) as process:
        try:
            entry = json.loads(process.stderr.readline())
            assert (entry["event"], entry["pickup"]) == ("listening", "/var/spool/pmtaemail/pickup"), entry
            url = f"http://{entry['address']}/messages"
            done = subprocess.run(
                ["curl", "--silent", "--data-binary", "@-", url],
                input=json.dumps(MERGE).encode(),
                capture_output=True,
                check=True,
            )
            assert len(json.loads(done.stdout)["files"]) == 100, done.stdout
        finally:
            process.terminate()
        assert process.wait(TIMEOUT) == 0
    # PowerMTA reads them by its group.
    told = system.run("find", "/var/spool/pmtaemail/pickup", "-type", "f", "-printf", "%m %u %g\\n")
    assert told.splitlines() == ["660 pmtaemail pmta"] * 100
