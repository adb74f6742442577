"""What is wrong with what a storm has left, given what was told and what was taken."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Taken:
    """A file that PowerMTA took: of which submission, and how many files that should have. No tag: it is not whole."""

    name: str
    tag: str | None
    files: int | None


@dataclass(frozen=True)
class Told:
    """A receipt."""

    tag: str
    id: str
    files: int

    @property
    def names(self) -> list[str]:
        if self.files == 1:
            return [f"{self.id}.eml"]
        return [f"{self.id}-{number}.eml" for number in range(1, self.files + 1)]


@dataclass(frozen=True)
class Verdict:
    """Names of files, tags of submissions, paths."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    partial: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)


def judge(
    told: Iterable[Told], taken: Iterable[Taken], left_over: Iterable[str] = (), keys: Iterable[str] = ()
) -> Verdict:
    """Each file once, of each submission all files or none, what was told there, under a tag one submission, and under
    a key one that was told: it is tried again until then."""
    names: Counter[str] = Counter()
    submissions: dict[str, set[str]] = defaultdict(set)
    wanted: dict[str, int] = {}
    broken = []
    for file in taken:
        names[file.name] += 1
        if file.tag is None or file.files is None:
            broken.append(file.name)
            continue
        submissions[file.tag].add(file.name)
        wanted[file.tag] = file.files
    receipts = {(one.tag, one.id): one for one in told}
    answered = {tag for tag, _ in receipts}
    return Verdict(
        lost=sorted(name for one in receipts.values() for name in one.names if name not in names),
        doubled=sorted(
            [name for name, count in names.items() if count > 1]
            + [tag for tag, files in submissions.items() if len(files) > wanted[tag]]
        ),
        partial=sorted(broken + [tag for tag, files in submissions.items() if len(files) < wanted[tag]]),
        left_over=sorted(left_over),
        unanswered=sorted(key for key in keys if key not in answered),
    )
