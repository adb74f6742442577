"""Makes the tables of docs/message.md and docs/problems.md from what the program goes by: `make generate`.

python tests/support/make_doc_pages.py OPENAPI          writes them; OPENAPI is the file of `pmtaemailapi openapi`
python tests/support/make_doc_pages.py OPENAPI --check  tells by its exit status whether they are fresh

In docs/message.md a comment says which fields a table has, `<!-- fields: to -->` or `<!-- fields of Dkim: domain -->`,
and another where it ends. In docs/problems.md the meanings are made, and the examples written by hand. So no field and
no code can be forgotten.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
SCHEMA = json.loads((ROOT / "schema/message.schema.json").read_text(encoding="utf-8"))
MESSAGE = ROOT / "docs/message.md"
PROBLEMS = ROOT / "docs/problems.md"
TABLE = re.compile(r"(<!-- fields(?: of (?P<object>\w+))?: (?P<fields>[\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)
CODE = re.compile(r"^\| `(?P<code>[a-z_]+)` \|.*?\| (?P<example>.*) \|$", re.MULTILINE)
# What the page calls the types of the schema that several fields share.
NAMES = {
    "Headers": "object, or list of objects",
    "Mailbox": "mailbox",
    "Mailboxes": "mailboxes",
    "Raw": "string or object",
    "Recipient": "mailbox or object",
    "Variables": "object",
}


def main(openapi: str, *options: str) -> int:
    pages = {MESSAGE: message_page(), PROBLEMS: problems_page(json.loads(Path(openapi).read_text(encoding="utf-8")))}
    stale = [page for page, made in pages.items() if made != page.read_text(encoding="utf-8")]
    if "--check" in options:
        for page in stale:
            print(f"{page.relative_to(ROOT)} is stale: make generate", file=sys.stderr)
        return len(stale)
    for page in stale:
        page.write_text(pages[page], encoding="utf-8")
    return 0


def message_page() -> str:
    page = MESSAGE.read_text(encoding="utf-8")
    said = {(found["object"], field) for found in TABLE.finditer(page) for field in found["fields"].split()}
    known = {(name, field) for name in {name for name, _ in said} for field in properties(name)}
    known |= {(name, field) for name, schema in SCHEMA["$defs"].items() for field in schema.get("properties", {})}
    if said != known:
        sys.exit(f"docs/message.md lacks, or has and should not: {sorted(map(str, said ^ known))}")
    return TABLE.sub(table, page)


def problems_page(document: dict[str, Any]) -> str:
    """The page without its second table, of types, has only codes in its rows."""
    codes, heading, types = PROBLEMS.read_text(encoding="utf-8").partition("\n## Types\n")
    kinds = document["components"]["schemas"]["ProblemCode"]["oneOf"]
    meanings = {
        kind["const"]: kind["description"] for kind in kinds if not kind["description"].startswith("A warning:")
    }
    said = {found["code"] for found in CODE.finditer(codes)}
    if said != set(meanings):
        sys.exit(f"docs/problems.md lacks, or has and should not: {sorted(said ^ set(meanings))}")
    return (
        CODE.sub(lambda row: f"| `{row['code']}` | {meanings[row['code']]} | {row['example']} |", codes)
        + heading
        + types
    )


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
    sys.exit(main(*sys.argv[1:]))
