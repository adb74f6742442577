"""Mail parsers that nobody here wrote reduce a message to what a person would see of it.

Each reader gives a `Reading`. What a parser cannot read for a fault of its own stands in `faults.py`, with the reason.
"""

from .faults import excused
from .node import NodeReaders
from .python_email import read_compat, read_modern
from .reading import Attachment, Reading, normal_address, normal_body

__all__ = ["Attachment", "NodeReaders", "Reading", "excused", "normal_address", "normal_body", "read_all"]


def read_all(message: bytes, node: NodeReaders) -> dict[str, Reading]:
    """What every reader makes of `message`, by the reader's name."""
    return {
        "python email": read_modern(message),
        "python email, compat32": read_compat(message),
        "mailparser": node.read("mailparser", message),
        "postal-mime": node.read("postal-mime", message),
    }
