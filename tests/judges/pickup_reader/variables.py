"""`XDFN name=value name="value"`: the variables of the recipient that follows."""

import re

from .address import check_address
from .model import PickupError
from .octets import decode
from .values import check_token, read_schedule

NAME = r"[A-Za-z][A-Za-z0-9_]*"
# The escaping inside quotes is not documented: neither a quote nor a backslash may stand in a value.
DEFINITION = re.compile(rf' (\*?{NAME})=(?:"([^"\\]*)"|([^\s"\\]+))(?= |$)')
OWN = {"*to", "*date"}


def read_definitions(line: bytes, variables: dict[str, str], *, utf8: bool) -> None:
    """Adds the definitions of one XDFN line to `variables`; names are lower-cased, since case does not count."""
    text = decode(line, utf8=utf8)
    position = len("XDFN")
    if position == len(text):
        raise PickupError("XDFN defines nothing")
    while position < len(text):
        match = DEFINITION.match(text, position)
        if not match:
            raise PickupError("XDFN: not name=value, or bad quoting")
        name = match[1].lower()
        value = match[2] if match[2] is not None else match[3]
        if name in variables:
            raise PickupError("a variable is defined twice for a recipient")
        if name.startswith("*"):
            check_reserved(name, value, utf8=utf8)
        variables[name] = value
        position = match.end()


def check_reserved(name: str, value: str, *, utf8: bool) -> None:
    if name in OWN:
        raise PickupError(f"{name} is PowerMTA's own")
    if name == "*from":
        check_address(value, utf8=utf8)
    elif name == "*schedule":
        read_schedule(value)
    elif name == "*priority":
        if not re.fullmatch(r"[1-9][0-9]?|100", value):
            raise PickupError("*priority is not a number from 1 to 100")
    elif name == "*parts":
        if not re.fullmatch(r"[0-9]+(?:-[0-9]+)?(?:,[0-9]+(?:-[0-9]+)?)*", value):
            raise PickupError("*parts is not a list of part numbers")
    elif name in ("*envid", "*vmta", "*jobid", "*subaccountid", "*custommessageid"):
        check_token(value, name)
    else:
        raise PickupError("an unknown reserved variable")
