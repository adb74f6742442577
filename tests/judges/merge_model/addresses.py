"""Display names are templates, and so is the address of From; other addresses are not."""

from collections.abc import Callable

from model.addresses import mailbox, split_list
from model.names import plain


def fill_mailbox(value: object, fill: Callable[[str], str]) -> object:
    """One mailbox as `from` takes it, with values in name and address."""
    if isinstance(value, dict):
        return {key: part if part is None else fill(part) for key, part in value.items()}
    if not isinstance(value, str):
        return value
    name, address = mailbox(value)
    return {"name": fill(name), "address": fill(address)}


def fill_name(value: object, fill: Callable[[str], str]) -> object:
    """Mailboxes as `from` and `replyTo` take them, with values in their names."""
    if isinstance(value, list):
        return [fill_name(item, fill) for item in value]
    if isinstance(value, dict):
        return {key: fill(part) if plain(key) == "name" and part is not None else part for key, part in value.items()}
    if not isinstance(value, str):
        return value
    mailboxes = [{"name": fill(name), "address": address} for name, address in map(mailbox, split_list(value))]
    return mailboxes[0] if len(mailboxes) == 1 else mailboxes
