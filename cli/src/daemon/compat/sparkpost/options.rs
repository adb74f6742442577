//! The options of a transmission.

use super::super::object::{Found, Object, Value};
use super::super::translated::Translated;
use crate::args::SparkPostOption;
use pmtaemail::{Code, Problem};
use std::borrow::Cow;

/// The options that do not become members of our message.
#[derive(Debug)]
pub struct Options<'a> {
    /// Whether placeholders in bodies are filled in.
    pub fills_bodies: bool,
    /// The place that requests style sheets in `style` attributes.
    pub inline_css: Option<Value<'a>>,
}

/// Options without an effect here: what they request is always done, or does not exist and need not be turned off.
const MEANINGLESS: [&str; 4] = ["transactional", "sandbox", "skip_suppression", "smtputf8"];

/// What is tracked, and the option that ignores it.
const TRACKING: [(&str, SparkPostOption); 3] = [
    ("open_tracking", SparkPostOption::OpenTracking),
    ("initial_open", SparkPostOption::OpenTracking),
    ("click_tracking", SparkPostOption::ClickTracking),
];

/// Reads `options`, and options that some clients write next to it.
pub fn read<'a>(
    transmission: &mut Object<'a>,
    ignored: &[SparkPostOption],
    ours: &mut Translated,
    found: &mut Found,
) -> Options<'a> {
    let mut fills_bodies = true;
    let inner = transmission
        .take("options")
        .and_then(|it| dictionary(&it, found));
    let mut options = inner.unwrap_or_else(|| Object::empty("/options"));
    for name in MEANINGLESS {
        for place in [&mut options, &mut *transmission] {
            if let Some(value) = place.take(name) {
                found.keep(value.boolean());
            }
        }
    }
    for (name, word) in TRACKING {
        for place in [&mut options, &mut *transmission] {
            let Some(value) = place.take(name) else {
                continue;
            };
            let is_asked = found.keep(value.boolean()).unwrap_or(false);
            if is_asked && !ignored.contains(&word) {
                found.add(unsupported(
                    &value,
                    "Tracking is not supported: leave it out, or set it to false.",
                ));
            }
        }
    }
    if let Some(value) = options.take("start_time") {
        found.add(unsupported(
            &value,
            "Scheduled sending is not supported: leave it out.",
        ));
    }
    let inline_css = options.take("inline_css");
    let inline_css = inline_css.filter(|value| found.keep(value.boolean()) == Some(true));
    if let Some(value) = options.take("perform_substitutions") {
        fills_bodies = found.keep(value.boolean()).unwrap_or(true);
    }
    if let Some(value) = options.take("ip_pool") {
        ours.put("vmta", &value);
    }
    if let Some(value) = options.take("dkim_key")
        && let Some(selector) = found.keep(value.text())
    {
        ours.put_made("dkim", &Selector { selector }, &value.pointer);
        ours.place("/dkim/selector", &value.pointer);
    }
    options.finish(found);
    Options {
        fills_bodies,
        inline_css,
    }
}

/// An object. PHP writes an empty one as an empty array.
pub fn dictionary<'a>(value: &Value<'a>, found: &mut Found) -> Option<Object<'a>> {
    if value.is_array() && value.array().is_ok_and(|all| all.is_empty()) {
        return Some(Object::empty(&value.pointer));
    }
    value.object(found)
}

/// The problem of a feature that exists only in the service.
pub fn unsupported(value: &Value<'_>, detail: &'static str) -> Problem {
    Problem::found(Code::Unsupported, value.pointer.clone(), detail)
}

#[derive(serde::Serialize)]
struct Selector<'a> {
    selector: Cow<'a, str>,
}
