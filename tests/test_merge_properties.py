"""Any value in any place of a template: either problems come out at that recipient, or every reader reads it back."""

import unicodedata
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from itertools import zip_longest

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from doors import Door, PythonJson, Refused, encode
from merge_examples import EVERYWHERE, SHOP, filling
from merge_judge import judge_merge
from merge_model import personal
from readers import ForeignReaders
from strategies import CHARACTERS, MORE_EVIL, examples

# Each example is several messages, in three forms, before six readers.
SETTINGS = examples(40)
EVIL = [
    *MORE_EVIL, "[x]", "[[", "[*to]", "{{", "}}", "{{ x }}", "{{{", "{%", "%}", "{#", "XDFN", "&lt;",
    '" *from="e@b.example', "\nXPRT 2 LAST\n", "\n.\nRCPT TO:<eve@example.com>\n",
]  # fmt: skip
TEXT = st.lists(st.one_of(st.sampled_from(EVIL), st.text(CHARACTERS, max_size=20)), max_size=10).map("".join)
# Python's email takes the separators of lines and paragraphs for blanks where an encoded word ends.
TEXT = TEXT.map(lambda text: text.replace("\u2028", "").replace("\u2029", ""))
VALUE = st.one_of(
    st.tuples(TEXT, st.integers(1, 30)).map(lambda pair: pair[0] * pair[1]),
    st.integers(-(2**53), 2**53),
    st.booleans(),
    # JavaScript cannot tell 1.0 from 1.
    st.decimals(-1000, 1000, places=2).map(lambda price: int(price) if price == int(price) else float(price)),
)
# A word of a header field of our own that has no room on a line of 78 is not always put onto one of its own.
SHORT = TEXT.map(lambda text: text[:60])
NAME = st.sampled_from(["x", "X", "y", "name", "to", "date", "_1"])
VARIABLES = st.fixed_dictionaries(
    {"x": VALUE, "h": SHORT}, optional=dict.fromkeys(["X", "y", "name", "to", "_1"], VALUE)
)
# Tags that every recipient can fill in: what may be absent has a default.
TAG = st.one_of(
    st.sampled_from(["{{ x }}", "{{x}}", "{{{ x }}}", '{{ "{{" }}', "{{ '[x]' }}"]),
    NAME.map(lambda name: f'{{{{ {name} | default: "[<å>]" }}}}'),
    NAME.map(lambda name: f"{{{{{{ {name}|default:'<i>&' }}}}}}"),
)
# Two braces of a text would start a tag of their own.
LITERAL = TEXT.map(lambda text: text.replace("{", "(").replace("}", ")"))
TEMPLATE = st.lists(st.one_of(TAG, LITERAL, st.sampled_from([" ", "[", "=", "\n.", " \n"])), max_size=8).map("".join)
HEADER_TEMPLATE = TEMPLATE.map(lambda text: "".join(char for char in text if char.isprintable()))
PLACES = st.fixed_dictionaries(
    {},
    optional={
        "subject": HEADER_TEMPLATE,
        "text": TEMPLATE,
        "html": TEMPLATE,
        "amp": TEMPLATE,
        "headers": st.fixed_dictionaries(
            {"X-A": st.sampled_from(["{{ h }}", "a {{ h }}", "[{{ h }}] {{ h }}", "å {{ h }}{{ no | default: '[[' }}"])}
        ),
        "from": st.fixed_dictionaries({"name": HEADER_TEMPLATE, "address": st.just("shop@example.com")}),
        "replyTo": st.fixed_dictionaries({"name": HEADER_TEMPLATE, "address": st.just("reply@example.com")}),
    },
)
MERGE = st.sampled_from(["native", "expanded"])
JINJA = st.lists(
    st.sampled_from(
        [
            "{{ x }}", "{{ x | upper }}", "{{ x | length }}", "{{ x | default('d') }}",
            "{% if x == 'a' %}[a]{% else %}=b{% endif %}",
            "{% for item in items %}{{ loop.index }}{{ item }}\n{% endfor %}",
            "{% set y = x ~ '[' %}{{ y }}",
            "{{ items | join(', ') }}", "{{ z | default('<[z]') }}", "{# {{ no }} #}", "{% raw %}{{ x }}{% endraw %}",
            "{% if z is defined %}z{% endif %}", "[x] [[ =\n.", "{{ user.name }}", "{{ items | length }}", "\n",
            "å", "{%- if items %} some {% endif -%} ", "{{ x | replace('[', '<') }}",
            "{{ x ~ user.name }}", "{{ x | safe }}",
        ]
    ),
    max_size=8,
).map("".join)  # fmt: skip


