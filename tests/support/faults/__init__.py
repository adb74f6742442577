"""What fails in production, and its end: each fault of the tables in the documentation is brought about and mended."""

from collections.abc import Callable

from faults import clients, directory, host, powermta, store

# The usual ones of docs/faults.md.
FAULTS: dict[str, Callable] = {
    "the pickup directory is missing": directory.missing,
    "the disk is full": directory.full,
    "it has no inodes left": directory.no_inodes,
    "it is read-only": directory.read_only,
    "too many open files": directory.too_many_files,
    "the disk fails in the last sync": host.last_sync,
    "PowerMTA is down: `--max-depth`": powermta.too_deep,
    "PowerMTA is down: `--max-age`": powermta.too_old,
    "PowerMTA is down, without these": powermta.not_watched,
    "no access key": clients.no_key,
    "a wrong access key": clients.wrong_key,
    "over the key's rate": clients.over_rate,
    "over its recipients of the day": clients.over_recipients,
    "a client sends its head slowly": clients.slow_head,
    "a client sends its body slowly": clients.slow_body,
    "kill -9": host.killed,
    "power failure": host.power_cut,
}

# The rarer ones.
RARE_FAULTS: dict[str, Callable] = {
    "the pickup directory is renamed": directory.renamed,
    "a link to another folder takes its place": directory.link,
    "a link to another file system": directory.link_to_another_disk,
    "a link to nothing": directory.link_to_nothing,
    "it is not writable any more": directory.unwritable,
    "it is made immutable (`chattr +i`)": directory.immutable,
    "its file system is unmounted (`umount -l`)": directory.unmounted,
    "the staging folder is removed": directory.no_staging,
    "files may not be so large: `LimitFSIZE=`": directory.file_too_large,
    "the quota is used up": directory.over_quota,
    "the disk fails where a file begins": directory.failing_open,
    "the disk fails in a write": directory.failing_write,
    "the disk fails in a sync of data": directory.failing_sync,
    "it fails when a file gets its name": directory.failing_link,
    "it fails when several files are moved on": directory.failing_rename,
    "the clock is set back": host.clock_set_back,
    "the clock is set forward": host.clock_set_forward,
    "the store of keys is full: `--state-limit`": store.full,
    "the store is removed": store.removed,
    "the store is damaged": store.damaged,
    "the disk of the store is full": store.disk_full,
    "another process has the store": store.in_use,
}
