"""Messages that the tests of the preview page show."""

from browser import Page

MESSAGE = {
    "from": "Shop <shop@example.com>",
    "to": "Ann Lee <ann@example.org>",
    "subject": "Hello",
    "html": "<p>Hello Ann",
}
MERGE = {
    "from": "Shop <shop@example.com>",
    "subject": "{{ name }}, your order",
    "html": "<p>Hello {{ name }}",
    "template": "merge",
    "job": "spring",
    "recipients": [
        {"address": f"{name.lower()}@example.org", "variables": {"name": name, "tags": ["a", 2]}}
        for name in ("Ann", "Bo", "Cy", "Di", "Eva")
    ],
}
FAULTY = """{
  "from": "Shop",
  "to": "ann@example.org",
  "subjct": "Hello",
  "html": "<p>Hello"
}
"""
TABS = ("Mail", "Text", "AMP", "Headers", "Parts", "Attachments", "Source", "Pickup file")


def shows(page: Page, subject: str) -> None:
    page.locator("#subject").reads(subject)