SPARKPOST = st.lists(
    st.sampled_from(
        [
            "{{ x }}", "{{{ x }}}", "{{ x or 'd' }}", "{{ z or '<[z]' }}", "{{ z or x }}", "{{ user.name }}", "\n",
            "{{ if x == 'a' }}[a]{{ else }}=b{{ end }}", "{{ if z }}\nz\n{{ end }}\n", "{{ if x }} {{ x }}.{{ end }}",
            "{{ each items }}\n{{ loop_index }}{{ loop_var }}\n{{ end }}\n", "[x] [[ =\n.", " https://e.example/?",
            "{{ each items }}{{ if loop_var == x }}{{ x }}{{ else }}{{{ loop_var }}}{{ end }}, {{ end }}",
            "{{ #items }}", "{{ email }} {{ address.name }} {{ env_from }}", "{{ if empty(items) }}no{{ end }}",
            "{{ items[1] or '-' }}{{ user['name'] }}", "{{ opening_double_curly() }}", "å",
            "{{ if x < 'b' then }}[{{ end }}", " ", "'", ")",
        ]
    ),
    max_size=8,
).map("".join)  # fmt: skip


@pytest.fixture(scope="module")
def quick() -> Door:
    """In this process, without syncing."""
    return PythonJson()


def judge_or_refused(quick: Door, readers: ForeignReaders, message: dict) -> None:
    """The merge comes out right, or has problems at its recipients alone, where the plain messages have some too."""
    count = len(message["recipients"])
    try:
        files = quick.pickup_files(encode(message))
    except Refused as refused:
        assert all(problem["pointer"].startswith("/recipients/") for problem in refused.problems)
        places = {int(problem["pointer"].split("/")[2]) for problem in refused.problems}
        assert places == {index for index in range(count) if is_refused(quick, personal(message, index).message)}
        return
    rendered = [quick.render(encode(personal(message, index).message)) for index in range(count)]
    assert judge_merge(message, files, readers, rendered) == []


def is_refused(quick: Door, message: dict) -> bool:
    with suppress(Refused):
        quick.check(encode(message))
        return False
    return True


# Header fields of a recipient's own: in the place of the message's, beside them, or read as fields of the message.
OWN_HEADERS = st.one_of(
    st.none(),
    st.dictionaries(
        st.sampled_from(["X-A", "x-a", "X-Ref", "X-Tier", "X-More"]),
        st.one_of(
            SHORT.map(lambda text: text.replace("{", "(")),
            st.sampled_from(["{{ h }}", "a {{ h }} å", "[{{ h }}]", ["{{ h }}", "b"]]),
        ),
    ),
    st.fixed_dictionaries(
        {"Reply-To": st.sampled_from(["{{ h }} <a@b.example>", '"{{ h }}" <a@b.example>', "{{ h }}"])}
    ),
    st.fixed_dictionaries(
        {"List-Unsubscribe": st.sampled_from(["<https://e.example/?{{ h }}>", "<mailto:a@e.example>"]), "X-Ref": SHORT}
    ),
)


def people(variables: list[dict], headers: list[dict | None] = ()) -> list[dict]:
    return [
        {"address": f"r{number}@example.org", "variables": own, **({"headers": given} if given else {})}
        for number, (own, given) in enumerate(zip_longest(variables, headers[: len(variables)]))
    ]


@SETTINGS
@given(
    places=PLACES,
    variables=st.lists(VARIABLES, min_size=1, max_size=3),
    headers=st.lists(OWN_HEADERS, max_size=3),
    merge=MERGE,
)
@example(places={"text": "{{ x }}{{ x }}"}, variables=[{"x": "\r"}, {"x": "\n"}], headers=[], merge="native")
@example(places={"text": "a\r{{ x }}"}, variables=[{"x": "\nb"}, {"x": ""}], headers=[], merge="native")
@example(places={"subject": "å{{ x }}"}, variables=[{"x": "e\u0301" * 40}, {"x": ""}], headers=[], merge="native")
def test_any_value_in_any_template(
    quick: Door, readers: ForeignReaders, places: dict, variables: list[dict], headers: list, merge: str
):
    judge_or_refused(quick, readers, filling(people(variables, headers), **places, merge=merge))


