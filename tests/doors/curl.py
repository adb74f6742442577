"""curl, which speaks HTTP/2 from the first byte."""

import subprocess


def curl(*arguments: str, body: bytes = b"") -> tuple[str, int, bytes]:
    """HTTP version, status and body of an answer to curl, which speaks HTTP/2 from the first octet."""
    command = ["curl", "--http2-prior-knowledge", "--silent", "--show-error", "--max-time", "60"]
    told = "\n%{http_version} %{http_code}"
    done = subprocess.run([*command, "--write-out", told, *arguments], input=body, capture_output=True, check=True)
    answer, _, last = done.stdout.rpartition(b"\n")
    version, status = last.decode().split()
    return version, int(status), answer
