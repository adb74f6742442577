"""Form 1: `x-sender`, `x-receiver` lines, options, message."""

from .address import check_address
from .control_fields import check_message, split_field, take_options
from .model import MAX_RECIPIENTS, PickupError, PickupFile, Recipient
from .octets import join_lines


def read_header_form(lines: list[bytes]) -> PickupFile:
    """Reads a file whose first line is `x-sender: ADDR`. This form cannot say a null reverse-path, nor SMTPUTF8."""
    name, sender = split_field(lines[0])
    if name != "x-sender":
        raise PickupError("the first line is neither x-sender nor a BSMTP command")
    check_address(sender)
    recipients, rest = take_recipients(lines[1:])
    options, message = take_options(rest)
    check_message(message)
    return PickupFile(
        form="headers",
        sender=sender,
        recipients=recipients,
        message=join_lines(message),
        **options,
    )


def take_recipients(lines: list[bytes]) -> tuple[tuple[Recipient, ...], list[bytes]]:
    recipients = []
    for line in lines:
        name, address = split_field(line)
        if name != "x-receiver":
            break
        recipients.append(Recipient(check_address(address)))
    if not recipients:
        raise PickupError("no x-receiver line follows x-sender")
    if len(recipients) > MAX_RECIPIENTS:
        raise PickupError(f"more than {MAX_RECIPIENTS} recipients")
    return tuple(recipients), lines[len(recipients) :]
