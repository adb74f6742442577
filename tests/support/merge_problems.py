"""Messages for many, each with what is wrong with it: name -> (message, the exact list of its problems).

What a sentence says of the place in a template is `FIELD` and `PLACE` here; `without_place` makes it so.

A new rule is a `Rule` with the words that callers read, and at least one message that breaks it.
"""

import re
from typing import NamedTuple


class Rule(NamedTuple):
    """What every door says of a message that breaks the rule."""

    code: str
    detail: str

    def in_field(self, field: str) -> "Rule":
        """What is said where values break it only in a field that they are put in."""
        return Rule(self.code, f"In `{field}`: {self.detail}")

    def at(self, *pointers: str) -> list[dict[str, str]]:
        """The problems of a message that breaks it at these places, in this order."""
        return [{"code": self.code, "pointer": pointer, "detail": self.detail} for pointer in pointers]


def without_place(problems: list[dict[str, str]]) -> list[dict[str, str]]:
    """The problems without the places in templates."""
    found = [re.sub(r"\bline \d+, column \d+", "PLACE", problem["detail"]) for problem in problems]
    details = [re.sub(r"\bin `/[^`]+`", "in FIELD", detail) for detail in found]
    return [{**problem, "detail": detail} for problem, detail in zip(problems, details, strict=True)]


