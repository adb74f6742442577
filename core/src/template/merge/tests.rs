use super::*;

fn parsed(text: &str, kind: TextKind) -> Result<(String, Vec<String>), Refusal> {
    let mut names = Vec::new();
    let text = Cow::Borrowed(text);
    let template = parse(&text, kind, |reference, _| {
        let filters = reference.filters.iter().map(|(name, _)| *name);
        let name = [&*reference.path].into_iter().chain(filters);
        names.push(name.collect::<Vec<_>>().join("|"));
        Ok(names.len() - 1)
    })?;
    Ok((template.fill(|_| "<v>"), names))
}

#[test]
fn placeholders_are_found_and_nothing_else() {
    for (text, filled, names) in [
        ("", "", &[] as &[_]),
        ("a } }} { { { %} {# b", "a } }} { { { %} {# b", &[]),
        ("{{ '{%' }} {", "{% {", &[]),
        ("Hi {{ name }}!", "Hi &lt;v&gt;!", &["name"]),
        ("{{a}}{{ b1_c.d }}", "&lt;v&gt;&lt;v&gt;", &["a", "b1_c.d"]),
        (
            "{{{ a }}} {{{b|default:'<i>'}}}",
            "<v> <v>",
            &["a", "b|default"],
        ),
        (
            "{{ größe | default : \"x }}\" }}",
            "&lt;v&gt;",
            &["größe|default"],
        ),
        ("{{ \"{{\" }}x{{ '<' }}{{{ '<' }}}", "{{x&lt;<", &[]),
        ("{{\n a\t}}}", "&lt;v&gt;}", &["a"]),
        (
            "{{a|upcase|truncate:5,''|default:nil, allow_false :true}}",
            "&lt;v&gt;",
            &["a|upcase|truncate|default"],
        ),
        ("{{ a | default }}", "&lt;v&gt;", &["a|default"]),
        (
            "{{ 'a<b' | upcase }} {{{ \"<\" | json }}} {{ -1234.50 | number: 1 }}",
            "A&lt;B \"\\u003c\" -1,234.5",
            &[],
        ),
    ] {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let expected = (filled.to_owned(), names);
        assert_eq!(parsed(text, TextKind::Html), Ok(expected), "{text}");
    }
    assert_eq!(parsed("{{ a }}", TextKind::Text).unwrap().0, "<v>");
}

#[test]
fn three_braces_are_a_value_only_where_three_end_it() {
    for (text, filled) in [
        ("{{{ a }}}", "<v>"),
        ("a{{{ a }}b", "a{&lt;v&gt;b"),
        ("{{{ a }} }", "{&lt;v&gt; }"),
        ("{{{{ a }}}}", "{<v>}"),
        ("{{{{ a }}", "{{&lt;v&gt;"),
        ("{{{ '}}}' }}", "{}}}"),
        ("{{{ \"}}\" }}}", "}}"),
        (".x{{{ a }}{{{ a }}}", ".x{&lt;v&gt;<v>"),
        ("{{{ a }}\n}", "{&lt;v&gt;\n}"),
    ] {
        assert_eq!(parsed(text, TextKind::Html).unwrap().0, filled, "{text}");
    }
    let told = parsed("{{{ b b }}", TextKind::Html).unwrap_err().detail;
    assert!(told.starts_with("In line 1, column 2 "), "{told}");
}

#[test]
fn invalid_placeholders_are_refused() {
    for text in [
        "{{",
        "{{ }}",
        "{{ a",
        "{{ a }",
        "{{ a b }}",
        "{{ 1a }}",
        "{{ a. }}",
        "{{ a..b }}",
        "{{ .a }}",
        "{{ a | }}",
        "{{ \"a }}",
        "{{ a-b }}",
    ] {
        let refused = Err(Fault::Form.at(Place::START));
        assert_eq!(parsed(text, TextKind::Text), refused, "{text}");
    }
}

#[test]
fn the_position_and_the_fault_are_reported() {
    for (text, place, part) in [
        (
            "é {{ a | uper }}",
            "line 1, column 10",
            "an unknown filter `uper`",
        ),
        (
            "{{ a }}\n{{ a | größer: 1 }}",
            "line 2, column 8",
            "`größer`",
        ),
        (
            "{{ a | uper }}",
            "line 1, column 8",
            "Did you mean `upper`?",
        ),
        (
            "{{ a | upper | default: x }}",
            "line 1, column 16",
            "`default: \"text\"`",
        ),
        (
            "{{ a | truncate(5) }}",
            "line 1, column 8",
            "`truncate: 50, \"...\"`",
        ),
        ("{{ a | upper: 1 }}", "line 1, column 8", "`upcase`"),
        ("{{ a | date: '%Q?%!' }}", "line 1, column 8", "`date: "),
        (
            "{{ a | default: 'x' | number }}",
            "line 1, column 23",
            "the filter `number` takes a number",
        ),
        (
            "{{ 'now' | date: '%Y' }}",
            "line 1, column 12",
            "does not know the current time",
        ),
        (
            "{{ a }}{{ b b }}",
            "line 1, column 8",
            "a placeholder does not have the form",
        ),
        (
            "a\n\n {% if a %}",
            "line 3, column 2",
            "tag of another template language",
        ),
        (
            "{{ a }}{{#if a}}",
            "line 1, column 8",
            "tag of another template language",
        ),
        (
            "{{/if}}",
            "line 1, column 1",
            "tag of another template language",
        ),
        ("{%", "line 1, column 1", "tag of another template language"),
    ] {
        let refusal = parsed(text, TextKind::Text).unwrap_err();
        let start = format!("In {place} ");
        assert!(refusal.detail.starts_with(&start), "{}", refusal.detail);
        assert!(refusal.detail.contains(part), "{}", refusal.detail);
    }
    let long = parsed(&format!("{{{{ a | {} }}}}", "x".repeat(81)), TextKind::Text);
    assert!(long.unwrap_err().detail.contains("an unknown filter."));
}

#[test]
fn no_line_ends_in_the_header() {
    for text in [
        "{{ '2026-01-31' | date: '%Y%n' }}",
        "{{ \"a\nb\" }}",
        "{{ '\0' | upper }}",
    ] {
        let refusal = parsed(text, TextKind::Header).unwrap_err();
        assert_eq!(refusal.code, Code::ControlCharacter, "{text:?}");
        assert!(parsed(text, TextKind::Text).is_ok(), "{text:?}");
    }
    assert!(parsed("{{ \"a\nb\" | json }}", TextKind::Header).is_ok());
}
