"""The lines of a BSMTP file: commands and data blocks."""

from .model import PickupError

# RFC 5321 section 4.5.3.1.4, with CRLF.
MAX_COMMAND = 512


class Commands:
    """The lines of a file, taken one by one."""

    def __init__(self, lines: list[bytes]):
        self.lines = lines
        self.position = 0

    def peek(self) -> str:
        """The verb of the next command; empty at the end of the file."""
        if self.position == len(self.lines):
            return ""
        return self.lines[self.position].split(b" ", 1)[0].decode("latin-1")

    def take(self) -> bytes:
        """The next command line, which may have 512 octets with its CRLF."""
        if self.position == len(self.lines):
            raise PickupError("the file ends where a command must stand")
        line = self.lines[self.position]
        self.position += 1
        if len(line) + 2 > MAX_COMMAND:
            raise PickupError(f"a command line of more than {MAX_COMMAND} octets")
        return line

    def data(self) -> list[bytes]:
        """The dot-unescaped lines up to the lone dot."""
        data = []
        while self.position < len(self.lines):
            line = self.lines[self.position]
            self.position += 1
            if line == b".":
                return data
            if line.startswith(b".") and not line.startswith(b".."):
                raise PickupError("a data line starts with a dot that is not escaped")
            data.append(line[1:] if line.startswith(b".") else line)
        raise PickupError("no lone dot ends the data")

    def end(self) -> None:
        if self.position != len(self.lines):
            raise PickupError("something follows the message")
