"""Parsers of other languages, each behind one long-lived process that reads and writes lines of JSON."""

import json
import os
import subprocess

from .reading import Reading, attachment, normal_address, normal_body, normal_values


class LineProcess:
    """Starts the process; a context manager that ends it."""

    def __init__(self, *command: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **environment}
        )

    def __enter__(self) -> "LineProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def ask(self, request: dict) -> dict:
        """One line there, one line back."""
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise ValueError(f"{self.process.args} ended with {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise ValueError(f"{self.process.args}: {answer['error']}")
        return answer

    def read(self, reader: str, message: bytes) -> Reading:
        """What the parser called `reader` makes of `message`."""
        answer = self.ask({"reader": reader, "message": message.hex()})
        return Reading(
            fields=answer["fields"],
            subject=answer["subject"],
            addresses={
                name: [(shown, normal_address(address)) for shown, address in mailboxes]
                for name, mailboxes in answer["addresses"].items()
            },
            message_id=answer["messageId"],
            bodies={name: normal_body(text) for name, text in answer["bodies"].items()},
            attachments=[
                attachment(
                    part["name"],
                    part["mediaType"],
                    bytes.fromhex(part["content"]),
                    cid=part["cid"],
                    disposition=part["disposition"],
                    parameters=part["parameters"],
                )
                for part in answer["attachments"]
            ],
            values=normal_values([(name, value) for name, value in answer["values"]]),
        )
