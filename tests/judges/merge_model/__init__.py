"""What each recipient of a merge gets, as a message of its own: the template filled in by hand.

`personal(message, index)` is the plain JSON message that must come out as the one that recipient `index` gets.
"""

from collections.abc import Callable
from dataclasses import dataclass

from model.addresses import mailboxes
from model.names import members, plain

from . import braces, jinja, sparkpost
from .addresses import fill_mailbox, fill_name
from .calendars import fill_calendar
from .leaving import fill_mailto
from .own_headers import with_own

__all__ = ["Personal", "personal", "recipients"]

Fill = Callable[..., str]

# These speak of the merge, or name everybody.
MERGE_FIELDS = {"recipients", "variables", "template", "merge", "subaccountid", "custommessageid"}
# A recipient's own value stands in place of the message's.
OWN_FIELDS = ("sender", "envid", "job", "vmta")


@dataclass(frozen=True)
class Personal:
    """The plain message of one recipient, and what PowerMTA is told in its merge form alone.

    `priority` is PowerMTA's own, from 1 to 100.
    """

    message: dict
    priority: int | None = None
    subaccount_id: str | None = None
    custom_message_id: str | None = None


def recipients(message: dict) -> list[dict]:
    """The recipients as objects, each with `to`, what a plain message has for it."""
    return [recipient(given) for given in members(message)["recipients"]]


def recipient(given: str | dict) -> dict:
    if isinstance(given, str):
        return {"to": given}
    fields = members(given)
    to = {"address": fields.get("address", fields.get("email")), "name": fields.get("name")}
    return {**fields, "to": {name: value for name, value in to.items() if value is not None}}


def personal(given_message: dict, index: int) -> Personal:
    fields = members(given_message)
    own = recipient(fields["recipients"][index])
    known = built_in(fields, own)
    variables = {**known, **given(fields.get("variables")), **given(own.get("variables"))}
    if known and isinstance(variables["address"], dict):
        variables["address"] = {**known["address"], **given(variables["address"])}
    message = filled(
        {name: value for name, value in fields.items() if name not in MERGE_FIELDS}, filler(fields), variables
    )
    message |= {name: own[name] for name in OWN_FIELDS if name in own}
    priority = own.get("priority")
    if isinstance(priority, str):
        message["priority"] = priority
    if "headers" in own:
        fill = filler(fields)
        message = with_own(message, filled_headers(own["headers"], lambda text: fill(text, variables)))
    return Personal(
        {**message, "to": own["to"]},
        priority if isinstance(priority, int) else None,
        own.get("subaccountid", fields.get("subaccountid")),
        own.get("custommessageid", fields.get("custommessageid")),
    )


def built_in(fields: dict, own: dict) -> dict:
    """The names that the language has by itself; what a caller says of them wins."""
    if fields.get("template") != "sparkpost":
        return {}
    ((name, address),) = mailboxes(own["to"])
    sender = own.get("sender", fields.get("sender", fields["from"]))
    path = None if sender == "<>" else mailboxes(sender)[0][1]
    mailbox = {"name": name or None, "email": address}
    return {"address": mailbox, "email": address, "email_id": address, "env_from": path, "return_path": path}


def given(variables: dict | None) -> dict:
    """The variables that have a value; their names are told apart by case."""
    return {name: value for name, value in (variables or {}).items() if value is not None}


def filler(fields: dict) -> Fill:
    """Fills one template of the message; `html` tells that it is HTML, `links` that it is a body."""
    language = fields.get("template", "none")
    if language == "none":
        return lambda template, variables, *, html=False, links=False: template
    if language == "sparkpost":
        return sparkpost.fill
    fill = {"merge": braces.fill, "jinja": jinja.fill}[language]
    return lambda template, variables, *, html=False, links=False: fill(template, variables, html=html)


def filled(fields: dict, fill: Fill, variables: dict) -> dict:
    """The message with values in all places where templates are read."""
    result = dict(fields)
    for name in ("subject", "messageid", "envid"):
        if name in fields:
            result[name] = fill(fields[name], variables)
    for name in ("text", "html", "amp"):
        if name in fields:
            result[name] = fill(fields[name], variables, html=name != "text", links=True)
    if "from" in fields:
        result["from"] = fill_mailbox(fields["from"], lambda text: fill(text, variables))
    if "replyto" in fields:
        result["replyto"] = fill_name(fields["replyto"], lambda text: fill(text, variables))
    if "headers" in fields:
        result["headers"] = filled_headers(fields["headers"], lambda text: fill(text, variables))
    if "unsubscribe" in fields:
        ways = members(fields["unsubscribe"])
        ways = {name: fill(value, variables) if name == "url" else value for name, value in ways.items()}
        if "mailto" in ways:
            ways["mailto"] = fill_mailto(ways["mailto"], lambda text: fill(text, variables))
        result["unsubscribe"] = ways
    if "attachments" in fields:
        result["attachments"] = [
            {name: fill(value, variables) if plain(name) == "filename" else value for name, value in file.items()}
            for file in fields["attachments"]
        ]
    if "calendar" in fields:
        result["calendar"] = {
            name: fill_calendar(value, lambda text: fill(text, variables)) if name == "content" else value
            for name, value in members(fields["calendar"]).items()
        }
    return result


def filled_headers(value: object, fill: Callable[[str], str]) -> object:
    """The same header fields, each text filled in, be they members of an object or a list of names and values."""
    if isinstance(value, str):
        return fill(value)
    if isinstance(value, list):
        return [filled_item(item, fill) for item in value]
    return {name: filled_headers(item, fill) for name, item in value.items()}


def filled_item(item: object, fill: Callable[[str], str]) -> object:
    if not isinstance(item, dict):
        return filled_headers(item, fill) if item is not None else None
    return {name: filled_headers(part, fill) if name.lower() == "value" else part for name, part in item.items()}