@SETTINGS
@given(values=st.lists(VALUE, min_size=1, max_size=3), merge=MERGE)
@example(values=["a\r\nBcc: eve@example.com"], merge="native")
@example(values=['a" *from="eve@example.com', "a\\"], merge="native")
@example(values=["=?utf-8?Q?a?=", " ", ""], merge="native")
def test_any_value_everywhere(quick: Door, readers: ForeignReaders, values: list, merge: str):
    places = {**EVERYWHERE, "headers": {"X-A": "{{ h }}"}}
    variables = [{"x": value, "h": str(value)[:60]} for value in values]
    judge_or_refused(quick, readers, filling(people(variables), **places, merge=merge))


@SETTINGS
@given(
    templates=st.fixed_dictionaries({"text": SPARKPOST, "html": SPARKPOST}, optional={"amp": SPARKPOST}),
    values=st.lists(TEXT, min_size=1, max_size=3),
    items=st.lists(TEXT, max_size=4),
    merge=MERGE,
)
@example(templates={"text": "{{ x }}", "html": "{{ x }}"}, values=["{{ y }}", "<\"'&>"], items=[], merge="native")
def test_any_value_in_sparkpost(
    quick: Door, readers: ForeignReaders, templates: dict, values: list[str], items: list[str], merge: str
):
    variables = [{"x": value, "items": items[: number + 1]} for number, value in enumerate(values)]
    message = filling(people(variables), **templates, merge=merge, variables={"user": {"name": "Ann [x] <å>"}})
    judge_or_refused(quick, readers, {**message, "template": "sparkpost"})


@SETTINGS
@given(
    templates=st.fixed_dictionaries({"text": JINJA, "html": JINJA}, optional={"amp": JINJA}),
    values=st.lists(TEXT, min_size=1, max_size=3),
    items=st.lists(TEXT, max_size=4),
    merge=MERGE,
)
@example(templates={"text": "{{ x }}", "html": "{{ x }}"}, values=["{{ y }}", "<\"'&>"], items=[], merge="native")
def test_any_value_in_jinja(
    quick: Door, readers: ForeignReaders, templates: dict, values: list[str], items: list[str], merge: str
):
    # A fold of letters that one language knows and the other does not is no matter of mail.
    assume(all(text.upper().lower() == text.lower() for text in [*values, *items]))
    variables = [{"x": value, "items": items[: number + 1]} for number, value in enumerate(values)]
    message = filling(people(variables), **templates, merge=merge, variables={"user": {"name": "Ann [x] <å>"}})
    judge_or_refused(quick, readers, {**message, "template": "jinja"})


