"""Mail parsers that nobody here wrote reduce a message to what a person would see of it.

Each reader gives a `Reading`. What a parser cannot read for a fault of its own stands in `faults.py`, with the reason.
"""

from .faults import excused
from .foreign import ForeignReaders
from .reading import Attachment, Reading, attachment, normal_address, normal_body, normal_values

__all__ = [
    "Attachment",
    "ForeignReaders",
    "Reading",
    "attachment",
    "excused",
    "normal_address",
    "normal_body",
    "normal_values",
]
