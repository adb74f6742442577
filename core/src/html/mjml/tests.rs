use super::*;
use crate::template::{Language, TextKind};

fn in_language(mjml: &str, mut language: Language<'_>) -> Result<String, Refusal> {
    let field = || crate::template::FieldName::new("/mjml");
    if let Some(mut fresh) = language.fresh() {
        fresh.parse(mjml.to_owned().into(), TextKind::Html, field)?;
    }
    let tags = language.tags(mjml);
    let source = Source {
        text: mjml,
        tags: &tags,
        is_template: !matches!(language, Language::None),
    };
    let made = mjml_to_html(source, false)?;
    language.parse(made.clone().into(), TextKind::Html, field)?;
    Ok(made)
}

fn page(body: &str) -> String {
    format!("<mjml><mj-body>{body}</mj-body></mjml>")
}

/// In a section, in a column.
fn column(content: &str) -> String {
    page(&format!(
        "<mj-section><mj-column>{content}</mj-column></mj-section>"
    ))
}

#[test]
fn mjml_becomes_html() {
    let html = in_language(
        &column("<mj-text>Hello <b>you</b> &amp; &lt;me<br>!</mj-text>"),
        Language::None,
    )
    .unwrap();
    assert!(
        html.starts_with("<!doctype html>")
            && html.contains("Hello <b>you</b> &amp; &lt;me<br />!</div>"),
        "{html}"
    );
    assert!(html.contains("<!--[if mso | IE]>"));
    let with_style = "<mjml><mj-head><mj-style inline=\"inline\">.a{color:red}</mj-style></mj-head><mj-body/></mjml>";
    let source = Source {
        text: with_style,
        tags: &[],
        is_template: false,
    };
    assert!(
        mjml_to_html(source, true)
            .unwrap()
            .contains(".a{color:red}")
    );
}

#[test]
fn placeholders_and_statements_survive() {
    for (mjml, parts) in [
        (
            column("{% for i in x %}<mj-text color=\"{{ i.c }}\">{{ i.a }} {% if i.b %}<b>{{ i.b }}</b>{% endif %}</mj-text>{% endfor %}"),
            &["<tbody>{% for i in x %}<tr>", "color:{{ i.c }}", "{{ i.a }} {% if i.b %}<b>{{ i.b }}</b>{% endif %}", "</tr>{% endfor %}</tbody>"] as &[_],
        ),
        (
            page("{% if a %}<mj-section>{% if b %}<mj-column><mj-button href='{{ u }}?{% if x %}a{% endif %}'>x</mj-button></mj-column>{% endif %}</mj-section>{% else %}{% endif %}"),
            &["{% if a %}<", "href=\"{{ u }}?{% if x %}a{% endif %}\"", "{% endif %}<", "{% else %}{% endif %}</div>"],
        ),
        (
            column("<mj-table>{% for i in x %}<tr><td>{{ i }}</td></tr>{% endfor %}</mj-table>"),
            &["{% for i in x %}<tr><td>{{ i }}</td></tr>{% endfor %}</table>"],
        ),
        (
            "<mjml><mj-head><mj-title>{{ t }}</mj-title><mj-attributes><mj-class name=\"a\" color=\"{{ c }}\"/></mj-attributes>\
             <mj-style>.a{color:{{ d }}}</mj-style></mj-head><mj-body><!-- {{ e }} --><mj-raw>{% raw %}{{ f }}{% endraw %}</mj-raw></mj-body></mjml>".to_owned(),
            &["<title>{{ t }}</title>", ".a{color:{{ d }}}", "{% raw %}{{ f }}{% endraw %}"],
        ),
    ] {
        let html = in_language(&mjml, Language::jinja()).unwrap();
        for part in parts {
            assert!(html.contains(part), "{part}: {html}");
        }
    }
}

#[test]
fn a_greater_than_sign_after_any_letter() {
    let page = |text: &str| {
        page(&format!(
            "<mj-section><mj-column><mj-text>{text}</mj-text></mj-column></mj-section>"
        ))
    };
    for text in [
        "é>",
        "x é>",
        "a > €",
        "日&gt;",
        "<b title=\"日\">€</b>",
        "<b>a</b> 3 > 2",
        "]] >",
        "\u{10348}  >",
    ] {
        let made = in_language(&page(text), Language::None);
        assert!(made.is_ok(), "{text}: {made:?}");
    }
    for text in [
        "€>",
        "\u{301}/>",
        "10 €>",
        "€ >",
        "<b>a</b>日>",
        "\u{10348}>",
        "\u{10348} >",
    ] {
        let made = in_language(&page(text), Language::None);
        assert!(made.is_err(), "{text}");
    }
}