# Filters that take any text. What they make may be empty, so a text in front stays.
TEXT_FILTERS = st.lists(
    st.sampled_from(
        [
            "upcase", "lower", "capitalize", "title", "truncate: 10", 'truncate: 5, "…"', "truncate: 3, ''",
            "truncatewords: 2", "truncatewords: 1, ' [x]'", "urlencode", "url_encode", "json", "default: '<d>'",
        ]
    ),
    min_size=1,
    max_size=4,
).map(" | ".join)  # fmt: skip
OFFSETS = st.sampled_from([UTC, timezone(timedelta(hours=-3.5))])
TIME = st.integers(-2_000_000_000, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
DATE = st.one_of(
    st.tuples(TIME, OFFSETS).map(lambda pair: pair[0].astimezone(pair[1]).isoformat(timespec="seconds")),
    TIME.map(lambda time: time.date().isoformat()),
    st.integers(0, 4_000_000_000),
    st.just(""),
)
DATE_FILTER = st.sampled_from(["%Y-%m-%d %H:%M:%S %z", "%B %-d, %Y", "%A %d.%m.%y [%j]", "%I:%M %p", "%b 100%%"]).map(
    lambda form: f"date: '{form}'"
)
PRICE = st.one_of(
    st.integers(-(10**30), 10**30).map(str),
    st.integers(-(2**53), 2**53),
    st.decimals(-(10**12), 10**12, places=5).map(lambda price: f"{price:f}"),
    st.just(""),
)
NUMBER_FILTER = st.sampled_from(
    [
        "number",
        "number: 2",
        'number: 2, ",", "."',
        "number: 0, '.', ' '",
        "number: nil, ',', \"'\"",
        "number: 7, '·', ''",
    ]
)
FILTERED = st.one_of(
    TEXT_FILTERS.map(lambda chain: f"a{{{{ x | {chain} }}}}"),
    TEXT_FILTERS.map(lambda chain: f"a{{{{{{ x | {chain} }}}}}}"),
    TEXT_FILTERS.map(lambda chain: f"a{{{{ no | {chain} | default: '[d]' }}}}"),
    DATE_FILTER.map(lambda chain: f"b{{{{ when | {chain} | default: 'soon' }}}}"),
    NUMBER_FILTER.map(lambda chain: f"c{{{{ price | {chain} | default: '-' }}}}"),
    TEXT_FILTERS.map(lambda chain: f"{{{{ 'Ab <[c] dé' | {chain} }}}}"),
    st.sampled_from(["a{{{ x }}", "{{{ 'x' }}", "{ x } {{ price | json }}"]),
)


def has_case_of_all_versions(text: str) -> bool:
    """Whether the letters are in the Unicode of every language, and have one other case."""
    return text.upper().lower() == text.lower() and all(unicodedata.category(char) != "Cn" for char in text)


@SETTINGS
@given(
    text=st.lists(FILTERED, max_size=6).map("\n".join),
    html=st.lists(FILTERED, max_size=4).map("<br>".join),
    values=st.lists(st.tuples(TEXT.filter(has_case_of_all_versions), DATE, PRICE), min_size=1, max_size=3),
    merge=MERGE,
)
@example(
    text="{{ x | upcase }} {{ x | upcase }} {{ x }}{{ when | date: '%B' }}{{ price | number: 2, ',', '.' }}",
    html="{{ x | json }}{{{ x | json }}}<a href='?{{ x | urlencode }}'>",
    values=[("ann+x@b.example <[a]>", "2026-03-01", "1234.5"), ("", "", ""), ("y" * 200, 0, 10**15)],
    merge="native",
)
def test_any_value_through_filters(
    quick: Door, readers: ForeignReaders, text: str, html: str, values: list[tuple], merge: str
):
    variables = [dict(zip(("x", "when", "price"), value, strict=True)) for value in values]
    judge_or_refused(quick, readers, filling(people(variables), subject="x", text=text, html=html, merge=merge))


JINJA_FILTERED = st.lists(
    st.sampled_from(
        [
            "{{ x | urlencode }}", "{{ x | truncate(10) }}", "{{ x | truncate(8, true, '[…]', 0) }}",
            "{{ x | tojson }}",
            "{{ x | title }}", "{{ x | capitalize }}", "{{ x | default('<d>', true) }}", "{{ x | lower | upper }}",
            "{{ items | tojson }}", "{{ when | date('%d.%m.%Y %H:%M') }}", "{{ price | number(2, ',', '.') }}",
            "{{ count * 2 }} {{ 3 * count * count }}", "{{ '[' * count }}", "{{ (count + 1) * -count | abs }}",
        ]
    ),
    max_size=6,
).map("\n".join)  # fmt: skip


@SETTINGS
@given(
    text=JINJA_FILTERED,
    html=JINJA_FILTERED,
    values=st.lists(
        st.tuples(TEXT.filter(has_case_of_all_versions), DATE, PRICE, st.integers(0, 50)), min_size=1, max_size=3
    ),
    merge=MERGE,
)
def test_any_value_through_filters_of_jinja(
    quick: Door, readers: ForeignReaders, text: str, html: str, values: list[tuple], merge: str
):
    names = ("x", "when", "price", "count")
    variables = [dict(zip(names, value, strict=True)) for value in values]
    for own in variables:
        own["items"] = [own["x"], own["count"], True, {"<a>": [own["x"]]}]
    message = filling(people(variables), subject="x", text=text, html=html, merge=merge)
    judge_or_refused(quick, readers, {**message, "template": "jinja"})


@SETTINGS
@given(name=TEXT.filter(lambda text: "\t" not in text), merge=MERGE)
def test_any_name_of_a_recipient(quick: Door, readers: ForeignReaders, name: str, merge: str):
    recipients = [{"name": name, "address": "ann@example.org"}, {"name": name * 20, "address": "bo@example.org"}]
    judge_or_refused(quick, readers, {**SHOP, "recipients": recipients, "text": "x", "merge": merge})
