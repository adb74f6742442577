"""Transfer encodings, decoded strictly (RFC 2045 section 6)."""

import base64
import binascii
import re

MAX_ENCODED = 76
QP_LINE = re.compile(rb"(?:[\t !-<>-~]|=[0-9A-F]{2})*=?")


def decode_body(encoding: str, body: bytes) -> tuple[bytes | None, list[str]]:
    """The content of a body, and the rules that its encoding breaks; no content where it cannot be decoded."""
    if encoding == "quoted-printable":
        return decode_quoted_printable(body)
    if encoding == "base64":
        return decode_base64(body)
    if encoding == "8bit":
        return body, []
    if encoding != "7bit":
        return None, ["an unknown transfer encoding"]
    controls = any(octet < 0x20 and octet not in b"\t\r\n" or octet == 0x7F for octet in body)
    return body, ["a control character in a 7bit body"] if controls else []


def decode_quoted_printable(body: bytes) -> tuple[bytes, list[str]]:
    lines = body.split(b"\r\n")
    broken = []
    if any(len(line) > MAX_ENCODED for line in lines):
        broken.append(f"a quoted-printable line of more than {MAX_ENCODED} characters")
    if any(not QP_LINE.fullmatch(line) for line in lines):
        broken.append("a quoted-printable line that is not of its grammar")
    if any(line[-1:] in (b" ", b"\t") for line in lines):
        broken.append("white space at the end of a quoted-printable line")
    # With an empty line behind it, it is of the grammar.
    if body.endswith(b"="):
        broken.append("a soft line break at the end of a body")
    text = re.sub(rb"=\r\n", b"", body)
    return re.sub(rb"=([0-9A-F]{2})", lambda code: bytes([int(code[1], 16)]), text), broken


def decode_base64(body: bytes) -> tuple[bytes | None, list[str]]:
    lines = body.split(b"\r\n")
    broken = []
    if any(len(line) > MAX_ENCODED for line in lines):
        broken.append(f"a base64 line of more than {MAX_ENCODED} characters")
    try:
        return base64.b64decode(b"".join(lines), validate=True), broken
    except binascii.Error:
        return None, [*broken, "a body that is not base64"]
