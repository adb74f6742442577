use super::*;
use crate::template::{Language, TextKind};

fn in_language(html: &str, mut language: Language<'_>) -> Result<String, Refusal> {
    let field = || crate::template::FieldName::new("/html");
    if let Some(mut fresh) = language.fresh() {
        fresh.parse(html.to_owned().into(), TextKind::Html, field)?;
    }
    let tags = language.tags(html);
    let text = html_to_text(Source {
        text: html,
        tags: &tags,
        is_template: !matches!(language, Language::None),
    })?;
    language.parse(text.clone().into(), TextKind::Text, field)?;
    Ok(text)
}

#[test]
fn text_reads_as_the_html_looks() {
    let long = format!("https://example.com/{}", "a".repeat(80));
    let cases = [
        ("", ""),
        ("  a\n b ", "a b\n"),
        (
            "<h1>Hello</h1><p>One <b>two</b> three.</p><p>Next<br>line</p><h4>x</h4>y",
            "# Hello\n\nOne two three.\n\nNext\nline\n\n### x\n\ny\n",
        ),
        (
            "<ul><li>a</li><li>b</li></ul><ol><li>c<li>d<ul><li>e</ul></ol>f",
            "* a\n* b\n\n1. c\n2. d\n\n   * e\n\nf\n",
        ),
        (
            "<p><a href=' https://x.example/a '>One</a>, <a href='https://x.example/a'>again</a>, <a href='#top'>top</a>, \
             <a>none</a>, <a href='mailto:a@b.c'>a@b.c</a>, <a href='https://b.c/'>b.c</a>, <a href=b><img alt=Logo></a>",
            "One [1], again [1], top, none, a@b.c, b.c, Logo [2]\n\n[1]: https://x.example/a\n[2]: b\n",
        ),
        // What only arranges is read from the top down.
        (
            "<table role=presentation><tr><td><table><tr><td><div>Head</div></td></tr><tr><td><p>Para</table></table>",
            "Head\n\nPara\n",
        ),
        (
            "<p>Order:</p><table><thead><tr><th>Item</th><th>Count</th></tr></thead><tr><td>Blue socks</td><td>2</td></tr>\
             <tr><td><a href=c>Red</a><td>30</table>Bye",
            "Order:\n\nItem        Count\nBlue socks  2\nRed [1]     30\n\nBye\n\n[1]: c\n",
        ),
        (
            "<table><tr><td>Blue</td><td>2</td></tr><tr><td>Red</td><td>30",
            "Blue  2\nRed  30\n",
        ),
        (
            "<blockquote>q<p>r</blockquote><pre>x\n  y</pre><hr>z",
            "> q\n\n> r\n\nx\n  y\n\n----------------------------------------\n\nz\n",
        ),
        (
            "a &lt;b&gt; &#123;&#123; x }}&nbsp;{%",
            "a <b> {{ x }} {%\n",
        ),
        (
            "<title>t</title><style>p{}</style><div style='Display: none'>preview</div><p hidden>h</p><!-- c -->seen\
             <script>'<p>'</script>",
            "seen\n",
        ),
        (
            &format!("<p>{long} and text that follows the long address in a line"),
            &format!("{long} and text that follows the long\naddress in a line\n"),
        ),
        (
            "<svg><text>a</text></svg><dl><dt>t<dd>d</dl>e",
            "t\nd\n\ne\n",
        ),
    ];
    for (html, expected) in cases {
        assert_eq!(
            in_language(html, Language::None).unwrap(),
            expected,
            "{html}"
        );
    }
    let words = "<p>".to_owned() + &"word ".repeat(100);
    let text = in_language(&words, Language::None).unwrap();
    assert!(
        text.lines().count() == 7 && text.lines().all(|line| line.len() <= 76),
        "{text}"
    );
}

