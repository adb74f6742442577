"""Any template in SparkPost's language with any values: what the model makes of it, or a problem where it finds one."""

import json
from email import message_from_bytes
from email.policy import SMTP

from hypothesis import example, given
from hypothesis import strategies as st

import pmtaemail
from merge_model import sparkpost
from strategies import examples

MAILBOX = {"address": {"name": "Ann Lee", "email": "ann@example.org"}}
BUILT_IN = MAILBOX | {
    "email": "ann@example.org",
    "email_id": "ann@example.org",
    "env_from": "shop@example.com",
    "return_path": "shop@example.com",
}
MESSAGE = {"from": "shop@example.com", "to": "Ann Lee <ann@example.org>", "template": "sparkpost"}
SCALAR = st.sampled_from(["", "a", "b", "x", "1", "10", "<&>", "é /?", "a\nb", 0, 1, 2, 10, -3, 2.5, True, False])
LIST = st.lists(SCALAR, max_size=3)
OBJECT = st.dictionaries(st.sampled_from(["x", "y", "l"]), st.one_of(SCALAR, LIST))
VALUES = st.fixed_dictionaries(
    {}, optional={"a": SCALAR, "b": SCALAR, "l": LIST, "o": OBJECT, "rows": st.lists(OBJECT, max_size=3)}
)
PATH = st.sampled_from(
    [
        "a", "b", "l", "o", "l[1]", "l[a]", "l[#l]", "o.x", "o['y']", "o[a]", "o.l[1]", "rows[1].x", "rows[2]['l'][b]",
        "missing", "missing.x", "address.name", "address['email']", "email", "env_from", "(o or rows[1]).x",
    ]
)  # fmt: skip
LITERAL = st.sampled_from(["'a'", '"b"', "'it\\'s'", "1", "2.0", "-3", "1e1", "true", "false", "nil", "'1'"])
SIGN = st.sampled_from(["==", "!=", "<", ">", "<=", ">="])


def operands(expression: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operand = st.one_of(
        PATH, LITERAL, expression.map(lambda inner: f"({inner})"), PATH.map(lambda path: f"empty({path})"),
        st.sampled_from(["#l", "#rows", "#missing", "#o.l"]), PATH.map(lambda path: f"not {path}"),
    )  # fmt: skip
    comparison = st.one_of(operand, st.tuples(operand, SIGN, operand).map(" ".join))
    chain = st.tuples(comparison, st.sampled_from([" and ", " or "]), comparison).map("".join)
    return st.one_of(comparison, chain, st.tuples(chain, st.sampled_from([" and ", " or "]), comparison).map("".join))


EXPRESSION = st.deferred(lambda: st.one_of(PATH, PATH, operands(EXPRESSION)))
LITERAL_TEXT = st.sampled_from(
    ["x", "\n", " ", "  \n", "\n\n", "<b>", "[x]", " http://e.example/", '"', "')", ".", "é"]
)
VALUE_TAG = st.one_of(EXPRESSION.map(lambda inner: f"{{{{ {inner} }}}}"), PATH.map(lambda path: f"{{{{{{{path}}}}}}}"))
LISTS = ["l", "rows", "o.l", "missing", "rows[1].l", "missing or l"]
IN_LOOP = st.sampled_from(
    ["{{ loop_var }}", "{{loop_index}}", "{{ loop_var.x or '-' }}", "{{ if loop_index == 1 }}1{{ end }}"]
)


def blocks(template: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    end = st.sampled_from(["{{ end }}", "{{end}}\n", "{{ end }} \n", "\n  {{ end }}\n"])
    start = st.sampled_from(["{{{{ if {} }}}}", "{{{{if {}}}}}\n", "{{{{ if {} then }}}} \n"])
    other = st.sampled_from(["{{ else }}", "\n{{ else }}\n", "{{ elseif a }}\n", "{{ elseif l and o }}"])
    condition = st.tuples(start, EXPRESSION, template, end).map(
        lambda four: four[0].format(four[1]) + four[2] + four[3]
    )
    both = st.tuples(start, EXPRESSION, template, other, template, end).map(
        lambda six: six[0].format(six[1]) + "".join(six[2:])
    )
    loop = st.tuples(st.sampled_from(LISTS), st.lists(st.one_of(IN_LOOP, template), max_size=3).map("".join), end).map(
        lambda three: f"{{{{ each {three[0]} }}}}\n{three[1]}{three[2]}"
    )
    nested = st.just(
        "{{ each rows }}{{ each loop_vars.rows.l }}{{ loop_vars.l }}{{ loop_vars.rows.x }},{{ end }};{{ end }}"
    )
    return st.lists(st.one_of(LITERAL_TEXT, VALUE_TAG, condition, both, loop, nested), max_size=4).map("".join)


PLAIN = st.lists(st.one_of(LITERAL_TEXT, VALUE_TAG), max_size=4).map("".join)
TEMPLATE = st.deferred(lambda: st.one_of(PLAIN, blocks(TEMPLATE)))


def modelled(template: str, variables: dict, *, html: bool) -> str | None:
    """What the model makes of it; None where the values do not fit."""
    scope = {**BUILT_IN, **variables}
    try:
        return sparkpost.fill(template, scope, html=html, links=True)
    except TypeError:
        return None


def rendered(template: str, variables: dict, *, html: bool) -> str | None:
    message = {**MESSAGE, "html" if html else "text": template, "variables": variables}
    problems = pmtaemail.check(message)
    if problems:
        # What is wrong whatever the values are is told of the template.
        assert {problem.code for problem in problems} <= {"wrong_type", "invalid_template"}, problems
        return None
    mail = pmtaemail.render(json.dumps(message).encode())
    return message_from_bytes(mail, policy=SMTP).get_content().replace("\r\n", "\n")


@examples(600)
@given(TEMPLATE, VALUES, st.booleans())
@example(
    "{{ each rows }}\n{{ loop_index }}{{ each loop_var.l }}{{ loop_var }}{{ end }}\n{{ end }}",
    {"rows": [{"l": [1]}]},
    False,
)
@example("{{ if a < b or a == b }}http://e/{{ a }} {{ end }}{{ a }}", {"a": "é /?", "b": "é /?"}, True)
def test_the_model_makes_the_same_of_it(template: str, variables: dict, html: bool):
    # A line end at the end of a body stands for itself.
    template += "\n."
    expected = modelled(template, variables, html=html)
    found = rendered(template, variables, html=html)
    assert found == (None if expected is None else expected + "\n")
