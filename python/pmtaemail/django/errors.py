"""What is raised beside the errors of the package."""

from django.core.mail import message

from ..errors import MessageError

# In Django 6 another name of ValueError.
BadHeaderError: type[ValueError] = getattr(message, "BadHeaderError", ValueError)


class HeaderError(MessageError, BadHeaderError):  # type: ignore[valid-type, misc]
    """A header value holds a line end or another control character: Django's `BadHeaderError` as well."""
