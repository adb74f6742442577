"""Templates of the kind `sparkpost`, by SparkPost's documentation of its template language, which is made of Lua."""

import operator
import re
from collections.abc import Callable
from functools import cache
from urllib.parse import quote

from .values import Given, escape, show, with_lf

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
Formula = Callable[[dict], object]


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
        value = formula_of(expression)(scope)
        text = with_lf("" if value is None else show(value))
        if writing == "url":
            return quote(text, safe="~")
        return escape(text) if html and writing == "plain" else text
    if kind == "if":
        for condition, body in parts[0]:
            if condition is None or holds(formula_of(re.sub(r"\bthen$", "", condition))(scope)):
                return write(body, scope, html)
        return ""
    listed, body = parts
    name = re.split(r"\W+", listed.strip("'\"] "))[-1]
    return "".join(
        write(body, {**scope, LOOPS: [*scope[LOOPS], (name, index, element)]}, html)
        for index, element in enumerate(elements(formula_of(listed)(scope)), 1)
    )


def holds(value: object) -> bool:
    return value is not None and value is not False


class Reader:
    """Makes a function of an expression, whose argument is what the names mean."""

    def __init__(self, expression: str):
        self.tokens = tokens(expression)
        self.at = 0

    def all(self) -> Formula:
        formula = self.either()
        assert self.at == len(self.tokens), self.tokens
        return formula

    def either(self) -> Formula:
        formula = self.both()
        while self.take("or"):
            formula = first(formula, self.both(), until=True)
        return formula

    def both(self) -> Formula:
        formula = self.comparison()
        while self.take("and"):
            formula = first(formula, self.comparison(), until=False)
        return formula

    def comparison(self) -> Formula:
        one = self.operand()
        sign = self.take("==", "!=", *COMPARISONS)
        if not sign:
            return one
        other = self.operand()
        return lambda scope: compare(one(scope), sign, other(scope))

    def operand(self) -> Formula:
        if self.take("not"):
            operand = self.operand()
            return lambda scope: not holds(operand(scope))
        if self.take("#"):
            operand = self.operand()
            return lambda scope: len(elements(operand(scope)))
        if self.take("("):
            formula = self.either()
            assert self.take(")")
            return self.steps(formula)
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "text":
            meant = re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), text[1:-1])
            return lambda _: meant
        if kind == "number":
            number = Given(text) if re.search("[.eE]", text) else int(text)
            return lambda _: number
        assert kind == "name", text
        return self.named(text)

    def named(self, name: str) -> Formula:
        words = {"nil": None, "true": True, "false": False}
        if name in words:
            return lambda _: words[name]
        if self.take("("):
            formula = self.either() if name == "empty" else lambda _: CURLY[name]
            assert self.take(")")
            return (lambda scope: formula(scope) in (None, [], {}, "")) if name == "empty" else formula
        if name == "loop_var":
            return self.steps(lambda scope: scope[LOOPS][-1][2])
        if name == "loop_index":
            return lambda scope: scope[LOOPS][-1][1]
        if name == "loop_vars":
            assert self.take(".")
            listed, self.at = self.tokens[self.at][1], self.at + 1
            return self.steps(lambda scope: next(at for known, _, at in reversed(scope[LOOPS]) if known == listed))
        return self.steps(lambda scope: scope.get(name))

    def steps(self, formula: Formula) -> Formula:
        while sign := self.take(".", "["):
            if sign == ".":
                name, self.at = self.tokens[self.at][1], self.at + 1
                formula = member(formula, lambda _, name=name: name)
            else:
                formula = member(formula, self.either())
                assert self.take("]")
        return formula

    def take(self, *texts: str) -> str | None:
        if self.at < len(self.tokens) and self.tokens[self.at][1] in texts and self.tokens[self.at][0] != "text":
            self.at += 1
            return self.tokens[self.at - 1][1]
        return None


def first(one: Formula, other: Formula, *, until: bool) -> Formula:
    """The one if that holds, or does not; and else the other."""

    def formula(scope: dict) -> object:
        value = one(scope)
        return value if holds(value) == until else other(scope)

    return formula


def member(whole: Formula, key: Formula) -> Formula:
    def formula(scope: dict) -> object:
        value, name = whole(scope), key(scope)
        if isinstance(value, list):
            is_place = is_number(name) and name == int(name) and 1 <= name <= len(value)
            return value[int(name) - 1] if is_place else None
        return value.get(name) if isinstance(value, dict) and isinstance(name, str) else None

    return formula


def elements(value: object) -> list:
    if value is not None and not isinstance(value, list):
        raise TypeError("this is no list")
    return [element for element in value or [] if element is not None]


@cache
def formula_of(expression: str) -> Formula:
    return Reader(expression).all()


@cache
def tokens(expression: str) -> tuple[tuple[str, str], ...]:
    found, at = [], 0
    while at < len(expression):
        match = TOKEN.match(expression, at)
        assert match, expression[at:]
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return tuple(found)


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def compare(one: object, sign: str, other: object) -> bool:
    if sign in ("==", "!="):
        if isinstance(one, list | dict) and isinstance(other, list | dict):
            raise TypeError("lists and objects are not compared")
        equal = one == other and (is_number(one) and is_number(other) or type(one) is type(other))
        return equal if sign == "==" else not equal
    if one is None or other is None:
        return False
    if is_number(one) or is_number(other):
        one, other = number_of(one), number_of(other)
    elif not (isinstance(one, str) and isinstance(other, str)):
        raise TypeError("these have no order")
    return COMPARISONS[sign](one, other)


def number_of(value: object) -> float:
    if isinstance(value, str) and re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?", value):
        return float(value)
    if not is_number(value):
        raise TypeError("this is no number")
    return value
