"""`textFromHtml`, `inlineCss` and `mjml` behind every door. A browser judges what is made: the styles of each element,
and the words that are seen. `cases/html_*` and `cases/merge_html_*` have what is made, octet by octet."""

import email.policy
import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import pmtaemail
from chromium import document, needs_chromium
from daemon import Daemon, assert_problem
from doors import Door, Refused, encode
from pickup_reader import read

FIELDS = {"from": "ann@example.com", "to": "bo@example.org", "subject": "Hello"}
STYLED = """<!DOCTYPE html><html><head><style>
* { box-sizing: border-box }
body { margin: 3px; font-family: "Open Sans", 'x', sans-serif; color: #333 }
h1, h2.big > b { font-size: 20px; margin: 1px 2px 3px }
h1 { margin-left: 9px }
.a { color: red } p.a { color: green } #one { color: blue } .b { color: purple !important }
td[align=right] { padding: 1px 2px } td + td { background: url("https://x.example/a?b=1&c=2") }
li:first-child { border-top: 1px solid red } li:nth-child(2n) { color: teal } li:not(.a) { top: 1px }
a ~ a { text-decoration: none } div div p { line-height: 2 } span:empty { display: inline-block; width: 5px }
@media (min-width: 1px) { p { letter-spacing: 2px !important } }
a:hover { color: red } .none { color: red } p::before { content: "\\201C" }
.long { border: 1px solid red; border-width: 2px } .long { border-left: none }
</style><style media="print">p { display: none }</style></head><body class=a>
<h1 class="a b" id="one" style="margin-top: 7px; color: black">One &amp; <i>two</i></h1>
<h2 class="big"><b>Three</b></h2>
<div><div><p class="a">Four<p class="b" style="color: black">Five</p><p id=one style='font-family: "x y"'>Six
</div></div>
<table><tr><td align=right>Seven</td><td align="right" style=padding:9px>Eight</td></tr></table>
<ul><li class=a>Nine<li>Ten<li class=long>Eleven</ul>
<a href="https://x.example/?a=1&amp;b=2">Twelve</a> <a class="none">Thirteen</a><span></span><span> </span>
<!--[if mso]><p class="a">Outlook</p><![endif]--><p hidden>Hidden</p><p style="display: none">Hidden</p>
</body></html>"""
FRAGMENTS = [
    "<style>p { color: red } b { color: blue } i b { color: green }</style><p>a <b>b <i>c</b> d</i> e<p>f",
    "<p class=x>a</p><style>.x { margin: 1px } p { margin: 2px !important; margin-top: 3px }</style>",
    "<style>td { color: red } table td { padding: 1px }</style><table>text<td>a<tr><td>b<table><td>c</table>d</table>",
    "<style>:root { --x: 3px } p { padding: var(--x) }</style><p style='--x: 4px'>a<p>b",
    "<style>P.A { color: red } p.a { color: blue }</style><P CLASS=A>a<p class='A a'>b",
    "<style>p { color: red; color: nonsense; colour: x; } .a{} }</style><p class=a>a",
]


def bodies(mail: bytes) -> dict[str, str]:
    """The text and the HTML of a mail, by Python's own reader, without the line end that a single part ends with."""
    message = email.message_from_bytes(mail, policy=email.policy.default)
    found = {kind: message.get_body([kind]) for kind in ("plain", "html")}
    return {
        kind: body.get_content().replace("\r\n", "\n").removesuffix("\n")
        for kind, body in found.items()
        if body is not None
    }


def made(door: Door, **fields: object) -> dict[str, str]:
    return bodies(door.render(encode({**FIELDS, **fields})))


def refused(door: Door, **fields: object) -> list[tuple[str, str, str]]:
    with pytest.raises(Refused) as found:
        door.check(encode({**FIELDS, **fields}))
    return [(one["code"], one["pointer"], one["detail"]) for one in found.value.problems]


class Tags(HTMLParser):
    """What is in HTML but for styles."""

    def __init__(self, text: str):
        super().__init__(convert_charrefs=False)
        self.seen: list[object] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, [(name, value) for name, value in attrs if name != "style"]))

    def handle_endtag(self, tag):
        self.seen.append("/" + tag)

    def handle_data(self, data):
        self.seen.append(data)

    handle_comment = handle_entityref = handle_charref = handle_decl = handle_data


# ---- a browser judges

