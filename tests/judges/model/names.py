"""Names of fields and members."""


def plain(name: str) -> str:
    """A field name as names are compared: without case, `_` and `-`."""
    return name.lower().replace("_", "").replace("-", "")


def members(value: dict) -> dict[str, object]:
    """The members of an object by their plain names; `null` is as absent."""
    return {plain(name): part for name, part in value.items() if part is not None}
