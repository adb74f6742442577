"""Lines of a pickup file."""

from .model import PickupError


def split_lines(octets: bytes) -> list[bytes]:
    """The lines without their CRLF. Every line must end with CRLF; CR, LF and NUL may stand nowhere else."""
    if not octets:
        raise PickupError("the file is empty")
    if b"\0" in octets:
        raise PickupError("NUL")
    if not octets.endswith(b"\r\n"):
        raise PickupError("the last line does not end with CRLF")
    lines = octets[:-2].split(b"\r\n")
    for number, line in enumerate(lines, 1):
        if b"\r" in line or b"\n" in line:
            raise PickupError(f"line {number}: bare CR or LF")
    return lines


def join_lines(lines: list[bytes]) -> bytes:
    """The opposite of `split_lines`."""
    return b"".join(line + b"\r\n" for line in lines)


def decode(octets: bytes, *, utf8: bool) -> str:
    """Printable text of an envelope line: ASCII, or UTF-8 where SMTPUTF8 allows it."""
    try:
        text = octets.decode("utf-8" if utf8 else "ascii")
    except UnicodeDecodeError:
        raise PickupError("an envelope line is not " + ("UTF-8" if utf8 else "ASCII")) from None
    if any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in text):
        raise PickupError("a control character in an envelope line")
    return text
