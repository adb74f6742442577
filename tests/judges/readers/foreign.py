"""All readers together."""

import os
from contextlib import ExitStack
from pathlib import Path

from .line_process import LineProcess
from .python_email import read_compat, read_modern
from .reading import Reading

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


def mail_parser() -> Path:
    """The program around mail-parser: `MAIL_PARSER_READER` when set, otherwise what cargo built for development."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    path = Path(os.environ.get("MAIL_PARSER_READER", target / "debug/mail-parser-reader"))
    assert path.exists(), f"{path} is missing: run `cargo build --workspace` first"
    return path


class ForeignReaders:
    """Starts the processes behind which the parsers of other languages stand; a context manager that ends them."""

    def __init__(self) -> None:
        with ExitStack() as stack:
            self.node = stack.enter_context(LineProcess("node", str(HERE / "node_readers.mjs")))
            self.perl = stack.enter_context(LineProcess("perl", str(HERE / "mime_tools.pl")))
            self.rust = stack.enter_context(LineProcess(str(mail_parser())))
            self.stack = stack.pop_all()

    def __enter__(self) -> "ForeignReaders":
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def read_all(self, message: bytes) -> dict[str, Reading]:
        """What every reader makes of `message`, by the reader's name."""
        return {
            "python email": read_modern(message),
            "python email, compat32": read_compat(message),
            "mailparser": self.node.read("mailparser", message),
            "postal-mime": self.node.read("postal-mime", message),
            "mail-parser": self.rust.read("mail-parser", message),
            "MIME-tools": self.perl.read("MIME-tools", message),
        }
