"""Whatever the parts of a local program's message hold, a reader finds the same in them, and SMTP can carry it."""

import email
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pickup_reader import read

PIECES = [
    *(
        b"x" * 999,
        b"--" * 600,
        b"a ",
        b"\0",
        b"\r",
        b"\n",
        b"\n\n",
        b"=",
        b"\xc3\xa9",
        b"\xff",
        b".",
        b"\n.\n",
        b"\r--b0",
        b"\t",
    ),
    b"\nNote : x\n",
]
DECLARED = [b"", b"Content-Transfer-Encoding: 8bit\n", b"content-transfer-encoding : BINARY\n"]


@dataclass
class Leaf:
    header: bytes
    body: bytes

    def write(self, _depth: int) -> bytes:
        return self.header + b"\n" + self.body

    def leaves(self) -> list[bytes]:
        return [self.body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")]


@dataclass
class Multipart:
    declared: bytes
    parts: list

    def write(self, depth: int) -> bytes:
        boundary = b"b%d" % depth
        parts = b"".join(b"\n--" + boundary + b"\n" + part.write(depth + 1) for part in self.parts)
        header = b"Content-Type: multipart/mixed;\n boundary=" + boundary + b"\n" + self.declared
        return header + b"\nPreamble" + parts + b"\n--" + boundary + b"--\nEpilogue"

    def leaves(self) -> list[bytes]:
        return [leaf for part in self.parts for leaf in part.leaves()]


LEAVES = st.builds(
    Leaf,
    st.tuples(st.sampled_from([b"", b"Content-Type :text/html; charset=utf-8\n"]), st.sampled_from(DECLARED)).map(
        b"".join
    ),
    # A CR before the line end that follows the body belongs to that.
    st.lists(st.sampled_from(PIECES), max_size=8).map(lambda pieces: b"".join(pieces).rstrip(b"\r")),
)
ENTITIES = st.recursive(
    LEAVES,
    lambda parts: st.builds(Multipart, st.sampled_from(DECLARED), st.lists(parts, min_size=1, max_size=3)),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def pickup():
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "pickup"
        path.mkdir()
        yield path


@settings(max_examples=150, deadline=None)
@given(entity=ENTITIES)
def test_parts_hold_what_they_held(binary: Path, pickup: Path, entity: Leaf | Multipart):
    environment = {**os.environ, "PMTAEMAIL_PICKUP": str(pickup), "PMTAEMAIL_DURABILITY": "none"}
    mail = b"MIME-Version: 1.0\n" + entity.write(0)
    subprocess.run([binary, "sendmail", "-i", "bo@example.org"], input=mail, env=environment, check=True, timeout=60)
    (path,) = pickup.iterdir()
    message = read(path.read_bytes()).message
    path.unlink()
    lines = message.removesuffix(b"\r\n").split(b"\r\n")
    assert all(len(line) <= 998 and not {0, 10, 13} & set(line) for line in lines)
    found = [part for part in email.message_from_bytes(message).walk() if not part.is_multipart()]
    contents = [part.get_payload(decode=True).rstrip(b"\r\n") for part in found]
    assert contents == [leaf.rstrip(b"\r\n") for leaf in entity.leaves()]
    for part, leaf in zip(found, entity.leaves(), strict=True):
        needs_it = any(len(line) > 998 or {0, 13} & set(line) for line in leaf.split(b"\r\n"))
        assert (part["Content-Transfer-Encoding"] == "quoted-printable") == needs_it
