"""A limit on threads for a process that runs, as a container's limit on pids is."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

# The limit counts the threads of a user, and not root's.
USERS = count(1_900_000_000 + os.getpid() % 10_000_000 * 10)


class User:
    """One who has nothing else running: this user, or where it is root, one that nobody is."""

    def __init__(self):
        self.id = next(USERS) if os.getuid() == 0 else os.getuid()
        self.wrapper = (
            () if self.id == os.getuid() else ("setpriv", f"--reuid={self.id}", f"--regid={self.id}", "--clear-groups")
        )

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A folder of the user's."""
        with TemporaryDirectory() as name:
            os.chmod(name, 0o755)
            inside = Path(name, "pickup")
            inside.mkdir()
            os.chown(inside, self.id, -1)
            # The staging folder is made beside it.
            os.chown(name, self.id, -1)
            yield inside

    def limit_threads(self, pid: int, most: int) -> None:
        """Lets a process of the user begin no thread where the user has `most` already."""
        child = os.fork()
        if child == 0:
            # Only the user itself may do so.
            try:
                if self.wrapper:
                    os.setresgid(self.id, self.id, self.id)
                    os.setresuid(self.id, self.id, self.id)
                _, hard = resource.prlimit(pid, resource.RLIMIT_NPROC)
                resource.prlimit(pid, resource.RLIMIT_NPROC, (most if most < hard else hard, hard))
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
