"""How a value of JSON looks in a text."""

ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}


class Given(float):
    """A number that is written with its digits and computed with as a float."""

    def __new__(cls, literal: str) -> "Given":
        self = super().__new__(cls, literal)
        self.literal = literal
        return self

    def __str__(self) -> str:
        return self.literal


def show(value: object) -> str:
    """Strings as they are; numbers as JSON writes them; `true` and `false`."""
    if isinstance(value, str):
        return value
    if isinstance(value, Given):
        return value.literal
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    raise TypeError("a list or an object has no text")


def with_lf(text: str) -> str:
    """The text with LF at the end of each line."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def escape(text: str) -> str:
    """The text as HTML."""
    return "".join(ESCAPES.get(char, char) for char in text)
