"""URLs as they stand in header fields."""

import re


def without_brackets(url: str) -> str:
    """A bracket stands in a URL round an address of IPv6 alone (RFC 3986 section 3.2.2)."""
    host, rest = re.fullmatch(r"((?:[^:]*://[^/?#]*)?)(.*)", url).groups()
    return host + rest.replace("[", "%5B").replace("]", "%5D")


def angles_without_brackets(text: str) -> str:
    """The text with this done to each URL in angle brackets."""
    return re.sub(r"(?<=<)[^>]*(?=>)", lambda url: without_brackets(url[0]), text)
