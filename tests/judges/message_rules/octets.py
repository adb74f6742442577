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
    # What is said to be 8bit is not looked at here.
    if b"\r\nContent-Transfer-Encoding: 8bit\r\n" not in message:
        broken += check_charset(message, smtputf8=smtputf8)
    return broken


def check_charset(octets: bytes, *, smtputf8: bool) -> list[str]:
    """ASCII alone, or UTF-8 where that is allowed."""
    try:
        octets.decode("utf-8" if smtputf8 else "ascii")
    except UnicodeDecodeError:
        return ["an octet that is not " + ("UTF-8" if smtputf8 else "ASCII")]
    return []
