"""Form 2: batched SMTP, one message a file."""

from .command_lines import Commands
from .commands import read_domain, read_path_command
from .control_fields import check_message, take_options
from .dialect import Dialect
from .merge import read_merge
from .model import PickupError, PickupFile
from .octets import join_lines
from .recipients import read_recipients

MAIL_PARAMETERS = {"RET", "ENVID", "SMTPUTF8", "VERP"}


def read_bsmtp(lines: list[bytes], dialect: Dialect) -> PickupFile:
    """Reads a file whose first line is one of HELO, EHLO, MAIL, XACK and XMRG."""
    commands = Commands(lines)
    bounces = read_preface(commands)
    if commands.peek() == "XMRG":
        return read_merge(commands, bounces, dialect)
    mail = read_path_command(commands.take(), "MAIL FROM:", MAIL_PARAMETERS, null=True)
    smtputf8 = "SMTPUTF8" in mail.parameters
    recipients = read_recipients(commands, utf8=smtputf8)
    if commands.take() != b"DATA":
        raise PickupError("an unknown command or one out of place")
    data = commands.data()
    commands.end()
    options, message = take_options(data)
    check_message(message)
    if "envid" in options and "ENVID" in mail.parameters:
        raise PickupError("the envelope id is said twice")
    options.setdefault("envid", mail.parameters.get("ENVID"))
    return PickupFile(
        form="bsmtp",
        sender=mail.address,
        recipients=recipients,
        message=join_lines(message),
        verp="VERP" in mail.parameters,
        ret=mail.parameters.get("RET"),
        smtputf8=smtputf8,
        bounces_bad_recipients=bounces,
        **options,
    )


def read_preface(commands: Commands) -> bool:
    """`XACK ON|OFF`, which must stand first, and a greeting. Whether bad recipients are bounced alone."""
    bounces = False
    if commands.peek() == "XACK":
        line = commands.take()
        if line not in (b"XACK ON", b"XACK OFF"):
            raise PickupError("XACK is neither ON nor OFF")
        bounces = line == b"XACK OFF"
    if commands.peek() in ("HELO", "EHLO"):
        read_domain(commands.take())
    return bounces
