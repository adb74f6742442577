"""Bare addresses: the Mailbox of RFC 5321 section 4.1.2, with the limits of section 4.5.3.1."""

import ipaddress
import re

from .model import PickupError

ATEXT = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~-"
NON_ASCII = "\u00a1-\U0010ffff"
LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII)


def check_address(text: str, *, utf8: bool = False) -> str:
    """`text`, if it is one bare addr-spec: no name, no angle brackets, no white space outside quotes."""
    if len(text.encode()) > 254:
        raise PickupError("an address of more than 254 octets")
    local, at, domain = text.rpartition("@")
    if not at:
        raise PickupError("an address without @")
    if len(local.encode()) > 64:
        raise PickupError("a local part of more than 64 octets")
    more = NON_ASCII if utf8 else ""
    atom = f"[{more}{ATEXT}]+"
    quoted = rf'"(?:[ !#-\[\]-~{more}]|\\[ -~])*"'
    if not re.fullmatch(rf"{atom}(?:\.{atom})*|{quoted}", local):
        raise PickupError("not a local part")
    check_domain(domain)
    return text


def check_domain(domain: str) -> None:
    """A host name of A-labels, or an address literal."""
    if domain.startswith("[") and domain.endswith("]"):
        check_literal(domain[1:-1])
    elif not all(LABEL.fullmatch(label) for label in domain.split(".")):
        raise PickupError("not a domain")


def check_literal(text: str) -> None:
    try:
        if text.startswith("IPv6:"):
            ipaddress.IPv6Address(text[5:])
        else:
            ipaddress.IPv4Address(text)
    except ValueError:
        raise PickupError("not an address literal") from None