COMPARE = """<!DOCTYPE html><meta charset=utf-8><body><script>
const pages = %s, told = [];
const open = (page) => new Promise((done) => {
  const frame = document.createElement("iframe");
  frame.width = 600; frame.srcdoc = page;
  frame.onload = () => done(frame.contentDocument);
  document.body.append(frame);
});
const elements = (page) => [...page.querySelectorAll("*")].filter((one) => !one.matches("style"));
(async () => {
  for (const [before, after] of pages) {
    const [one, other] = [await open(before), await open(after)];
    const pairs = elements(one).map((element, index) => [element, elements(other)[index]]);
    let differences = elements(one).length === elements(other).length ? [] : ["other elements"];
    for (const [element, twin] of pairs.filter(([, twin]) => twin)) {
      if (element.tagName !== twin.tagName) differences.push(element.tagName);
      for (const pseudo of [null, "::before"]) {
        const [styles, others] = [element, twin].map((it) => it.ownerDocument.defaultView.getComputedStyle(it, pseudo));
        const isOther = (name) => styles.getPropertyValue(name) !== others.getPropertyValue(name);
        differences.push(...[...styles].filter(isOther).map((name) => `${element.outerHTML} ${name}`));
      }
    }
    told.push({differences, text: one.body.innerText, styles: other.querySelectorAll("[style]").length});
  }
  document.body.textContent = JSON.stringify(told);
})();
</script>"""


def seen(tmp_path: Path, pairs: list[tuple[str, str]]) -> list[dict]:
    page = tmp_path / "compare.html"
    page.write_text(COMPARE % json.dumps(pairs).replace("</", "<\\/"), encoding="utf-8")
    shown = document(tmp_path / "profile", page)
    return json.loads(html.unescape(re.search(r"<body>(.*)</body>", shown, re.DOTALL)[1]))


@needs_chromium
def test_a_browser_sees_the_same_styles_and_words(tmp_path: Path, shared_daemon: Daemon):
    pages = [STYLED, *FRAGMENTS]
    mails = []
    for page in pages:
        fields = {**FIELDS, "html": page, "inlineCss": True, "textFromHtml": True}
        answer = shared_daemon.post(json.dumps(fields), "/messages/render")
        assert answer.status == 200, answer.body
        mails.append(bodies(answer.body))
    # The fragments without their sheets, so that attributes alone say it.
    pairs = [(page, mail["html"]) for page, mail in zip(pages, mails, strict=True)]
    for page, mail, shown in zip(pages, mails, seen(tmp_path, pairs), strict=True):
        assert shown["differences"] == [], page
        assert shown["styles"] > 0, page
        text = re.split(r"\n\[1\]: ", mail["plain"])[0]
        words = [word for word in re.split(r"\s+|\[1\]|[*#]", text) if word]
        assert words == re.split(r"\s+", shown["text"].strip()), page


def test_nothing_but_styles_changes(door: Door):
    for page in [STYLED, *FRAGMENTS]:
        kept = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
        after = made(door, html=page, inlineCss=True)["html"]
        after = re.sub(r"<style>.*?</style>", "", after, flags=re.DOTALL)
        assert Tags(after.strip()).seen == Tags(kept.strip()).seen, page


def test_what_attributes_say_is_taken_out_of_sheets(door: Door):
    """Unless others need it, as what stands in comments for Outlook."""
    page = STYLED.replace("<!--[if mso]", "<!--").replace("* { box-sizing: border-box }", "")
    left = made(door, html=page.replace(".long { border-left: none }", ""), inlineCss=True)["html"]
    for rule in ("@media (min-width: 1px)", "a:hover", "p::before", '<style media="print">'):
        assert rule in left
    for rule in ("h1", ".a", "#one"):
        assert f"\n{rule} {{" not in left
    assert "\nh1 {" in made(door, html=STYLED, inlineCss=True)["html"]


# ---- doors


def test_flags_are_written_as_any_name(door: Door):
    page = "<style>p{color:red}</style><p>Hello <a href='https://x.example/'>you</a>"
    found = made(door, HTML=page, text_from_html=True, **{"inline-css": True})
    assert found == {
        "plain": "Hello you [1]\n\n[1]: https://x.example/",
        "html": "<p style=\"color: red\">Hello <a href='https://x.example/'>you</a>",
    }


