"""The rules that the octets of every message keep, checked without a mail library.

`broken_rules` gives one sentence for each rule that a message breaks: none for a right one.
"""

from .entities import check_entity
from .header_section import Field, split_message
from .octets import check_charset, check_octets
from .top_fields import check_top_fields

__all__ = ["Field", "broken_rules", "split_message"]


def broken_rules(message: bytes, *, smtputf8: bool = False) -> list[str]:
    """What is wrong with `message`, a whole RFC 5322 message; `smtputf8` allows UTF-8 in it (RFC 6532)."""
    broken = check_octets(message, smtputf8=smtputf8)
    if broken:
        return broken
    fields, body, broken = split_message(message)
    head = message[: len(message) - len(body)]
    broken += check_charset(head, smtputf8=smtputf8)
    return broken + check_top_fields(fields) + check_entity(fields, body, message, top=True)
