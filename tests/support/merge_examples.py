"""Messages for many that have no problem: what is dangerous in templates, in values, and where both meet.

`NATIVE` go out as one file of PowerMTA's own mail merge. Of `ANY`, some recipients may need a file of another kind.
"""

import base64

SHOP = {"from": "Shop <shop@example.com>", "template": "merge"}
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

SCRIPTS = [
    "Grüße", "Привет, мир", "Γειά σου", "שלום עולם", "مرحبا بالعالم", "नमस्ते दुनिया", "สวัสดีชาวโลก", "你好，世界",
    "こんにちは", "안녕하세요", "გამარჯობა", "Բարեւ", "ሰላም",
    "🎉👨‍👩‍👧‍👦🇳🇴", "e\u0301 \u200d\u202e\ufe0f", "\U00020000\U0010fffd",
]  # fmt: skip
# What stands for something in PowerMTA's templates and commands, in quoted-printable, in MIME, or in a template.
BRACKETS = ["[name]", "[[", "]", "[", "[*to]", "[*date]", "[x", "[[x]]", "[]", "[ x ]", "[x1]", "[X]"]
SIGNS = ['"', "\\", '\\"', "=", "=3D", "=\n", ".", "..", "a=b", "'", '" *envid="x', "%", "&amp;", "<b>", "&", "#{x}"]
BRACES = ["}}", "{{ x }}", "{{", "{{{ x }}}", "{%", "{% raw %}", "{# a #}", "${x}", "{{ x | default: 'y' }}", "{", "}"]
LINES = [
    "\r",
    "\n",
    "\r\n",
    "a\r",
    "\nb",
    "\r\n.\r\n",
    "\n..\n",
    "a\n\n\nb",
    "\t",
    " ",
    "a \n b\t\n",
    "\n--\n",
    "From x\n",
]
CONTROLS = ["\0", "\x1b[0m", "\x7f", "\x85", "\u2028", "\ufeff", "\ufffe", "\x0b\x0c"]
BODY_VALUES = ["", *SCRIPTS, *BRACKETS, *SIGNS, *BRACES, *LINES, *CONTROLS]
HEADER_VALUES = [
    "", " ", "x ", " x", "a  b", "a\tb", "\t", *SCRIPTS, *BRACKETS, *SIGNS[:2], *SIGNS[3:5], *SIGNS[6:], *BRACES,
    "=?utf-8?Q?a?=", "=?utf-8?B?", "?=", "=?", "a=?utf-8?q?b?=c", "_", "a_b", "x" * 70 + " y",
]  # fmt: skip
LENGTHS = [0, 1, 2, 44, 45, 46, 62, 63, 74, 75, 76, 77, 78, 200]


def each(*values: object) -> list[dict]:
    """A recipient for each value, with it as the variable `x`."""
    return [{"address": f"r{number}@example.org", "variables": {"x": value}} for number, value in enumerate(values, 1)]


def filling(recipients: list, **fields: object) -> dict:
    return {**SHOP, **fields, "recipients": recipients}


