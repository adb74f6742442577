"""MAIL, RCPT, XMRG, HELO and EHLO, with their parameters (RFC 5321, RFC 3461, RFC 6531)."""

import re
from dataclasses import dataclass

from .address import check_address, check_domain
from .model import PickupError
from .octets import decode


@dataclass(frozen=True)
class Path:
    """The path of a command and the parameters after it. A parameter without a value has an empty one."""

    address: str
    parameters: dict[str, str]


def read_path_command(line: bytes, start: str, known: set[str], *, null: bool = False, utf8: bool = False) -> Path:
    """Reads `START<address> PARAMETER...`; `null` allows the empty path `<>`."""
    # The parameter that allows UTF-8 stands on the line itself.
    utf8 = utf8 or null and b"SMTPUTF8" in line.split(b" ")[2:]
    text = decode(line, utf8=utf8)
    if not text.startswith(start + "<"):
        raise PickupError(f"not a {start.split()[0]} command: unknown or out of place")
    path, rest = split_path(text[len(start) + 1 :])
    if path or not null:
        check_address(path, utf8=utf8)
    parameters = read_parameters(rest, known)
    if "VERP" in parameters and not path:
        raise PickupError("VERP needs a sender")
    return Path(path, parameters)


def split_path(text: str) -> tuple[str, str]:
    """What stands before the closing bracket (one in a quoted local part does not close) and what stands after it."""
    match = re.match(r'((?:"(?:[^"\\]|\\.)*")?[^<>"]*)>(.*)', text)
    if not match:
        raise PickupError("a path without its closing bracket, or with another one within")
    return match[1], match[2]


def read_parameters(text: str, known: set[str]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    if not text:
        return parameters
    if not text.startswith(" "):
        raise PickupError("no space before the parameters")
    for word in text[1:].split(" "):
        name, equals, value = word.partition("=")
        if name not in known:
            raise PickupError("an unknown parameter")
        if name in parameters:
            raise PickupError(f"{name} stands twice")
        check_parameter(name, value if equals else None)
        parameters[name] = from_xtext(value) if name == "ENVID" else value
    return parameters


def check_parameter(name: str, value: str | None) -> None:
    if name in ("SMTPUTF8", "VERP"):
        right = value is None
    elif value is None:
        right = False
    elif name == "RET":
        right = value in ("FULL", "HDRS")
    elif name == "ENVID":
        right = 0 < len(value) <= 100
    elif name == "NOTIFY":
        words = value.split(",")
        right = value == "NEVER" or len(set(words)) == len(words) and set(words) <= {"SUCCESS", "FAILURE", "DELAY"}
    else:  # ORCPT
        kind, semicolon, address = value.partition(";")
        right = kind in ("rfc822", "utf-8") and bool(semicolon) and 0 < len(value) <= 500
        right = right and bool(from_xtext(address) if kind == "rfc822" else address)
    if not right:
        raise PickupError(f"not a value of {name}")


def from_xtext(text: str) -> str:
    """Decodes xtext (RFC 3461 section 4)."""
    if not re.fullmatch(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*", text):
        raise PickupError("not xtext")
    return re.sub(r"\+([0-9A-F]{2})", lambda match: chr(int(match[1], 16)), text)


def read_domain(line: bytes) -> None:
    """`HELO DOMAIN` or `EHLO DOMAIN`."""
    _, space, domain = decode(line, utf8=False).partition(" ")
    if not space:
        raise PickupError("a greeting without a domain")
    check_domain(domain)
