"""Whether submissions were durable before they were answered, told from the system calls.

```text
one file       write < sync of the file < its name < sync of the directory < answer
several files  … < names in the private folder synced < record made < synced < first name < … < answer
under a key    … < names in the keyed folder synced < store written < store synced < first name < … < answer
```
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path

from strace import Call

LINKS = ("linkat", "link", "rename", "renameat", "renameat2")
SYNCS = ("fsync", "fdatasync")
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
# Ours, those of SparkPost's API (numbers) and of Resend's (UUID).
ID = re.compile(r"[0-9a-z-]{15,}")
SENT = ("write", "writev", "sendto", "sendmsg")


class Order:
    """The successful calls of a trace, found by the files that they are about."""

    def __init__(self, calls: list[Call], pickup: Path):
        self.pickup = str(pickup)
        self.links: dict[str, list[Call]] = defaultdict(list)
        self.syncs: dict[str, list[Call]] = defaultdict(list)
        self.writes: dict[str, list[Call]] = defaultdict(list)
        self.records: dict[str, list[Call]] = defaultdict(list)
        self.removals: dict[str, list[Call]] = defaultdict(list)
        self.folders: dict[str, Call] = {}
        self.opened: dict[int, list[Call]] = defaultdict(list)
        self.calls = [call for call in calls if call.result >= 0]
        for call in self.calls:
            self.add(call)
        # By their start, so that they can be searched.
        for syncs in self.syncs.values():
            syncs.sort(key=lambda call: call.started)

    def add(self, call: Call) -> None:
        if call.name in LINKS:
            for base in set(base_names(call)):
                self.links[base].append(call)
        elif call.name in SYNCS:
            self.syncs[call.path].append(call)
        elif call.name == "syncfs":
            # All of a file system.
            self.syncs[""].append(call)
        elif call.name.startswith(("write", "pwrite")):
            self.writes[call.path].append(call)
        elif call.name in ("open", "openat"):
            self.opened[call.result].append(call)
            if "O_CREAT" in call.arguments and "/decided-" in call.opened:
                self.records[call.opened].append(call)
        elif call.name == "unlink":
            self.removals[strings(call)[0]].append(call)
        elif call.name == "mkdir":
            self.folders[strings(call)[0]] = call

    def synced(self, path: str, after: int, before: int) -> bool:
        """Whether a file or directory was synced between two lines of the trace."""
        return any(
            call.ended < before
            for syncs in (self.syncs.get(path, []), self.syncs.get("", []))
            for call in from_line(syncs, after, before)
        )

    def last_write(self, path: str) -> int:
        return max((call.ended for call in self.writes.get(path, [])), default=-1)

    # ---- one file

    def file_faults(self, name: str, answered: Call) -> list[str]:
        """What is wrong with the order write < sync of the file < its name < sync of the directory < answer."""
        links = self.links.get(name, [])
        if len(links) != 1:
            return [f"the file gets its name {len(links)} times"]
        (link,) = links
        file = self.source(link)
        last = self.last_write(file)
        faults = []
        if last < 0:
            faults.append("nothing is written")
        if not self.synced(file, last, link.started):
            faults.append("the whole file is not synced before it has its name")
        if not self.synced(self.pickup, link.ended, answered.started):
            faults.append("the directory is not synced between the name and the answer")
        return faults

    def source(self, link: Call) -> str:
        """The path, as strace shows it, of the file that the call gives a name."""
        text = strings(link)[0]
        descriptor = re.fullmatch(r"/proc/(?:self|\d+)/fd/(\d+)", text)
        if descriptor:
            return [call for call in self.opened[int(descriptor[1])] if call.ended < link.started][-1].opened
        if text:
            return self.first_path(link, Path(text))
        # linkat(3</file>, "", …, AT_EMPTY_PATH)
        return link.path

    def first_path(self, link: Call, path: Path) -> str:
        """The path under which a file was written that had another name on its way: `path`, or an unnamed one."""
        for call in self.links.get(path.name, []):
            is_earlier = call.ended < link.started and path.name in base_names(call)[1:]
            if is_earlier and f"<{path.parent}>" in call.arguments:
                return self.source(call)
        return str(path)

    # ---- all of them, or none

    def record_faults(self, names: Iterable[str], answered: Call) -> list[str]:
        """What is wrong with the order by which all of several files appear, or none.

        data synced, names in the folder synced < record made < folder synced < first renaming;
        last renaming < directory and folder synced < record removed < answer
        """
        several = Several(self, list(names), ".private")
        if several.fault:
            return [several.fault]
        path = f"{several.folder}/decided-{several.number}"
        records, removals = self.records[path], self.removals[path]
        if len(records) != 1:
            return [f"there are {len(records)} records"]
        if len(removals) != 1:
            return [f"{len(removals)} records are removed"]
        (record,), (removal,) = records, removals
        faults = several.not_staged_before(record.started, "the record is made")
        if several.first < record.ended:
            faults.append("a file is visible before the record is made")
        if removal.started < several.last or removal.ended > answered.started:
            faults.append("the record is removed too early or too late")
        if not self.synced(several.folder, record.ended, several.first):
            faults.append("not synced: the record")
        return faults + several.not_synced_before(removal.started)

    def key_faults(self, names: Iterable[str], answered: Call) -> list[str]:
        """The same where the record of a key decides, in the store.

        data synced, names in the folder synced < record and head of the store written < store synced < first renaming;
        last renaming < directory and folder synced < answer
        """
        several = Several(self, list(names), ".keyed")
        if several.fault:
            return [several.fault]
        commit = self.commit_of(several.hash, several.first)
        if commit is None:
            return ["the store is not synced with the record of the key before a file is visible"]
        faults = several.not_staged_before(commit, "the record is written")
        return faults + several.not_synced_before(answered.started)

    def commit_of(self, key: str, before: int) -> int | None:
        """Where the writing of a key's record and of the store's head begins, which one sync makes durable together."""
        start = -1
        (store,) = self.stores
        written = [call for call in self.writes[store] if call.ended < before]
        for sync in [call for call in self.syncs.get(store, []) if call.ended < before]:
            together = [call for call in written if start < call.started and call.ended < sync.started]
            records = [call.started for call in together if key in call.arguments]
            heads = [call.started for call in together if call.arguments.endswith(", 0")]
            if records and heads:
                return min(records + heads)
            start = sync.ended
        return None

    @cached_property
    def stores(self) -> list[str]:
        return [path for path in self.writes if path.endswith("/keys.redb")]

    # ---- answers

    def answers(self, is_answer: Callable[[Call], bool]) -> dict[str, Call]:
        """By the identifiers that are in them: the first call that tells somebody of each."""
        found: dict[str, Call] = {}
        for call in self.calls:
            if call.name in SENT and is_answer(call):
                for id in ID.findall(call.arguments):
                    found.setdefault(id, call)
        return found


class Several:
    """The files of a submission that waits in a folder until something decides that all of them go on."""

    def __init__(self, order: Order, names: list[str], kind: str):
        self.order = order
        moves = [call for name in names for call in order.links.get(name, []) if call.name == "renameat2"]
        self.folder = str(Path(strings(moves[0])[0]).parent) if moves else ""
        staged = [base_names(call)[0] for call in moves]
        self.links = [
            link
            for base in staged
            for link in order.links[base]
            if link.name == "linkat" and self.folder in link.arguments
        ]
        count = len(names)
        self.fault = ""
        if not len(moves) == len(self.links) == count or not self.folder.endswith(kind):
            self.fault = f"of {count} files {len(self.links)} are staged, {len(moves)} moved on"
            return
        self.number, token = staged[0].split(".")[:2]
        # As strace shows bytes that are no text; the hash is in front.
        self.hash = "".join(f"\\x{token[at : at + 2]}" for at in range(0, 64, 2)) if kind == ".keyed" else ""
        if {tuple(base.split(".")[: 2 if self.hash else 1]) for base in staged} != (
            {(self.number, token)} if self.hash else {(self.number,)}
        ):
            self.fault = "not one record decides about all files"
        self.first = min(call.started for call in moves)
        self.last = max(call.ended for call in moves)
        self.named = max(call.ended for call in self.links)

    def not_staged_before(self, decided: int, what: str) -> list[str]:
        faults = [f"a file is staged after {what}"] if self.named > decided else []
        folder = Path(self.folder)
        made = self.order.folders.get(self.folder)
        if not self.order.synced(self.folder, self.named, decided):
            faults.append("not synced: names in the folder")
        if not self.order.synced(str(folder.parent), made.ended if made else -1, decided):
            faults.append("not synced: the folder's own name")
        files = [self.order.source(link) for link in self.links]
        if not all(self.order.synced(file, self.order.last_write(file), decided) for file in files):
            faults.append("not synced: the data")
        return faults

    def not_synced_before(self, line: int) -> list[str]:
        places = {"the pickup directory": self.order.pickup, "the folder that the files have left": self.folder}
        return [f"not synced: {what}" for what, path in places.items() if not self.order.synced(path, self.last, line)]


def strings(call: Call) -> list[str]:
    return STRING.findall(call.arguments)


def base_names(call: Call) -> list[str]:
    """The strings among the arguments, without folders."""
    return [text.rpartition("/")[2] for text in strings(call)]


def from_line(calls: list[Call], after: int, before: int) -> Iterable[Call]:
    """Those that start between two lines, of calls in the order of their starts."""
    for call in calls[bisect_right(calls, after, key=lambda call: call.started) :]:
        if call.started >= before:
            return
        yield call
