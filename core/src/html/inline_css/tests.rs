use super::*;
use crate::template::{Language, TextKind};

fn in_language(html: &str, mut language: Language<'_>) -> Result<String, Refusal> {
    let field = || crate::template::FieldName::new("/html");
    if let Some(mut fresh) = language.fresh() {
        fresh.parse(html.to_owned().into(), TextKind::Html, field)?;
    }
    let tags = language.tags(html);
    let made = inline_css(Source {
        text: html,
        tags: &tags,
        is_template: !matches!(language, Language::None),
    })?;
    language.parse(made.clone().into(), TextKind::Html, field)?;
    Ok(made)
}
#[test]
fn style_sheets_become_attributes() {
    for (html, expected) in [
        ("<p style=a>", "<p style=a>"),
        ("<style></style><p>", "<p>"),
        (
            "<!DOCTYPE html PUBLIC 'x'><style>p{color:red;font:\"a b\"} a:hover{color:blue} @media print{p{color:black}}</style>\
             <p style='color:blue'>a<p style=margin:0 CLASS=x>b<p style>c<a href=x>d</a><!-- [if] --><!-- <p> -->",
            "<!DOCTYPE html PUBLIC 'x'><style>\na:hover { color: blue; }\n@media print{p{color:black}}\n</style>\
             <p style='font: &#39;a b&#39;; color:blue'>a<p style=\"color: red; font: 'a b'; margin:0\" CLASS=x>b\
             <p style=\"color: red; font: 'a b'\">c<a href=x>d</a><!-- [if] --><!-- <p> -->",
        ),
        // Where nobody says for whom, it is for all.
        (
            "<style media=print>p{a:b}</style><style media=Screen type=text/css>p{a:b}</style><style data-css-inline=ignore>p{c:d}</style><p>",
            "<style media=print>p{a:b}</style><style data-css-inline=ignore>p{c:d}</style><p style=\"a: b\">",
        ),
        (
            "<style>p:empty{a:b} td>p{c:d}</style><p></p><p>x</p><table><tr><td><p>y</table>",
            "<p style=\"a: b\"></p><p>x</p><table><tr><td><p style=\"c: d\">y</table>",
        ),
        // Rules that others need stay as well: of elements that get no attribute, Outlook's, those for older programs.
        (
            "<style>p{a:b}</style><p><p data-css-inline=ignore>",
            "<style>p{a:b}</style><p style=\"a: b\"><p data-css-inline=ignore>",
        ),
        (
            "<style>p,body{a:b}</style><p>",
            "<style>p,body{a:b}</style><p style=\"a: b\">",
        ),
        (
            "<style>p{a:b}</style><p><textarea></textarea>",
            "<style>p{a:b}</style><p style=\"a: b\"><textarea></textarea>",
        ),
        (
            "<style>p{a:b}</style><p><!--[if mso]><p><![endif]-->",
            "<style>p{a:b}</style><p style=\"a: b\"><!--[if mso]><p><![endif]-->",
        ),
        (
            "<style>p{a:b;c:d;A:e}</style><p>",
            "<style>p{a:b;c:d;A:e}</style><p style=\"a: b; c: d; A: e\">",
        ),
        (
            "<style>p{a:b!important;c:d}</style><p style=\"a:c; C:e\">",
            "<p style=\"a: b!important; a:c; C:e\">",
        ),
        // Text in a table stays where it is, and what is not well nested as it is.
        (
            "<style>tr{a:b}b{c:d}</style><table>text<tr><td><b><i>x</b></i></table></div>",
            "<table>text<tr style=\"a: b\"><td><b style=\"c: d\"><i>x</b></i></table></div>",
        ),
        (
            "<style>p{background:url(\"a&b\")}</style><p>",
            "<p style=\"background: url('a&amp;b')\">",
        ),
        ("<style>p{a:b", "<style>\np { a: b; }\n"),
        (
            "<style>p{a:b}</style><P Class=\"a\">&nbsp;é",
            "<P style=\"a: b\" Class=\"a\">&nbsp;é",
        ),
    ] {
        assert_eq!(
            in_language(html, Language::None).unwrap(),
            expected,
            "{html}"
        );
    }
}

#[test]
fn placeholders_and_statements_stay_where_they_are() {
    for (html, expected) in [
        (
            "<style>.a{color:{{ c }};width:{{ w }}px}</style><table>{% for i in x %}<tr class='a {% if i.b %}b{% endif %}'>\
             <td style=\"{% if i.c %}color:red{% endif %}\" class=a>{{ i.d }}</td></tr>{% endfor %}</table>",
            "<style>.a{color:{{ c }};width:{{ w }}px}</style><table>{% for i in x %}<tr style=\"color: {{ c }}; width: {{ w }}px\" \
             class='a {% if i.b %}b{% endif %}'><td style=\"color: {{ c }}; width: {{ w }}px; {% if i.c %}color:red{% endif %}\" \
             class=a>{{ i.d }}</td></tr>{% endfor %}</table>",
        ),
        (
            "<style>.x{b:c}</style><p {% if x %}class=a{% endif %}>",
            "<style>.x{b:c}</style><p {% if x %}class=a{% endif %}>",
        ),
        (
            "<style>p{b:c} @media (max-width: {{ w }}px) {p{d:{{ e }}}}</style>{{ x }}<p style='{{ s }}'>",
            "<style>p{b:c} @media (max-width: {{ w }}px) {p{d:{{ e }}}}</style>{{ x }}<p style='b: c; {{ s }}'>",
        ),
        (
            "<style>p{font:{{ f|default(\"a\") }}}{# c #}</style><p>",
            "<style>p{font:{{ f|default(\"a\") }}}{# c #}</style><p style=\"font: {{ f|default(\"a\") }}\">",
        ),
    ] {
        let made = in_language(html, Language::jinja());
        assert_eq!(made.unwrap(), expected, "{html}");
    }
    for (html, place) in [
        (
            "<style>.a{color:red}{% if x %}.b{color:red}{% endif %}</style>",
            "line 1, column 21",
        ),
        ("\n<style>.{{ x }}{color:red}</style>", "line 2, column 9"),
        ("<style>a{b:c} {{ x }}</style>", "line 1, column 15"),
        (
            "{% if x %}<style>a{b:c}</style>{% endif %}",
            "line 1, column 11",
        ),
        (
            "<style>p{b:c}</style>\n <p {% if x %}class=a{% endif %}>",
            "line 2, column 2",
        ),
        ("<style>p{b:c}</style>\n <p {{ x }}>", "line 2, column 2"),
    ] {
        let refusal = in_language(html, Language::jinja()).unwrap_err();
        assert!(
            refusal.detail.starts_with(&format!("In {place} ")),
            "{}",
            refusal.detail
        );
    }
}

