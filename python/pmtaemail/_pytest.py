"""The plugin for pytest, which is loaded in every project that has pmtaemail: it does nothing until it is asked."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .testing import Outbox


@pytest.fixture(name="outbox")
def captured_outbox() -> Iterator["Outbox"]:
    """What the test has pmtaemail submit: a list of messages, which stay in memory."""
    from .testing import capture

    with capture() as outbox:
        yield outbox
