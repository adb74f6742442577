"""A real MTA's batch SMTP: `exim -bS` of Debian's exim4, which delivers into a folder.

No daemon runs and no system configuration is read: the configuration, the queue and the folder stand in a folder of
the test's own.
"""

import os
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

EXIM = shutil.which("exim4", path=os.environ.get("PATH", "") + ":/usr/sbin")
# In continuous integration a missing exim is an error, not a reason to skip.
needs_exim = pytest.mark.skipif(EXIM is None and os.environ.get("CI") != "true", reason="exim4 is not installed")

# What a message says about itself must arrive as it is: nothing is added, nothing is mended.
CONFIGURATION = """
primary_hostname = mail.example.com
spool_directory = {folder}/queue
log_file_path = {folder}/log-%slog
exim_user = {user}
exim_group = {group}
trusted_users = {user} : {caller}
deliver_drop_privilege = true
untrusted_set_sender = *
local_from_check = false
received_header_text =
received_headers_max = 100
qualify_domain = example.com
allow_domain_literals = true
allow_utf8_domains = true
message_size_limit = 0
smtp_accept_max_nonmail = 100
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
recipients_max = 10000
accept_8bitmime = true
never_users =
queue_only = false
acl_not_smtp = acl_all
acl_smtp_rcpt = acl_all
acl_smtp_data = acl_all
begin acl
acl_all:
  accept
begin routers
folder:
  driver = accept
  caseful_local_part = true
  transport = folder
begin transports
folder:
  driver = appendfile
  file = {folder}/inbox/${{sha256:$local_part@$domain}}
  create_directory = false
  return_path_add = false
  delivery_date_add = false
  envelope_to_add = false
  message_prefix = "$return_path\\n$local_part@$domain\\n"
  message_suffix =
  check_string =
  escape_string =
  use_crlf = true
  no_mode_fail_narrower
"""
# Commands of PowerMTA's that no other MTA has.
POWERMTA = re.compile(rb"\AXACK OFF\r\n")
PARAMETERS = re.compile(rb"(?m)(?<=>)((?: (?:VERP|SMTPUTF8|RET=\S+|ENVID=\S+|NOTIFY=\S+|ORCPT=\S+))+)\r$")


@dataclass(frozen=True)
class Delivery:
    """What one recipient got."""

    sender: str
    recipient: str
    message: bytes


class BatchSmtp:
    """Hands BSMTP files to exim."""

    def __init__(self, folder: Path):
        self.folder = folder
        caller = pwd.getpwuid(os.geteuid())
        # As root exim delivers as the user that Debian made for it, since it never does as root.
        user = pwd.getpwnam("Debian-exim") if caller.pw_uid == 0 else caller
        for path in (folder / "queue", folder / "inbox"):
            path.mkdir(parents=True)
            os.chown(path, user.pw_uid, user.pw_gid)
        os.chown(folder, user.pw_uid, user.pw_gid)
        configuration = CONFIGURATION.format(folder=folder, user=user.pw_name, group=user.pw_gid, caller=caller.pw_name)
        self.configuration = folder / "exim.conf"
        self.configuration.write_text(configuration)

    def submit(self, file: bytes) -> list[Delivery]:
        """What arrives of a BSMTP file, by recipient.

        `XACK`, which no other MTA has, is left out, and so are parameters: exim takes those of RFC 3461 and RFC 6531
        only behind an EHLO, which a pickup file need not have.
        """
        head, data, message = POWERMTA.sub(b"", file).partition(b"\r\nDATA\r\n")
        batch = PARAMETERS.sub(b"\r", head + b"\r\n")[:-2] + data + message
        # Exim takes lines of the operating system, as it would from a file.
        done = subprocess.run(
            [EXIM, "-C", self.configuration, "-bS", "-odi"], input=batch, capture_output=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr + self.log()
        found = sorted((self.folder / "inbox").iterdir())
        deliveries = [read_delivery(path.read_bytes()) for path in found]
        for path in found:
            path.unlink()
        return deliveries

    def log(self) -> bytes:
        return b"".join(path.read_bytes() for path in self.folder.glob("log-*"))


def read_delivery(octets: bytes) -> Delivery:
    sender, recipient, message = octets.split(b"\n", 2)
    return Delivery(sender.decode(), recipient.decode(), message)
