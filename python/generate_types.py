"""Makes `pmtaemail/types.py` from the JSON Schema of a message.

python python/generate_types.py          writes it
python python/generate_types.py --check  tells by its exit status whether it is fresh
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).parent.parent / "schema/message.schema.json"
FILE = Path(__file__).parent / "pmtaemail/types.py"

START = '''"""What a message may hold, for type checkers. Made from the JSON Schema of a message by generate_types.py.

Names are compared without letter case, `_` and `-`: each is given as it is documented and as Python writes it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import Message as RawMessage
from typing import TypeAlias, TypedDict

Octets: TypeAlias = bytes | bytearray | memoryview
'''

END = '''

class Message(Fields, {from_}, total=False):
    """{description}"""


Json: TypeAlias = str | Octets
Input: TypeAlias = Message | Json | RawMessage
'''

# How an object is called that is not called like the field it stands in.
NAMES = {
    frozenset({"name", "address"}): "MailboxParts",
    frozenset({"name", "value"}): "HeaderField",
    frozenset({"start", "end"}): "Window",
}

# Where a text may be a mailbox, Python has a class for that too.
MAILBOXES = {"MailboxParts", "Recipient"}


class Types:
    """The classes that were met so far, the innermost first."""

    def __init__(self) -> None:
        self.classes: dict[str, str] = {}

    def of(self, schema: dict[str, Any], name: str) -> list[str]:
        """The alternatives that a value may be."""
        if "anyOf" in schema:
            found = [part for each in schema["anyOf"] for part in self.of(each, name)]
            # What may be octets, may be so directly.
            found += ["Address"] if MAILBOXES.intersection(found) else []
            found += ["Octets"] if any(self.holds_octets(each) for each in schema["anyOf"]) else []
            return list(dict.fromkeys(found))
        match schema["type"]:
            case "string" if "enum" in schema:
                return [f"Literal[{', '.join(map(json.dumps, schema['enum']))}]"]
            case "string" if "contentEncoding" in schema:
                return ["str", "Octets"]
            case "string" if "RFC 3339" in schema.get("description", "") or schema.get("format") == "date-time":
                return ["str", "datetime"]
            case "string":
                return ["str"]
            case "boolean":
                return ["bool"]
            case "integer" | "number":
                return ["int", "float"]
            case "array":
                return [f"Iterable[{' | '.join(self.of(schema.get('items', {}), name.removesuffix('s')))}]"]
            case "object" if "properties" in schema:
                return [self.object(schema, name)]
            case "object":
                values = schema.get("additionalProperties")
                inner = " | ".join(self.of(values, name)) if isinstance(values, dict) else "object"
                return [f"Mapping[str, {inner}]"]
        raise ValueError(f"unknown type of {name}: {schema}")

    def holds_octets(self, schema: dict[str, Any]) -> bool:
        return any("contentEncoding" in each for each in schema.get("properties", {}).values())

    def object(self, schema: dict[str, Any], name: str) -> str:
        properties = schema["properties"]
        name = NAMES.get(frozenset(properties), name[0].upper() + name[1:])
        members = [line for field in properties for line in self.members(field, properties[field])]
        head = f'class {name}(TypedDict, total=False):\n    """{schema.get("description", name)}"""\n\n'
        self.classes[name] = head + "\n".join(members)
        return name

    def members(self, field: str, schema: dict[str, Any]) -> list[str]:
        kind = " | ".join([*self.of(schema, field), "None"])
        snake = re.sub("([A-Z])", lambda letter: "_" + letter[0].lower(), field)
        return [f"    {name}: {kind}" for name in dict.fromkeys([field, snake])]


def text() -> str:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    types = Types()
    fields = dict(schema["properties"])
    mailbox = " | ".join(types.of(fields.pop("from"), "from"))
    members = [f"    from_: {mailbox} | None"]
    members += [line for field, each in sorted(fields.items()) for line in types.members(field, each)]
    classes = "\n\n\n".join(types.classes.values())
    head = 'class Fields(TypedDict, total=False):\n    """The fields of a message that may be keywords."""\n\n'
    comment = "# `from` is a word of Python's grammar: a key, but no keyword.\n"
    from_ = f'{comment}From = TypedDict("From", {{"from": {mailbox} | None}}, total=False)\n'
    end = END.format(from_="From", description=schema["description"])
    whole = f"{START}\n\n{classes}\n\n\n{head}" + "\n".join(members) + f"\n\n\n{from_}{end}"
    return whole.replace("import TypeAlias", "import Literal, TypeAlias") if "Literal[" in whole else whole


def main() -> None:
    if "--check" not in sys.argv:
        FILE.write_text(text(), encoding="utf-8")
    elif FILE.read_text(encoding="utf-8") != text():
        sys.exit(f"{FILE} is stale: run {sys.argv[0]}")


if __name__ == "__main__":
    main()
