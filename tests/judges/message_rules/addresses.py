"""The grammar of address lists (RFC 5322 section 3.4), without groups, comments and obsolete forms."""

import re

NON_ASCII = "\u00a1-\U0010ffff"
ATEXT = rf"[{NON_ASCII}A-Za-z0-9!#$%&'*+/=?^_`{{|}}~-]"
ATOM = rf"{ATEXT}+"
DOT_ATOM = rf"{ATOM}(?:\.{ATOM})*"
QUOTED = rf'"(?:[ !#-\[\]-~{NON_ASCII}]|\\[ -~])*"'
LITERAL = r"\[[!-Z^-~]*\]"
ADDR_SPEC = rf"(?:{DOT_ATOM}|{QUOTED})@(?:{DOT_ATOM}|{LITERAL})"
WORD = rf"(?:{ATOM}|{QUOTED})"
MAILBOX = re.compile(rf"(?:{WORD}(?:[ \t]+{WORD})*[ \t]*)?<{ADDR_SPEC}>|{ADDR_SPEC}")
SINGLE = ("sender",)


def check_address_list(name: str, body: str) -> list[str]:
    """`body` is one mailbox or more, set apart by commas."""
    position = count = 0
    while True:
        match = MAILBOX.match(body, position)
        if not match:
            return [f"{name} is not a list of mailboxes"]
        count += 1
        position = match.end()
        if position == len(body):
            break
        comma = re.compile(r",[ \t]+").match(body, position)
        if not comma:
            return [f"{name} is not a list of mailboxes"]
        position = comma.end()
    return [f"{name} has more than one mailbox"] if count > 1 and name in SINGLE else []
