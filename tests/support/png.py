"""Pixels of a PNG file without a library: eight bits a sample, RGB or RGBA, not interlaced."""

import struct
import zlib
from collections import Counter

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def colours(octets: bytes) -> Counter[tuple[int, ...]]:
    """How many pixels have each colour (red, green, blue)."""
    assert octets.startswith(SIGNATURE)
    header, data, position = b"", b"", len(SIGNATURE)
    while position < len(octets):
        length, kind = struct.unpack(">I4s", octets[position : position + 8])
        content = octets[position + 8 : position + 8 + length]
        header = content if kind == b"IHDR" else header
        data += content if kind == b"IDAT" else b""
        position += 12 + length
    width, _, depth, colour_type, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    samples = {2: 3, 6: 4}[colour_type]
    assert (depth, interlaced) == (8, 0)
    counted: Counter[tuple[int, ...]] = Counter()
    before = bytes(width * samples)
    raw = zlib.decompress(data)
    for start in range(0, len(raw), width * samples + 1):
        before = unfiltered(raw[start], raw[start + 1 : start + 1 + width * samples], before, samples)
        counted.update(pixel[:3] for pixel in zip(*[iter(before)] * samples, strict=True))
    return counted


def unfiltered(kind: int, line: bytes, above: bytes, samples: int) -> bytes:
    """A line of the picture (PNG section 9)."""
    out = bytearray(line)
    for at in range(len(out)):
        left = out[at - samples] if at >= samples else 0
        corner = above[at - samples] if at >= samples else 0
        guess = [0, left, above[at], (left + above[at]) // 2, paeth(left, above[at], corner)][kind]
        out[at] = (out[at] + guess) & 255
    return bytes(out)


def paeth(left: int, above: int, corner: int) -> int:
    estimate = left + above - corner
    return min((left, above, corner), key=lambda value: abs(estimate - value))
