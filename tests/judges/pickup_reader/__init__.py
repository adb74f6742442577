"""A strict reader of PowerMTA's two pickup forms.

Written from the documented behaviour of PowerMTA alone, so that it can judge a writer. It is stricter than PowerMTA:
what the user's guide does not promise is refused. `read` tells the two forms apart by the first line, as PowerMTA does.
"""

from .bsmtp import read_bsmtp
from .dialect import AS_WRITTEN, CAUTIOUS, Dialect
from .header_form import read_header_form
from .model import Expansion, PickupError, PickupFile, Recipient
from .octets import split_lines

__all__ = ["AS_WRITTEN", "CAUTIOUS", "Dialect", "Expansion", "PickupError", "PickupFile", "Recipient", "read"]

BSMTP_VERBS = {"HELO", "EHLO", "MAIL", "XACK", "XMRG"}


def read(octets: bytes, dialect: Dialect = AS_WRITTEN) -> PickupFile:
    """The envelope and the message of a pickup file; raises `PickupError` where anything is not strictly right."""
    lines = split_lines(octets)
    first_word = lines[0].split(b" ", 1)[0].decode("latin-1")
    if first_word in BSMTP_VERBS:
        return read_bsmtp(lines, dialect)
    return read_header_form(lines)
