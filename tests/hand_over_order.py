"""Whether a file was durable before it was acknowledged, told from the system calls."""

import re
from pathlib import Path

from strace import Call

LINKS = ("linkat", "link", "rename", "renameat", "renameat2")
SYNCS = ("fsync", "fdatasync")


def order_faults(calls: list[Call], pickup: Path, name: str, answered: Call) -> list[str]:
    """What is wrong with the order write < sync of the file < its name < sync of the directory < answer."""
    links = [call for call in calls if call.name in LINKS and call.result == 0 and f'"{name}"' in base_names(call)]
    if len(links) != 1:
        return [f"the file gets its name {len(links)} times"]
    (link,) = links
    file = source(calls, link)
    writes = [call for call in calls if call.name.startswith(("write", "pwrite")) and call.path == file]
    faults = []
    if not writes:
        faults.append("nothing is written")
    last = max((call.ended for call in writes), default=0)
    if not any(last < sync.started and sync.ended < link.started for sync in syncs_of(calls, file)):
        faults.append("the whole file is not synced before it has its name")
    if not any(link.ended < sync.started and sync.ended < answered.started for sync in syncs_of(calls, str(pickup))):
        faults.append("the directory is not synced between the name and the answer")
    return faults


def base_names(call: Call) -> list[str]:
    """The strings among the arguments, without folders."""
    return [f'"{Path(text).name}"' for text in re.findall(r'"((?:[^"\\]|\\.)*)"', call.arguments)]


def syncs_of(calls: list[Call], path: str) -> list[Call]:
    """Successful syncs of a file or directory; `syncfs` syncs all of a file system."""
    return [
        call
        for call in calls
        if call.result == 0 and (call.name in SYNCS and call.path == path or call.name == "syncfs")
    ]


def source(calls: list[Call], link: Call) -> str:
    """The path, as strace shows it, of the file that the call gives a name."""
    text = re.findall(r'"((?:[^"\\]|\\.)*)"', link.arguments)[0]
    descriptor = re.fullmatch(r"/proc/(?:self|\d+)/fd/(\d+)", text)
    if descriptor:
        opened = [
            call
            for call in calls
            if call.name in ("open", "openat") and call.result == int(descriptor[1]) and call.ended < link.started
        ]
        return opened[-1].opened
    if text:
        return first_path(calls, link, Path(text))
    # linkat(3</file>, "", …, AT_EMPTY_PATH)
    return link.path


def first_path(calls: list[Call], link: Call, path: Path) -> str:
    """The path under which a file was written that had another name on its way: `path` itself, or an unnamed one."""
    for call in calls:
        is_earlier = call.name in LINKS and call.result == 0 and call.ended < link.started
        if is_earlier and f"<{path.parent}>" in call.arguments and f'"{path.name}"' in base_names(call)[1:]:
            return source(calls, call)
    return str(path)


def record_faults(calls: list[Call], pickup: Path, names: list[str], answered: Call) -> list[str]:
    """What is wrong with the order by which all of several files appear, or none.

    data synced, names in the folder synced < record made < folder synced < first renaming;
    last renaming < directory and folder synced < record removed < answer
    """
    records = [
        call for call in calls if call.name == "openat" and "O_CREAT" in call.arguments and "/decided-" in call.opened
    ]
    if len(records) != 1:
        return [f"there are {len(records)} records"]
    (record,) = records
    folder = str(Path(record.opened).parent)
    wanted = {f'"{name}"' for name in names}
    moves = [
        call
        for call in calls
        if call.name == "renameat2" and call.result == 0 and wanted.intersection(base_names(call)[-1:])
    ]
    staged = [call for call in calls if call.name == "linkat" and call.result == 0 and f"<{folder}>" in call.arguments]
    removals = [call for call in calls if call.name == "unlink" and "/decided-" in call.arguments]
    if not len(moves) == len(staged) == len(names) or len(removals) != 1:
        return [f"{len(staged)} files are staged, {len(moves)} moved on, {len(removals)} records removed"]
    (removal,) = removals
    first, last = moves[0].started, max(call.ended for call in moves)
    faults = []
    if any(call.ended > record.started for call in staged):
        faults.append("a file is staged after the record is made")
    if first < record.ended:
        faults.append("a file is visible before the record is made")
    if removal.started < last or removal.ended > answered.started:
        faults.append("the record is removed too early or too late")

    def synced(path: str, after: int, before: int) -> bool:
        return any(after < sync.started and sync.ended < before for sync in syncs_of(calls, path))

    named = max(call.ended for call in staged)
    for what, path, after, before in [
        ("names in the folder", folder, named, record.started),
        ("the folder's own name", str(Path(folder).parent), 0, record.started),
        ("the record", folder, record.ended, first),
        ("the pickup directory", str(pickup), last, removal.started),
        ("the folder that the files have left", folder, last, removal.started),
    ]:
        if not synced(path, after, before):
            faults.append(f"not synced: {what}")
    if any(not synced(source(calls, call), 0, record.started) for call in staged):
        faults.append("not synced: the data")
    return faults
