"""The cases of `tests/cases`, which are folders."""

from pathlib import Path

import pytest

from not_yet import NOT_YET

CASES = sorted(path.parent for path in (Path(__file__).parents[1] / "cases").glob("*/message.json"))
GOOD = [case for case in CASES if not case.name.startswith("problem_")]
MERGES = [case for case in GOOD if case.name.startswith("merge_")]


def cases(which: list[Path]) -> pytest.MarkDecorator:
    """The test runs on each of the cases."""
    return pytest.mark.parametrize(
        "case",
        [
            pytest.param(case, id=case.name, marks=pytest.mark.xfail(reason=NOT_YET[case.name]))
            if case.name in NOT_YET
            else pytest.param(case, id=case.name)
            for case in which
        ],
    )
