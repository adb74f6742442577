"""How long `pmtaemail.render` takes, beside the standard library and beside core alone.

    cargo build --release -p pmtaemail-python --features bench
    install target/release/libpmtaemail_python.so python/pmtaemail/_native.abi3.so
    PYTHONPATH=python python python/bench/render.py

The ways take turns in one run, so that noise of the machine meets all of them; each figure is the median of many
rounds. "Core" is what core alone takes for the same message at hand in Rust; octets cannot be at hand in that way.
"""

import base64
import json
import statistics
import time
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from itertools import cycle, islice

import pmtaemail
from pmtaemail._native import core_seconds

ROUNDS = 15
ROUND_SECONDS = 0.02

WORDS = ["the", "café", "opens", "early", "on", "Monday,", "in", "summer", "for", "déjà", "guests", "of", "ours", "who"]


def words(characters: int) -> str:
    """Words in lines of about 70 characters; 3 % of the characters are not ASCII."""
    lines, line, count = [], [], 0
    for word in islice(cycle(WORDS), characters):
        line.append(word)
        count += len(word) + 1
        if sum(map(len, line)) + len(line) > 70:
            lines.append(" ".join(line))
            line = []
        if count >= characters:
            break
    return "\n".join([*lines, " ".join(line)]) + "\n"


PARAGRAPH = f'<p class="lead" style="margin:0"><a href="https://example.com/?id=1">{words(700)}</a></p>\n'

TINY = {"from": "postmaster@sender.com", "to": "nobody@example.com", "subject": "Test", "text": "This is a test"}
NEWSLETTER = {
    "from": "shop@example.com",
    "to": "ann.lee@example.org",
    "subject": "The news of the week for our café’s customers",
    "text": words(3_000),
    "html": f"<!doctype html>\n<html><body>\n{PARAGRAPH * (30_000 // len(PARAGRAPH))}</body></html>\n",
}
FILE = {"filename": "report.pdf", "contentType": "application/pdf", "content": bytes(range(256)) * 4096}
MESSAGES = {
    "tiny": TINY,
    "newsletter": NEWSLETTER,
    "tiny, 1 MiB file": {**TINY, "attachments": [FILE]},
    "newsletter, 1 MiB": {**NEWSLETTER, "attachments": [FILE]},
}


def as_json(message: dict) -> bytes:
    def octets(value: bytes) -> str:
        return base64.b64encode(value).decode()

    return json.dumps(message, ensure_ascii=False, default=octets).encode()


def with_the_standard_library(message: dict) -> bytes:
    email = EmailMessage(policy=SMTP)
    email["From"], email["To"], email["Subject"] = message["from"], message["to"], message["subject"]
    email.set_content(message["text"])
    if "html" in message:
        email.add_alternative(message["html"], subtype="html")
    for attachment in message.get("attachments", ()):
        maintype, subtype = attachment["contentType"].split("/")
        email.add_attachment(attachment["content"], maintype, subtype, filename=attachment["filename"])
    return email.as_bytes(policy=SMTP)


def medians(ways: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Seconds a call."""
    calls, seen = {}, {name: [] for name in ways}
    for name, way in ways.items():
        start = time.perf_counter()
        way()
        calls[name] = max(1, int(ROUND_SECONDS / (time.perf_counter() - start)))
    for _ in range(ROUNDS):
        for name, way in ways.items():
            start = time.perf_counter()
            for _ in range(calls[name]):
                way()
            seen[name].append((time.perf_counter() - start) / calls[name])
    return {name: statistics.median(times) for name, times in seen.items()}


def main() -> None:
    print("µs a message          dict      core   border   json octets   EmailMessage   EmailMessage : dict")
    for name, message in MESSAGES.items():
        octets = as_json(message)
        ways: dict[str, Callable[[], object]] = {
            "dict": lambda message=message: pmtaemail.render(message),
            "json": lambda octets=octets: pmtaemail.render(octets),
            "email": lambda message=message: with_the_standard_library(message),
        }
        own: list[float] = []
        if "attachments" not in message:
            ways["core"] = lambda octets=octets, own=own: own.append(core_seconds(octets, 100))
        seconds = medians(ways)
        whole, as_octets, email = (seconds[way] * 1e6 for way in ("dict", "json", "email"))
        core = f"{statistics.median(own) * 1e6:.1f}" if own else "-"
        border = f"{whole - statistics.median(own) * 1e6:.1f}" if own else "-"
        print(f"{name:18} {whole:7.1f} {core:>9} {border:>8} {as_octets:13.1f} {email:14.0f} {email / whole:21.0f}")


if __name__ == "__main__":
    main()
