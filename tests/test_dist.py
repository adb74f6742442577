"""What `make dist` made: each package installed into an empty place, where the first example of its README runs.

Skipped where nothing was made; `make dist-test` runs it with the slow ones. Programs of another processor are run where
qemu is.
"""

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from daemon import TIMEOUT
from pickup_reader import read

ROOT = Path(__file__).parent.parent
DIST = Path(os.environ.get("DIST", ROOT / "dist"))
MACHINE = os.uname().machine
DEBIAN = {"x86_64": "amd64", "aarch64": "arm64"}[MACHINE]
MESSAGE = {"from": "shop@example.com", "to": "ann@example.org", "subject": "Hello", "text": "Hi Ann"}
EXAMPLE = re.compile(r"^```(python|js)\n(.*?)^```", re.DOTALL | re.MULTILINE)

pytestmark = pytest.mark.skipif(not (DIST / "SHA256SUMS").exists(), reason="`make dist` was not run")


def one(pattern: str) -> Path:
    found = sorted(DIST.glob(pattern))
    if not found:
        pytest.skip(f"there is no {pattern}: its platform was left out")
    assert len(found) == 1, found
    return found[0]


def run(*command: object, folder: Path, stdin: bytes = b"", **environment: str) -> str:
    """Runs a command that can reach no tree and no tool of ours."""
    environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin", **environment}
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=folder, env=environment, input=stdin, capture_output=True, check=False, timeout=900
    )
    assert done.returncode == 0, (words, done.stdout.decode(), done.stderr.decode())
    return done.stdout.decode()


def first_example(readme: str) -> str:
    return EXAMPLE.search(readme)[2]


def assert_submitted(pickup: Path) -> None:
    files = list(pickup.iterdir())
    assert files
    assert all(read(file.read_bytes()).recipients for file in files)


def assert_program_works(program: list[object], folder: Path) -> None:
    """The commands of README's first minute."""
    pickup = folder / "pickup"
    pickup.mkdir(exist_ok=True)
    (folder / "message.json").write_text(json.dumps(MESSAGE))
    run(*program, "check", "message.json", folder=folder)
    assert "Subject: Hello\r\n" in run(*program, "render", "message.json", folder=folder)
    receipt = json.loads(run(*program, "submit", "-pickup", "pickup", "message.json", folder=folder))
    assert [file.name for file in pickup.iterdir()] == receipt["files"]
    assert_submitted(pickup)


def environment(folder: Path, package: Path, *options: str) -> Path:
    """A Python that has this package and nothing else."""
    venv.create(folder, with_pip=True)
    python = folder / "bin/python"
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *options, package]
    run(*command, folder=folder, PATH=os.environ["PATH"], HOME=os.environ["HOME"])
    return python


def test_the_sums_are_those_of_the_files():
    lines = (DIST / "SHA256SUMS").read_text().splitlines()
    told = {name: digest for digest, name in (line.split("  ") for line in lines)}
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in DIST.iterdir() if path.is_file()}
    del files["SHA256SUMS"]
    assert told == files


