"""Mail merge: `XMRG`, each recipient's `XDFN` variables, `XPRT` parts of the template."""

import re

from .command_lines import Commands
from .commands import read_path_command
from .control_fields import check_message, take_options
from .dialect import Dialect
from .expansion import expand
from .model import PickupError, PickupFile
from .recipients import read_recipients

# The envelope id of a merge message is the variable *envid, for each recipient.
PARAMETERS = {"RET", "SMTPUTF8", "VERP"}


def read_merge(commands: Commands, bounces: bool, dialect: Dialect) -> PickupFile:
    """Reads what follows the preface of a merge file."""
    merge = read_path_command(commands.take(), "XMRG FROM:", PARAMETERS, null=True)
    smtputf8 = "SMTPUTF8" in merge.parameters
    recipients = read_recipients(commands, utf8=smtputf8, merge=True)
    parts = read_parts(commands)
    commands.end()
    options, parts[0] = take_options(parts[0])
    if options:
        raise PickupError("an x- header field in a merge file, where only reserved variables are known to work")
    expansions = tuple(expand(merge.address, recipient, parts, dialect) for recipient in recipients)
    for expansion in expansions:
        check_message(expansion.message[:-2].split(b"\r\n"))
    return PickupFile(
        form="merge",
        sender=merge.address,
        recipients=recipients,
        message=None,
        verp="VERP" in merge.parameters,
        ret=merge.parameters.get("RET"),
        smtputf8=smtputf8,
        bounces_bad_recipients=bounces,
        expansions=expansions,
    )


def read_parts(commands: Commands) -> list[list[bytes]]:
    """The parts of the template, numbered from 1; the last one is marked."""
    parts: list[list[bytes]] = []
    last = False
    while not last:
        match = re.fullmatch(rb"XPRT ([1-9][0-9]{0,8})( LAST)?", commands.take())
        if not match:
            raise PickupError("an unknown command or one out of place, where XPRT must stand")
        if int(match[1]) != len(parts) + 1:
            raise PickupError("the parts are not numbered 1, 2, 3 …")
        parts.append(commands.data())
        last = bool(match[2])
    return parts
