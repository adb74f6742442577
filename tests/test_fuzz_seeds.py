"""What the fuzz targets begin with can be collected: `make fuzz` runs seldom, and must not find out then."""

import subprocess
import sys
from pathlib import Path

FUZZ = Path(__file__).parent.parent / "fuzz"


def test_each_target_has_seeds_and_a_dictionary(tmp_path: Path):
    subprocess.run([sys.executable, FUZZ / "prepare.py", tmp_path], check=True)
    targets = sorted(path.stem for path in (FUZZ / "fuzz_targets").glob("*.rs"))
    assert sorted(path.stem for path in (tmp_path / "dictionaries").iterdir()) == targets
    seeds = {path.name: [file.name for file in path.iterdir()] for path in (tmp_path / "seeds").iterdir()}
    assert sorted(seeds) == targets
    assert all(seeds.values())
    assert any(name.startswith("hostile-") for name in seeds["message"])
