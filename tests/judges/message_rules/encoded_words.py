"""Encoded words (RFC 2047)."""

import base64
import binascii
import re

MAX_WORD = 75
MAX_LINE = 76
WORD = re.compile(r"=\?([^?\s]*)\?([^?\s]*)\?([^?\s]*)\?=")
# In a phrase the Q encoding has fewer plain characters (RFC 2047 section 5 (3)).
PHRASE_Q = re.compile(r"(?:[A-Za-z0-9!*+/_-]|=[0-9A-F]{2})*")
TEXT_Q = re.compile(r"(?:[!-<>@-^_`-~]|=[0-9A-F]{2})*")
STRUCTURED = {"from", "sender", "reply-to", "to", "cc"}
NEVER = {"message-id", "in-reply-to", "references", "date", "mime-version", "content-type", "content-disposition"}
NEVER |= {"content-transfer-encoding", "content-id"}


def check_encoded_words(name: str, lines: tuple[str, ...]) -> list[str]:
    """Length, place, charset and whole characters of every encoded word of a header field."""
    broken = []
    for number, line in enumerate(lines):
        # A name is no place for an encoded word, whatever it looks like.
        line = line if number else "x" * line.index(":") + line[line.index(":") :] if ":" in line else line
        words = list(WORD.finditer(line))
        if words and name in NEVER:
            broken.append(f"an encoded word in {name}")
        if words and len(line) > MAX_LINE:
            broken.append(f"a line with an encoded word has more than {MAX_LINE} characters")
        for word in words:
            broken += check_word(name, line, word)
    return broken


def check_word(name: str, line: str, word: re.Match[str]) -> list[str]:
    charset, encoding, text = word.groups()
    broken = []
    if len(word[0]) > MAX_WORD:
        broken.append(f"an encoded word of more than {MAX_WORD} characters")
    if line[: word.start()].count('"') % 2 and name in STRUCTURED:
        broken.append("an encoded word within a quoted string")
    before, after = line[word.start() - 1 : word.start()], line[word.end() : word.end() + 1]
    if before not in (" ", "\t") or after not in ("", " ", "\t"):
        broken.append("an encoded word that no white space sets off")
    if re.search(r"<[^>]*$", line[: word.start()]) and name in STRUCTURED:
        broken.append("an encoded word within an address")
    try:
        decode_word(charset, encoding, text, name in STRUCTURED)
    except (ValueError, LookupError, binascii.Error):
        broken.append("an encoded word that is not of whole characters, rightly encoded")
    return broken


def decode_word(charset: str, encoding: str, text: str, phrase: bool) -> str:
    """The text of an encoded word; raises where it is not strictly right."""
    if not text:
        raise ValueError("empty")
    if encoding in "Bb":
        octets = base64.b64decode(text, validate=True)
    elif encoding in "Qq":
        if not (PHRASE_Q if phrase else TEXT_Q).fullmatch(text):
            raise ValueError("Q")
        octets = re.sub(
            rb"=([0-9A-F]{2})", lambda code: bytes([int(code[1], 16)]), text.replace("_", " ").encode("ascii")
        )
    else:
        raise ValueError("encoding")
    decoded = octets.decode(charset.partition("*")[0])
    if any(char in "\r\n\0" for char in decoded):
        raise ValueError("line end")
    return decoded