def test_a_text_that_is_made_is_as_one_that_is_given(door: Door):
    fixed = {"date": "2026-11-23T05:33:54Z", "messageId": "1@example.com"}
    page = "<p>Grüße, {{ x }}</p>\r\n<p>…"
    for fields in ({}, {"template": "merge", "variables": {"x": "<é>"}}):
        one = door.render(encode({**FIELDS, **fixed, **fields, "html": page, "textFromHtml": True}))
        text = "Grüße, {{ x }}\n\n…\n"
        assert one == door.render(encode({**FIELDS, **fixed, **fields, "html": page, "text": text}))


def test_problems_have_places(door: Door):
    assert refused(door, mjml="<mjml><mj-body>\n<mj-text>", textFromHtml=True) == [
        ("invalid_content", "/mjml", "In line 2, column 10 the MJML ends inside an element.")
    ]
    assert refused(door, textFromHtml=True, inlineCss=True)[0][:2] == ("conflict", "/textFromHtml")
    jinja = {"template": "jinja", "variables": {"a": 1}}
    told = refused(door, **jinja, html="<p>\n{{ a|safe }}", textFromHtml=True)
    assert [one[:2] for one in told] == [("invalid_template", "/html")]
    assert told[0][2].startswith("In line 2, column 1 a value is inserted as HTML")
    # A value that is missing is told as it is where both are given.
    assert refused(door, template="merge", html="<p>{{ a }}", textFromHtml=True)[0][0] == "missing_variable"
    body = "<mj-section><mj-column><mj-raw>{{ a|safe }}</mj-raw></mj-column></mj-section>"
    told = refused(door, **jinja, mjml=f"<mjml><mj-body>{body}</mj-body></mjml>", textFromHtml=True)
    assert told[0][:2] == ("invalid_template", "/mjml")
    assert told[0][2].startswith("In the HTML made from this: In line ")


def test_hostile_html_is_harmless(door: Door):
    deep = "<div>" * 100_000
    assert made(door, html=f"{deep}a", textFromHtml=True)["plain"] == "a"
    for fields in (
        {"html": f"<style>p{{a:b}}</style>{deep}", "inlineCss": True},
        {"mjml": f"<mjml><mj-body>{'<mj-section>' * 100_000}"},
    ):
        assert refused(door, **fields)[0][0] == "invalid_content"


def test_forms_lines_and_tables(daemon: Daemon, run, tmp_path: Path):
    """However recipients come, the bodies are made once for all."""
    head = {
        "from": "ann@example.com",
        "html": "<style>p{color:red}</style><p>Hello {{ name }}",
        "template": "merge",
        "inlineCss": True,
        "textFromHtml": True,
    }
    people = [{"address": f"{name}@example.org", "variables": {"name": name.title()}} for name in ("bo", "cy")]
    lines = "\n".join(json.dumps(line) for line in (head, *people))
    table = "address,name\nbo@example.org,Bo\ncy@example.org,Cy\n"
    (tmp_path / "message.json").write_text(json.dumps(head), encoding="utf-8")
    (tmp_path / "table.csv").write_text(table, encoding="utf-8")
    form = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="a"\r\nContent-Type: {kind}\r\n\r\n{body}\r\n'
        for name, kind, body in [("message", "application/json", json.dumps(head)), ("recipients", "text/csv", table)]
    )
    for body, kind in [
        (json.dumps({**head, "recipients": people}), "application/json"),
        (lines, "application/x-ndjson"),
        (form + "--b--\r\n", "multipart/form-data; boundary=b"),
    ]:
        answer = daemon.post(body.encode(), **{"Content-Type": kind})
        assert answer.status == 200, answer.body
    done = run("submit", "--message", "message.json", "--csv", "table.csv", "--pickup", daemon.pickup)
    assert done.returncode == 0, done.stderr
    files = daemon.files()
    assert len(files) == 4
    for file in files:
        for expansion, name in zip(read(file.read_bytes()).expansions, ("Bo", "Cy"), strict=True):
            expected = {"plain": f"Hello {name}", "html": f'<p style="color: red">Hello {name}'}
            found = bodies(expansion.message)
            assert found["plain"] == expected["plain"]
            assert found["html"].endswith(expected["html"])
            assert found["html"].startswith("<style>")


