"""A certificate authority that is thrown away, for clients that speak TLS alone."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Authority:
    """Its own certificate, and the daemon's options for one that it signed."""

    certificate: Path
    options: tuple[str, ...]


def make_authority(folder: Path) -> Authority:
    """Writes all of it into the folder."""
    authority, authority_key = folder / "authority.pem", folder / "authority.key"
    certificate, key, request, extensions = (folder / name for name in ("daemon.pem", "daemon.key", "request", "san"))
    new_key = ("-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    itself = ("-x509", "-days", 2, "-subj", "/CN=Authority of the tests")
    openssl("req", *itself, *new_key, "-keyout", authority_key, "-out", authority)
    openssl("req", "-subj", "/CN=daemon", *new_key, "-keyout", key, "-out", request)
    extensions.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    signed_by = ("-CA", authority, "-CAkey", authority_key, "-CAcreateserial", "-extfile", extensions)
    openssl("x509", "-req", "-days", 2, *signed_by, "-in", request, "-out", certificate)
    return Authority(authority, ("--tls-cert", str(certificate), "--tls-key", str(key)))


def openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)
