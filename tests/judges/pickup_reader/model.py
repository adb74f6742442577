"""What a pickup file says."""

from dataclasses import dataclass, field

MAX_RECIPIENTS = 5_000


class PickupError(ValueError):
    """The pickup file is not strictly right."""


@dataclass(frozen=True)
class Recipient:
    """One forward-path with what is said for it alone."""

    address: str
    notify: tuple[str, ...] = ()
    orcpt: str | None = None
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Expansion:
    """The personal message of one recipient of a merge file, with its own envelope."""

    recipient: str
    sender: str
    message: bytes
    envid: str | None = None
    job: str | None = None
    vmta: str | None = None
    priority: int | None = None
    subaccount_id: str | None = None
    custom_message_id: str | None = None
    schedule: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class PickupFile:
    """A pickup file as PowerMTA understands it. `sender` is empty for the null reverse-path."""

    form: str
    sender: str
    recipients: tuple[Recipient, ...]
    message: bytes | None
    envid: str | None = None
    job: str | None = None
    vmta: str | None = None
    dkim: dict[str, str] = field(default_factory=dict)
    schedule: tuple[tuple[str, str], ...] = ()
    verp: bool = False
    ret: str | None = None
    smtputf8: bool = False
    bounces_bad_recipients: bool = False
    expansions: tuple[Expansion, ...] = ()

    @property
    def addresses(self) -> list[str]:
        """The bare addresses of all recipients, in file order."""
        return [recipient.address for recipient in self.recipients]
