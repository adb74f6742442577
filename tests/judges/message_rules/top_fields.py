"""Rules for the header section of the message itself."""

import re
from datetime import datetime

from .addresses import check_address_list
from .header_section import Field

MANDATORY = ("date", "from", "message-id", "mime-version")
ONCE = {
    *MANDATORY,
    "sender",
    "reply-to",
    "to",
    "cc",
    "subject",
    "in-reply-to",
    "references",
    "list-unsubscribe",
    "list-unsubscribe-post",
}
ONCE |= {"content-type", "content-transfer-encoding", "content-id", "content-disposition"}
FORBIDDEN = {"bcc", "resent-bcc", "return-path", "x-sender", "x-receiver", "x-sender-override", "x-envid", "x-job"}
FORBIDDEN |= {"x-virtual-mta", "x-dkim-options", "x-schedule"}
ADDRESS_FIELDS = ("from", "sender", "reply-to", "to", "cc")

ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
DOT_ATOM = rf"{ATOM}(?:\.{ATOM})*"
MSG_ID = re.compile(rf"<{DOT_ATOM}@(?:{DOT_ATOM}|\[[!-Z^-~]*\])>")
# Others' identifiers may be of a looser form; what counts is that none can be taken for two.
IDS = re.compile(r"<[!-~]+>(?:[ \t]+<[!-~]+>)*")
TARGETS = re.compile(r"<[!-;=?-~]+>(?:, <[!-;=?-~]+>)*")
DATE = re.compile(
    r"((?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d?\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d) [+-]\d\d[0-5]\d", re.ASCII
)


def check_top_fields(fields: list[Field]) -> list[str]:
    """Which fields must, may and must not stand, and the syntax of those that this project writes itself."""
    names = [field.name for field in fields]
    broken = [f"no {name} field" for name in MANDATORY if name not in names]
    broken += [f"more than one {name} field" for name in sorted(ONCE) if names.count(name) > 1]
    broken += [f"a {name} field" for name in sorted(FORBIDDEN & set(names))]
    for field in fields:
        broken += check_field(field)
    return broken


def check_field(field: Field) -> list[str]:
    name, body = field.name, field.body
    if name in ADDRESS_FIELDS:
        return check_address_list(name, body)
    if name == "date":
        right = right_date(body)
    elif name == "message-id":
        right = MSG_ID.fullmatch(body)
    elif name in ("in-reply-to", "references"):
        right = IDS.fullmatch(body)
    elif name == "list-unsubscribe":
        right = TARGETS.fullmatch(body)
    elif name == "list-unsubscribe-post":
        right = body == "List-Unsubscribe=One-Click"
    elif name == "mime-version":
        right = body == "1.0"
    else:
        return []
    return [] if right else [f"{name} is not of its grammar"]


def right_date(body: str) -> bool:
    """Grammar of RFC 5322 section 3.3 without the obsolete forms, a day that exists, and its own day of the week."""
    match = DATE.fullmatch(body)
    if not match:
        return False
    try:
        moment = datetime.strptime(match[1].partition(", ")[2], "%d %b %Y %H:%M:%S")
    except ValueError:
        return False
    return moment.strftime("%a") == match[1][:3]
