"""For `INSTALLED_APPS`."""

from django.apps import AppConfig


class PmtaemailConfig(AppConfig):
    """Imports the package at start, so that `message.send()` knows of mail merges before the first message."""

    name = "pmtaemail.django"
    label = "pmtaemail"
