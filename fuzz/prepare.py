"""Collects what each target begins with: the cases of the tests, the files of `seeds`, and its dictionary.

`python prepare.py FOLDER` writes `FOLDER/seeds/TARGET/` and `FOLDER/dictionaries/TARGET.dict`.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
TESTS = HERE.parent / "tests"
SCHEMA = HERE.parent / "schema" / "message.schema.json"
LANGUAGES = ("merge", "jinja", "sparkpost")
HELP = ("mjml", "inlineCss", "textFromHtml")
# Larger ones slow the search down.
LARGEST = 20_000
DICTIONARIES = {
    "address": ["header"],
    "encoded_word": ["header"],
    "headers": ["header", "json"],
    "raw": ["header"],
    "form": ["form", "json"],
    "sendmail": ["sendmail"],
}


def main() -> None:
    folder = Path(sys.argv[1])
    for target, files in seeds().items():
        (folder / "seeds" / target).mkdir(parents=True, exist_ok=True)
        for name, octets in files.items():
            (folder / "seeds" / target / name).write_bytes(octets)
    (folder / "dictionaries").mkdir(exist_ok=True)
    for target in (path.stem for path in (HERE / "fuzz_targets").glob("*.rs")):
        (folder / "dictionaries" / f"{target}.dict").write_text(dictionary(target), encoding="ascii")


def seeds() -> dict[str, dict[str, bytes]]:
    """The files of each target by their names."""
    found: dict[str, dict[str, bytes]] = {}

    def add(target: str, name: str, octets: bytes) -> None:
        if len(octets) <= LARGEST:
            found.setdefault(target, {})[name] = octets

    for path in sorted(TESTS.glob("cases/*/message.json")):
        octets = path.read_bytes()
        message = read(octets)
        for target in ["message", *targets_of(message)]:
            add(target, path.parent.name, octets)
        if text := finished(message):
            add("raw", path.parent.name, text)
    for number, line in enumerate((TESTS / "support" / "hostile.jsonl").read_bytes().splitlines()):
        add("message", f"hostile-{number}", line)
    for path in sorted((HERE / "seeds").glob("*/*")):
        add(path.parent.name, path.name, path.read_bytes())
    return found


def read(octets: bytes) -> dict:
    """The message of a case; empty where it is none, which may be what the case is about."""
    try:
        message = json.loads(octets)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}


def targets_of(message: dict) -> list[str]:
    """The targets beside `message` that a case is for."""
    found = ["html"] if any(name in message for name in HELP) else []
    if "recipients" not in message:
        return found
    language = message.get("template")
    return [*found, "merge", *([f"template_{language}"] if language in LANGUAGES else [])]


def finished(message: dict) -> bytes:
    """The finished message in a case."""
    raw = message.get("raw")
    content = raw.get("content") if isinstance(raw, dict) else raw
    return content.encode("utf-8", "surrogatepass") if isinstance(content, str) else b""


def dictionary(target: str) -> str:
    parts = DICTIONARIES.get(target, ["json"])
    texts = [(HERE / "dictionaries" / f"{part}.dict").read_text(encoding="ascii") for part in parts]
    if "json" in parts:
        texts += [f'"\\"{name}\\":"\n' for name in sorted(names(json.loads(SCHEMA.read_text(encoding="utf-8"))))]
    return "".join(texts)


def names(schema: dict) -> set[str]:
    """The names of all fields of a message and of what it is made of."""
    objects = [schema, *schema["$defs"].values()]
    return {name for each in objects for name in each.get("properties", {})}


if __name__ == "__main__":
    main()
