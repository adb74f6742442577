"""Templates of the kind `sparkpost`, by SparkPost's documentation of its template language, which is made of Lua."""

import operator
import re
from functools import cache
from urllib.parse import quote

from .values import escape, show, with_lf

TAG = re.compile(r"(\{\{\{.*?\}\}\}|\{\{.*?\}\})", re.DOTALL)
STATEMENT = r"\{{2,3}[ \t]*(?:if|elseif|else|each|end)\b[^\n}]*\}{2,3}"
# Of a line of statements alone neither the blanks behind the last one nor the line end are written.
OWN_LINE = re.compile(rf"^((?:[ \t]*{STATEMENT})+)[ \t]*(?:\n|\Z)", re.MULTILINE)
LINK = re.compile(r"https?://", re.IGNORECASE)
CLOSING = {"'": "'", "(": ")", "[": "]", "`": "`"}
TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?P<number>-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)"""
    r"""|(?P<name>[^\W\d]\w*)|(?P<sign>==|!=|<=|>=|[<>()\[\].#]))\s*""",
    re.DOTALL,
)
COMPARISONS = {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}
CURLY = {
    "opening_double_curly": "{{", "closing_double_curly": "}}", "opening_triple_curly": "{{{",
    "closing_triple_curly": "}}}",
}  # fmt: skip
LOOPS = "\0loops"


def fill(template: str, variables: dict, *, html: bool = False, links: bool = False) -> str:
    """`template` with its values; in HTML they are escaped, and in links of bodies percent-encoded."""
    nodes, _ = read(list(marked(OWN_LINE.sub(r"\1", with_lf(template)), links)))
    return write(nodes, {**variables, LOOPS: []}, html)


def marked(template: str, links: bool):
    """The pieces of a text: literals, and tags with whether they stand in a link."""
    passed = ""
    for piece in TAG.split(template):
        if TAG.fullmatch(piece):
            yield piece, links and ends_within_link(passed)
        else:
            passed += piece
            yield piece, None


def ends_within_link(text: str) -> bool:
    at = 0
    while found := LINK.search(text, at):
        end = CLOSING.get(text[found.start() - 1 : found.start()], "<")
        behind = re.search(rf'[\s<>"{re.escape(end)}]', text[found.end() :])
        if not behind:
            return True
        at = found.end() + behind.start()
    return False


def read(pieces: list) -> tuple[list, str]:
    """The nodes up to the tag that ends them, and that tag; both are taken away."""
    nodes = []
    while pieces:
        text, in_link = pieces.pop(0)
        if in_link is None:
            nodes.append(("literal", text))
            continue
        is_raw = text.startswith("{{{")
        inner = text.strip("{}").strip() if not text.endswith("}}}}") else text[3:-3].strip()
        word, _, rest = inner.partition(" ")
        if word in ("elseif", "else", "end"):
            return nodes, inner
        if word == "if":
            branches, condition = [], rest
            while True:
                body, end = read(pieces)
                branches.append((condition, body))
                if end == "end":
                    break
                condition = end.removeprefix("else").removeprefix("if").strip() or None
            nodes.append(("if", branches))
        elif word == "each":
            body, _ = read(pieces)
            nodes.append(("each", rest, body))
        else:
            nodes.append(("value", inner, "url" if in_link and not is_raw else "raw" if is_raw else "plain"))
    return nodes, ""


def write(nodes: list, scope: dict, html: bool) -> str:
    return "".join(write_node(node, scope, html) for node in nodes)


def write_node(node: tuple, scope: dict, html: bool) -> str:
    kind, *parts = node
    if kind == "literal":
        return parts[0]
    if kind == "value":
        expression, writing = parts
        value = Reader(expression, scope).all()
        text = with_lf("" if value is None else show(value))
        if writing == "url":
            return quote(text, safe="~")
        return escape(text) if html and writing == "plain" else text
    if kind == "if":
        for condition, body in parts[0]:
            if condition is None or holds(Reader(re.sub(r"\bthen$", "", condition), scope).all()):
                return write(body, scope, html)
        return ""
    listed, body = parts
    elements = Reader(listed, scope).all() or []
    if not isinstance(elements, list):
        raise TypeError("this is no list")
    name = re.split(r"\W+", listed.strip("'\"] "))[-1]
    return "".join(
        write(body, {**scope, LOOPS: [*scope[LOOPS], (name, index, element)]}, html)
        for index, element in enumerate((element for element in elements if element is not None), 1)
    )


def holds(value: object) -> bool:
    return value is not None and value is not False


class Reader:
    """Reads an expression and works it out on the way."""

    def __init__(self, expression: str, scope: dict):
        self.tokens = tokens(expression)
        self.at = 0
        self.scope = scope

    def all(self) -> object:
        value = self.either()
        assert self.at == len(self.tokens), self.tokens
        return value

    def either(self) -> object:
        value = self.both()
        while self.take("or"):
            other = self.both()
            value = value if holds(value) else other
        return value

    def both(self) -> object:
        value = self.comparison()
        while self.take("and"):
            other = self.comparison()
            value = other if holds(value) else value
        return value

    def comparison(self) -> object:
        one = self.operand()
        sign = self.take("==", "!=", *COMPARISONS)
        return compare(one, sign, self.operand()) if sign else one

    def operand(self) -> object:
        if self.take("not"):
            return not holds(self.operand())
        if self.take("#"):
            return len(self.operand() or [])
        if self.take("("):
            value = self.either()
            assert self.take(")")
            return self.steps(value)
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "text":
            return re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), text[1:-1])
        if kind == "number":
            return float(text) if re.search("[.eE]", text) else int(text)
        assert kind == "name", text
        return self.named(text)

    def named(self, name: str) -> object:
        words = {"nil": None, "true": True, "false": False}
        if name in words:
            return words[name]
        if self.take("("):
            value = self.either() if name == "empty" else CURLY[name]
            assert self.take(")")
            return value in (None, [], {}, "") if name == "empty" else value
        loops = self.scope[LOOPS]
        if name == "loop_var":
            return self.steps(loops[-1][2])
        if name == "loop_index":
            return loops[-1][1]
        if name == "loop_vars":
            assert self.take(".")
            listed, self.at = self.tokens[self.at][1], self.at + 1
            return self.steps(next(element for known, _, element in reversed(loops) if known == listed))
        return self.steps(self.scope.get(name))

    def steps(self, value: object) -> object:
        while sign := self.take(".", "["):
            if sign == ".":
                key, self.at = self.tokens[self.at][1], self.at + 1
            else:
                key = self.either()
                assert self.take("]")
            if isinstance(value, list):
                whole = isinstance(key, int | float) and not isinstance(key, bool) and key == int(key)
                value = value[int(key) - 1] if whole and 1 <= key <= len(value) else None
            else:
                value = value.get(key) if isinstance(value, dict) and isinstance(key, str) else None
        return value

    def take(self, *texts: str) -> str | None:
        if self.at < len(self.tokens) and self.tokens[self.at][1] in texts and self.tokens[self.at][0] != "text":
            self.at += 1
            return self.tokens[self.at - 1][1]
        return None


@cache
def tokens(expression: str) -> tuple[tuple[str, str], ...]:
    found, at = [], 0
    while at < len(expression):
        match = TOKEN.match(expression, at)
        assert match, expression[at:]
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return tuple(found)


def compare(one: object, sign: str, other: object) -> bool:
    if sign in ("==", "!="):
        is_number = [isinstance(value, int | float) and not isinstance(value, bool) for value in (one, other)]
        equal = one == other and (all(is_number) or type(one) is type(other))
        return equal if sign == "==" else not equal
    if one is None or other is None:
        return False
    if isinstance(one, str) != isinstance(other, str):
        one, other = float(one), float(other)
    return COMPARISONS[sign](one, other)
