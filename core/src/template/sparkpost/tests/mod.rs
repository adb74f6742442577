//! Texts with values put in.

mod documented;
mod faults;
mod properties;
mod statements;

use super::super::{Language, Owner};
use super::*;
use crate::number::Number;
use serde_json::{Value, json};

fn variable_value(value: &Value) -> Option<VariableValue<'static>> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(boolean) => VariableValue::Boolean(*boolean),
        Value::Number(number) => {
            VariableValue::Number(Number::new(number.to_string().into()).unwrap())
        }
        Value::String(text) => VariableValue::Text(text.clone().into()),
        Value::Array(list) => VariableValue::List(list.iter().filter_map(variable_value).collect()),
        Value::Object(members) => {
            let members = members.iter();
            let members = members
                .filter_map(|(name, value)| Some((name.clone().into(), variable_value(value)?)));
            VariableValue::Object(members.collect())
        }
    })
}

fn variables(object: &Value) -> Vec<Variable<'static>> {
    let members = object.as_object().unwrap().iter();
    let variables = members.filter_map(|(name, value)| {
        Some(Variable {
            name: name.clone().into(),
            location: Location::ROOT,
            value: variable_value(value)?,
        })
    });
    variables.collect()
}

const ANN: Addressee<'static> = Addressee {
    name: Some("Ann Lee"),
    email: Some("ann@example.org"),
    reverse_path: Some("bounces@example.com"),
};

/// The text with these values; the sentence of the first problem if there is one.
fn written(
    text: &str,
    kind: TextKind,
    shared: &Value,
    own: &Value,
    addressee: Addressee<'_>,
) -> Result<String, String> {
    let mut language = Language::sparkpost();
    let field = || FieldName::new("/text");
    let template = language
        .parse(text.to_owned().into(), kind, field)
        .map_err(|refusal| refusal.detail.into_owned())?;
    let mut report = ProblemReport::new();
    language.share(&variables(shared), &mut report);
    let own = variables(own);
    let owner = Owner::Variables(Location::ROOT);
    let values = language.resolve(owner, &own, addressee, &mut report);
    let filled = values.map(|values| template.fill(|number| language.value(&values, number)));
    match report.finish(Some(())) {
        Ok(()) => Ok(filled.unwrap()),
        Err(problems) => Err(problems.iter().next().unwrap().detail().to_owned()),
    }
}

fn text(template: &str, own: &Value) -> String {
    written(template, TextKind::Text, &json!({}), own, ANN).unwrap()
}

fn html(template: &str, own: &Value) -> String {
    written(template, TextKind::Html, &json!({}), own, ANN).unwrap()
}

#[test]
fn names_are_there_by_themselves_and_the_callers_win() {
    let template = "{{address.name}}|{{address.email}}|{{email}}|{{email_id}}|{{env_from}}|{{return_path}}|{{address['email']}}";
    let built_in = "Ann Lee|ann@example.org|ann@example.org|ann@example.org|bounces@example.com|bounces@example.com|\
                    ann@example.org";
    assert_eq!(text(template, &json!({})), built_in);
    assert_eq!(
        text(template, &json!({"address": {"street": "x"}})),
        built_in
    );
    assert_eq!(text(template, &json!({"address": "x"})), built_in);
    let own = json!({"address": {"name": "A"}, "email": "e", "return_path": "r"});
    let expected = "A|ann@example.org|e|ann@example.org|bounces@example.com|r|ann@example.org";
    assert_eq!(text(template, &own), expected);
    let nobody = Addressee::default();
    let found = written(template, TextKind::Text, &json!({}), &json!({}), nobody);
    assert_eq!(found.as_deref(), Ok("||||||"));
    assert_eq!(text("{{ address }}", &json!({"address": "x"})), "x");
}

#[test]
fn values_of_the_recipient_win_name_by_name() {
    let shared = json!({"a": "everybody", "b": {"c": 1, "d": 2}, "e": ["x"]});
    for (template, own, expected) in [
        ("{{ a }} {{ b.c }}", json!({}), "everybody 1"),
        ("{{ a }} {{ b.c }}", json!({"a": "own"}), "own 1"),
        ("{{ b.c or 'no' }}", json!({"b": {"d": 3}}), "no"),
        (
            "{{ if own }}{{ a }}{{ end }}{{ each e }}{{ loop_var }}{{ end }}",
            json!({}),
            "x",
        ),
        (
            "{{ if own }}{{ a }}{{ end }}{{ each e }}{{ loop_var }}{{ end }}",
            json!({"own": 1, "e": []}),
            "everybody",
        ),
        (
            "{{ a or own }}{{ a or own }}",
            json!({"a": false, "own": "o"}),
            "oo",
        ),
    ] {
        let found = written(template, TextKind::Text, &shared, &own, ANN);
        assert_eq!(found.as_deref(), Ok(expected), "{template} {own}");
    }
}

