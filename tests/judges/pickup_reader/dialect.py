"""How PowerMTA may read a merge file where its user's guide leaves it open."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Dialect:
    """What the guide says, and what it may mean besides."""

    trims: bool = False
    """Blanks at the ends of a value do not count."""
    unknown_is_empty: bool = False
    """A variable that is not defined is empty text."""
    closing_is_doubled: bool = False
    """`]]` is `]`, as `[[` is `[`."""
    scans_again: bool = False
    """What was put in is looked through for variables."""


AS_WRITTEN = Dialect()
TRAITS = ("trims", "unknown_is_empty", "closing_is_doubled", "scans_again")
CAUTIOUS = (*(Dialect(**{trait: True}) for trait in TRAITS), Dialect(**dict.fromkeys(TRAITS, True)))
"""A file must mean the same in each of them."""