def runs(*lengths: int) -> list[str]:
    """Texts of these lengths: one word, words, words that are not ASCII."""
    patterns = ("abcdefghij", "some words ", "Blåbær är ", "日本")
    return [(pattern * (length // len(pattern) + 1))[:length] for length in lengths for pattern in patterns]


EVERYWHERE = {
    "subject": "{{ x }}",
    "text": "{{ x }}",
    "html": "<p>{{ x }}</p>{{ x }}",
    "amp": "<!doctype html><html ⚡4email><body>{{ x }}</body></html>",
    "headers": [{"name": "X-A", "value": "{{ x }}"}, {"name": "X-B", "value": ["a {{ x }} b", "{{ x }}{{ x }}"]}],
    "from": {"name": "{{ x }}", "address": "shop@example.com"},
    "replyTo": [{"name": "a {{ x }}", "address": "a@example.com"}, {"name": "{{ x }}, b", "address": "b@example.com"}],
}
BODIES = {
    "subject": "x",
    "text": "{{ x }}\n{{ x }}{{ x }}\r\nå{{ x }}å [x] [[ =\n.{{ x }}\n" + "a" * 75 + "{{ x }}b {{ x }} \n",
    "html": "<p>{{ x }}</p>\n{{{ x }}}\n.{{ x }}<a href='{{ x }}'>" + "å" * 30 + "{{{ x }}} </a>\n",
}
NAMES = [
    "Ann Lee", "Lee, Ann", 'Ann "the" Lee', "Ann (Oslo)", "a@b.example", "A. Lee", "Ann; Bo:", "<Ann>", "O'Hara", "\\",
    "Åse Ødegård", "Иван Петров", "王小明", "🎉", " ".join(["Maximiliane"] * 20), "Å" * 150, "=?utf-8?Q?a?=",
    "[name]", "[[", "[*to]", "]", "{{ x }}", "Ann, Bo <eve@example.com>", "", "x=?utf-8?B?w6U=?=",
]  # fmt: skip

NATIVE = {
    "plain": filling(
        [
            {"address": "ann@example.org", "name": "Ann", "variables": {"name": "Ann", "city": "Oslo"}},
            {"address": "bo@example.org", "variables": {"name": "Bo"}},
            "Cy Young <cy@example.org>",
            "dee@example.org",
        ],
        variables={"name": "friend", "city": None},
        subject='Hello {{ name }} in {{city|default:"town"}}',
        text="Dear {{ name }},\n\nhow is {{ city | default: 'your town' }}?\n",
        html='<p>Dear <b>{{ name }}</b>, how is {{ city | default: "<town>" }}{{{ city | default: "<br>" }}}?</p>',
    ),
    "nothing to fill in": filling(["ann@example.org", "bo@example.org"], subject="[x] [[", text="[x] [[ ] [*to]\n"),
    "none is no template": {**filling(each("a", "b"), subject="{{ x }}", text="{% {{ y"), "template": "none"},
    "no template": {
        "from": "shop@example.com",
        "recipients": ["ann@example.org"],
        "subject": "{{ x",
        "text": "{{ x }}",
    },
    "names of recipients": filling(
        [{"name": name, "address": f"r{number}@example.org"} for number, name in enumerate(NAMES)],
        subject="x",
        text="y",
    ),
    "odd addresses": filling(
        ['"a b"@example.org', "a'=+b@example.org", "a@müller.example", "{{x}}@example.org"],
        subject="x",
        text="y",
    ),
    "values in header fields": filling(each(*HEADER_VALUES), **EVERYWHERE),
    "values in bodies": filling(each(*BODY_VALUES), **BODIES),
    "line ends that meet": filling(
        each("a\r", "a", "\r", "\n", "a\n", "\n\n", "a\n\n", ""),
        text="{{ x }}\n{{ x }}\r\nb\r{{ x }}{{ x }}",
        html="\r{{ x }}",
    ),
    **{
        f"ends of bodies: {name}": filling(each("", "a", "a\n", "\n", "\n\n", "a" * 80, "b " * 90), **bodies)
        for name, bodies in {
            "text": {"text": "Hello {{ x }}"},
            "text that ends a line": {"text": "Hello\n{{ x }}"},
            "two bodies": {"text": "Hello {{ x }}", "html": "Hello {{ x }}"},
            "two bodies that end a line": {"text": "Hello\n{{ x }}", "html": "Hello\n{{ x }}{{ x }}"},
            "two bodies of a value": {"text": "{{ x }}", "html": "{{ x }}"},
            "two bodies with a line end": {"text": "{{ x }}\n", "html": "{{ x }} \n\n"},
            "two bodies with long lines": {"text": "x" * 74 + "{{ x }}", "html": "x" * 74 + "{{ x }}{{ x }}"},
        }.items()
    },
    "short values at the ends of bodies": filling(
        each("", "a", "\n", " "), text="Hello {{ x }}\nBye\t{{ x }}", html="<p> {{ x }}{{ x }}\n{{ x }} {{ x }}"
    ),
    "lengths in header fields": filling(
        each(*runs(*LENGTHS)), **{name: EVERYWHERE[name] for name in EVERYWHERE if name != "headers"}
    ),
    "lengths in our own header fields": filling(
        each(*(text for text in runs(*LENGTHS) if " " in text or len(text) < 74)), headers={"X-B": "a {{ x }} {{ x }}"}
    ),
    "lengths in bodies": filling(each(*runs(*LENGTHS)), **BODIES),
    "dots": filling(
        each(".", "..", "", "a", ".\n.\n.", "\n.", "."),
        text="{{ x }}\n.{{ x }}\n.\n..\n{{ x }}.",
        html=".{{ x }}\r\n.\r\n",
    ),
    "kinds of values": filling(
        each("", "0", 0, 1, -7, 2**53, 19.9, 1.0, -0.5, 0.1, True, False), subject="{{ x }}", html="<i>{{ x }}</i>"
    ),
    "names of variables": filling(
        [
            {
                "address": "ann@example.org",
                "variables": {"name": "1", "Name": "2", "NAME": "3", "_": "4", "to": "5", "_x1": "6", "n" * 100: "7"},
            }
        ],
        variables={"date": "8", "from": "9", "envid": "10", "parts": "11"},
        subject="{{ name }}{{ Name }}{{ NAME }}{{ _ }}",
        text="{{ to }} {{ _x1 }} {{ " + "n" * 100 + " }} {{ date }} {{ from }} {{ envid }} {{ parts }}",
    ),
    "objects": filling(
        [{"address": "ann@example.org", "variables": {"user": {"name": "Ann", "shop": {"city": "Oslo"}}}}],
        subject="{{ user.name }} {{ user . shop }}".replace(" . shop", ".shop.city"),
        text="{{ user.age | default: 'old' }} {{ user.shop.city.x | default: 'x' }}",
    ),
    "many variables": filling(
        [
            {"address": f"r{n}@example.org", "variables": {f"v{k}": f"{n} {k} " + "ä" * k for k in range(60)}}
            for n in range(3)
        ],
        text="\n".join(f"{{{{ v{k} }}}}" for k in range(60)),
    ),
    "braces": filling(
        each("a", "{{"),
        subject='{{ "{{" }} }} { {{ "{%" }} {# } {{x}}} %}',
        text="""{{ "{{" }} x }} {{ '}}' }}{{ "{" }}{{ x }}} {{	x	}} {{x}}{{{x}}} { { x } }""",
    ),
    "html": filling(
        each("<b>", "&amp;", "\"'", "<script>", "a & b"),
        html='<p title="{{ x }}">{{ x }} {{{ x }}} {{ y | default: "<\'&" }} {{{ y | default: "<i>" }}}</p>',
        text="{{ x }} {{{ x }}} {{ y | default: '<\"&' }}",
    ),
    "envelopes": filling(
        [
            {"address": "ann@example.org", "sender": "a@example.com", "envid": "a-1", "job": "spring", "vmta": "mta1"},
            {"address": "bo@example.org", "priority": 1},
            {"address": "cy@example.org", "envid": '"a\\'.replace('"', "'").replace("\\", "/"), "priority": 100},
            {"email": "dee@example.org", "sender": None, "vmta": "other"},
        ],
        sender="bounce@example.com",
        job="autumn",
        vmta="pool",
        subject="x",
        text="y",
    ),
    "own headers of the same names": filling(
        [
            {
                "address": "ann@example.org",
                "headers": {"X-Ref": "a-{{ x }}", "X-Tier": "gold", "Reply-To": "a@b.example"},
            },
            {"address": "bo@example.org", "headers": {"X-Ref": "å [x]", "X-Tier": "", "Reply-To": "Bo <bo@b.example>"}},
            {"address": "cy@example.org", "headers": {"X-Ref": "c", "X-Tier": "silver"}},
            "dee@example.org",
        ],
        variables={"x": "x"},
        text="{{ x }}",
        subaccountId="shop-7",
    ),
    "options": filling(
        each("a", "b"),
        verp=True,
        dsn={"notify": ["failure", "delay"], "ret": "headers"},
        schedule=[{"start": "2026-03-01T08:00:00+01:00", "end": "2026-03-01T18:00:00+01:00"}],
        date="2026-01-15T09:30:00+01:00",
        inReplyTo="a@example.net",
        references=["a@example.net", "b@example.net"],
        priority="high",
        subject="{{ x }}",
        text="{{ x }}",
    ),
    "files": filling(
        each("red", "[x]"),
        subject="{{ x }}",
        text="{{ x }}",
        html="<p>{{ x }}</p><img src='cid:red'>",
        attachments=[
            {"filename": "red.png", "content": PNG, "cid": "red"},
            {"filename": "[x] {{ x }}.txt", "content": "[x] {{ x }} [[", "encoding": "utf8"},
            {"filename": "octets.unheard-of", "content": base64.b64encode(bytes(range(256))).decode()},
            {
                "content": "From: x <a@b.example>\r\nSubject: {{ x }}\r\n\r\nx *to\r\n.\r\n..\r\n\r\n",
                "encoding": "utf8",
                "contentType": "message/rfc822",
            },
        ],
    ),
    "calendar": filling(
        each("a", "b"),
        text="{{ x }}",
        calendar={
            "method": "REQUEST",
            "content": "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nX-A:[x] {{ x }}\r\nEND:VCALENDAR\r\n",
        },
    ),
    "envelope ids": filling(
        [*each("a", "b-2"), {"address": "cy@example.org", "envid": "own", "variables": {"x": "c"}}],
        envid="spring-{{ x }}",
        text="y",
    ),
    "invitations": filling(
        each('Lee, Ann; \\ "A" [x]', "a\nEND:VCALENDAR", "Blåbær " * 20, "x^y"),
        subject="x",
        calendar={
            "method": "REQUEST",
            "content": "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:Tea with {{ x }}\r\n"
            "DESCRIPTION:a\r\n b {{ x }} {{ '{{' }}\r\n"
            "ATTENDEE;CN=\"{{ x }}\":mailto:{{ y | default: 'a@b.example' }}\r\n"
            "END:VEVENT\r\nEND:VCALENDAR\r\n",
        },
    ),
    "ways to leave with values": filling(
        each("Tea & Co", "å+b", "a%20b"),
        text="y",
        unsubscribe={"mailto": "mailto:leave@example.com?subject=stop%20{{ x }}&body=x"},
    ),
    "names of files": filling(
        each("report", "Åse Ødegård", "a b", '[x] "y" \\', "/etc/=?utf-8?q?x?=", "x" * 70, "日本" * 60, "a  b"),
        text="y",
        attachments=[
            {"filename": "{{ x }}.pdf", "content": "AAAA"},
            {"filename": "{{ x }}", "contentType": "text/csv; header=present", "content": "a [x]", "encoding": "utf8"},
            {"filename": "a-{{ x }}.png", "content": PNG, "cid": "a"},
        ],
        html="<img src='cid:a'>",
    ),
    "leaving": filling(
        each("abc", "a[b]c".replace("[", "%5B").replace("]", "%5D"), "a" * 150, "=", "a&b=c"),
        subject="x",
        text="y",
        unsubscribe={
            "url": "https://example.com/leave?u={{ x }}",
            "mailto": "leave+{{ y | default: 'all' }}@example.com",
        },
    ),
    "json in a header field": filling(
        each('{"a": "b", "c": [1, "\\"d\\""]}', "{}", '{"unique_args": {"id": "' + "7" * 60 + '"}}'),
        headers={"X-SMTPAPI": "{{ x }}", "X-Feed": 'a "{{ x }}" [[b]'},
        text="x",
    ),
    "names of senders": filling(
        [
            {"address": "ann@example.org", "variables": {"shop": 'Blåbær, "Bær" & Co', "x": "[Oslo]"}},
            {"address": "bo@example.org", "variables": {"shop": "", "x": "a" * 200}},
        ],
        **{"from": '"{{ shop }}" <shop@example.com>'},
        replyTo=["{{ x }} <a@example.com>", {"name": "{{ shop }} [x]", "address": "b@example.com"}],
        text="x",
    ),
    "identifiers": filling(each("a", "b", "c.d"), messageId="<order-{{ x }}@example.com>", subject="x", text="y"),
    "jinja": {
        **filling(
            [
                {
                    "address": "ann@example.org",
                    "variables": {"x": "<Ann>", "items": [{"name": "tea & co", "price": 3}]},
                },
                {"address": "bo@example.org", "variables": {"x": "{{ y }}", "items": []}},
                {
                    "address": "cy@example.org",
                    "variables": {"x": "[x] =\r\n.", "items": [{"name": "å" * 90, "price": 0}] * 9},
                },
            ],
            variables={"vip": True},
            subject="{{ items | length }} for {% if items %}{{ items[0].name | upper }}{% else %}nobody{% endif %}",
            text="{% for item in items %}{{ loop.index }}. {{ item.name }}: {{ item.price + item.price }}\n{% endfor %}"
            "[x] {{ x }} .",
            html="{% set y = x %}<p>{{ y }} {{ x | safe }}{# no #} {{ z | default('<') }}{% if vip %}!{% endif %}</p>",
        ),
        "template": "jinja",
    },
    "sparkpost": {
        **filling(
            each(*HEADER_VALUES),
            **{
                **EVERYWHERE,
                "html": "https://e.example/{{ x }} '{{ x }}' {{{ x }}}",
                "text": "https://e.example/{{ x }}",
            },
        ),
        "template": "sparkpost",
    },
    "statements of sparkpost": {
        **filling(
            [
                {**one, "name": name}
                for one, name in zip(each(*BODY_VALUES), ["", "Åse", "Lee, Ann"] * 40, strict=False)
            ],
            variables={"list": ["a", "[b]", {"c": "=\r\n."}]},
            subject="{{ if address.name }}{{ address.name }}: {{ end }}{{ email or 'x' }}",
            text="{{ if x }}\n.{{ x }}\n{{ end }}\n"
            "{{ each list }}\n{{ loop_index }}{{ loop_var.c }}{{ x }}\n{{ end }}\n"
            "{{ return_path }} {{ if x == '[' }}[{{ elseif #list > 2 and x }}{{ x }}{{ else }}{{ '[[' }}{{ end }}\n",
            html="{{ if not no }}<a href='https://e.example/{{ x }}'>{{ x }}</a>{{ end }}[x]"
            "{{ x or '<' }}{{{ no or '<i>' }}}",
        ),
        "template": "sparkpost",
    },
}

ANY = {
    "own headers": filling(
        [
            {
                "address": "ann@example.org",
                "headers": {"X-Ref": "a-{{ x }}", "X-Tier": "gold"},
                "variables": {"x": "a"},
            },
            {"address": "bo@example.org", "headers": {"X-Ref": "Blåbær, \"Bær\" [x]", "X-Tier": ["a", "b"]}},
            {"address": "cy@example.org", "headers": [{"name": "x-campaign", "value": "{{ y }}"}]},
            {"address": "dee@example.org", "headers": {"X-Text": "{{ x | default: '[[' }} " + "word " * 30 + "x"}},
            {"address": "eve@example.org"},
            {"address": "flo@example.org", "headers": {"X-Tier": "", "X-Ref": "  two  "}},
        ],
        variables={"y": "for all", "x": "b"},
        headers={"X-Campaign": "spring", "X-Text": "{{ y }}", "X-All": "all"},
        subject="{{ x }}",
        text="y",
    ),
    "own headers that are read as fields": filling(
        [
            {"address": "ann@example.org", "headers": {"Reply-To": "\"Åse [x]\" <a@example.com>, b@example.com"}},
            {"address": "bo@example.org", "headers": {"In-Reply-To": "<a@b.example>", "References": "<c@d> <e@f>"}},
            {"address": "cy@example.org", "headers": {"List-Unsubscribe": "<https://example.com/?c>"}},
            {"address": "dee@example.org", "headers": {"list-unsubscribe": "<mailto:dee@example.com>"}},
            {"address": "eve@example.org", "headers": {"X-Priority": "1 (Highest)"}, "priority": 7},
            {"address": "flo@example.org", "headers": {"Message-ID": "<flo@example.com>"}},
            {"address": "gus@example.org", "headers": {"List-ID": "A list <gus.example.com>"}, "priority": "low"},
            {"address": "hal@example.org"},
        ],
        replyTo="Shop <shop@example.com>",
        inReplyTo="<all@example.com>",
        unsubscribe={"url": "https://example.com/leave"},
        priority="high",
        text="y",
    ),
    "own headers beside templates of the same": filling(
        [
            {
                "address": "ann@example.org",
                "headers": {"List-Unsubscribe": "<https://example.com/?a>"},
                "variables": {"x": "ann"},
            },
            {
                "address": "bo@example.org",
                "headers": {"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
                "variables": {"x": "bo"},
            },
            {"address": "cy@example.org", "headers": {"Reply-To": "c@example.com", "Message-ID": "cy@example.com"}},
            {"address": "dee@example.org", "variables": {"x": "dee"}},
        ],
        variables={"x": "all"},
        messageId="{{ x }}@example.com",
        replyTo=["{{ x }} <r@example.com>", "s@example.com"],
        unsubscribe={"url": "https://example.com/?{{ x }}", "oneClick": False},
        text="y",
    ),
    "what PowerMTA is told in its own form alone": filling(
        [
            {"address": "ann@example.org", "subaccountId": "own", "customMessageId": "m-1"},
            {"address": "bo@example.org", "customMessageId": "m-2", "variables": {"x": "a" * 30_000}},
            {"address": "cy@example.org", "priority": 3, "variables": {"x": "a" * 30_000}},
            "dee@example.org",
        ],
        variables={"x": "x"},
        subaccountId="shop-7",
        text="{{ x }}",
    ),
    "a message of nothing but values": filling(
        each("", "a", "a\n", "\n", "\n\n", "a" * 80, "b " * 90), html="{{ x }}{{{ x }}}"
    ),
    "address literals": filling(
        [{"address": "a@[192.0.2.1]"}, "b@example.org", "c@[IPv6:2001:db8::1]"], subject="[x]", text="[y]"
    ),
    "attached message with brackets": filling(
        each("red", "[x]"),
        text="{{ x }}",
        attachments=[
            {
                "content": "From: [x] <a@b.example>\r\nSubject: [[ {{ x }}\r\n\r\n[x] [*to] [\r\n.\r\n..\r\n]\r\n",
                "encoding": "utf8",
                "contentType": "message/rfc822",
            }
        ],
    ),
    "DKIM options": filling(each("a", "b"), text="{{ x }}", dkim={"selector": "s1", "domain": "example.com"}),
    "long values in header fields": filling(
        each(*runs(500, 3_000), *runs(20_000)[1:]), subject="{{ x }}", text="x", **{"from": EVERYWHERE["from"]}
    ),
    "long values in bodies": filling(each(*runs(500, 3_000, 20_000)), **BODIES),
    "long values of signs": filling(each('"' * 3_000, "[" * 3_000, "=" * 3_000, "\n" * 3_000, "a"), text="{{ x }}"),
    "one long value": filling(each("a", "b" * 300_000, "c"), text="{{ x }}"),
    "senders of all kinds": filling(
        [
            {"address": "ann@example.org", "sender": "<>", "variables": {"x": "a"}},
            {"address": "jürgen@example.org", "variables": {"x": "b"}},
            {"address": "cy@example.org", "variables": {"x": "c"}},
            {"address": "dee@example.org", "sender": "jürgen@example.com", "variables": {"x": "d"}},
            {"address": "élan@example.org", "name": "Élan", "sender": "<>", "variables": {"x": "é" * 100}},
        ],
        subject="{{ x }}",
        text="{{ x }}",
        envid="e-1",
    ),
    "addresses of From": filling(
        [*each("ann", "bo.b", "cy"), {"address": "d@example.org", "variables": {"x": "ä"}, "sender": "b@example.com"}],
        **{"from": "{{ x }} of us <shop-{{ x }}@{{ x }}.example>"}, subject="{{ x }}", text="{{ x }}",
    ),
    "addresses of From in sparkpost": filling(
        each("ann@a.example", "bo@b.example"), **{"from": {"address": "{{ x or 'nobody@c.example' }}", "name": "A"}},
        subject="{{ x }}", html="{{ x }}", template="sparkpost", sender="bounces@example.com",
    ),
    "null sender": filling(each("a", "b"), sender="<>", subject="{{ x }}", text="{{ x }}"),
    "sender in utf-8": filling(each("a", "ä"), subject="{{ x }}", **{"from": "Jürgen <jürgen@example.com>"}),
    "priorities": filling(
        [
            {"address": "ann@example.org", "priority": "high"},
            {"address": "bo@example.org", "priority": "low"},
            {"address": "cy@example.org"},
        ],
        subject="x",
        text="y",
    ),
    "the same mailbox": filling(
        [
            {"address": "ann@example.org", "envid": "e-1", "variables": {"x": "a"}},
            {"address": "ann@example.org", "envid": "e-2", "variables": {"x": "b"}},
        ],
        subject="{{ x }}",
        text="{{ x }}",
    ),
}  # fmt: skip
