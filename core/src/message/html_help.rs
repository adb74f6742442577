//! Bodies made from others: HTML from MJML, inlined style sheets, text from HTML.

use crate::json::{JsonMessage, Located, TemplateLanguage};
use crate::problem::{Code, Location, OrRefuse, ProblemReport, Refusal};
use crate::template::{FieldName, Language, TextKind};
use std::borrow::Cow;

/// Makes the bodies that a message asks for; after that they are as if they had been given. MJML becomes HTML first,
/// then style sheets are inlined; so what these hide is not in the text.
pub(super) fn make_bodies<'a>(
    json: &mut JsonMessage<'a>,
    language: &Language<'a>,
    report: &mut ProblemReport<'a>,
) {
    let is_wanted =
        |flag: Option<Located<bool>>| flag.filter(|flag| flag.value).map(|flag| flag.location);
    let inline_css = is_wanted(json.inline_css.take());
    let text_from_html = is_wanted(json.text_from_html.take());
    let mjml = json.mjml.take();
    if mjml.is_none() && inline_css.is_none() && text_from_html.is_none() {
        return;
    }
    let is_given = Given {
        html: json.html.is_some(),
        text: json.text.is_some(),
    };
    if !is_given.allows(mjml.as_ref(), inline_css, text_from_html, report) {
        return;
    }
    let is_mjml = mjml.is_some();
    let Some(Located { location, value }) = mjml.or_else(|| json.html.take()) else {
        return;
    };
    let made = Made {
        is_mjml,
        inlines_css: inline_css.is_some(),
    };
    let field = || FieldName::new(&report.pointer(location));
    let html = made.html(value, language, field);
    let Some(html) = html.or_refuse(location, report) else {
        return;
    };
    if let Some(place) = text_from_html {
        let text = text_of(&html, language).map_err(|refusal| made.of_html(refusal));
        let text = text.or_refuse(location, report);
        json.text = text.map(|text| Located {
            location: place,
            value: Cow::Owned(text),
        });
    }
    json.html = Some(Located {
        location,
        value: Cow::Owned(html),
    });
}

/// The HTML of a message as it is sent, if that differs from what was given; `None` also if it cannot be made. Flags
/// alone do not change which text a problem or a warning is about.
pub(super) fn made_html(json: &JsonMessage<'_>) -> Option<String> {
    let made = Made {
        is_mjml: json.mjml.is_some(),
        inlines_css: json.inline_css.as_ref().is_some_and(|flag| flag.value),
    };
    let given = json.mjml.as_ref().or(json.html.as_ref())?;
    if !made.is_mjml && !made.inlines_css {
        return None;
    }
    let language = json.template.as_ref().and_then(|word| word.value.meaning());
    let text = Cow::Borrowed(&*given.value);
    made.html(text, &language_of(language), || FieldName::new("/html"))
        .ok()
}

/// Whether the text part is made from the HTML.
pub(super) fn makes_text(json: &JsonMessage<'_>) -> bool {
    json.text_from_html.as_ref().is_some_and(|flag| flag.value)
}

/// A language that has not parsed any text yet.
pub(super) fn language_of<'a>(language: Option<TemplateLanguage>) -> Language<'a> {
    match language {
        Some(TemplateLanguage::Merge) => Language::merge(),
        #[cfg(feature = "jinja")]
        Some(TemplateLanguage::Jinja) => Language::jinja(),
        Some(TemplateLanguage::SparkPost) => Language::sparkpost(),
        Some(TemplateLanguage::None) | None => Language::None,
    }
}

/// The bodies that a message gives.
struct Given {
    html: bool,
    text: bool,
}

impl Given {
    /// Whether what is to be made is compatible with each other and with what is given. Otherwise a problem is
    /// reported.
    fn allows(
        &self,
        mjml: Option<&Located<Cow<'_, str>>>,
        inline_css: Option<Location>,
        text_from_html: Option<Location>,
        report: &mut ProblemReport<'_>,
    ) -> bool {
        let mut is_right = true;
        let mut refuse = |location, refusal| {
            report.refuse(location, refusal);
            is_right = false;
        };
        if let Some(mjml) = mjml {
            if self.html {
                refuse(mjml.location, MJML_AND_HTML);
            }
            if !cfg!(feature = "mjml") {
                refuse(mjml.location, not_built("mjml"));
            }
        }
        let has_html = self.html || mjml.is_some();
        if let Some(location) = inline_css {
            if !has_html {
                refuse(location, NOTHING_TO_INLINE);
            }
            if !cfg!(feature = "inline-css") {
                refuse(location, not_built("inline-css"));
            }
        }
        if let Some(location) = text_from_html {
            if self.text {
                refuse(location, TEXT_TWICE);
            }
            if !has_html {
                refuse(location, NO_HTML);
            }
            if !cfg!(feature = "text-from-html") {
                refuse(location, not_built("text-from-html"));
            }
        }
        is_right
    }
}

const MJML_AND_HTML: Refusal = Refusal::new(
    Code::Conflict,
    "The HTML is made from this, but `html` is given too; give only one of them.",
);

const NOTHING_TO_INLINE: Refusal = Refusal::new(
    Code::Conflict,
    "This applies to the style sheets of `html`, but neither `html` nor `mjml` is given.",
);

const TEXT_TWICE: Refusal = Refusal::new(
    Code::Conflict,
    "This makes the text from the HTML, but `text` is given too; give only one of them.",
);