#[test]
fn values_are_written_as_their_place_asks_for() {
    let values = json!({"x": "<a&b>'\"{{ y }}", "n": 19.90, "u": "é/?&", "l": ["<"]});
    assert_eq!(
        html("{{ x }}{{{ x }}}", &values),
        "&lt;a&amp;b&gt;&#39;&quot;{{ y }}<a&b>'\"{{ y }}"
    );
    assert_eq!(
        html("{{ if n }}{{ x }}<b>{{{ x }}}{{ end }}", &values),
        "&lt;a&amp;b&gt;&#39;&quot;{{ y }}<b><a&b>'\"{{ y }}"
    );
    assert_eq!(
        html(
            "{{ '<' }}{{{ '<' }}}{{ if true }}{{ '<' }}{{ end }}",
            &values
        ),
        "&lt;<&lt;"
    );
    assert_eq!(text("{{ x }}", &values), "<a&b>'\"{{ y }}");
    for (template, expected) in [
        (
            "https://e.example/{{u}} {{u}}",
            "https://e.example/%C3%A9%2F%3F%26 é/?&",
        ),
        ("HTTP://{{u}}\n{{u}}", "HTTP://%C3%A9%2F%3F%26\né/?&"),
        (
            "(http://e.example/{{u}}){{u}}",
            "(http://e.example/%C3%A9%2F%3F%26)é/?&",
        ),
        (
            "http://e.example/a)b{{u}}<{{u}}",
            "http://e.example/a)b%C3%A9%2F%3F%26<é/?&",
        ),
        (
            "http://a{{ if u }}/{{u}}{{else}}/{{end}}?{{u}}",
            "http://a/%C3%A9%2F%3F%26?%C3%A9%2F%3F%26",
        ),
        (
            "http://a/{{ opening_double_curly() }}{{ closing_triple_curly() }}{{ '{' }}{{u}}",
            "http://a/{{}}}%7B%C3%A9%2F%3F%26",
        ),
        (
            "\"http://a/{{u}}\"{{u}} 'http://a/\"{{u}}",
            "\"http://a/%C3%A9%2F%3F%26\"é/?& 'http://a/\"é/?&",
        ),
        (
            "http:/{{u}} ftp://{{u}} {{ 'http://' }}{{u}}",
            "http:/é/?& ftp://é/?& http://é/?&",
        ),
        (
            "http://a http://{{u}}{{{u}}}{{ ' ' }}",
            "http://a http://%C3%A9%2F%3F%26é/?&%20",
        ),
    ] {
        assert_eq!(text(template, &values), expected, "{template}");
    }
    assert_eq!(
        html("<a href='http://a/{{u}}'>{{u}}</a>", &values),
        "<a href='http://a/%C3%A9%2F%3F%26'>é/?&amp;</a>"
    );
    let header = written(
        "https://a/{{u}}",
        TextKind::Header,
        &json!({}),
        &values,
        ANN,
    );
    assert_eq!(header.as_deref(), Ok("https://a/é/?&"));
    let quoted = r#"{{ 'it\'s }}' }}{{ "\"\\" }}{{{ '}}}' }}}{{{ x }}"#;
    assert_eq!(text(quoted, &json!({"x": 1})), "it's }}\"\\}}}{1");
}

#[test]
fn the_same_expression_is_one_value() {
    let mut language = Language::sparkpost();
    let field = || FieldName::new("/text");
    let mut parse = |text: &'static str, kind| {
        language.parse(text.into(), kind, field).unwrap();
        language.value_count()
    };
    assert_eq!(
        parse(
            "{{ x }}{{x}}{{{ x }}}{{ x or 'a' }}{{x or \"a\"}}",
            TextKind::Html
        ),
        2
    );
    assert_eq!(
        parse("{{ x }} http://a/{{ x }}{{ x }} {{ 'x' }}", TextKind::Text),
        3
    );
    assert_eq!(parse("{{ x }}{{ x.y }}{{ x['y'] }}", TextKind::Header), 5);
}

#[test]
fn templates_of_amp_are_left_to_programs_of_readers() {
    let values = json!({"name": "n", "sparkpost_name": "s", "cart": ["a"], "cart_items": ["x"]});
    let template = "{{name}}<Template type=\"amp-mustache\" id=a><b>{{sparkpost_name}}{{#cart_items}}{{name}}{{{ name }}}{{/cart_items}}\
        {{^cart}}{{ 'x {{ }}{{ opening_double_curly() }}</b></TEMPLATE>{{name}}";
    let expected = "n<Template type=\"amp-mustache\" id=a><b>s{{#cart_items}}{{name}}{{{ name }}}{{/cart_items}}\
        {{^cart}}{{ 'x {{ }}{{</b></TEMPLATE>n";
    assert_eq!(html(template, &values), expected);
    for (template, expected) in [
        (
            "<script template=amp-mustache>{{a}}</script>{{name}}",
            "<script template=amp-mustache>{{a}}</script>n",
        ),
        (
            "<script template=amp-mustache>{{a}}{{name}}",
            "<script template=amp-mustache>{{a}}{{name}}",
        ),
        (
            "<p amp-mustache>{{name}}</p> <template>{{name}} amp-mustache{{name}}",
            "<p amp-mustache>n</p> <template>n amp-mustachen",
        ),
        (
            "{{each cart}}<template type=amp-mustache>{{loop_var}}{{name}}</template>{{end}}",
            "<template type=amp-mustache>a{{name}}</template>",
        ),
    ] {
        assert_eq!(html(template, &values), expected, "{template}");
    }
    assert_eq!(
        text("<template type=amp-mustache>{{name}}", &values),
        "<template type=amp-mustache>n"
    );
}
