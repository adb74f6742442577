"""Text for hypothesis: ordinary text with dangerous pieces in it."""

import os
import unicodedata

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

PLAIN = {"from": "ann@example.com", "to": "bo@example.org"}
EVIL = [
    "\r\n", "\n", "\r", "\0", "\t", " ", "  ", '"', "\\", "<", ">", "@", ",", ";", ":", "(", ")", "[", "]",
    "=?utf-8?B?",
    "=?utf-8?q?a?=", "?=", "=", "=20", "_", ".", "\r\n.\r\n", "--", "Bcc: eve@example.com",
    "x-receiver: eve@example.com", "\u00e9", "e\u0301", "\U0001f468\u200d\U0001f469", "\u202e", "\ufeff", "\u2028",
    "\x85", "\x7f", "\x1b", "xn--", "\u3002", "ß",
]  # fmt: skip
MORE_EVIL = [
    *EVIL,
    "/",
    "..",
    "%0D%0A",
    "'",
    "*",
    "''",
    "*0*=",
    "filename=",
    "name=",
    "boundary=",
    "cid:",
    "charset=",
    "+",
]
CHARACTERS = st.characters(codec="utf-8")
TEXT = st.lists(st.one_of(st.sampled_from(EVIL), st.text(CHARACTERS, max_size=20)), max_size=12).map("".join)
LONG = st.tuples(TEXT, st.integers(1, 40)).map(lambda pair: pair[0] * pair[1])
# Text that a header can say: no control characters.
HEADER_TEXT = LONG.map(lambda text: "".join(char for char in text if unicodedata.category(char) != "Cc"))


def examples(number: int) -> settings:
    """The same examples on every run, unless more are asked for: `EXAMPLES=5000 pytest test_properties.py`."""
    return settings(
        max_examples=int(os.environ.get("EXAMPLES", number)),
        derandomize="EXAMPLES" not in os.environ,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
