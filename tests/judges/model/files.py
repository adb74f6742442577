"""The parts of a message that are neither its text nor its html."""

import base64
import re

from readers import Attachment, attachment

from .names import members

# Types that everybody agrees on; a message in the tests that leaves its type open has one of these names.
TYPES = {
    "": "application/octet-stream",
    "unheard-of": "application/octet-stream",
    "csv": "text/csv",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "eml": "message/rfc822",
    "gif": "image/gif",
    "html": "text/html",
    "jpg": "image/jpeg",
    "pdf": "application/pdf",
    "png": "image/png",
    "svg": "image/svg+xml",
    "txt": "text/plain",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}
PARAMETER = re.compile(r';[ \t]*([^ \t;=]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^";]*))[ \t]*')


def parts(fields: dict) -> list[Attachment]:
    """Every such part in the order in which they stand: other bodies, what lies beside the html, the rest."""
    found = []
    if "amp" in fields:
        found.append(attachment(None, "text/x-amp-html", fields["amp"].encode(), parameters={"charset": "utf-8"}))
    if "calendar" in fields:
        found.append(invitation(members(fields["calendar"])))
    files = [file(members(item)) for item in fields.get("attachments", []) if item is not None]
    beside = [part for part in files if part.cid is not None and "html" in fields]
    return found + beside + [part for part in files if part not in beside]


def invitation(calendar: dict) -> Attachment:
    content = calendar["content"]
    method = calendar.get("method") or re.search(r"(?im)^METHOD:(.*)$", content)[1].strip()
    parameters = {"charset": "utf-8", "method": method.upper()}
    return attachment(None, "text/calendar", content.encode(), parameters=parameters)


def file(given: dict) -> Attachment:
    cid = given.get("cid", given.get("contentid"))
    is_text = given.get("encoding", "base64").lower() == "utf8"
    content = given["content"].encode() if is_text else base64.b64decode(given["content"])
    if "contenttype" in given:
        media_type, parameters = parse_type(given["contenttype"])
    else:
        media_type, parameters = guess(given.get("filename")), {}
    name = given.get("filename", parameters.get("name"))
    charset = parameters.get("charset", "")
    if is_text and (media_type.startswith("text/") or charset) and charset.lower() != "utf-8":
        parameters["charset"] = "utf-8"
    if media_type.startswith("message/"):
        content = re.sub(rb"\r\n|\r|\n", b"\r\n", content)
    return attachment(
        name,
        media_type,
        content,
        cid=cid,
        disposition=given.get("disposition", "attachment" if cid is None else "inline").lower(),
        parameters=parameters,
    )


def guess(name: str | None) -> str:
    extension = re.search(r"\.([\w-]+)$", name or "")
    return TYPES[extension[1].lower() if extension else ""]


def parse_type(text: str) -> tuple[str, dict[str, str]]:
    """Media type in lower case, and its parameters."""
    essence, _, rest = text.partition(";")
    parameters = {
        match[1].lower(): re.sub(r"\\(.)", r"\1", match[2]) if match[2] is not None else match[3].strip()
        for match in PARAMETER.finditer(";" + rest)
    }
    return essence.strip().lower(), parameters
