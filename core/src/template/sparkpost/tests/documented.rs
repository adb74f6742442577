//! The examples of SparkPost's documentation.

use super::{html, text};
use serde_json::json;

#[test]
fn documented_examples_render_as_documented() {
    let name = json!({"name": "Jane", "age": null, "job": "Software Engineer"});
    let place =
        json!({"address": {"street": "Howard Street", "city": "San Francisco"}, "part": "street"});
    for (template, values, expected) in [
        (
            "{{ value }}\n{{value}}\n{{  value   }}",
            json!({"value": "Hello 👋"}),
            "Hello 👋\nHello 👋\nHello 👋",
        ),
        (
            "* {{name}}\n* {{age}}\n* {{job}}\n* {{location}}\n",
            name,
            "* Jane\n* \n* Software Engineer\n* \n",
        ),
        (
            "Hello {{ name or 'Customer' }}",
            json!({"name": null}),
            "Hello Customer",
        ),
        (
            "Street: {{address.street}}\nCity: {{address['city']}}\nDynamic: {{address[part]}}",
            place,
            "Street: Howard Street\nCity: San Francisco\nDynamic: Howard Street",
        ),
        (
            "Start of template\n{{ if state == \"MD\" }}\nMaryland\n{{ end }}\nEnd of template\n",
            json!({"state": "MD"}),
            "Start of template\nMaryland\nEnd of template\n",
        ),
        (
            "{{if signed_up then}}\nWelcome\n{{end}}\n",
            json!({"signed_up": true}),
            "Welcome\n",
        ),
        (
            "Number of states: {{#states}}",
            json!({"states": ["MD", "CA"]}),
            "Number of states: 2",
        ),
        (
            "{{ each children }}\nYou have a child named {{loop_var}}\n{{ end }}\n",
            json!({"children": ["Rusty", "Audrey"]}),
            "You have a child named Rusty\nYou have a child named Audrey\n",
        ),
    ] {
        assert_eq!(text(template, &values), expected, "{template}");
    }
}

#[test]
fn lists_as_documented() {
    let cart = json!({"shopping_cart": [
        {"name": "Jacket", "price": 39.99, "a_nested_array": [{"key": "v2"}, {"key": "v1"}]},
        {"name": "Gloves", "price": 5},
    ]});
    let airports = json!({"Airports": {"YYZ": {"city": "Toronto"}}, "from": "YYZ"});
    for (template, values, expected) in [
        (
            "---\n{{each shopping_cart}}\nItem: {{loop_vars.shopping_cart.name}}\n\
             Price: {{loop_vars.shopping_cart.price}}\nThis item has the following nested values:\n\
             {{each loop_vars.shopping_cart.a_nested_array}}\n  Nested value: {{loop_vars.a_nested_array.key}}\n\
             {{end}}\n---\n{{end}}\n",
            cart.clone(),
            "---\nItem: Jacket\nPrice: 39.99\nThis item has the following nested values:\n  Nested value: v2\n  \
             Nested value: v1\n---\nItem: Gloves\nPrice: 5\nThis item has the following nested values:\n---\n",
        ),
        (
            "{{ children[1] }}, {{ children[2] }}, {{ shopping_cart[2].name }}",
            json!({"children": ["a", "b"], "shopping_cart": cart["shopping_cart"]}),
            "a, b, Gloves",
        ),
        (
            "{{ if not empty(shopping_cart) }}\n{{ each shopping_cart }}\n${{loop_var.price}}\n{{ end }}\n\
             {{ else }}\nBuy something!\n{{ end }}\n",
            cart,
            "$39.99\n$5\n",
        ),
        (
            "Here is a curly: {{ opening_double_curly() }}",
            json!({}),
            "Here is a curly: {{",
        ),
        (
            "{{if not Airports[to]}}nowhere{{else}}x{{end}}, {{if Airports[from] and Airports[from].city then}}\
             {{Airports[from].city}}{{end}}",
            airports,
            "nowhere, Toronto",
        ),
        (
            "{{if fullName}}Hey {{fullName}},{{else}}Greetings!{{end}}\n",
            json!({}),
            "Greetings!\n",
        ),
    ] {
        assert_eq!(text(template, &values), expected, "{template}");
    }
}

#[test]
fn html_and_links_as_documented() {
    let escaped = html(
        "E: {{custom_html}}\nU: {{{custom_html}}}",
        &json!({"custom_html": "<b>Hello, World</b>"}),
    );
    assert_eq!(
        escaped,
        "E: &lt;b&gt;Hello, World&lt;/b&gt;\nU: <b>Hello, World</b>"
    );
    let values = json!({"user": "john", "offercode": "Daily Deal!", "link": "www.company.com/groups",
        "suffix": "groups/join?user=clark"});
    let links = html(
        "<a href=\"https://company.com/dailydeals?user={{user}}&offercode={{offercode}}\">Go!</a> {{offercode}}\
         <a href=\"https://{{{link}}}\"><a href='http://www.company.com/{{{suffix}}}'>",
        &values,
    );
    assert_eq!(
        links,
        "<a href=\"https://company.com/dailydeals?user=john&offercode=Daily%20Deal%21\">Go!</a> Daily Deal!\
         <a href=\"https://www.company.com/groups\"><a href='http://www.company.com/groups/join?user=clark'>"
    );
}
