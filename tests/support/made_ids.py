"""Identifiers that are made anew for each submission."""

import re

ID = "[0-9a-hjkmnp-tv-z]{26}"
# The one that the expected files of the cases have.
KNOWN = "1ng7qwf4c52q7bj9v8dsqnkxqv"

HEADER_FORM = re.compile(rb"(x-sender: [^\r]*\r\n(?:x-receiver: [^\r]*\r\n)+x-envid: )%b\r\n" % ID.encode())
BATCHED_SMTP = re.compile(rb"(XACK OFF\r\nMAIL FROM:[^\r]* ENVID=)%b\r\n" % ID.encode())


def is_made(envid: str | None) -> bool:
    """Whether this can be an envelope id that was made here."""
    return envid is not None and re.fullmatch(ID, envid) is not None


def with_known_envelope_id(pickup_file: bytes) -> bytes:
    """The pickup file with one and the same envelope id in place of one that was made; a given one stays."""
    for form in (HEADER_FORM, BATCHED_SMTP):
        if found := form.match(pickup_file):
            return found[1] + KNOWN.encode() + b"\r\n" + pickup_file[found.end() :]
    return pickup_file