#[test]
fn placeholders_and_statements_survive() {
    let jinja = [
        (
            "<p>Hello {{ name }},</p>{% if vip %}<p>VIP</p>{% else %}<p>No</p>{% endif %}<p>Bye</p>",
            "Hello {{ name }},\n\n{% if vip %}VIP\n\n{% else %}No\n\n{% endif %}Bye\n",
        ),
        (
            "<p>Items:</p><table>{% for i in x %}<tr><td>{{ i.a }}</td><td>{{ i.b }}</td></tr>{% endfor %}</table>Bye",
            "Items:\n\n{% for i in x %}{{ i.a }}  {{ i.b }}\n{% endfor %}\nBye\n",
        ),
        (
            "<tr>{% for i in x %}<td>{{ i }}</td>{% endfor %}</tr>",
            "{% for i in x %}  {{ i }}{% endfor %}\n",
        ),
        (
            "<ol>{% for i in x %}<li><a href='{{ i.url }}'>{{ i.name }}</a></li>{% endfor %}</ol><a href=\"{{ url }}\">All</a>",
            "{% for i in x %}* {{ i.name }} <{{ i.url }}>\n{% endfor %}\nAll [1]\n\n[1]: {{ url }}\n",
        ),
        (
            "<table>{% for i in x %}<tr><td>{{ i }}<td>c</tr>{% endfor %}</table><ul>{% for i in x %}<li>{{ i }}</li>{% endfor %}</ul>",
            "{% for i in x %}{{ i }}  c\n{% endfor %}\n{% for i in x %}* {{ i }}\n{% endfor %}\n",
        ),
        // What nobody sees may set what others see.
        (
            "{% set a = 1 %}<head>{% if b %}<style>.a{}</style>{% endif %}{% set c = 2 %}</head>{{ a }} {%- if c %}, x{% endif %}",
            "{% set a = 1 %}{% set c = 2 %}{{ a }}{% if c %}, x{% endif %}\n",
        ),
        (
            "<p>{{ a }} &#123;{{ b }}} {# c #}{% raw %}{{ d }}{% endraw %}</p>",
            "{{ a }} {{ \"{\" }}{{ b }}} {{ \"{\" }}{{ \"{\" }} d }}\n",
        ),
        (
            "<p class=\"{% if a %}b{% endif %}\"><a href=\"{% if a %}b{% else %}c{% endif %}\">d</a>",
            "d [1]\n\n[1]: {% if a %}b{% else %}c{% endif %}\n",
        ),
        (
            "<blockquote>{% if a %}<p>b</p>{% endif %}</blockquote>",
            "{% if a %}> b\n\n{% endif %}\n",
        ),
        (
            "<a href='{{ a|safe }}'>b</a>",
            "b [1]\n\n[1]: {{ a|safe }}\n",
        ),
    ];
    for (html, expected) in jinja {
        assert_eq!(
            in_language(html, Language::jinja()).unwrap(),
            expected,
            "{html}"
        );
    }
    assert_eq!(
        in_language(
            "<a href='{{{ a }}}'>{{ b | default: \"<c>\" }}</a>{<b>{</b>",
            Language::merge()
        )
        .unwrap(),
        "{{ b | default: \"<c>\" }} [1]{{ \"{\" }}{{ \"{\" }}\n\n[1]: {{{ a }}}\n"
    );
    assert_eq!(
        in_language(
            "<table>{{ each items }}<tr><td>{{loop_var.a}}<td></tr>{{end}}</table><p>b {<b>{</b> {{ y or 'z' }}",
            Language::sparkpost()
        )
        .unwrap(),
        "{{ each items }}{{loop_var.a}}\n{{end}}\nb {{ \"{\" }}{{ \"{\" }} {{ y or 'z' }}\n"
    );
}

#[test]
fn html_that_cannot_become_text_is_refused_with_its_position() {
    for (html, place) in [
        ("<p>\n{{ a|safe }}", "line 2, column 1"),
        ("<a {% if a %}href=b{% endif %}>c</a>", "line 1, column 1"),
        ("{% if a %}<p title=\"{% endif %}\">", "line 1, column 11"),
    ] {
        let refusal = in_language(html, Language::jinja()).unwrap_err();
        assert!(
            refusal.detail.starts_with(&format!("In {place} ")),
            "{}",
            refusal.detail
        );
    }
    assert!(in_language("{{{ a }}}", Language::merge()).is_err());
    assert!(in_language("{{{ a }}}", Language::sparkpost()).is_err());
}