#[test]
fn conditional_comments_are_whole_or_refused() {
    for whole in [
        "<!--[if mso]>",
        "<!--[if mso]><!-->",
        "<!--[if mso]-->",
        "<![if !mso]>",
        "<![endif]>",
        "<![endif]-->",
        "<!--<![endif]-->",
        "<!-- [if mso -->",
        "<!-- <![if -->",
    ] {
        let mjml = page(&format!("<mj-raw>a {whole} b</mj-raw>"));
        let made = in_language(&mjml, Language::None);
        assert!(made.is_ok(), "{whole}: {made:?}");
    }
    for broken in [
        "<!--[if",
        "<!--[if mso",
        "<!--[if mso]",
        "<!--[if mso] >",
        "<!--[if mso]--",
        "<![if !mso]a>",
        "<![endif",
        "<![endif >",
        "<![endif x]>",
        "<!--<![endif",
        "<!--<![endif]",
    ] {
        for before in [
            "",
            "<!doctype html>\n",
            "<mjml>\n",
            "<mjml><mj-body>\r\n \t",
            "<mjml><mj-body><mj-raw>a",
            "<mjml></mjml> ",
        ] {
            let mjml = format!("{before}{broken}");
            let refusal = in_language(&mjml, Language::None).unwrap_err();
            assert_eq!(refusal.code, Code::InvalidContent, "{mjml}");
        }
    }
}

#[test]
fn faults_are_reported_with_their_position() {
    for (mjml, place) in [
        (column("\n<mj-image width='{{ w }}' src='a'/>"), "line 2, column 18"),
        (page("<mj-section {{ a }}><mj-column/></mj-section>"), "line 1, column 28"),
        (page("<mj-section>\n {{ a }}<mj-text>a</b></mj-text></mj-section>"), "line 2, column 19"),
        (page("\n<mj-colum/>"), "line 2, column 1"),
        (page("\n <mj-include path='x'/>"), "line 2, column 3"),
        (page("<mj-section a='>"), "line 1, column 27"),
        (page("<mj-section {% if a %}b='c'{% endif %}/>"), "line 1, column 28"),
        ("<p>".to_owned(), "line 1, column 1"),
        ("{{ a }}\n<mjml>".to_owned(), "line 1, column 1"),
        ("<mjml>\n{{ a }}é".to_owned(), "line 1, column 7"),
        ("<mjml><mj-body>\n{{ a }}é".to_owned(), "line 2, column 9"),
        ("<mjml><mj-head><mj-style inline='inline'>a{}</mj-style></mj-head></mjml>".to_owned(), "line 1, column 26"),
        ("<mjml><mj-head><mj-font nam='a' name='b' href='c'/></mj-head></mjml>".to_owned(), "line 1, column 25"),
        ("<mjml><mj-head><mj-attributes><mj-class name='a' color='{% if a %}'/></mj-attributes></mj-head><mj-body>{% endif %}</mj-body></mjml>".to_owned(), "line 1, column 105"),
    ] {
        let refusal = in_language(&mjml, Language::jinja()).unwrap_err();
        assert!(refusal.detail.starts_with(&format!("In {place} ")), "{mjml}: {}", refusal.detail);
    }
    let meant = in_language(&page("<mj-colum/>"), Language::None).unwrap_err();
    assert!(
        meant
            .detail
            .ends_with("MJML has no such element. Did you mean `mj-column`?"),
        "{}",
        meant.detail
    );
    for mjml in ["", "  ", "<!-- -->"] {
        assert_eq!(in_language(mjml, Language::None), Err(NO_ROOT), "{mjml}");
    }
}

#[test]
fn a_carousel_has_two_hundred_images_at_most() {
    let carousel = |images: usize| {
        let images = "<mj-carousel-image src='a'/>".repeat(images);
        in_language(
            &column(&format!("<mj-carousel>{images}</mj-carousel>")),
            Language::None,
        )
    };
    assert!(carousel(200).is_ok());
    assert_eq!(carousel(201).unwrap_err().code, Code::TooLong);
}

