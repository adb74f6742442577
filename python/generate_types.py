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

import sys
from collections.abc import AsyncIterable, Iterable, Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import Message as RawMessage
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeAlias

if TYPE_CHECKING or sys.version_info >= (3, 12):
    from typing import TypedDict
else:
    try:
        # Which pydantic asks for, and brings along.
        from typing_extensions import TypedDict
    except ImportError:
        from typing import TypedDict

Octets: TypeAlias = bytes | bytearray | memoryview
'''

END = '''

class Message(MessageFields, From, total=False):
    """{description}"""


class Dataclass(Protocol):
    """An instance of a dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


class Model(Protocol):
    """A model of pydantic, or what is dumped as one."""

    def model_dump(self) -> dict[str, Any]: ...


Json: TypeAlias = str | Octets
# A dict that nobody has annotated is a mapping; what is wrong with it is told when it is read.
Input: TypeAlias = Message | Mapping[str, object] | Dataclass | Model | Json | RawMessage

# For pydantic: what it does not know is checked by its class.
for _class in (
{classes}
):
    setattr(_class, "__pydantic_config__", {{"arbitrary_types_allowed": True}})  # noqa: B010
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
        # Whether an object is any mapping, since dicts often have no annotation.
        self.takes_mappings = False
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
            found = self.object(NAMES.get(name, name), schema)
            return ["Mapping[str, object]"] if self.takes_mappings else [found]
        if "enum" in schema:
            return [name]
        return self.of(schema) + ([CLASSES[name]] if name in CLASSES else [])

    def object(self, name: str, schema: dict[str, Any]) -> str:
        if name in self.classes:
            return name
        members = [line for field, each in schema["properties"].items() for line in self.members(field, each)]
        head = f'class {name}(TypedDict, total=False):\n    """{schema["description"]}"""\n\n'
        self.classes[name] = head + "\n".join(members)
        return name

    def members(self, field: str, schema: dict[str, Any]) -> list[str]:
        kind = f"{self.union(schema)} | None"
        spellings = [
            spelling for name in [field, *schema.get("x-aliases", [])] for spelling in (name, snake_case(name))
        ]
        return [f"    {name}: {kind}" for name in dict.fromkeys(spellings)]


def snake_case(name: str) -> str:
    return re.sub("([A-Z])", lambda letter: "_" + letter[0].lower(), name)


def text() -> str:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    types = Types(schema["$defs"])
    fields = dict(schema["properties"])
    from_ = fields.pop("from")
    mailbox = types.union(from_)

    def class_of(name: str, description: str, lines: list[str], base: str = "TypedDict") -> str:
        return f'class {name}({base}, total=False):\n    """{description}"""\n\n' + "\n".join(lines) + "\n"

    def lines_of(fields: dict[str, Any]) -> list[str]:
        return [line for field, each in fields.items() for line in types.members(field, each)]

    strict = class_of("MessageFields", "All fields but `from`.", [f"    from_: {mailbox} | None", *lines_of(fields)])
    choices = "\n".join(
        f"{name}: TypeAlias = Literal[{', '.join(map(json.dumps, each['enum']))}]"
        for name, each in schema["$defs"].items()
        if "enum" in each
    )
    types.takes_mappings = True
    recipients = types.union(fields.pop("recipients"))
    keywords = [f"    from_: {types.union(from_)} | None", *lines_of(fields)]
    parts = [
        f"{START}{choices}\n",
        *(f"{each}\n" for each in types.classes.values()),
        strict,
        class_of("CommonFields", "Fields that may be keywords.", keywords),
        class_of(
            "Fields",
            "The fields of a message that may be keywords.",
            [f"    recipients: {recipients} | None"],
            "CommonFields",
        ),
        f"AsyncRecipients: TypeAlias = Async{recipients}\n",
        class_of(
            "AsyncFields",
            "The same; recipients may come from an async iterable.",
            [f"    recipients: {recipients} | AsyncRecipients | None"],
            "CommonFields",
        ),
    ]
    comment = "# `from` is a word of Python's grammar: a key, but no keyword.\n"
    end = END.format(
        description=schema["description"],
        classes="\n".join(f"    {name}," for name in [*types.classes, "MessageFields", "From", "Message"]),
    )
    return (
        "\n\n".join(parts) + f'\n\n{comment}From = TypedDict("From", {{"from": {mailbox} | None}}, total=False)\n{end}'
    )


def main() -> None:
    if "--check" not in sys.argv:
        FILE.write_text(text(), encoding="utf-8")
    elif FILE.read_text(encoding="utf-8") != text():
        sys.exit(f"{FILE} is stale: make generate")


if __name__ == "__main__":
    main()
