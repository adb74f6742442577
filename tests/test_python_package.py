"""The wheel: built by maturin, installed into an empty environment, used as README.md shows."""

import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import pmtaemail
from pickup_reader import read

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
EXAMPLE = re.compile(r"<!-- test: python package -->\s*```python\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheels")
    maturin = [Path(sys.executable).parent / "maturin", "build", "--quiet", "--out", out]
    subprocess.run(maturin, cwd=ROOT, check=True, timeout=600)
    (wheel,) = out.iterdir()
    return wheel


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that holds the wheel and nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    python = folder / "bin/python"
    command = [python, "-m", "pip", "install", "--quiet", "--no-index", "--disable-pip-version-check", wheel]
    subprocess.run(command, check=True, timeout=120)
    return python


def run(python: Path, code: str, folder: Path) -> str:
    """Runs a program that can reach neither this tree nor a compiler."""
    environment = {"PATH": str(python.parent), "HOME": str(folder)}
    done = subprocess.run(
        [python, "-I", "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_wheel_for_all_pythons(wheel: Path):
    name, version, python, abi, _ = wheel.stem.split("-")
    assert (name, version) == ("pmtaemail", pmtaemail.__version__)
    assert (python, abi) == ("cp311", "abi3")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"pmtaemail/py.typed", "pmtaemail/_native.pyi", "pmtaemail/django/backend.py"} <= set(names)
    (entry_points,) = [name for name in names if name.endswith(".dist-info/entry_points.txt")]
    assert zipfile.ZipFile(wheel).read(entry_points).decode().split() == ["[pytest11]", "pmtaemail=pmtaemail._pytest"]
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests/")]
    assert len([name for name in names if name.endswith(".so")]) == 1


def test_the_readme_example(python: Path, tmp_path: Path):
    """README's example, in a folder with a folder `pickup`."""
    examples = EXAMPLE.findall(README.read_text(encoding="utf-8")) if README.exists() else []
    if not examples:
        pytest.skip("README.md has no example for Python yet")
    pickup = tmp_path / "pickup"
    pickup.mkdir()
    for example in examples:
        run(python, example, tmp_path)
    assert list(pickup.iterdir())
    for file in pickup.iterdir():
        assert read(file.read_bytes()).recipients


def test_the_package_needs_nothing_else(python: Path, tmp_path: Path):
    code = "import sys, pmtaemail; print(pmtaemail.__version__, 'django' in sys.modules, pmtaemail.__file__)"
    version, django, file = run(python, code, tmp_path).split()
    assert (version, django) == (pmtaemail.__version__, "False")
    assert Path(file).is_relative_to(python.parent.parent)