BESIDE_RAW = Rule("conflict", "Only envelope fields can be combined with `raw`.")
BESIDE_RECIPIENTS = Rule(
    "conflict",
    "This cannot be combined with `recipients`, each of whom gets a separate message.",
)
ONE_MESSAGE_ID = Rule(
    "conflict",
    "Each message of a merge needs its own identifier: use a variable in this one, or leave it out.",
)
NUMBER_IN_EXPANDED_MERGE = Rule(
    "conflict",
    "PowerMTA takes a number only in its own merge format, which cannot express `dkim`, more than 11 delivery windows, "
    "or a bracket that cannot be encoded, as in `a@[192.0.2.1]`; use `high`, `normal` or `low`.",
)
MERGE_FORM_ALONE = Rule(
    "conflict",
    "PowerMTA takes this only in its own merge format, which cannot express `dkim`, more than 11 delivery windows, or "
    "a bracket that cannot be encoded, as in `a@[192.0.2.1]`; leave it out.",
)
MERGE_ALONE = Rule(
    "conflict", "PowerMTA takes this only in a mail merge: give `recipients` instead of `to`, `cc` and `bcc`."
)
BESIDE_PRIORITY = Rule(
    "conflict",
    "This header field and the message's `priority` say the same thing; give only one of them.",
)
ONCE = Rule("conflict", "A message may have this header field only once; give it one value.")
CONTROL_IN_OWN_HEADER = Rule(
    "control_character", "A header field may not contain line breaks or other control characters."
)
RESERVED_SUBJECT = Rule("reserved_header", "Use the message's `subject` instead of this header field.")
NO_HTTPS = Rule(
    "invalid_unsubscribe", "List-Unsubscribe-Post requires a List-Unsubscribe that has an https URL (RFC 8058)."
)
MORE_ELEMENTS = Rule(
    "invalid_header_value",
    "With these values this header field has more or fewer addresses or URLs than its template; a value may be a list "
    "only where it is everything between two commas.",
)
NO_CALENDAR_NAME = Rule(
    "invalid_calendar",
    "In a calendar, a placeholder may be used in the value of a property or parameter, not in its name.",
)
NO_CALENDAR_PARAMETER = Rule(
    "invalid_calendar",
    "This value is inserted into a parameter of a calendar property, which takes commas, semicolons and colons only in "
    'quotes: write CN="{{ name }}".',
)
NO_CALENDAR_LINE = Rule(
    "invalid_calendar",
    "This value contains a line break and is inserted into a calendar property that is not text, such as an address "
    "or a time.",
)
CONTROL_IN_CALENDAR = Rule(
    "control_character",
    "A calendar may not contain control characters other than line breaks and tabs (RFC 5545 section 3.1).",
)
OTHER_METHOD = Rule(
    "invalid_calendar",
    "With these values the calendar is not an iCalendar object with the METHOD of its template.",
)
UNKNOWN_METHOD = Rule("invalid_calendar", "The METHOD in the content is not one defined in RFC 5546.")
NO_FILE_NAME = Rule("invalid_filename", "A file name may not be empty; leave the field out.")
DOTS_AS_FILE_NAME = Rule("invalid_filename", "A file name may not be `.` or `..`.")
LONG_FILE_NAME = Rule("invalid_filename", "A file name may have at most 255 characters.")
NO_ENDING = Rule(
    "invalid_filename",
    "The content type follows from the extension of the file name, and this one ends with a placeholder: write the "
    "extension, as in `{{ name }}.pdf`, or give `contentType`.",
)
NO_FILLED_ENVID = Rule(
    "invalid_token",
    "With these values `envid` is longer than 100 characters, or contains characters other than printable ASCII "
    "without spaces, quotes, backslashes and angle brackets.",
)
NO_MERGE = Rule("conflict", "This says how the files for `recipients` are written, but no `recipients` are given.")
CONTROL_IN_NAME = Rule("control_character", "A display name may not contain line breaks or other control characters.")
CONTROL_BY_JINJA = Rule(
    "control_character",
    "The template in FIELD writes a line break or another control character into a header field for these values.",
)
NO_SPARKPOST = Rule(
    "invalid_template",
    "In PLACE a placeholder does not have the form `{{ name }}`, `{{ name or 'text' }}`, `{{ if name == 'text' }}` … "
    "`{{ elseif name }}` … `{{ else }}` … `{{ end }}` or `{{ each names }}` … `{{ end }}`, with three braces for a "
    "value that is not escaped; `{{ opening_double_curly() }}` writes two braces.",
)
NO_MACRO_HERE = Rule(
    "invalid_template",
    "In PLACE there is `render_snippet`, a feature of SparkPost that is not supported here: put the text itself into "
    "the template.",
)
NO_LIST_IN_SPARKPOST = Rule("wrong_type", "The template in FIELD, PLACE, loops over something that is not a list.")
NO_ORDER_IN_SPARKPOST = Rule(
    "wrong_type", "The template in FIELD, PLACE, compares values of different types, or lists or objects."
)
TOO_LONG_FOR_SPARKPOST = Rule("invalid_template", "The template in FIELD, PLACE, takes too long with these values.")
CONTROL_IN_HEADER = Rule(
    "control_character",
    "This value is inserted into a header field, which may not contain line breaks or other control characters.",
)
NO_AT = Rule("invalid_address", "The address has no @.")
PRIORITY_OUT_OF_RANGE = Rule("invalid_choice", "PowerMTA's priority must be a whole number from 1 to 100.")
NO_PRIORITY = Rule(
    "invalid_choice",
    "This must be `high`, `normal`, `low`, or a whole number from 1 to 100, not a string (in Python an int).",
)
NO_KIND_OF_MERGE = Rule("invalid_choice", "This must be one of `native`, `expanded`.")
BLANK_IN_ADDRESS = Rule(
    "invalid_address", "The part before the @ contains a space or another character that must be quoted."
)
IN_ADDRESS = Rule(
    "invalid_template",
    "The display name of `replyTo` may contain placeholders, its address may not; use `Reply-To` in `headers` for "
    "that.",
)
NO_LANGUAGE = Rule("invalid_choice", "This must be one of `none`, `merge`, `jinja`, `sparkpost`.")
INVALID_MESSAGE_ID = Rule(
    "invalid_message_id",
    "A message identifier must have the form left@right, with ASCII letters, digits, dots and a few other characters.",
)
NO_PLACEHOLDER = Rule(
    "invalid_template",
    'In PLACE a placeholder does not have the form `{{ name }}` or `{{ name | default: "text" }}`, with three braces '
    'for a value that is HTML; `{{ "{{" }}` writes two braces.',
)
NO_FILTER = Rule(
    "invalid_template",
    "In PLACE there is an unknown filter `uper`. The filters are `default`, `upcase`, `upper`, "
    "`downcase`, `lower`, `capitalize`, `title`, `truncate`, `truncatewords`, `urlencode`, `url_encode`, `json`, "
    "`tojson`, `date`, `number`. Did you mean `upper`?",
)
BAD_ARGUMENTS = Rule(
    "invalid_template",
    'In PLACE a filter has the wrong arguments; it is written `default: "text"`, and arguments are quoted strings, '
    "numbers, `true` and `false`.",
)
NO_DATE_IN_TEMPLATE = Rule(
    "invalid_template",
    "In PLACE the filter `date` takes a date such as 2026-01-31 or 2026-01-31T12:00:00Z, or the seconds since 1970.",
)
NO_PRESENT = Rule(
    "invalid_template",
    "In PLACE the filter `date` does not know the current time, so that a message is always the same: pass the date as "
    "a variable.",
)
CONTROL_BY_PLACEHOLDER = Rule(
    "control_character",
    "In PLACE a placeholder writes a line break or another control character into a header field.",
)
NO_DATE = Rule(
    "invalid_date",
    "The filter `date` of the placeholder in FIELD, PLACE, takes a date such as 2026-01-31 or 2026-01-31T12:00:00Z, or "
    "the seconds since 1970.",
)
NO_NUMBER = Rule(
    "wrong_type",
    "The filter `number` of the placeholder in FIELD, PLACE, takes a number, or a string that is one, such as 1234.5.",
)
NO_TEXT_FOR_FILTER = Rule(
    "wrong_type",
    "The filter `upcase` of the placeholder in FIELD, PLACE, takes text, a number, true or false.",
)
NO_FILTER_OF_JINJA = Rule(
    "invalid_template", "This is not a valid template: unknown filter `uper`, in PLACE; did you mean `upper`?"
)
NO_CONSTANT = Rule("invalid_template", "This is not a valid template: invalid operation, in PLACE.")
CONTROL_BY_JINJA_ITSELF = Rule(
    "control_character", "The template writes a line break or another control character into a header field."
)
FOREIGN_TAG = Rule(
    "invalid_template",
    'In PLACE there is a tag of another template language, which readers would see; `"template": "jinja"` has '
    'conditions and loops, and `{{ "{%" }}` writes these characters literally.',
)
NO_JINJA = Rule("invalid_template", "This is not a valid template: syntax error, in PLACE.")
NO_ENVID = Rule(
    "invalid_token",
    "This must be at most 100 printable ASCII characters, without spaces, quotes, backslashes and angle brackets.",
)
NO_TOKEN = Rule(
    "invalid_token",
    "This must be at most 200 printable ASCII characters, without spaces, quotes, backslashes and angle brackets.",
)
NO_UNSUBSCRIBE_URL = Rule(
    "invalid_unsubscribe",
    "This must be an http or https URL in ASCII, of at most 900 bytes.",
)
NO_UNSUBSCRIBE_ADDRESS = Rule("invalid_unsubscribe", "This must be an address, or a mailto: URL in ASCII.")
NO_URL_IN_UNSUBSCRIBE = NO_UNSUBSCRIBE_URL.in_field("/unsubscribe/url")
NO_ADDRESS_IN_UNSUBSCRIBE = NO_UNSUBSCRIBE_ADDRESS.in_field("/unsubscribe/mailto")
NO_ADDRESS = Rule("missing_field", "A mailbox must have an `address`.")
UNREAD_VARIABLES = Rule(
    "missing_field",
    "Variables are given, so the language of the texts is required: `merge`, `jinja`, `sparkpost` or `none`.",
)
MISSING_IN_JINJA = Rule(
    "missing_variable",
    "The template in FIELD needs a variable that is not given: undefined value `x`, in PLACE.",
)
MISSING_MEMBER_IN_JINJA = Rule(MISSING_IN_JINJA.code, MISSING_IN_JINJA.detail.replace("`x`", "`user.name`"))
MISSING_VARIABLE = Rule(
    "missing_variable",
    "The template needs this variable in FIELD, PLACE; give it, or a default in the template.",
)
NO_RECIPIENTS = Rule("no_recipients", "The message has no recipients; give at least one.")
NO_IDENTIFIERS = Rule(
    "invalid_message_id",
    "This header field takes message identifiers in angle brackets, <left@right> in printable ASCII, separated by "
    "white space.",
)
LONG_WORD = Rule("too_long", "A word in a header field must fit on a line of 998 bytes.")
TWO_MAILBOXES = Rule("too_many_mailboxes", "Each recipient must be one mailbox; this contains several.")
UNKNOWN_FIELD = Rule("unknown_field", "There is no field with this name.")
NO_TEXT = Rule("wrong_type", "The template inserts this value, so it must be a string, a number, true or false.")
PRIORITY_OF_OTHER_TYPE = Rule("wrong_type", "This must be `high`, `normal`, `low` or a number from 1 to 100.")
NO_RECIPIENT = Rule(
    "wrong_type",
    "This must be a recipient: a string, or an object with `name`, `address` and `variables`.",
)
NO_STRING = Rule("wrong_type", "This must be a string.")
NO_ARRAY = Rule("wrong_type", "This must be an array (in Python and JavaScript any iterable).")
NO_OBJECT = Rule("wrong_type", "This must be an object of names and values.")

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
    "{{ x", "{{", "{{}}", "{{ }}", "{{ x y }}", "{{ 1x }}", "{{ x. }}", "{{ .x }}", "{{ x..y }}", "{{ x-y }}",
    "{{{ x", '{{ "x }}', "{{ x | default 'x' }}", "{{ x + 1 }}", "{{ x }} {{", "{{ x | }}", "{{ x || upper }}",
]  # fmt: skip
BAD_CALLS = [
    "{{ x | default: }}", "{{ x | default: y }}", "{{ x | default: 'x }}", "{{ x | default('x') }}",
    "{{ x | default: 'x', }}", "{{ x | default: 'x', 'y' }}", "{{ x | default: 'x', allow: true }}",
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
BAD_SPARKPOST = ["{{ x", "{{ }}", "{{ x y }}", "{{ 1x }}", "{{ x. }}", "{{ 'x }}", "{{ x = 1 }}", "{{ (x }}", "{{/if}}"]
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
    **{f"missing in {name}": (merge(own(), **put(name, "{{x}}")), MISSING_VARIABLE.at("/recipients/0/variables/x"))
       for name in PLACES},
    "missing for one": (
        merge([*own(X), *own(X), *own({}), *own(X)], subject="{{ x }}"),
        MISSING_VARIABLE.at("/recipients/2/variables/x")
    ),
    "missing for all": (
        merge(["ann@example.org", *own({"X": "x"}), *own({"x": None})], text="{{ x }}{{ x }}", subject="{{{ x }}}"),
        MISSING_VARIABLE.at(*(f"/recipients/{index}/variables/x" for index in range(3))),
    ),
    "two missing": (
        merge(own(), text="{{ x }} {{ y | default: '' }} {{ z }}"),
        MISSING_VARIABLE.at("/recipients/0/variables/x", "/recipients/0/variables/z"),
    ),
    "missing through filters": (
        merge([*own(X), *own()], text="{{ x | upcase | json }}"),
        MISSING_VARIABLE.at("/recipients/1/variables/x"),
    ),
    "missing in an object of one's own": (
        merge(own({"user": {}}), text="{{ user.name }}", variables={"user": {"name": "Ann"}}),
        MISSING_VARIABLE.at("/recipients/0/variables/user/name"),
    ),
    "missing in one message": (one(text="{{ x }}"), MISSING_VARIABLE.at("/variables/x")),
    "null in one message": (one(text="{{ x }}", variables={"x": None}), MISSING_VARIABLE.at("/variables/x")),
    "missing in jinja": (
        merge([*own(X), *own()], text="{{ x }}", template="jinja"), MISSING_IN_JINJA.at("/recipients/1/variables")
    ),
    "missing member in jinja": (
        merge(own({"user": {}}), text="{{ user.name }}", template="jinja"),
        MISSING_MEMBER_IN_JINJA.at("/recipients/0/variables")
    ),
    "missing in one jinja message": (one(text="{{ x }}", template="jinja"), MISSING_IN_JINJA.at("/variables")),
}  # fmt: skip
OWN_FIELDS = {"References": NO_IDENTIFIERS, "In-Reply-To": NO_IDENTIFIERS, "Message-ID": INVALID_MESSAGE_ID}
VALUES = {
    **{f"control {text!r} in {name}": (
        merge(own({"x": f"a{text}b"}), **put(name, "{{x}}")), CONTROL_IN_HEADER.at("/recipients/0/variables/x")
    ) for name in HEADER_PLACES for text in CONTROLS},
    "control in one message": (one(subject="{{ x }}", variables={"x": "\n"}), CONTROL_IN_HEADER.at("/variables/x")),
    "control in a value for all": (
        merge(own(), subject="{{ x }}", variables={"x": "\n"}), CONTROL_IN_HEADER.at("/variables/x")
    ),
    **{f"{name} in sparkpost": (
        merge([*own(X), *own(values)], text=text, template="sparkpost"), rule.at("/recipients/1/variables/x")
    ) for name, text, values, rule in [
        ("a list as a text", "{{ x }}", {"x": [1]}, NO_TEXT),
        ("no list", "{{ if x == 'x' }}{{ else }}{{ each x }}{{ end }}{{ end }}", {"x": "y"}, NO_LIST_IN_SPARKPOST),
        ("no order", "{{ if x != 'x' and x > 1 }}{{ end }}", {"x": True}, NO_ORDER_IN_SPARKPOST),
        ("too much", "{{ if x != 'x' }}{{ each x }}{{ each x }}x{{ end }}{{ end }}{{ end }}", {"x": [1] * 1_000},
         TOO_LONG_FOR_SPARKPOST),
    ]},
    "what everybody has in sparkpost": (
        merge(["a@b.example", *own(X)], text="{{ x }}", variables={"x": [1]}, template="sparkpost"),
        NO_TEXT.at("/variables/x"),
    ),
    **{f"{language} in an address": (
        one(replyTo=["{{x}} <b@a.example>", "x <{{x}}@a.example>"], variables={"x": "x"}, template=language),
        IN_ADDRESS.at("/replyTo/1"),
    ) for language in ("merge", "jinja", "sparkpost")},
    "no address in From": (
        merge([*own(X), *own({"x": "a b"})], **{"from": "A <{{x}}@a.example>"}),
        BLANK_IN_ADDRESS.in_field("From").at("/recipients/1/variables"),
    ),
    "no address in From of one": (
        one(**{"from": {"address": "{{x}}"}}, variables={"x": "a"}),
        NO_AT.in_field("From").at("/variables"),
    ),
    "control in sparkpost": (
        merge(own({"x": "\n"}), subject="{{ x }}", template="sparkpost"),
        CONTROL_IN_HEADER.at("/recipients/0/variables/x"),
    ),
    "control by a statement of sparkpost": (
        merge(own({"x": "\n", "y": 1}), subject="{{ if y }}{{ x }}{{ end }}", template="sparkpost"),
        CONTROL_BY_JINJA.at("/recipients/0/variables"),
    ),
    "control in one sparkpost message": (
        one(subject="{{ x }}", variables={"x": "\n"}, template="sparkpost"), CONTROL_IN_HEADER.at("/variables/x")
    ),
    "control in jinja": (
        merge(own({"x": "\n"}), subject="{{ x }}", template="jinja"), CONTROL_BY_JINJA.at("/recipients/0/variables")
    ),
    "control in one jinja message": (
        one(subject="{{ x }}", variables={"x": "\n"}, template="jinja"), CONTROL_BY_JINJA.at("/variables")
    ),
    **{f"{value!r} as a date": (
        merge([*own({"x": value}), *own({"x": "2026-01-31"})], text="{{ x | date: '%F' }}"),
        NO_DATE.at("/recipients/0/variables/x"),
    ) for value in ["x", "31.01.2026", "2026-02-30", True, 1e30, "2026"]},
    **{f"{value!r} as a number": (
        merge(own({"x": value}), html="{{ x | upper | number: 2 }}"), NO_NUMBER.at("/recipients/0/variables/x")
    ) for value in ["x", "1,5", True, "1e5000"]},
    "list through a filter": (
        merge(own({"x": ["a"]}), text="{{ x | upcase }}"), NO_TEXT_FOR_FILTER.at("/recipients/0/variables/x")
    ),
    "no date for all": (one(text="{{ x | date: '%F' }}", variables={"x": "x"}), NO_DATE.at("/variables/x")),
    "control by a filter": (
        merge(own({"x": "2026-01-31"}), subject="{{ x | date: '%n' }}"),
        CONTROL_IN_HEADER.at("/recipients/0/variables/x"),
    ),
    "list": (merge(own({"x": ["a"]}), text="{{ x }}"), NO_TEXT.at("/recipients/0/variables/x")),
    "object": (merge(own({"x": {"y": 1}}), html="{{{ x }}}"), NO_TEXT.at("/recipients/0/variables/x")),
    "list for all": (merge(own(), text="{{ x }}", variables={"x": []}), NO_TEXT.at("/variables/x")),
    "list in one message": (one(text="{{ x }}", variables={"x": []}), NO_TEXT.at("/variables/x")),
    **{f"url with {value!r}": (
        merge(own({"x": value}), **put("url", "{{x}}")), NO_URL_IN_UNSUBSCRIBE.at("/recipients/0/variables")
    ) for value in ["a b", ">", "å", "a>, <https://evil.example", "a" * 900]},
    "mailto": (
        merge(own({"x": "a b"}), **put("mailto", "{{x}}")), NO_ADDRESS_IN_UNSUBSCRIBE.at("/recipients/0/variables")
    ),
    "url in one message": (
        one(**put("url", "{{x}}"), variables={"x": " "}), NO_URL_IN_UNSUBSCRIBE.at("/variables")
    ),
    **{f"messageId with {value!r}": (
        merge(own({"x": value}), **put("messageId", "{{x}}")),
        INVALID_MESSAGE_ID.in_field("Message-ID").at("/recipients/0/variables"),
    ) for value in ["a b", "a@b", "", "å", "a>, <b"]},
    "long word in a header field": (
        merge(own({"x": "a" * 1_000}), **put("header", "{{x}}")),
        LONG_WORD.in_field("X-A").at("/recipients/0/variables"),
    ),
    **{f"value in {name} among headers": (
        merge(own({"x": "å"}), headers={name: "<{{x}}>"}), rule.in_field(name).at("/recipients/0/variables")
    ) for name, rule in OWN_FIELDS.items()},
    "long word in a header field of one message": (
        one(**put("header", "a {{x}}"), variables={"x": "a" * 1_000}), LONG_WORD.in_field("X-A").at("/variables")
    ),
}  # fmt: skip
TEMPLATES = {
    **{f"{tag} in {name}": (merge(own(X), **put(name, tag)), rule.at(pointer))
       for name, (_, pointer) in PLACES.items()
       for tag, rule in {"{{x": NO_PLACEHOLDER, "{{x|uper}}": NO_FILTER, "{{/x}}": FOREIGN_TAG}.items()},
    **{f"{tag} as a tag": (merge(own(X), text=f"a {tag} x"), FOREIGN_TAG.at("/text"))
       for tag in ("{% if x %}", "{%", "{{#if x}}", "{{/if}}", "{{# x }}", "{{/")},
    "a filter as a tag": (merge(own(X), text="a {{ x | uper }} x"), NO_FILTER.at("/text")),
    **{f"{tag} as a tag": (merge(own(X), text=f"a {tag} x"), NO_PLACEHOLDER.at("/text")) for tag in BAD_TAGS},
    **{f"{tag} as a tag": (merge(own(X), text=f"a {tag} x"), BAD_ARGUMENTS.at("/text")) for tag in BAD_CALLS},
    "a default that a filter does not take": (
        merge([*own(X), *own()], text="{{ x | default: 'y' | date: '%Y' }}"), NO_DATE_IN_TEMPLATE.at("/text")
    ),
    "the present": (merge(own(X), html="{{ 'now' | date: '%Y' }}"), NO_PRESENT.at("/html")),
    "a line end by a filter": (
        merge(own(X), subject="{{ '2026-01-31' | date: '%Y%n' }}"), CONTROL_BY_PLACEHOLDER.at("/subject")
    ),
    "a line end by a default": (
        merge(own(X), subject="{{ x | default: '2026-01-31' | date: '%n' }}"), CONTROL_BY_PLACEHOLDER.at("/subject")
    ),
    **{f"{name} for many": (merge(["a@b.example", *own(X)], template="jinja", **{field: tag}), rule.at(f"/{field}"))
       for name, field, tag, rule in [
           ("an unknown filter of jinja", "text", "{{ x | uper }}", NO_FILTER_OF_JINJA),
           ("a constant that is none", "html", "{{ x }} {{ 1 / 0 }}", NO_CONSTANT),
           ("a control character by jinja", "subject", "{{ '\\n' }}{{ x }}", CONTROL_BY_JINJA_ITSELF),
       ]},
    **{f"{tag} as jinja": (merge(own(X), text=f"a {tag} x", template="jinja"), NO_JINJA.at("/text"))
       for tag in BAD_JINJA},
    **{f"{tag} as sparkpost": (merge(own(X), text=f"a {tag} x", template="sparkpost"), NO_SPARKPOST.at("/text"))
       for tag in BAD_SPARKPOST},
    "a snippet of sparkpost": (
        merge(own(X), html="{{ render_snippet('x') }}", template="sparkpost"), NO_MACRO_HERE.at("/html")
    ),
    "control by sparkpost itself": (
        merge(own(X), subject="{{ 'a\\nb' }}", template="sparkpost"), CONTROL_BY_PLACEHOLDER.at("/subject")
    ),
    "bad template of one message": (one(html="{{"), NO_PLACEHOLDER.at("/html")),
    "three bad templates": (
        merge(own(X), text="a {{}} x", subject="{{ 1x }}", html="{{ x | uper }}"),
        [*NO_PLACEHOLDER.at("/text", "/subject"), *NO_FILTER.at("/html")],
    ),
    "two bad templates": (
        merge(own(X), subject="{{", text="{{"), NO_PLACEHOLDER.at("/text", "/subject")
    ),
}  # fmt: skip
FIELDS = {
    "no recipients": (merge([]), NO_RECIPIENTS.at("/recipients")),
    "no recipients but null": (merge([None, None]), NO_RECIPIENTS.at("/recipients")),
    "no recipients but faulty ones": (merge([1, None, ["x"]]), NO_RECIPIENT.at("/recipients/0", "/recipients/2")),
    **{f"beside {name}": (merge(own(), **{name: "bo@example.org"}), BESIDE_RECIPIENTS.at(f"/{name}"))
       for name in ("to", "cc", "bcc")},
    "beside all": (
        merge(own(), to="bo@example.org", cc="cy@example.org", bcc=[ANN]),
        BESIDE_RECIPIENTS.at("/to", "/cc", "/bcc"),
    ),
    "beside raw": (
        {
            "raw": "Date: Mon, 23 Nov 2026 05:33:54 +0000\nFrom: a@b.example\nTo: c@d.example\nSubject: x\n\nx\n",
            "recipients": ["ann@example.org"],
            "template": "merge",
            "variables": X,
            "merge": "native",
        },
        BESIDE_RAW.at("/recipients", "/template", "/variables", "/merge"),
    ),
    "messageId without a placeholder": (merge(own(), messageId="a@b.example"), ONE_MESSAGE_ID.at("/messageId")),
    "messageId and no template": (
        merge(own(), messageId="a@b.example", template="none"), ONE_MESSAGE_ID.at("/messageId")
    ),
    "merge without recipients": (one(merge="native"), NO_MERGE.at("/merge")),
    "no kind of merge without recipients": (
        one(merge="both"), NO_MERGE.at("/merge") + NO_KIND_OF_MERGE.at("/merge")
    ),
    "priority in an expanded merge": (
        merge(own(priority=1), merge="expanded"), NUMBER_IN_EXPANDED_MERGE.at("/recipients/0/priority")
    ),
    "priority beside options for DKIM": (
        merge(own(priority=1), dkim={"selector": "s", "domain": "b.example"}),
        NUMBER_IN_EXPANDED_MERGE.at("/recipients/0/priority"),
    ),
    "priority of an address literal": (
        merge([{"address": "a@[192.0.2.1]", "priority": 1, "variables": X}]),
        NUMBER_IN_EXPANDED_MERGE.at("/recipients/0/priority"),
    ),
    "variables and no template": (merge(own(), template=None, variables=X), UNREAD_VARIABLES.at("/template")),
    "variables of a recipient and no template": (merge(own(X), template=None), UNREAD_VARIABLES.at("/template")),
    "variables of one message and no template": (one(template=None, variables=X), UNREAD_VARIABLES.at("/template")),
    **{f"template {value!r}": (merge(own(), template=value), rule.at("/template"))
       for value, rule in [("mustache", NO_LANGUAGE), ("", NO_LANGUAGE), (1, NO_STRING)]},
    **{f"merge {value!r}": (merge(own(), merge=value), rule.at("/merge"))
       for value, rule in [("both", NO_KIND_OF_MERGE), (1, NO_STRING)]},
    **{f"variables {value!r}": (
        merge(own(value), variables=value), NO_OBJECT.at("/variables", "/recipients/0/variables")
    ) for value in ("x", 1, ["x"], True)},
    **{f"recipients {value!r}": (merge(value), NO_ARRAY.at("/recipients")) for value in (1, True, {})},
    **{f"recipient {value!r}": (merge([ANN, value]), NO_RECIPIENT.at("/recipients/1")) for value in (1, True, ["x"])},
}  # fmt: skip
OWN = {
    "no address": (merge([{"name": "Ann"}]), NO_ADDRESS.at("/recipients/0/address")),
    "two mailboxes": (
        merge(["ann@example.org", "bo@example.org, cy@example.org"]), TWO_MAILBOXES.at("/recipients/1")
    ),
    "bad mailbox": (merge(["ann@example.org", "nobody"]), NO_AT.at("/recipients/1")),
    "bad address": (merge([{"address": "nobody"}]), NO_AT.at("/recipients/0/address")),
    "bad email": (merge([{"email": "nobody"}]), NO_AT.at("/recipients/0/email")),
    "control in a name": (merge(own(name="a\nb")), CONTROL_IN_NAME.at("/recipients/0/name")),
    "unknown field": (merge(own(colour="red")), UNKNOWN_FIELD.at("/recipients/0/colour")),
    "field of the message": (merge(own(subject="x")), UNKNOWN_FIELD.at("/recipients/0/subject")),
    "sender": (merge(own(sender="nobody")), NO_AT.at("/recipients/0/sender")),
    **{f"{name} {value!r}": (merge([ANN, *own(**{name: value})]), rule.at(f"/recipients/1/{name}"))
       for name, rule in {"envid": NO_ENVID, "job": NO_TOKEN, "vmta": NO_TOKEN}.items()
       for value in ("", "a b", "å", 'a"', "a\\b", "a\r\nRCPT TO:<eve@example.com>")},
    **{f"{name} is a number": (merge(own(**{name: 1})), NO_STRING.at(f"/recipients/0/{name}"))
       for name in ("envid", "job", "vmta", "sender", "name", "address")},
    **{f"priority {value!r}": (merge(own(priority=value)), PRIORITY_OUT_OF_RANGE.at("/recipients/0/priority"))
       for value in (0, 101, -1)},
    **{f"priority {value!r}": (merge(own(priority=value)), NO_PRIORITY.at("/recipients/0/priority"))
       for value in ("urgent", "1")},
    **{f"priority {value!r}": (merge(own(priority=value)), PRIORITY_OF_OTHER_TYPE.at("/recipients/0/priority"))
       for value in (True, [1])},
    "several": (
        merge(
            ["nobody", {"name": "x"}, *own({"x": "\n"}), *own(envid=" "), *own(X)],
            subject="{{ x }}",
            html="{{",
            cc="a@b.example",
        ),
        [
            *NO_PLACEHOLDER.at("/html"),
            *BESIDE_RECIPIENTS.at("/cc"),
            *NO_AT.at("/recipients/0"),
            *MISSING_VARIABLE.at("/recipients/0/variables/x"),
            *NO_ADDRESS.at("/recipients/1/address"),
            *MISSING_VARIABLE.at("/recipients/1/variables/x"),
            *CONTROL_IN_HEADER.at("/recipients/2/variables/x"),
            *MISSING_VARIABLE.at("/recipients/3/variables/x"),
            *NO_ENVID.at("/recipients/3/envid"),
        ],
    ),
}  # fmt: skip
LITERAL_ADDRESS = "a@[192.0.2.1]"
OWN_HEADERS = {
    **{f"own header with {text!r}": (
        merge(own(headers={"X-A": f"a{text}b"})), CONTROL_IN_OWN_HEADER.at("/recipients/0/headers/X-A")
    ) for text in CONTROLS},
    **{f"control {text!r} in an own header": (
        merge(own({"x": text}, headers={"X-A": ["a", "{{ x }}"]})), CONTROL_IN_HEADER.at("/recipients/0/variables/x")
    ) for text in CONTROLS},
    "control in an own header for all": (
        merge(own(headers={"X-A": "{{ x }}"}), variables={"x": "\n"}), CONTROL_IN_HEADER.at("/recipients/0/headers/X-A")
    ),
    "control in an own header by jinja": (
        merge(own({"x": "\n"}, headers={"X-A": "{{ x }}"}), template="jinja"),
        CONTROL_BY_JINJA.at("/recipients/0/variables"),
    ),
    "missing in an own header": (
        merge([ANN, *own(headers={"X-A": "{{ x }}"})]), MISSING_VARIABLE.at("/recipients/1/variables/x")
    ),
    "no placeholder in an own header": (
        merge(own(headers=[{"name": "X-A", "value": "{{ 1x }}"}])), NO_PLACEHOLDER.at("/recipients/0/headers/0/value")
    ),
    "reserved own header": (
        merge(own(headers={"Subject": "x"})), RESERVED_SUBJECT.at("/recipients/0/headers/Subject")
    ),
    "own header twice": (
        merge(own(headers={"Reply-To": ["a@b.example", "c@d.example"]})), ONCE.at("/recipients/0/headers/Reply-To/1")
    ),
    "own Message-ID twice": (
        merge(own(headers={"Message-ID": ["<a@b>", "<c@d>"]})), ONCE.at("/recipients/0/headers/Message-ID/1")
    ),
    "bad own Message-ID": (
        merge(own(headers={"Message-ID": "a b"})), INVALID_MESSAGE_ID.at("/recipients/0/headers/Message-ID")
    ),
    "own X-Priority beside priority": (
        merge(own(headers={"X-Priority": "1"}, priority="high")),
        BESIDE_PRIORITY.at("/recipients/0/headers/X-Priority"),
    ),
    "own List-Unsubscribe-Post alone": (
        merge(own(headers={"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"})),
        NO_HTTPS.at("/recipients/0/headers/List-Unsubscribe-Post"),
    ),
    "value that adds a mailbox to an own header": (
        merge(own({"x": 'x" <eve@example.org>, "y'}, headers={"Reply-To": '"{{ x }}" <r@example.com>'})),
        MORE_ELEMENTS.in_field("Reply-To").at("/recipients/0/variables"),
    ),
    "long word in an own header": (
        merge(own(headers={"X-A": "a" * 1_000})), LONG_WORD.at("/recipients/0/headers/X-A")
    ),
}  # fmt: skip
MERGE_FORM = {
    **{f"{name} without recipients": (one(**{name: "x"}), MERGE_ALONE.at(f"/{name}"))
       for name in ("subaccountId", "customMessageId")},
    **{f"{name} {value!r}": (
        merge(own(**{name: value}), **{name: value}), NO_TOKEN.at(f"/{name}", f"/recipients/0/{name}")
    ) for name in ("subaccountId", "customMessageId") for value in ("", "a b", "å", 'a"', "a" * 201, "a\nb")},
    "ids in an expanded merge": (
        merge(own(customMessageId="x"), subaccountId="x", merge="expanded"),
        MERGE_FORM_ALONE.at("/subaccountId", "/recipients/0/customMessageId"),
    ),
    "ids beside options for DKIM": (
        merge(own(), customMessageId="x", dkim={"selector": "s"}), MERGE_FORM_ALONE.at("/customMessageId")
    ),
    "own id of an address literal": (
        merge([{"address": LITERAL_ADDRESS, "subaccountId": "x"}]),
        MERGE_FORM_ALONE.at("/recipients/0/subaccountId"),
    ),
    "id of an address literal": (
        merge([ANN, {"address": LITERAL_ADDRESS}], subaccountId="x"), MERGE_FORM_ALONE.at("/recipients/1")
    ),
}  # fmt: skip
CALENDAR = "BEGIN:VCALENDAR\nMETHOD:REQUEST\n#\nEND:VCALENDAR\n"
VCALENDAR_PLACES = {
    "a name": ("{{ x }}:y", "a", NO_CALENDAR_NAME),
    "a parameter's name": ("ATTENDEE;{{ x }}=y:mailto:a@b", "a", NO_CALENDAR_NAME),
    "a bare parameter": ("ATTENDEE;CN={{ x }}:mailto:a@b", "a;ROLE=CHAIR", NO_CALENDAR_PARAMETER),
    "an address": ("ATTENDEE:mailto:{{ x }}", "a@b\nATTENDEE:mailto:eve@b", NO_CALENDAR_LINE),
    "a time": ("DTSTART:{{ x }}", "20260101T000000Z\n", NO_CALENDAR_LINE),
    "a text": ("SUMMARY:{{ x }}", "a\0b", CONTROL_IN_CALENDAR),
    "a component": ("BEGIN:{{ x }}\nX-A:b", "VEVENT", OTHER_METHOD),
}
FILE_NAMES = {"": NO_FILE_NAME, ".": DOTS_AS_FILE_NAME, "..": DOTS_AS_FILE_NAME, "x" * 256: LONG_FILE_NAME}
NAMES_OF_FILES = {
    **{f"file name {value!r}": (
        merge(own({"x": value}), attachments=[{"filename": "{{ x }}", "content": "", "contentType": "a/b"}]),
        rule.in_field("/attachments/0/filename").at("/recipients/0/variables"),
    ) for value, rule in FILE_NAMES.items()},
    **{f"file name with {value!r}": (
        merge(own({"x": value}), attachments=[{"filename": "{{ x }}.pdf", "content": ""}]),
        CONTROL_IN_HEADER.at("/recipients/0/variables/x"),
    ) for value in CONTROLS},
    "file name in one message": (
        one(attachments=[{"filename": ".{{ x }}", "content": "", "contentType": "a/b"}], variables={"x": ""}),
        DOTS_AS_FILE_NAME.in_field("/attachments/0/filename").at("/variables"),
    ),
    "file name without an ending": (
        merge(own(X), attachments=[{"filename": "a.{{ x }}", "content": ""}]), NO_ENDING.at("/attachments/0/filename")
    ),
    "no placeholder in a file name": (
        merge(own(X), attachments=[{"filename": "{{ 1x }}.pdf", "content": ""}]),
        NO_PLACEHOLDER.at("/attachments/0/filename"),
    ),
    **{f"envid with {value!r}": (
        merge([*own({"x": value}), *own({"x": value}, envid="own")], envid="a{{ x }}"),
        NO_FILLED_ENVID.at("/recipients/0/variables"),
    ) for value in (" ", "å", '"', "a" * 100, "<")},
    "envid with a line end": (
        merge(own({"x": "\n"}), envid="{{ x }}"), CONTROL_IN_HEADER.at("/recipients/0/variables/x")
    ),
    "envid of one message": (one(envid="{{ x }}", variables={"x": ""}), NO_FILLED_ENVID.at("/variables")),
    "bad envid beside templates": (merge(own(), envid="a b"), NO_ENVID.at("/envid")),
    **{f"value in {name} of a calendar": (
        merge(own({"x": value}), calendar={"content": CALENDAR.replace("#", line)}), rule.at("/recipients/0/variables")
    ) for name, (line, value, rule) in VCALENDAR_PLACES.items() if rule is not OTHER_METHOD},
    "no METHOD in a calendar": (
        merge(own(X), calendar={"content": "BEGIN:VCALENDAR\nMETHOD:{{ x }}\nEND:VCALENDAR\n"}),
        UNKNOWN_METHOD.at("/calendar/content"),
    ),
    **{f"mailto with {value!r}": (
        merge(own({"x": value}), unsubscribe={"mailto": "mailto:leave-{{ x }}@example.com?subject=x"}),
        NO_ADDRESS_IN_UNSUBSCRIBE.at("/recipients/0/variables"),
    ) for value in ("a?cc=eve@example.org", "a,b", "eve@example.org", "%40", "a b")},
}  # fmt: skip
PROBLEMS = {**NAMES_OF_FILES, **OWN_HEADERS, **MERGE_FORM, **MISSING, **VALUES, **TEMPLATES, **FIELDS, **OWN}
