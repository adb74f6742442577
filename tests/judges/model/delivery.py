"""The envelope, and what PowerMTA is told beside it."""

from dataclasses import dataclass
from datetime import datetime

from .addresses import mailboxes
from .names import members


@dataclass(frozen=True)
class Delivery:
    """`sender` is empty for the null reverse-path, `envid` `None` where one is made. All names as in `PickupFile`."""

    form: str
    sender: str
    recipients: list[str]
    envid: str | None
    job: str | None
    vmta: str | None
    dkim: dict[str, str]
    schedule: tuple[tuple[str, str], ...]
    verp: bool
    ret: str | None
    notify: tuple[str, ...]
    smtputf8: bool


def delivery(fields: dict, lists: dict[str, list[tuple[str, str]]], *, smtputf8: bool = False) -> Delivery:
    """What the pickup file of a message says apart from the message; `smtputf8` tells of a header in UTF-8."""
    everybody = [address for name in ("to", "cc", "bcc") for _, address in lists.get(name, [])]
    given = fields.get("sender")
    sender = lists["from"][0][1] if given is None else "" if given == "<>" else mailboxes(given)[0][1]
    dsn = members(fields.get("dsn", {}))
    notify = dsn.get("notify", [])
    notify = [notify] if isinstance(notify, str) else notify
    mentioned = [address for mailboxes_of_field in lists.values() for _, address in mailboxes_of_field]
    smtputf8 = smtputf8 or not all(address.isascii() for address in [sender, *mentioned])
    only_bsmtp = not sender or fields.get("verp", False) or dsn or smtputf8
    dkim = members(fields.get("dkim", {}))
    tags = {"selector": "s", "domain": "d", "identity": "i", "keylist": "key-list"}
    return Delivery(
        form="bsmtp" if only_bsmtp else "headers",
        sender=sender,
        recipients=list(dict.fromkeys(everybody)),
        envid=fields.get("envid"),
        job=fields.get("job"),
        vmta=fields.get("vmta"),
        dkim={tag: dkim[name] for name, tag in tags.items() if name in dkim},
        schedule=tuple(window(item) for item in fields.get("schedule", []) if item is not None),
        verp=fields.get("verp", False),
        ret={"full": "FULL", "headers": "HDRS"}[dsn["ret"].lower()] if "ret" in dsn else None,
        notify=tuple(dict.fromkeys(word.upper() for word in notify if word is not None)),
        smtputf8=smtputf8,
    )


def window(value: dict) -> tuple[str, str]:
    """Start and end on this host's clocks."""
    times = members(value)
    start, end = (datetime.fromisoformat(times[name].upper()).astimezone() for name in ("start", "end"))
    return f"{start:%Y-%m-%d %H:%M:%S}", f"{end:%Y-%m-%d %H:%M:%S}"
