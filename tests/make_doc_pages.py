"""Makes the tables of docs/message.md from the JSON Schema of a message: `make generate`.

python tests/make_doc_pages.py          writes them
python tests/make_doc_pages.py --check  tells by its exit status whether they are fresh

The page says with a comment which fields a table has, `<!-- fields: to cc -->` or `<!-- fields of Dkim: selector -->`,
and where it ends. So the text around the tables is written by hand, and no field can be forgotten.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SCHEMA = json.loads((ROOT / "schema/message.schema.json").read_text(encoding="utf-8"))
PAGE = ROOT / "docs/message.md"
TABLE = re.compile(r"(<!-- fields(?: of (?P<object>\w+))?: (?P<fields>[\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)
# What the page calls the types of the schema that several fields share.
NAMES = {
    "Headers": "object, or list of objects",
    "Mailbox": "mailbox",
    "Mailboxes": "mailboxes",
    "Raw": "string or object",
    "Recipient": "mailbox or object",
    "Variables": "object",
}


def main() -> int:
    page = PAGE.read_text(encoding="utf-8")
    made = TABLE.sub(table, page)
    said = {(found["object"], field) for found in TABLE.finditer(page) for field in found["fields"].split()}
    objects = {name for name, _ in said}
    known = {(name, field) for name in objects for field in properties(name)}
    if said != known or objects - {None} != {
        name for name, schema in SCHEMA["$defs"].items() if "properties" in schema
    }:
        print(f"docs/message.md has not every field and object: {sorted(map(str, said ^ known))}", file=sys.stderr)
        return 1
    if "--check" in sys.argv:
        if made != page:
            print("docs/message.md is stale: make generate", file=sys.stderr)
            return 1
    else:
        PAGE.write_text(made, encoding="utf-8")
    return 0


def properties(name: str | None) -> dict[str, Any]:
    return (SCHEMA["$defs"][name] if name else SCHEMA)["properties"]


def table(found: re.Match[str]) -> str:
    fields = properties(found["object"])
    required = (SCHEMA["$defs"][found["object"]] if found["object"] else SCHEMA).get("required", [])
    rows = ["| field | value | meaning | example |", "|---|---|---|---|"]
    for name in found["fields"].split():
        # That it is stale is told for a name that is not there.
        field = fields.get(name, {})
        names = " ".join(f"`{each}`" for each in [name, *field.get("x-aliases", [])])
        meaning = field.get("description", "")
        cells = [names, value(field) + (", mandatory" if name in required else ""), meaning, example(field)]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return found[1] + "\n" + "\n".join(rows) + "\n\n" + found[4]


def value(schema: dict[str, Any]) -> str:
    """What a reader is told of a schema: `string`, `list of objects`."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return NAMES.get(name) or value(SCHEMA["$defs"][name])
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(value(each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        of = value(schema["items"])
        return f"list of {of}s" if of in ("object", "string") else f"list of {of}"
    if schema.get("format") == "date-time":
        return "date and time (RFC 3339)"
    if "minimum" in schema:
        return f"{schema['minimum']} to {schema['maximum']}"
    return schema.get("type", "any")


def example(schema: dict[str, Any]) -> str:
    # One that is longer than a cell is found in the schema.
    (found, *_) = [*schema.get("examples", []), ""]
    return f"`{json.dumps(found, ensure_ascii=False)}`" if 0 < len(found) <= 40 else ""


if __name__ == "__main__":
    sys.exit(main())
