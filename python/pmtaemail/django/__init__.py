"""Django's mail through PowerMTA.

    EMAIL_BACKEND = "pmtaemail.django.EmailBackend"
    PMTAEMAIL = {"PICKUP": "/var/spool/pmta/pickup"}

or, since Django 6.1:

    MAILERS = {"default": {"BACKEND": "pmtaemail.django.EmailBackend", "OPTIONS": {"pickup": "/var/spool/pmta/pickup"}}}

The other settings are those of `pmtaemail.Pickup`: `DURABILITY`, `STAGING`, `SYNCFS`. What Django has no field for is
given with the message: `message.pmtaemail = {"job": "newsletter", "vmta": "bulk"}`. After it was sent,
`message.pmtaemail_receipt` is its receipt.

A mail merge is a message without `to`:

    message = EmailMessage("News for {{ name }}", "Hello {{ name }}!", "shop@example.com")
    message.pmtaemail = {
        "template": "merge",
        "recipients": [{"address": "ann@example.org", "variables": {"name": "Ann"}}],
    }
    message.send()

Django's `send` returns 0 for a message without `to` before it asks a backend; importing this package changes that. So
add it to `INSTALLED_APPS`: `"pmtaemail.django"`.
"""

from .backend import EmailBackend
from .conversion import convert
from .errors import HeaderError

__all__ = ["EmailBackend", "HeaderError", "convert"]