def test_several_messages(daemon: Daemon):
    good = {**FIELDS, "html": "<p>Hello", "textFromHtml": True}
    batch = "\n".join(json.dumps(line) for line in (good, {**good, "text": "x"}, good))
    answer = daemon.post(batch.encode(), "/messages/batch", **{"Content-Type": "application/x-ndjson"})
    assert answer.status == 200
    assert len(daemon.files()) == 2
    assert all(bodies(read(file.read_bytes()).message)["plain"] == "Hello" for file in daemon.files())


def test_a_finished_message_has_its_bodies(shared_daemon: Daemon):
    mail = b"From: a@example.com\r\nDate: Mon, 23 Nov 2026 05:33:54 +0000\r\n\r\nHello\r\n"
    for name in ("inlineCss", "textFromHtml"):
        answer = shared_daemon.post(
            mail, f"/messages/render?to=b@example.org&{name}=true", **{"Content-Type": "message/rfc822"}
        )
        assert 400 <= answer.status < 500


# ---- warnings


def codes(**fields: object) -> list[tuple[str, str]]:
    return [(one.code, one.pointer) for one in pmtaemail.warnings({**FIELDS, **fields})]


def test_warnings_are_those_of_what_is_sent():
    page = (
        "<style>p { " + "color: red; background: green; margin: 1px; padding: 2px " * 3 + "}</style>" + "<p>a" * 2_000
    )
    assert codes(html=page) == [("missing_text", "/text")]
    assert codes(html=page, inlineCss=True) == [("large_html", "/html"), ("missing_text", "/text")]
    assert codes(html="<p>a", textFromHtml=True) == []
    assert codes(html="<p>a", textFromHtml=False) == [("missing_text", "/text")]
    content = "<mj-text><a href='http://x.example/'>*|NAME|*</a></mj-text>"
    mjml = f"<mjml><mj-body><mj-section><mj-column>{content}</mj-column></mj-section></mj-body></mjml>"
    expected = [("foreign_placeholder", "/mjml"), ("insecure_link", "/mjml"), ("missing_text", "/text")]
    assert codes(mjml=mjml) == expected
    (link,) = [one for one in pmtaemail.warnings({**FIELDS, "mjml": mjml}) if one.code == "insecure_link"]
    assert link.detail.startswith("In the HTML made from this: In line ")
    assert codes(mjml=mjml, textFromHtml=True) == expected[:2]
    # Of what cannot be made there are none but what is told of what is given.
    assert codes(mjml="<mjml>") == [("missing_text", "/text")]


# ---- SparkPost


def test_sparkpost_inlines_style_sheets(daemon: Daemon):
    content = {
        "from": "a@example.com",
        "subject": "Hi",
        "html": "<style>p{color:red}</style><p>Hello {{ name }}",
        "text": "Hello",
    }
    recipients = [{"address": "bo@example.org", "substitution_data": {"name": "Bo"}}]
    path = "/api/v1/transmissions"
    for inline_css, fields in ((True, {}), (True, {"html": ...}), (False, {})):
        parts = {name: value for name, value in (content | fields).items() if value is not ...}
        body = {"content": parts, "recipients": recipients, "options": {"inline_css": inline_css}}
        answer = daemon.post(json.dumps(body), path)
        assert answer.status == 200, answer.body
        (file,) = daemon.files()
        (expansion,) = read(file.read_bytes()).expansions
        found = bodies(expansion.message)
        assert ('<p style="color: red">Hello Bo' in found.get("html", "")) == (inline_css and "html" not in fields)
        file.unlink()
    body["content"]["html"] = "<style>p{} {{ if name }}b{c:d}{{ end }}</style>"
    body["options"]["inline_css"] = True
    answer = daemon.post(json.dumps(body), path)
    assert answer.status == 422
    assert "In line 1, column 12 a style sheet contains a statement" in answer.body.decode()
    body["content"] = {"email_rfc822": "From: a@example.com\r\n\r\nHello\r\n"}
    answer = daemon.post(json.dumps(body), path)
    assert (answer.status, answer.json()["errors"][0]["code"]) == (422, "1301")


def test_a_field_that_is_not_a_boolean_is_reported(shared_daemon: Daemon):
    answer = shared_daemon.post(json.dumps({**FIELDS, "html": "a", "inlineCss": "yes"}), "/messages/check")
    problem = assert_problem(answer, 422)
    assert [error["code"] for error in problem["errors"]] == ["wrong_type"]
