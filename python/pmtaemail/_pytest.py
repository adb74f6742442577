"""The plugin for pytest, which is loaded in every project that has pmtaemail: it does nothing until it is asked."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .testing import Outbox


@pytest.fixture(name="outbox")
def captured_outbox() -> Iterator["Outbox"]:
    """The messages that the test submits with pmtaemail, as a list; they stay in memory."""
    from .testing import capture

    with capture() as outbox:
        yield outbox
