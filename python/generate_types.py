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
from typing import Literal, TypeAlias, TypedDict

Octets: TypeAlias = bytes | bytearray | memoryview
'''

END = '''

class Message(Fields, {from_}, total=False):
    """{description}"""


Json: TypeAlias = str | Octets
Input: TypeAlias = Message | Json | RawMessage
'''

# Objects that have had a name of Python's own from the start.
NAMES = {
    "HeaderObject": "HeaderField",
    "MailboxObject": "MailboxParts",
    "RawObject": "Raw",
    "RecipientObject": "Recipient",
}

# What Python's library has for the values of a definition.
CLASSES = {"Mailbox": "Address", "Recipient": "Address"}


class Types:
    """The classes that were met so far, the innermost first."""

    def __init__(self, definitions: dict[str, Any]) -> None:
        self.definitions = definitions
        self.classes: dict[str, str] = {}
        if unknown := (NAMES | CLASSES).keys() - definitions.keys():
            raise ValueError(f"the schema has no {', '.join(sorted(unknown))}")

    def union(self, schema: dict[str, Any]) -> str:
        """The type of a value."""
        return " | ".join(dict.fromkeys(self.of(schema)))

    def of(self, schema: dict[str, Any]) -> list[str]:
        """The alternatives that a value may be."""
        if "$ref" in schema:
            return self.definition(schema["$ref"].removeprefix("#/$defs/"))
        if "anyOf" in schema:
            return [part for each in schema["anyOf"] for part in self.of(each)]
        match schema["type"]:
            case "string" if "contentMediaType" in schema:
                return ["str", "Octets"]
            case "string" if schema.get("format") == "date-time":
                return ["str", "datetime"]
            case "string":
                return ["str"]
            case "boolean":
                return ["bool"]
            case "integer" | "number":
                return ["int", "float"]
            case "array":
                return [f"Iterable[{self.union(schema['items'])}]"]
            case "object" if "properties" not in schema:
                values = schema["additionalProperties"]
                return [f"Mapping[str, {'object' if values is True else self.union(values)}]"]
        raise ValueError(f"no type for {schema}")

    def definition(self, name: str) -> list[str]:
        schema = self.definitions[name]
        if "properties" in schema:
            return [self.object(NAMES.get(name, name), schema)]
        if "enum" in schema:
            return [name]
        return self.of(schema) + ([CLASSES[name]] if name in CLASSES else [])

    def object(self, name: str, schema: dict[str, Any]) -> str:
        required = schema.get("required", [])
        members = [
            line
            for field, each in schema["properties"].items()
            # What must be there has one name.
            for line in self.members(field, each, [] if field in required else each.get("x-aliases", []))
        ]
        head = f'class {name}(TypedDict, total=False):\n    """{schema["description"]}"""\n\n'
        self.classes[name] = head + "\n".join(members)
        return name

    def members(self, field: str, schema: dict[str, Any], aliases: list[str]) -> list[str]:
        kind = f"{self.union(schema)} | None"
        spellings = [spelling for name in [field, *aliases] for spelling in (name, snake_case(name))]
        return [f"    {name}: {kind}" for name in dict.fromkeys(spellings)]


def snake_case(name: str) -> str:
    return re.sub("([A-Z])", lambda letter: "_" + letter[0].lower(), name)


def text() -> str:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    types = Types(schema["$defs"])
    fields = dict(schema["properties"])
    mailbox = types.union(fields.pop("from"))
    members = [f"    from_: {mailbox} | None"]
    members += [
        line for field, each in fields.items() for line in types.members(field, each, each.get("x-aliases", []))
    ]
    choices = "\n".join(
        f"{name}: TypeAlias = Literal[{', '.join(map(json.dumps, each['enum']))}]"
        for name, each in schema["$defs"].items()
        if "enum" in each
    )
    classes = "\n\n\n".join(types.classes.values())
    head = 'class Fields(TypedDict, total=False):\n    """The fields of a message that may be keywords."""\n\n'
    comment = "# `from` is a word of Python's grammar: a key, but no keyword.\n"
    from_ = f'{comment}From = TypedDict("From", {{"from": {mailbox} | None}}, total=False)\n'
    end = END.format(from_="From", description=schema["description"])
    return f"{START}{choices}\n\n\n{classes}\n\n\n{head}" + "\n".join(members) + f"\n\n\n{from_}{end}"


def main() -> None:
    if "--check" not in sys.argv:
        FILE.write_text(text(), encoding="utf-8")
    elif FILE.read_text(encoding="utf-8") != text():
        sys.exit(f"{FILE} is stale: make generate")


if __name__ == "__main__":
    main()