#[test]
fn hostile_mjml_is_refused_in_time() {
    let attribute = "a".repeat(100_000);
    for mjml in [
        column(&"<mj-text>".repeat(100_000)),
        column(&"<mj-raw><div>".repeat(50_000)),
        column(&"<mj-wrapper>".repeat(100_000)),
        column(&format!(
            "<mj-carousel>{}</mj-carousel>",
            "<mj-carousel-image src='a'/>".repeat(10_000)
        )),
        format!(
            "<mjml><mj-head><mj-attributes><mj-all color='{attribute}'/></mj-attributes></mj-head><mj-body>{}</mj-body></mjml>",
            "<mj-text/>".repeat(10_000)
        ),
        column(&format!(
            "<mj-social color='{attribute}'>{}</mj-social>",
            "<mj-social-element/>".repeat(10_000)
        )),
        "<mjml>".repeat(100_000),
        "<".repeat(100_000),
        column(&"<!--".repeat(100_000)),
    ] {
        let start = std::time::Instant::now();
        assert!(
            in_language(&mjml, Language::None).is_err(),
            "{}",
            &mjml[..80]
        );
        assert!(
            start.elapsed().as_secs() < 20,
            "{}: {:?}",
            &mjml[..80],
            start.elapsed()
        );
    }
    // As deep as it may be, on the stack of a thread.
    for element in [
        "div",
        "mj-wrapper",
        "mj-section",
        "mj-column",
        "mj-group",
        "mj-hero",
        "mj-raw",
    ] {
        let deep = page(&(format!("<{element}>").repeat(98) + &format!("</{element}>").repeat(98)));
        assert!(in_language(&deep, Language::None).is_ok(), "{element}");
    }
    for mjml in [
        column(&"<mj-text>a</mj-text>".repeat(10_000)),
        column(&"<mj-section>".repeat(90)),
        "a".repeat(100_000),
    ] {
        drop(in_language(&mjml, Language::None));
    }
}

proptest::proptest! {
    #![proptest_config(crate::property_cases::at_least(300))]

    #[test]
    fn any_mjml_is_read_or_refused(parts in proptest::collection::vec(proptest::sample::select(PARTS), 0..20)) {
        for mjml in [parts.concat(), column(&parts.concat()), page(&parts.concat())] {
            if let Ok(html) = in_language(&mjml, Language::jinja()) {
                proptest::prop_assert!(!html.contains("pmtax"), "{}", html);
                for tag in ["{{ a }}", "{{ b }}", "{{ c }}"] {
                    proptest::prop_assert!(!mjml.contains(tag) || html.contains(tag), "{}", tag);
                }
            }
        }
    }
}

const PARTS: &[&str] = &[
    "<mj-text>",
    "</mj-text>",
    "<mj-text/>",
    "<mj-button href='{{ a }}'>x</mj-button>",
    "<mj-image src='x'/>",
    "<mj-raw>",
    "</mj-raw>",
    "<mj-section>",
    "</mj-section>",
    "<mj-column>",
    "</mj-column>",
    "<mj-column width='{{ c }}'/>",
    "<mj-divider/>",
    "<mj-spacer/>",
    "<mj-social><mj-social-element name='x'>a</mj-social-element></mj-social>",
    "<mj-navbar><mj-navbar-link href='a'>b</mj-navbar-link></mj-navbar>",
    "<mj-accordion><mj-accordion-element/></mj-accordion>",
    "<mj-hero>",
    "</mj-hero>",
    "<mj-group>",
    "</mj-group>",
    "<mj-wrapper>",
    "</mj-wrapper>",
    "<mj-table>",
    "</mj-table>",
    "{{ b }}",
    "{% if x %}",
    "{% endif %}",
    "{% else %}",
    "a",
    "é",
    "<p>",
    "</p>",
    "<br>",
    "<!-- x -->",
    "<mj-image width='9%' height='-1' padding='1 2 3 4 5'/>",
    "<mj-column width='0'/>",
    "<mj-section padding='é'/>",
    "<mj-text font-size=''/>",
    "<mj-column width='1e9px'/>",
    "<mj-section background-url='x' background-size='a b c'/>",
    "<mj-carousel/>",
    "<mj-body/>",
    "&",
    "<",
    "\"",
];
