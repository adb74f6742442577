"""curl, which speaks HTTP/2 from the first byte."""

import subprocess


def curl(*arguments: str, body: bytes = b"") -> tuple[str, int, bytes]:
    """HTTP version, status and body of an answer to curl, which speaks HTTP/2 from the first octet."""
    command = ["curl", "--http2-prior-knowledge", "--silent", "--show-error", "--max-time", "60"]
    told = "\n%{http_version} %{http_code}"
    done = subprocess.run([*command, "--write-out", told, *arguments], input=body, capture_output=True, check=False)
    # 92: the rest of a body is not wanted once it is answered. The stream is reset then, behind the whole answer (RFC
    # 9113, section 8.1), which curl calls an error when it is quick enough to see it.
    assert done.returncode in (0, 92), done.stderr
    answer, _, last = done.stdout.rpartition(b"\n")
    version, status = last.decode().split()
    return version, int(status), answer