#[test]
fn hostile_html_is_read_in_time() {
    for piece in [
        "<div>",
        "<p>",
        "<b>",
        "<table><tr><td>",
        "<ul><li>",
        "<blockquote>",
        "<a href=a>",
        "<pre>",
        "</p>",
        "<p><b a={}>",
        "<h1>",
        "<ol>",
        "<table border=1><tr><td>a",
        "<svg>",
        "<td>a</td>",
        "<",
        "&",
        "<!--",
        "pmtax",
        "<option>",
        "a\u{a0}",
        "<font {}>",
        "<tr>",
        "</table>",
        "x",
        "<div hidden>",
    ] {
        let start = std::time::Instant::now();
        let many = if piece == "<div>" { 100_000 } else { 20_000 };
        let html: String = (0..many)
            .map(|number| piece.replace("{}", &number.to_string()))
            .collect();
        let text = in_language(&html, Language::None);
        assert!(text.is_ok() || piece == "pmtax", "{piece}");
        assert!(
            start.elapsed().as_secs() < 20,
            "{piece}: {:?}",
            start.elapsed()
        );
    }
    let html = "{% if a %}<td>{{ b }}{% endif %}".repeat(300);
    in_language(&html, Language::jinja()).unwrap();
}

proptest::proptest! {
    #![proptest_config(crate::property_cases::at_least(400))]

    #[test]
    fn any_html_has_a_text(parts in proptest::collection::vec(proptest::sample::select(PARTS), 0..30)) {
        let html = parts.concat();
        let text = in_language(&html, Language::None).unwrap();
        proptest::prop_assert!(!text.contains("pmtax"), "{}", text);
    }

    /// Whatever is around them, placeholders and statements are there once and in order.
    #[test]
    fn tags_survive(parts in proptest::collection::vec(proptest::sample::select(PARTS), 0..30)) {
        let mut html = String::new();
        for (number, part) in parts.iter().enumerate() {
            html.push_str(part);
            if !part.ends_with(['=', '"', '\'', '-']) {
                let tags = format!("{{% if a{number} %}}{{{{ b{number} }}}}{{% endif %}}");
            html.push_str(&tags);
            }
        }
        if let Ok(text) = in_language(&html, Language::jinja()) {
            proptest::prop_assert!(!text.contains("pmtax"), "{}", text);
            let in_text = Language::jinja().tags(&text);
            let opened = in_text.iter().filter(|tag| tag.kind == crate::template::TagKind::Opens).count();
            let closed = in_text.iter().filter(|tag| tag.kind == crate::template::TagKind::Closes).count();
            proptest::prop_assert_eq!(opened, closed);
        }
    }
}

const PARTS: &[&str] = &[
    "<p>",
    "</p>",
    "<div>",
    "</div>",
    "<table>",
    "<table border=1>",
    "</table>",
    "<tr>",
    "<td>",
    "</td>",
    "<th>",
    "<ul>",
    "</ul>",
    "<ol>",
    "</ol>",
    "<li>",
    "</li>",
    "<a href=x>",
    "<a href='https://x.example/a b'>",
    "</a>",
    "<pre>",
    "</pre>",
    "<blockquote>",
    "</blockquote>",
    "<h2>",
    "</h2>",
    "<br>",
    "<hr>",
    "<img alt='a b'>",
    "<!-- ",
    "-->",
    "<style>",
    "</style>",
    "<title>",
    "</title>",
    "a ",
    " b",
    "\u{4f60}\u{597d}",
    "&nbsp;",
    "&lt;",
    "\n",
    "\t",
    "&#0;",
    "\u{301}",
    "<select>",
    "<option>",
    "<svg>",
    "</svg>",
    "<b>",
    "</b>",
    "<",
    "<p",
    "=",
    "\"",
    "'",
    "<textarea>",
    "</textarea>",
    "<plaintext>",
    "<x-y>",
    "1. ",
    "* ",
    "> ",
    "<div style=display:none>",
    "<template>",
    "</template>",
    "<head>",
    "</head>",
    "<body>",
    "</body>",
    "<dl>",
    "<dt>",
    "<dd>",
    "<sup>2</sup>",
    "<del>x</del>",
    "<code>c</code>",
    "<em>e</em>",
    "[1]",
    "[1]: ",
    "\u{202e}",
    "\u{200b}",
    "\u{1F469}\u{200d}\u{1F467}",
];