#[test]
fn hostile_html_is_refused_in_time() {
    let nested = "<div>".repeat(100_000);
    let many = "<p>".repeat(100_000);
    for html in [
        format!("<style>p{{a:b}}</style>{nested}"),
        format!("<style>p{{a:b}}</style>{}", "<b a=1>".repeat(100_000)),
        format!("<style>{}</style>{many}", "*{a:b}".repeat(10_000)),
        format!(
            "<style>*{{{}}}</style>{many}",
            (0..1_000)
                .map(|n| format!("a{n}:b;"))
                .collect::<Vec<_>>()
                .concat()
        ),
        format!("<style>{}</style><p>", ":not(".repeat(100_000)),
        format!("<style>{}</style><p>", "@media x {".repeat(100_000)),
        format!("<style>{}</style><p>", "a{".repeat(100_000)),
        format!("<style>p~p~p~p{{a:b}}</style>{many}"),
        format!("<style>p:has(~b){{a:b}}</style>{many}"),
        format!(
            "<style>p{{a:{}}}</style>{}",
            "x".repeat(1_000_000),
            "<p>".repeat(1_000)
        ),
    ] {
        let start = std::time::Instant::now();
        let made = in_language(&html, Language::None);
        assert!(made.is_err(), "{}", &html[..60]);
        assert!(
            start.elapsed().as_secs() < 20,
            "{}: {:?}",
            &html[..60],
            start.elapsed()
        );
    }
    for html in [
        format!("<style>p{{a:b}}</style>{many}"),
        format!(
            "<style>p{{a:b}}</style>{}",
            "<p><b x><i></p>".repeat(10_000)
        ),
        format!("<style>p{{a:b}}</style>{}", "<table><td>".repeat(100)),
        format!("<style>p{{a:b}}</style>{}", "<div>".repeat(250)),
        format!("<style>{}</style><p>", "{".repeat(30)),
        format!("<style>p{{a:b}}</style>{}", "</div>".repeat(100_000)),
        "<style>p{a:b}</style>".repeat(5_000),
    ] {
        let start = std::time::Instant::now();
        assert!(
            in_language(&html, Language::None).is_ok(),
            "{}",
            &html[..40]
        );
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }
}

proptest::proptest! {
    #![proptest_config(crate::property_cases::at_least(400))]

    /// Without what was put in, the HTML is what it was.
    #[test]
    fn nothing_but_styles_is_put_in(parts in proptest::collection::vec(proptest::sample::select(PARTS), 0..30)) {
        let html = parts.concat();
        if let Ok(made) = in_language(&html, Language::None) {
            let made = made.replace(" style=\"a: b\"", "").replace("a: b; ", "").replace("a: b", "");
            proptest::prop_assert_eq!(without_sheets(&made), without_sheets(&html));
        }
    }

    /// Of a template too, with its sheets.
    #[test]
    fn tags_stay(parts in proptest::collection::vec(proptest::sample::select(PARTS), 0..20)) {
        let mut html = String::from("{{ x }}");
        for (number, part) in parts.iter().enumerate() {
            html.push_str(part);
            let tags = format!("{{% if a{number} %}}{{{{ b{number} }}}}{{% endif %}}");
            html.push_str(&tags);
        }
        if let Ok(made) = in_language(&html, Language::jinja()) {
            let made = made.replace(" style=\"a: b\"", "").replace("a: b; ", "");
            proptest::prop_assert_eq!(made, html);
        }
    }
}

fn without_sheets(html: &str) -> String {
    let mut parts = html.split("<style>");
    let first = parts.next().unwrap_or_default();
    let rest = parts.map(|part| part.split_once("</style>").map_or("", |(_, rest)| rest));
    std::iter::once(first).chain(rest).collect()
}

const PARTS: &[&str] = &[
    "<style>p,td,b{a:b}</style>",
    "<p>",
    "</p>",
    "<div>",
    "</div>",
    "<table>",
    "</table>",
    "<tr>",
    "<td>",
    "</td>",
    "<b>",
    "</b>",
    "<i>",
    "</i>",
    "<a>",
    "<p style='c:d'>",
    "<p class=x>",
    "<!-- ",
    "-->",
    "a",
    "&amp;",
    "\u{4f60}",
    "\n",
    "<",
    "<br/>",
    "<svg>",
    "</svg>",
    "<title>",
    "</title>",
    "<select>",
    "<html>",
    "<head>",
    "<body>",
    "</body>",
    "<template>",
    "</template>",
    "<p\n",
    "=",
    "\"",
    "'",
    ">",
    "<textarea>",
    "<![CDATA[",
    "]]>",
    "<?x",
    "<x-y z>",
    "\0",
    "<ul>",
    "<li>",
];