const NO_HTML: Refusal = Refusal::new(
    Code::Conflict,
    "This makes the text from the HTML, but neither `html` nor `mjml` is given.",
);

fn not_built(feature: &str) -> Refusal {
    let detail = format!("This build does not include it: the feature `{feature}` is disabled.");
    Refusal::with_detail(Code::Unsupported, detail)
}

/// How the HTML is made.
#[derive(Debug, Clone, Copy)]
struct Made {
    is_mjml: bool,
    inlines_css: bool,
}

impl Made {
    /// The HTML of what is given, in the same template language.
    fn html(
        self,
        given: Cow<'_, str>,
        language: &Language<'_>,
        field: impl FnOnce() -> FieldName,
    ) -> Result<String, Refusal> {
        let mut html = crate::syntax::to_lf(given).into_owned();
        if let Some(mut fresh) = language.fresh() {
            // What is wrong with it is told of what was given, and not of what is made of it.
            fresh.parse(Cow::Owned(html.clone()), TextKind::Html, field)?;
        }
        if self.is_mjml {
            html = html_of_mjml(&html, language, self.inlines_css)?;
        }
        if self.inlines_css {
            html = inlined(&html, language).map_err(|refusal| self.of_html(refusal))?;
        }
        Ok(html)
    }

    /// What is wrong with the HTML: positions refer to the HTML, which nobody wrote if there is MJML.
    fn of_html(self, refusal: Refusal) -> Refusal {
        if !self.is_mjml {
            return refusal;
        }
        let detail = format!("In the HTML made from this: {}", refusal.detail);
        Refusal::with_detail(refusal.code, detail)
    }
}

#[cfg(any(feature = "inline-css", feature = "mjml", feature = "text-from-html"))]
fn with_tags<T>(
    text: &str,
    language: &Language<'_>,
    make: impl FnOnce(crate::html::Source<'_>) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let tags = language.tags(text);
    make(crate::html::Source {
        text,
        tags: &tags,
        is_template: !matches!(language, Language::None),
    })
}

#[cfg(feature = "mjml")]
fn html_of_mjml(mjml: &str, language: &Language<'_>, inlines_css: bool) -> Result<String, Refusal> {
    with_tags(mjml, language, |source| {
        crate::html::mjml_to_html(source, inlines_css)
    })
}

#[cfg(not(feature = "mjml"))]
fn html_of_mjml(_: &str, _: &Language<'_>, _: bool) -> Result<String, Refusal> {
    Err(not_built("mjml"))
}

#[cfg(feature = "inline-css")]
fn inlined(html: &str, language: &Language<'_>) -> Result<String, Refusal> {
    with_tags(html, language, crate::html::inline_css)
}

#[cfg(not(feature = "inline-css"))]
fn inlined(_: &str, _: &Language<'_>) -> Result<String, Refusal> {
    Err(not_built("inline-css"))
}

#[cfg(feature = "text-from-html")]
fn text_of(html: &str, language: &Language<'_>) -> Result<String, Refusal> {
    with_tags(html, language, crate::html::html_to_text)
}

#[cfg(not(feature = "text-from-html"))]
fn text_of(_: &str, _: &Language<'_>) -> Result<String, Refusal> {
    Err(not_built("text-from-html"))
}

#[cfg(test)]
mod tests {
    /// The problems of a message with these fields.
    fn problems(fields: &str) -> Vec<(&'static str, String)> {
        let json = format!("{{\"from\": \"a@example.com\", \"to\": \"b@example.org\", {fields}}}");
        let Err(problems) = crate::check(json.as_bytes()) else {
            return Vec::new();
        };
        let problems = problems.iter();
        let found = problems.map(|problem| (problem.code().as_str(), problem.pointer().to_owned()));
        found.collect()
    }

    fn at(code: &'static str, pointer: &str) -> Vec<(&'static str, String)> {
        vec![(code, pointer.to_owned())]
    }

    #[test]
    fn features_that_were_not_built_are_refused() {
        const MJML: &str = r#""mjml": "<mjml><mj-body/></mjml>""#;

        for (is_built, fields, pointer) in [
            (cfg!(feature = "mjml"), MJML, "/mjml"),
            (
                cfg!(feature = "inline-css"),
                r#""html": "a", "inlineCss": true"#,
                "/inlineCss",
            ),
            (
                cfg!(feature = "text-from-html"),
                r#""html": "a", "textFromHtml": true"#,
                "/textFromHtml",
            ),
        ] {
            let expected = if is_built {
                Vec::new()
            } else {
                at("unsupported", pointer)
            };
            assert_eq!(problems(fields), expected, "{fields}");
        }
        assert_eq!(
            problems(r#""inlineCss": false, "textFromHtml": false, "mjml": null"#),
            []
        );
    }

    #[cfg(all(feature = "mjml", feature = "inline-css", feature = "text-from-html"))]
    #[test]
    fn bodies_come_from_one_place() {
        for (fields, pointer) in [
            (r#""html": "a", "mjml": "<mjml/>""#, "/mjml"),
            (
                r#""html": "a", "text": "b", "textFromHtml": true"#,
                "/textFromHtml",
            ),
            (r#""text": "b", "inlineCss": true"#, "/inlineCss"),
        ] {
            assert_eq!(problems(fields), at("conflict", pointer), "{fields}");
        }
        assert_eq!(
            problems(r#""html": "", "textFromHtml": true, "inlineCss": true"#),
            []
        );
    }
}
