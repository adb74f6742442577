"""Messages for many, each with what is wrong with it: name -> (message, list of (code, pointer))."""

BASE = {"from": "shop@example.com", "template": "merge", "text": "x"}
ANN = {"address": "ann@example.org"}
# Where a template may stand: the fields, and the pointer of the template.
PLACES = {
    "subject": ({"subject": "#"}, "/subject"),
    "text": ({"text": "#"}, "/text"),
    "html": ({"html": "#"}, "/html"),
    "amp": ({"amp": "#"}, "/amp"),
    "header": ({"headers": {"X-A": "#"}}, "/headers/X-A"),
    "header of several values": ({"headers": {"X-A": ["x", "#"]}}, "/headers/X-A/1"),
    "header of a list": ({"headers": [{"name": "X-A", "value": "#"}]}, "/headers/0/value"),
    "url": ({"unsubscribe": {"url": "https://example.com/#"}}, "/unsubscribe/url"),
    "mailto": ({"unsubscribe": {"mailto": "leave+#@example.com"}}, "/unsubscribe/mailto"),
    "from": ({"from": {"name": "#", "address": "shop@example.com"}}, "/from/name"),
    "from as text": ({"from": "# <shop@example.com>"}, "/from"),
    "replyTo": ({"replyTo": [{"name": "#", "address": "reply@example.com"}]}, "/replyTo/0/name"),
    "replyTo as text": ({"replyTo": "# <reply@example.com>"}, "/replyTo"),
    "messageId": ({"messageId": "#@example.com"}, "/messageId"),
}
HEADER_PLACES = ("subject", "header", "header of several values", "header of a list", "from", "from as text", "replyTo")
BAD_TAGS = [
    "{{ x", "{{", "{{}}", "{{ }}", "{{ x y }}", "{{ x | upper }}", "{{ x | default }}", "{{ x | default: }}",
    "{{ x | default: y }}", "{{ 1x }}", "{{ x. }}", "{{ .x }}", "{{ x..y }}", "{{ x-y }}", "{{{ x }}", "{{{ x",
    '{{ "x }}', "{{ x | default: 'x }}", "{{ x | default 'x' }}", "{{ x + 1 }}", "{{{{ x }}}}", "{{ x }} {{",
]  # fmt: skip
BAD_JINJA = [
    "{{ x",
    "{% if x %}",
    "{% for %}{% endfor %}",
    "{% endif %}",
    "{{ }}",
    "{% unheardof %}",
    "{{ x | }}",
    "{#",
]
CONTROLS = ["\r", "\n", "\r\nBcc: eve@example.com", "\0", "\x1b", "\x7f", "\x85"]


def put(place: str, template: str) -> dict:
    """The fields of a place with a template in it."""
    return filled(PLACES[place][0], template)


def filled(value: object, template: str) -> object:
    if isinstance(value, dict):
        return {name: filled(part, template) for name, part in value.items()}
    if isinstance(value, list):
        return [filled(part, template) for part in value]
    return value.replace("#", template)


def own(variables: object = None, **fields: object) -> list[dict]:
    """One recipient with these fields."""
    return [{**ANN, **({} if variables is None else {"variables": variables}), **fields}]


def merge(recipients: object, **fields: object) -> dict:
    return {**BASE, **fields, "recipients": recipients}


def one(**fields: object) -> dict:
    """An ordinary message that is a template."""
    return {**BASE, "to": "ann@example.org", **fields}


