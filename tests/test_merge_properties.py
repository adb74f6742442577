"""Any value in any place of a template: either problems come out at that recipient, or every reader reads it back."""

from contextlib import suppress
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


@SETTINGS
@given(name=TEXT.filter(lambda text: "\t" not in text), merge=MERGE)
def test_any_name_of_a_recipient(quick: Door, readers: ForeignReaders, name: str, merge: str):
    recipients = [{"name": name, "address": "ann@example.org"}, {"name": name * 20, "address": "bo@example.org"}]
    judge_or_refused(quick, readers, {**SHOP, "recipients": recipients, "text": "x", "merge": merge})
