"""Templates of the kind `jinja`, filled in by jinja2 itself."""

from functools import cache

import jinja2
from markupsafe import Markup

from . import filters
from .values import show, with_lf

# jinja2 writes a quote as a number, the contract says `&quot;`; to whoever reads the HTML they are the same.
QUOTE = ("&#34;", "&quot;")


def fill(template: str, variables: dict, *, html: bool = False) -> str:
    """`template` with its values; in HTML they are escaped."""
    text = compiled(template, html).render({name: lines(value) for name, value in variables.items()})
    return text.replace(*QUOTE) if html else text


def lines(value: object) -> object:
    """The value with LF at the end of each line of its texts."""
    if isinstance(value, str):
        return with_lf(value)
    if isinstance(value, list):
        return [lines(item) for item in value]
    if isinstance(value, dict):
        return {name: lines(item) for name, item in value.items()}
    return value


@cache
def compiled(template: str, html: bool) -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=html, undefined=jinja2.StrictUndefined, finalize=finalize, keep_trailing_newline=True
    )
    environment.filters |= {
        "capitalize": filters.on_text(filters.capitalize),
        "title": filters.on_text(filters.title),
        "tojson": lambda value: Markup(filters.to_json(value, separators=(", ", ": "))),
        "date": filters.date,
        "number": filters.number,
    }
    return environment.from_string(template)


def finalize(value: object) -> object:
    """Numbers and truth values look as they do in templates of the other kind."""
    return value if isinstance(value, str | Markup | jinja2.Undefined) else show(value)