X = {"x": "x"}
MISSING = {
    **{f"missing in {name}": (merge(own(), **put(name, "{{x}}")), [("missing_variable", "/recipients/0/variables/x")])
       for name in PLACES},
    "missing for one": (
        merge([*own(X), *own(X), *own({}), *own(X)], subject="{{ x }}"),
        [("missing_variable", "/recipients/2/variables/x")]
    ),
    "missing for all": (
        merge(["ann@example.org", *own({"X": "x"}), *own({"x": None})], text="{{ x }}{{ x }}", subject="{{{ x }}}"),
        [("missing_variable", f"/recipients/{index}/variables/x") for index in range(3)],
    ),
    "two missing": (
        merge(own(), text="{{ x }} {{ y | default: '' }} {{ z }}"),
        [("missing_variable", "/recipients/0/variables/x"), ("missing_variable", "/recipients/0/variables/z")],
    ),
    "missing in one message": (one(text="{{ x }}"), [("missing_variable", "/variables/x")]),
    "null in one message": (one(text="{{ x }}", variables={"x": None}), [("missing_variable", "/variables/x")]),
    "missing in jinja": (
        merge([*own(X), *own()], text="{{ x }}", template="jinja"), [("missing_variable", "/recipients/1/variables")]
    ),
    "missing member in jinja": (
        merge(own({"user": {}}), text="{{ user.name }}", template="jinja"),
        [("missing_variable", "/recipients/0/variables")]
    ),
    "missing in one jinja message": (one(text="{{ x }}", template="jinja"), [("missing_variable", "/variables")]),
}  # fmt: skip
VALUES = {
    **{f"control {text!r} in {name}": (
        merge(own({"x": f"a{text}b"}), **put(name, "{{x}}")), [("control_character", "/recipients/0/variables/x")]
    ) for name in HEADER_PLACES for text in CONTROLS},
    "control in one message": (one(subject="{{ x }}", variables={"x": "\n"}), [("control_character", "/variables/x")]),
    "control in a value for all": (
        merge(own(), subject="{{ x }}", variables={"x": "\n"}), [("control_character", "/variables/x")]
    ),
    "control in jinja": (
        merge(own({"x": "\n"}), subject="{{ x }}", template="jinja"), [("control_character", "/recipients/0/variables")]
    ),
    "control in one jinja message": (
        one(subject="{{ x }}", variables={"x": "\n"}, template="jinja"), [("control_character", "/variables")]
    ),
    "list": (merge(own({"x": ["a"]}), text="{{ x }}"), [("wrong_type", "/recipients/0/variables/x")]),
    "object": (merge(own({"x": {"y": 1}}), html="{{{ x }}}"), [("wrong_type", "/recipients/0/variables/x")]),
    "list for all": (merge(own(), text="{{ x }}", variables={"x": []}), [("wrong_type", "/variables/x")]),
    "list in one message": (one(text="{{ x }}", variables={"x": []}), [("wrong_type", "/variables/x")]),
    **{f"url with {value!r}": (
        merge(own({"x": value}), **put("url", "{{x}}")), [("invalid_unsubscribe", "/recipients/0/variables")]
    ) for value in ["a b", ">", "å", "a>, <https://evil.example", "a" * 900]},
    "mailto": (
        merge(own({"x": "a b"}), **put("mailto", "{{x}}")), [("invalid_unsubscribe", "/recipients/0/variables")]
    ),
    "url in one message": (
        one(**put("url", "{{x}}"), variables={"x": " "}), [("invalid_unsubscribe", "/variables")]
    ),
    **{f"messageId with {value!r}": (
        merge(own({"x": value}), **put("messageId", "{{x}}")), [("invalid_message_id", "/recipients/0/variables")]
    ) for value in ["a b", "a@b", "", "å", "a>, <b"]},
    "long word in a header field": (
        merge(own({"x": "a" * 1_000}), **put("header", "{{x}}")), [("too_long", "/recipients/0/variables")]
    ),
    "long word in a header field of one message": (
        one(**put("header", "a {{x}}"), variables={"x": "a" * 1_000}), [("too_long", "/variables")]
    ),
}  # fmt: skip
TEMPLATES = {
    **{f"{tag} in {name}": (merge(own(X), **put(name, tag)), [("invalid_template", pointer)])
       for name, (_, pointer) in PLACES.items() for tag in ("{{x", "{{x|upper}}")},
    **{f"{tag} as a tag": (merge(own(X), text=f"a {tag} x"), [("invalid_template", "/text")]) for tag in BAD_TAGS},
    **{f"{tag} as jinja": (merge(own(X), text=f"a {tag} x", template="jinja"), [("invalid_template", "/text")])
       for tag in BAD_JINJA},
    "bad template of one message": (one(html="{{"), [("invalid_template", "/html")]),
    "two bad templates": (
        merge(own(X), subject="{{", text="{{"), [("invalid_template", "/subject"), ("invalid_template", "/text")]
    ),
}  # fmt: skip
FIELDS = {
    "no recipients": (merge([]), [("no_recipients", "/recipients")]),
    **{f"beside {name}": (merge(own(), **{name: "bo@example.org"}), [("conflict", f"/{name}")])
       for name in ("to", "cc", "bcc")},
    "beside all": (
        merge(own(), to="bo@example.org", cc="cy@example.org", bcc=[ANN]),
        [("conflict", "/to"), ("conflict", "/cc"), ("conflict", "/bcc")],
    ),
    "beside raw": (
        {
            "raw": "Date: Mon, 23 Nov 2026 05:33:54 +0000\nFrom: a@b.example\nTo: c@d.example\nSubject: x\n\nx\n",
            "recipients": ["ann@example.org"],
            "template": "merge",
            "variables": X,
            "merge": "native",
        },
        [("conflict", f"/{name}") for name in ("recipients", "template", "variables", "merge")],
    ),
    "messageId without a placeholder": (merge(own(), messageId="a@b.example"), [("conflict", "/messageId")]),
    "messageId and no template": (
        merge(own(), messageId="a@b.example", template="none"), [("conflict", "/messageId")]
    ),
    "merge without recipients": (one(merge="native"), [("conflict", "/merge")]),
    "priority in an expanded merge": (
        merge(own(priority=1), merge="expanded"), [("conflict", "/recipients/0/priority")]
    ),
    "variables and no template": (merge(own(), template=None, variables=X), [("missing_field", "/template")]),
    "variables of a recipient and no template": (merge(own(X), template=None), [("missing_field", "/template")]),
    "variables of one message and no template": (one(template=None, variables=X), [("missing_field", "/template")]),
    **{f"template {value!r}": (merge(own(), template=value), [(code, "/template")])
       for value, code in [("mustache", "invalid_choice"), ("", "invalid_choice"), (1, "wrong_type")]},
    **{f"merge {value!r}": (merge(own(), merge=value), [(code, "/merge")])
       for value, code in [("both", "invalid_choice"), (1, "wrong_type")]},
    **{f"variables {value!r}": (merge(own(value), variables=value), [
        ("wrong_type", "/recipients/0/variables"), ("wrong_type", "/variables")
    ]) for value in ("x", 1, ["x"], True)},
    **{f"recipients {value!r}": (merge(value), [("wrong_type", "/recipients")]) for value in (1, True, {})},
    **{f"recipient {value!r}": (merge([ANN, value]), [("wrong_type", "/recipients/1")]) for value in (1, True, ["x"])},
}  # fmt: skip
OWN = {
    "no address": (merge([{"name": "Ann"}]), [("missing_field", "/recipients/0/address")]),
    "two mailboxes": (
        merge(["ann@example.org", "bo@example.org, cy@example.org"]), [("too_many_mailboxes", "/recipients/1")]
    ),
    "bad mailbox": (merge(["ann@example.org", "nobody"]), [("invalid_address", "/recipients/1")]),
    "bad address": (merge([{"address": "nobody"}]), [("invalid_address", "/recipients/0/address")]),
    "bad email": (merge([{"email": "nobody"}]), [("invalid_address", "/recipients/0/email")]),
    "control in a name": (merge(own(name="a\nb")), [("control_character", "/recipients/0/name")]),
    "unknown field": (merge(own(colour="red")), [("unknown_field", "/recipients/0/colour")]),
    "field of the message": (merge(own(subject="x")), [("unknown_field", "/recipients/0/subject")]),
    "sender": (merge(own(sender="nobody")), [("invalid_address", "/recipients/0/sender")]),
    **{f"{name} {value!r}": (merge([ANN, *own(**{name: value})]), [("invalid_token", f"/recipients/1/{name}")])
       for name in ("envid", "job", "vmta")
       for value in ("", "a b", "å", 'a"', "a\\b", "a\r\nRCPT TO:<eve@example.com>")},
    **{f"{name} is a number": (merge(own(**{name: 1})), [("wrong_type", f"/recipients/0/{name}")])
       for name in ("envid", "job", "vmta", "sender", "name", "address")},
    **{f"priority {value!r}": (merge(own(priority=value)), [("invalid_choice", "/recipients/0/priority")])
       for value in (0, 101, -1, "urgent", "1")},
    **{f"priority {value!r}": (merge(own(priority=value)), [("wrong_type", "/recipients/0/priority")])
       for value in (True, [1])},
    "several": (
        merge(
            ["nobody", {"name": "x"}, *own({"x": "\n"}), *own(envid=" "), *own(X)],
            subject="{{ x }}",
            html="{{",
            cc="a@b.example",
        ),
        [
            ("conflict", "/cc"), ("invalid_template", "/html"), ("invalid_address", "/recipients/0"),
            ("missing_field", "/recipients/1/address"), ("invalid_token", "/recipients/3/envid"),
        ],
    ),
}  # fmt: skip
PROBLEMS = {**MISSING, **VALUES, **TEMPLATES, **FIELDS, **OWN}
