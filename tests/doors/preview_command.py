"""`pmtaemailapi preview` as a process of its own."""

import http.client
import os
import subprocess
from pathlib import Path

from daemon import TIMEOUT, Answer


class Command:
    """`pmtaemailapi preview`, which says where it is on its standard output."""

    def __init__(self, binary: Path, *arguments: str, stdin: bytes = b"", **environment: str):
        self.process = subprocess.Popen(
            [binary, "preview", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **environment},
        )
        self.process.stdin.write(stdin)
        self.process.stdin.close()
        self.url = self.process.stdout.readline().decode().strip()

    def __enter__(self) -> "Command":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.status = self.process.wait(TIMEOUT)
        self.errors = self.process.stderr.read()
        for stream in (self.process.stdout, self.process.stderr):
            stream.close()

    def get(self, path: str, body: bytes | None = None) -> Answer:
        host, _, port = self.url.removeprefix("http://").removesuffix("/preview").partition(":")
        assert host == "127.0.0.1"
        connection = http.client.HTTPConnection(host, int(port), timeout=TIMEOUT)
        connection.request("GET" if body is None else "POST", path, body)
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        connection.close()
        return answer
