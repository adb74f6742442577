"""The recipients of a BSMTP file, with the variables of a merge file."""

from .command_lines import Commands
from .commands import read_path_command
from .model import MAX_RECIPIENTS, PickupError, Recipient
from .variables import read_definitions

PARAMETERS = {"NOTIFY", "ORCPT"}


def read_recipients(commands: Commands, *, utf8: bool, merge: bool = False) -> tuple[Recipient, ...]:
    """One RCPT or more. In a merge file XDFN lines stand before each of them."""
    recipients = []
    while commands.peek() == "RCPT" or merge and commands.peek() == "XDFN":
        variables: dict[str, str] = {}
        while commands.peek() == "XDFN":
            read_definitions(commands.take(), variables, utf8=utf8)
        path = read_path_command(commands.take(), "RCPT TO:", PARAMETERS, utf8=utf8)
        notify = path.parameters.get("NOTIFY")
        orcpt = path.parameters.get("ORCPT")
        recipients.append(Recipient(path.address, tuple(notify.split(",")) if notify else (), orcpt, variables))
    if not recipients:
        raise PickupError("no RCPT where one must stand")
    if len(recipients) > MAX_RECIPIENTS:
        raise PickupError(f"more than {MAX_RECIPIENTS} recipients")
    return tuple(recipients)
