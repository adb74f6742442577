"""Compressed bodies are decoded as they come; the limits are those of what they stand for."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator

import pytest

from compressed import zstd
from crowd import FIXED, as_lines, known_crowd
from daemon import Daemon, assert_problem
from peak import peak_of
from pickup_reader import read
from raw_http import MESSAGE


def raw_deflate(body: bytes) -> bytes:
    encoder = zlib.compressobj(wbits=-15)
    return encoder.compress(body) + encoder.flush()


ENCODINGS = [
    ("gzip", gzip.compress),
    ("X-Gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("zstd", zstd),
    ("zstd", lambda body: zstd(body, "-19", "--no-check")),
]
each_encoding = pytest.mark.parametrize(("name", "encode"), ENCODINGS)
Encode = Callable[[bytes], bytes]


def pieces(body: bytes) -> Iterator[bytes]:
    for at in range(0, len(body), 10_000):
        yield body[at : at + 10_000]


@each_encoding
def test_what_is_decoded_is_read(daemon: Daemon, name: str, encode: Encode):
    text = "0123456789abcde\n" * 20_000
    large = json.dumps({**json.loads(MESSAGE), "text": text}).encode()
    mail = b"From: a@example.com\r\nTo: b@example.org\r\n\r\n" + text.encode().replace(b"\n", b"\r\n")
    merge = as_lines(FIXED, known_crowd(300))
    plain = {}
    for body, media_type in [(large, "application/json"), (mail, "message/rfc822"), (merge, "application/x-ndjson")]:
        headers = {"Content-Type": media_type}
        plain[media_type] = daemon.post(body, "/messages/render", **headers).body
        encoded = encode(body)
        for sent in (encoded, pieces(encoded)):
            answer = daemon.post(sent, "/messages/render", **headers, **{"Content-Encoding": name})
            assert answer.status == 200, answer.body
            # The boundary, Date and Message-ID differ.
            assert len(answer.body) == len(plain[media_type])
    receipt = daemon.post(encode(merge), **{"Content-Type": "application/x-ndjson", "Content-Encoding": name}).json()
    assert receipt["recipients"] == 300
    assert sum(len(read(path.read_bytes()).expansions) for path in daemon.files()) == 300


def test_several_codings(shared_daemon: Daemon):
    body = zlib.compress(gzip.compress(MESSAGE))
    answer = shared_daemon.post(body, "/messages/check", **{"Content-Encoding": "gzip, deflate"})
    assert answer.status == 200, answer.body
    assert_problem(shared_daemon.post(body, "/messages/check", **{"Content-Encoding": "deflate, gzip"}), 400)


@pytest.mark.parametrize("name", ["br", "compress", "gzip, br", "x", "gzip,gzip,gzip,gzip"])
def test_unknown_codings_are_415(shared_daemon: Daemon, name: str):
    answer = shared_daemon.post(MESSAGE, "/messages/check", **{"Content-Encoding": name})
    assert "gzip" in assert_problem(answer, 415)["detail"]
    assert answer.headers["accept-encoding"] == "gzip, deflate, zstd"


@each_encoding
@pytest.mark.parametrize("media_type", ["application/json", "message/rfc822", "application/x-ndjson"])
def test_what_is_damaged_is_refused(daemon: Daemon, name: str, encode: Encode, media_type: str):
    encoded = encode(MESSAGE)
    for body in (encoded[:-1], encoded[: len(encoded) // 2], b"", MESSAGE, encoded + b"x", encoded + encoded):
        answer = daemon.post(body, **{"Content-Encoding": name, "Content-Type": media_type})
        assert_problem(answer, 400)
    assert daemon.files() == []


def test_a_wrong_gzip_checksum_is_reported(daemon: Daemon):
    encoded = bytearray(gzip.compress(MESSAGE))
    for at in (-8, -1):
        damaged = encoded.copy()
        damaged[at] ^= 1
        answer = daemon.post(bytes(damaged), **{"Content-Encoding": "gzip"})
        assert "checksum" in assert_problem(answer, 400)["detail"]
    assert daemon.files() == []


@each_encoding
def test_the_limit_is_that_of_what_is_decoded(start_daemon, name: str, encode: Encode):
    daemon = start_daemon("--body-limit", "100000", "--merge-limit", "100000")
    for media_type in ("application/json", "application/x-ndjson"):
        headers = {"Content-Encoding": name, "Content-Type": media_type}
        assert daemon.post(encode(MESSAGE.ljust(100_000)), "/messages/check", **headers).status in (200, 422)
        assert_problem(daemon.post(encode(MESSAGE.ljust(100_001)), "/messages/check", **headers), 413)


@each_encoding
@pytest.mark.parametrize("media_type", ["application/json", "message/rfc822", "application/x-ndjson"])
def test_a_bomb_is_413_and_takes_no_memory(start_daemon, name: str, encode: Encode, media_type: str):
    daemon = start_daemon("--body-limit", "1MiB", "--merge-limit", "20MiB")
    before = peak_of(daemon)
    bomb = encode(b" " * 60_000_000)
    assert len(bomb) < 1_000_000
    answer = daemon.post(bomb, **{"Content-Encoding": name, "Content-Type": media_type})
    assert_problem(answer, 413)
    assert peak_of(daemon) - before < 32 << 20


def test_the_window_of_zstd_is_bounded(shared_daemon: Daemon):
    """A frame of one raw block (RFC 8878 section 3.1.1), whose head asks for a window of two to the power of `log`."""

    def frame(log: int) -> bytes:
        return (
            b"\x28\xb5\x2f\xfd\x00" + bytes([(log - 10) << 3]) + (len(MESSAGE) << 3 | 1).to_bytes(3, "little") + MESSAGE
        )

    answer = shared_daemon.post(frame(23), "/messages/check", **{"Content-Encoding": "zstd"})
    assert answer.status == 200, answer.body
    for log in (24, 41):
        answer = shared_daemon.post(frame(log), "/messages/check", **{"Content-Encoding": "zstd"})
        assert "8 MiB" in assert_problem(answer, 400)["detail"]


def test_an_unread_bomb_does_not_hold_others_up(daemon: Daemon):
    bomb = gzip.compress(b" " * 60_000_000)
    assert_problem(daemon.post(bomb, **{"Content-Encoding": "gzip", "Content-Type": "message/rfc822"}), 413)
    assert daemon.post(MESSAGE).status == 200
