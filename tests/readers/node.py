"""The Node parsers, behind one long-lived process that reads and writes lines of JSON."""

import base64
import json
import subprocess
from pathlib import Path

from .reading import Attachment, Reading, normal_address, normal_body

SCRIPT = Path(__file__).with_name("node_readers.mjs")


class NodeReaders:
    """Starts the process; a context manager that ends it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(["node", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self) -> "NodeReaders":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def read(self, reader: str, message: bytes) -> Reading:
        """What the parser called `reader` makes of `message`."""
        request = {"reader": reader, "message": base64.b64encode(message).decode()}
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise ValueError(f"{reader}: {answer['error']}")
        return Reading(
            fields=answer["fields"],
            subject=answer["subject"],
            addresses={
                name: [(shown, normal_address(address)) for shown, address in mailboxes]
                for name, mailboxes in answer["addresses"].items()
            },
            message_id=answer["messageId"],
            bodies={name: normal_body(text) for name, text in answer["bodies"].items()},
            attachments=[Attachment(**attachment) for attachment in answer["attachments"]],
        )
