"""Rules for the tree of entities (RFC 2045, 2046)."""

import re

from .encodings import decode_body
from .header_section import Field, split_message

TOKEN = r"[!#$%&'*+.0-9A-Z^_`a-z{|}~-]+"
PARAMETER = re.compile(rf';[ \t]*({TOKEN})=(?:({TOKEN})|"((?:[ !#-\[\]-~]|\\[ -~])*)")')
MEDIA_TYPE = re.compile(rf"({TOKEN}/{TOKEN})")
BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")


def check_entity(fields: list[Field], body: bytes, message: bytes, *, top: bool = False) -> list[str]:
    """The media type, the transfer encoding and the content of one entity, and of all entities within it."""
    broken = [] if top else check_part_fields(fields)
    kind, parameters, wrong = media_type(fields)
    broken += wrong
    encoding = value(fields, "content-transfer-encoding", "7bit").lower()
    if kind.startswith("multipart/"):
        if encoding not in ("7bit", "8bit"):
            broken.append("a multipart with a transfer encoding")
        broken += check_multipart(parameters.get("boundary", ""), body, message)
        if encoding == "7bit" and b"\r\nContent-Transfer-Encoding: 8bit\r\n" in body:
            broken.append("an 8bit part in a multipart that is not 8bit (RFC 2045 section 6.4)")
        return broken
    broken += check_message_encoding(kind, encoding)
    # The last line end is the message's own. That before a delimiter was the delimiter's.
    content, wrong = decode_body(encoding, body.removesuffix(b"\r\n") if top else body)
    broken += wrong
    if encoding != "8bit" and not body.isascii():
        broken.append("an octet that is not ASCII in a body that is not 8bit")
    disposition = value(fields, "content-disposition", "")
    if disposition:
        broken += check_disposition(disposition)
    elif kind.startswith("text/") and content is not None:
        # A file's charset is its owner's to know; a body's is ours.
        broken += check_charset(parameters.get("charset", "us-ascii"), content)
    return broken


def check_message_encoding(kind: str, encoding: str) -> list[str]:
    """Messages and parts of them are not encoded (RFC 2045 section 6.4); but for those in UTF-8 (RFC 6532)."""
    if not kind.startswith("message/") or kind.startswith("message/global"):
        return []
    allowed = ("7bit",) if kind in ("message/partial", "message/external-body") else ("7bit", "8bit")
    return [] if encoding in allowed else [f"a {kind} with the transfer encoding {encoding}"]


def check_disposition(text: str) -> list[str]:
    """`attachment` or `inline`, and parameters of their grammar (RFC 2183)."""
    match = re.match("attachment|inline", text)
    if not match:
        return ["a Content-Disposition of another kind"]
    return read_parameters("Content-Disposition", text, match.end())[1]


def check_part_fields(fields: list[Field]) -> list[str]:
    names = [field.name for field in fields]
    broken = [f"a {name} field in a body part" for name in names if not name.startswith("content-")]
    return broken + [f"more than one {name} field in a body part" for name in set(names) if names.count(name) > 1]


def value(fields: list[Field], name: str, default: str) -> str:
    return next((field.body for field in fields if field.name == name), default)


def media_type(fields: list[Field]) -> tuple[str, dict[str, str], list[str]]:
    """The media type in lower case, its parameters, and the rules that its field breaks."""
    text = value(fields, "content-type", "text/plain")
    match = MEDIA_TYPE.match(text)
    if not match:
        return "text/plain", {}, ["a Content-Type without a media type"]
    return match[1].lower(), *read_parameters("Content-Type", text, match.end())


def read_parameters(field: str, text: str, position: int) -> tuple[dict[str, str], list[str]]:
    """The parameters that follow at `position`, and the rules that they break."""
    parameters: dict[str, str] = {}
    broken = []
    while position < len(text):
        match = PARAMETER.match(text, position)
        if not match:
            return parameters, [f"a {field} with a parameter that is not of its grammar"]
        name = match[1].lower()
        if name in parameters:
            broken.append(f"a {field} parameter stands twice")
        parameters[name] = match[2] or re.sub(r"\\(.)", r"\1", match[3] or "")
        position = match.end()
    return parameters, broken


def check_multipart(boundary: str, body: bytes, message: bytes) -> list[str]:
    """Delimiter lines, the number of children, and that the boundary stands nowhere else in the whole message."""
    if not BOUNDARY.fullmatch(boundary):
        return ["a multipart without a right boundary"]
    mark = b"--" + boundary.encode()
    parts: list[list[bytes]] = [[]]
    closed = False
    broken = []
    for line in body.split(b"\r\n")[:-1]:
        if not line.startswith(mark):
            parts[-1].append(line)
        elif closed or line not in (mark, mark + b"--"):
            broken.append("a line starts with the boundary and is no delimiter")
        elif line == mark:
            parts.append([])
        else:
            closed = True
            parts.append([])
    preamble, *children, epilogue = parts if closed else [*parts, []]
    if not closed:
        broken.append("a multipart without its closing delimiter")
    if preamble or epilogue:
        broken.append("a multipart with a preamble or an epilogue")
    if len(children) < 2:
        broken.append("a multipart with fewer than two children")
    # Once in Content-Type, once in each delimiter.
    if message.count(boundary.encode()) != len(children) + 2:
        broken.append("the boundary stands in the content")
    for child in children:
        # The CRLF before a delimiter belongs to the delimiter (RFC 2046 section 5.1.1).
        fields, content, wrong = split_message(b"\r\n".join(child) + b"\r\n")
        broken += wrong + check_entity(fields, content[:-2], message)
    return broken


def check_charset(charset: str, content: bytes) -> list[str]:
    try:
        content.decode(charset)
    except (UnicodeDecodeError, LookupError):
        return ["text that is not of its charset"]
    return []
