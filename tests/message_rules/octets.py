"""Rules for the octets and lines of a whole message."""

MAX_LINE = 998


def check_octets(message: bytes, *, smtputf8: bool) -> list[str]:
    """CRLF alone ends lines, no NUL, at most 998 octets in a line, ASCII (or UTF-8 where that is allowed)."""
    broken = []
    if not message.endswith(b"\r\n"):
        broken.append("the last line does not end with CRLF")
    lines = message.split(b"\r\n")
    if any(b"\r" in line or b"\n" in line for line in lines):
        broken.append("a bare CR or LF")
    if b"\0" in message:
        broken.append("a NUL")
    if any(len(line) > MAX_LINE for line in lines):
        broken.append(f"a line of more than {MAX_LINE} octets")
    try:
        message.decode("utf-8" if smtputf8 else "ascii")
    except UnicodeDecodeError:
        broken.append("an octet that is not " + ("UTF-8" if smtputf8 else "ASCII"))
    return broken
