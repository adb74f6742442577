//! The format of a log line: a JSON object, preceded by what the journal expects.
//!
//! tracing's own JSON has no lists; a field that is a list is logged as its `Debug` output, which is JSON if all its
//! strings are plain words.

use crate::journal::{self, Severity};
use serde_json::json;
use std::fmt::{self, Debug, Write};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// The fields that are lists of plain words.
const LISTS: [&str; 1] = ["codes"];

/// A line of another format, for the journal.
pub struct Journal<F>(pub F);

impl<S, N, F: FormatEvent<S, N>> FormatEvent<S, N> for Journal<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        // In a fleet, our own lines already say what its client does.
        if event.metadata().target().starts_with("async_nats") {
            return Ok(());
        }
        writer.write_str(journal::prefix(severity(*event.metadata().level())))?;
        self.0.format_event(context, writer, event)
    }
}

fn severity(level: Level) -> Severity {
    match level {
        Level::ERROR => Severity::Error,
        Level::WARN => Severity::Warning,
        Level::INFO => Severity::Info,
        _ => Severity::Debug,
    }
}

/// One JSON object per line, its members in the given order.
pub struct Json;

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::from("{\"timestamp\":\"");
        SystemTime.format_time(&mut Writer::new(&mut line))?;
        line.push_str("\",\"level\":\"");
        line.push_str(event.metadata().level().as_str());
        line.push('"');
        event.record(&mut Members(&mut line));
        line.push_str("}\n");
        writer.write_str(&line)
    }
}

/// Appends members to an object.
struct Members<'l>(&'l mut String);

impl Members<'_> {
    fn push(&mut self, field: &Field, json: impl fmt::Display) {
        let name = json!(field.name());
        write!(self.0, ",{name}:{json}").expect("a string takes everything");
    }
}

impl Visit for Members<'_> {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.push(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.push(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.push(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.push(field, json!(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if LISTS.contains(&field.name()) {
            self.push(field, format_args!("{value:?}"));
        } else {
            self.push(field, json!(format!("{value:?}")));
        }
    }
}