def names(package: Path) -> list[str]:
    if package.suffix == ".whl":
        return zipfile.ZipFile(package).namelist()
    if package.suffix == ".deb":
        listed = subprocess.run(["dpkg-deb", "--contents", package], capture_output=True, check=True).stdout.decode()
        return [line.split()[-1] for line in listed.splitlines()]
    with tarfile.open(package) as archive:
        return archive.getnames()


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="without dpkg-deb")
def test_each_package_has_the_licences():
    packages = [path for path in DIST.iterdir() if path.name.endswith((".whl", ".gz", ".tgz", ".deb"))]
    assert packages
    for package in packages:
        files = {Path(name).name for name in names(package)}
        licences = {"copyright"} if package.suffix == ".deb" else {"LICENSE-MIT", "LICENSE-APACHE"}
        assert licences <= files, package.name
        # What holds nothing that is compiled holds nothing of others.
        compiled = not re.fullmatch(r"pmtaemail-[\d.]+\.(tar\.gz|tgz)", package.name)
        assert any(name.startswith("THIRD-PARTY-NOTICES") for name in files) == compiled, package.name


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="the wheels are CPython's")
def test_the_wheel_with_the_command(tmp_path: Path):
    python = environment(tmp_path / "environment", one(f"*-manylinux_2_17_{MACHINE}.*.whl"), "--no-index")
    (tmp_path / "pickup").mkdir()
    run(python, "-I", "-c", first_example((ROOT / "python/README.md").read_text()), folder=tmp_path)
    assert_submitted(tmp_path / "pickup")
    for name, command in {
        "script": [python.parent / "pmtaemailapi"],
        "module": [python, "-I", "-m", "pmtaemail"],
    }.items():
        folder = tmp_path / name
        folder.mkdir()
        assert_program_works(command, folder)
    # What the program says with its exit code, Python's module says as well.
    done = subprocess.run(
        [python, "-m", "pmtaemail", "render", "missing.json"], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 66, done.stderr


def test_the_source_distribution(tmp_path: Path, long: bool):
    package = one("pmtaemail-*.tar.gz")
    with tarfile.open(package) as archive:
        told = {name.partition("/")[2] for name in archive.getnames()}
    assert {"PKG-INFO", "pyproject.toml", "Cargo.lock", "python/pmtaemail/__main__.py", "core/src/lib.rs"} <= told
    if not long:
        pytest.skip("building it takes minutes: --long")
    # The build's own requirement is the one thing that comes from elsewhere.
    python = environment(tmp_path / "environment", package)
    (tmp_path / "pickup").mkdir()
    run(python, "-I", "-c", first_example((ROOT / "python/README.md").read_text()), folder=tmp_path)
    assert_submitted(tmp_path / "pickup")
    done = subprocess.run([python, "-m", "pmtaemail"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (69, "")
    assert "has no command `pmtaemailapi`" in done.stderr


@pytest.mark.skipif(shutil.which("npm") is None, reason="without npm")
def test_the_packages_of_npm(tmp_path: Path):
    cpu = {"x86_64": "x64", "aarch64": "arm64"}[MACHINE]
    main = one("pmtaemail-[0-9]*.tgz")
    packages = [main, one(f"pmtaemail-linux-{cpu}-gnu-*.tgz")]
    (tmp_path / "package.json").write_text('{"private": true}')
    install = ["npm", "install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", *packages]
    run(*install, folder=tmp_path, PATH=os.environ["PATH"])
    (tmp_path / "example.cjs").write_text(first_example((ROOT / "node/README.md").read_text()))
    (tmp_path / "pickup").mkdir()
    run("node", "example.cjs", folder=tmp_path, PATH=os.environ["PATH"])
    assert_submitted(tmp_path / "pickup")

    installed = tmp_path / "node_modules"
    manifest = json.loads((installed / "pmtaemail/package.json").read_text())
    version = manifest["version"]
    assert manifest["optionalDependencies"] == {
        f"@pmtaemail/linux-{cpu}-{libc}": version for cpu in ("x64", "arm64") for libc in ("gnu", "musl")
    }
    assert "dependencies" not in manifest
    part = json.loads((installed / f"@pmtaemail/linux-{cpu}-gnu/package.json").read_text())
    assert (part["version"], part["os"], part["cpu"], part["libc"]) == (version, ["linux"], [cpu], ["glibc"])

    # Where npm left out the platform's package, the error says what to do.
    shutil.rmtree(installed / "@pmtaemail")
    done = subprocess.run(["node", "example.cjs"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "--omit=optional" in done.stderr


def unpacked(package: Path, folder: Path) -> Path:
    folder.mkdir()
    with tarfile.open(package) as archive:
        archive.extractall(folder, filter="data")
    (top,) = folder.iterdir()
    return top


@pytest.mark.parametrize("libc", ["gnu-glibc2.17", "musl"])
def test_the_tarball_of_the_daemon(libc: str, tmp_path: Path):
    package = one(f"pmtaemailapi-*-{MACHINE}-unknown-linux-{libc}.tar.gz")
    top = unpacked(package, tmp_path / "unpacked")
    assert package.name == f"{top.name}.tar.gz"
    files = {str(path.relative_to(top)) for path in top.rglob("*") if path.is_file()}
    for name in [
        "bin/pmtaemailapi",
        "lib/systemd/system/pmtaemailapi.service",
        "share/man/man1/pmtaemailapi.1",
        "share/bash-completion/completions/pmtaemailapi",
        "share/pmtaemailapi/pmtaemailapi.toml",
        "share/doc/pmtaemailapi/README.md",
        "share/doc/pmtaemailapi/packages.md",
    ]:
        assert name in files, name
    assert not [name for name in files if name.startswith("etc/")]
    assert_program_works([top / "bin/pmtaemailapi"], tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change its root")
def test_the_static_program_in_an_empty_root(tmp_path: Path):
    """What a container made of Containerfile holds; there is no container engine in the test."""
    top = unpacked(one(f"pmtaemailapi-*-{MACHINE}-unknown-linux-musl.tar.gz"), tmp_path / "unpacked")
    root = tmp_path / "root"
    recipe = (DIST / "Containerfile").read_text()
    copies = re.findall(r"^COPY (\S+) (\S+)$", recipe, re.MULTILINE)
    for source, target in copies:
        path = root / target.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (top / source).is_dir() else shutil.copy
        copy(top / source, path)
    (entry,) = json.loads(re.search(r"^ENTRYPOINT (.*)$", recipe, re.MULTILINE)[1])
    variables = dict(word.split("=") for word in re.search(r"^ENV (.*)$", recipe, re.MULTILINE)[1].split())
    pickup = root / variables["PMTAEMAIL_PICKUP"].lstrip("/")
    pickup.mkdir(parents=True)
    inside = ["/usr/sbin/chroot", root, entry]
    run(*inside, "submit", folder=tmp_path, stdin=json.dumps(MESSAGE).encode(), **variables)
    assert_submitted(pickup)

    command = [*json.loads(re.search(r"^CMD (.*)$", recipe, re.MULTILINE)[1])]
    variables["PMTAEMAIL_LISTEN"] = "127.0.0.1:0"
    words = [str(word) for word in [*inside, *command]]
    with subprocess.Popen(words, env=variables, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        try:
            address = json.loads(process.stderr.readline())["address"]
            url = f"http://{address}/messages"
            posted = ["curl", "--silent", "--fail", "--data-binary", "@-", url]
            assert json.loads(run(*posted, folder=tmp_path, stdin=json.dumps(MESSAGE).encode()))["recipients"] == 1
        finally:
            process.terminate()
        assert process.wait(TIMEOUT) == 0
    assert len(list(pickup.iterdir())) == 2


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("buildah") is None, reason="needs root and buildah")
def test_the_container(tmp_path: Path):
    """Built as docs/packages.md builds it. Few machines let an engine run it: the program runs in its root alone."""
    top = unpacked(one(f"pmtaemailapi-*-{MACHINE}-unknown-linux-musl.tar.gz"), tmp_path / "unpacked")
    buildah = ["/usr/bin/buildah", "--storage-driver=vfs", f"--root={tmp_path}/root", f"--runroot={tmp_path}/runroot"]
    build = ["build", "--quiet", "--isolation=chroot", f"--file={DIST}/Containerfile", "--tag=pmtaemailapi"]
    run(*buildah, *build, top, folder=tmp_path)
    container = run(*buildah, "from", "localhost/pmtaemailapi", folder=tmp_path).strip()
    spool = tmp_path / "spool"
    (spool / "pickup").mkdir(parents=True)
    try:
        config = json.loads(run(*buildah, "inspect", container, folder=tmp_path))["OCIv1"]["config"]
        assert [*config["Entrypoint"], *config["Cmd"]] == ["/usr/bin/pmtaemailapi", "serve"]
        start = ["run", "--isolation=chroot", f"--volume={spool}:/var/spool/pmta", container]
        program = config["Entrypoint"]
        submit = [*buildah, *start, *program, "submit"]
        receipt = json.loads(run(*submit, folder=tmp_path, stdin=json.dumps(MESSAGE).encode()))
        assert [file.name for file in (spool / "pickup").iterdir()] == receipt["files"]
        assert_submitted(spool / "pickup")
    finally:
        run(*buildah, "rm", container, folder=tmp_path)


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="without dpkg-deb")
def test_the_debian_package(tmp_path: Path):
    package = one(f"pmtaemailapi_*_{DEBIAN}.deb")
    fields = subprocess.run(["dpkg-deb", "--field", package, "Depends"], capture_output=True, text=True, check=True)
    assert "libc6 (>= 2." in fields.stdout
    root = tmp_path / "root"
    subprocess.run(["dpkg-deb", "--extract", package, root], check=True)
    assert_program_works([root / "usr/bin/pmtaemailapi"], tmp_path)


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mmdebstrap") is None, reason="needs root and mmdebstrap")
def test_a_stranger_with_an_empty_debian(tmp_path: Path, long: bool):
    """Installs the package with apt, sends README's first mail and finds the metrics."""
    if not long:
        pytest.skip("an empty Debian takes minutes: --long")
    root = tmp_path / "debian"
    codename = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    package = one(f"pmtaemailapi_*_{DEBIAN}.deb")
    make = [
        "mmdebstrap",
        "--quiet",
        "--mode=root",
        "--variant=minbase",
        "--include=ca-certificates,curl",
        codename,
        root,
    ]
    if subprocess.run(make, capture_output=True, check=False).returncode:
        pytest.skip("no archive of Debian can be reached")
    shutil.copy(package, root / "root")
    # As in a container, /proc is there and no service manager is.
    mount = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
    inside = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", mount, root]
    path = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"}
    run(*inside, "apt-get", "update", folder=tmp_path, **path)
    run(*inside, "apt-get", "install", "--yes", f"/root/{package.name}", folder=tmp_path, **path)
    (root / "var/pickup").mkdir()
    words = [str(word) for word in [*inside, "pmtaemailapi", "-listen", "127.0.0.1:0", "-pickup", "/var/pickup"]]
    with subprocess.Popen(words, env=path, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        try:
            address = json.loads(process.stderr.readline())["address"]
            readme = (root / "usr/share/doc/pmtaemailapi/README.md").read_text(encoding="utf-8")
            example = re.search(r"<!-- test: curl -->\s*```sh\n(.*?)```", readme, re.DOTALL)[1]
            command = example.replace("127.0.0.1:8000", address)
            run(*inside, "sh", "-euc", command, folder=tmp_path, **path)
            metrics = run(*inside, "curl", "--silent", f"http://{address}/metrics", folder=tmp_path, **path)
        finally:
            # With it ends all that is inside.
            process.kill()
    assert 'pmtaemail_submissions_total{api="messages",outcome="accepted"} 1' in metrics
    assert_submitted(root / "var/pickup")


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_programs_of_other_processors_under_qemu(machine: str, tmp_path: Path):
    if machine == MACHINE:
        pytest.skip("this machine's own is run as it is")
    qemu = shutil.which(f"qemu-{machine}-static")
    top = unpacked(one(f"pmtaemailapi-*-{machine}-unknown-linux-musl.tar.gz"), tmp_path / "unpacked")
    program = (top / "bin/pmtaemailapi").read_bytes()
    assert int.from_bytes(program[18:20], "little") == {"x86_64": 62, "aarch64": 183}[machine]
    if qemu is None:
        pytest.skip("without qemu")
    assert_program_works([qemu, top / "bin/pmtaemailapi"], tmp_path)
