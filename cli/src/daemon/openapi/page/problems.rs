//! Each answer that is an error, once, although several paths may give it.

use super::html::{Page, Prose, Text, code, text_of};
use super::operation;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

/// All problems.
pub struct Problems<'d> {
    /// By status and name.
    by_name: BTreeMap<(i64, String), Problem<'d>>,
}

#[derive(Default)]
struct Problem<'d> {
    /// What it may say.
    documents: Vec<&'d Value>,
    may_be_retried: bool,
}

impl<'d> Problems<'d> {
    /// Those of all answers.
    pub fn of(document: &'d Value) -> Self {
        let mut by_name: BTreeMap<_, Problem<'d>> = BTreeMap::new();
        let responses = operation::all(document).flat_map(|operation| {
            operation.described["responses"]
                .as_object()
                .into_iter()
                .flatten()
        });
        for (_, response) in responses {
            let may_be_retried = response["headers"]["Retry-After"].is_object();
            let content = &response["content"]["application/problem+json"];
            for example in examples(content) {
                let problem = by_name.entry(name_of(example)).or_default();
                problem.may_be_retried |= may_be_retried;
                if !problem.documents.contains(&example) {
                    problem.documents.push(example);
                }
            }
        }
        Self { by_name }
    }

    /// How many an answer may have, and links to them.
    pub fn links(content: &Value) -> (usize, String) {
        let mut links = String::new();
        let mut count = 0;
        for example in examples(content) {
            let (status, name) = name_of(example);
            write!(
                links,
                "<li><a href=\"#problem-{status}-{}\">{}</a>",
                Text(&name),
                Prose(sentence(example))
            )
            .expect("a String takes all that is written");
            count += 1;
        }
        (count, links)
    }

    pub fn write(&self, page: &mut Page) {
        page.put(
            "<h2 id=\"problems\">Problems</h2><p>The body of an error is a <a href=\"#Problem\">Problem</a>, as \
             <code>application/problem+json</code>. What is wrong with a message stands in its <code>errors</code>, each with a \
             <a href=\"#ProblemCode\">word</a> that says what, and a pointer that says where.</p>\n",
        );
        for ((status, name), problem) in &self.by_name {
            page.put(format_args!(
                "<section id=\"problem-{status}-{name}\"><h3>{status} {title} \
                 <a class=\"here\" href=\"#problem-{status}-{name}\" aria-label=\"Link to {title}\">#</a></h3>\n",
                name = Text(name),
                title = Text(text_of(&problem.documents[0]["title"])),
            ));
            if problem.may_be_retried && *status != 409 {
                page.put(
                    "<p>Send the request again after the seconds that <code>Retry-After</code> says.</p>\n",
                );
            }
            for document in &problem.documents {
                if let Some(detail) = document["detail"].as_str() {
                    page.put(format_args!("<p>{}</p>\n", Prose(detail)));
                }
                code(page, &format!("{document:#}"));
            }
            page.put("</section>\n");
        }
    }
}

fn examples(content: &Value) -> impl Iterator<Item = &Value> {
    let examples = content["examples"].as_object().into_iter().flatten();
    examples.map(|(_, example)| &example["value"])
}

/// What tells one from all others: its type, or its sentence where the type says nothing.
fn name_of(problem: &Value) -> (i64, String) {
    let status = problem["status"].as_i64().unwrap_or_default();
    let kind = text_of(&problem["type"])
        .rsplit(':')
        .next()
        .unwrap_or_default();
    let words = |text: &str| {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric());
        let words: Vec<_> = words.filter(|word| !word.is_empty()).take(7).collect();
        words.join("-").to_ascii_lowercase()
    };
    let name = match (kind, problem["cause"].as_str()) {
        ("blank", _) => words(sentence(problem)),
        (kind, Some(cause)) => format!("{kind}-{cause}"),
        (kind, None) => kind.to_owned(),
    };
    (status, name)
}

/// What a person reads first.
fn sentence(problem: &Value) -> &str {
    let detail = problem["detail"].as_str();
    detail.unwrap_or_else(|| text_of(&problem["title"]))
}
