//! What a text is for, by the name that it has as a template.

use minijinja::State;

/// How the names of templates begin that are HTML, and of those that are not.
pub(super) const HTML: &str = "html";
pub(super) const PLAIN: &str = "text";
/// How the names of those begin that are iCalendar objects.
pub(super) const CALENDAR: &str = "calendar";

/// Whether an iCalendar object is evaluated.
pub(super) fn is_calendar(state: &State<'_, '_>) -> bool {
    state.name().starts_with(CALENDAR)
}
