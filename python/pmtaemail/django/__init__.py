"""Django's mail through PowerMTA.

    EMAIL_BACKEND = "pmtaemail.django.EmailBackend"
    PMTAEMAIL = {"PICKUP": "/var/spool/pmta/pickup"}

or, since Django 6.1:

    MAILERS = {"default": {"BACKEND": "pmtaemail.django.EmailBackend", "OPTIONS": {"pickup": "/var/spool/pmta/pickup"}}}

The other settings are those of `pmtaemail.Pickup`: `DURABILITY`, `STAGING`, `SYNCFS`. What Django has no field for is
given with the message: `message.pmtaemail = {"job": "newsletter", "vmta": "bulk"}`.
"""

from .backend import EmailBackend
from .conversion import convert

__all__ = ["EmailBackend", "convert"]
