"""Submit mail to PowerMTA with dicts or JSON instead of SMTP and MIME.

>>> import pmtaemail
>>> mail = pmtaemail.render(from_="shop@example.com", to="ann@example.org", text="Hello")
>>> mail.endswith(b"\\r\\n\\r\\nHello\\r\\n")
True
"""

from ._native import VERSION as __version__
from ._native import Pickup, check, render, warnings
from ._objects import Receipt, RecipientReceipt, Rejected, attachment
from .aio import AsyncPickup
from .errors import Error, IdempotencyError, MessageError, PickupError, Problem
from .types import Message, Recipient

__all__ = [
    "AsyncPickup",
    "Error",
    "IdempotencyError",
    "Message",
    "MessageError",
    "Pickup",
    "PickupError",
    "Problem",
    "Receipt",
    "Recipient",
    "RecipientReceipt",
    "Rejected",
    "__version__",
    "attachment",
    "check",
    "render",
    "warnings",
]
