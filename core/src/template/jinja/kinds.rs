//! The kind of a text, by its name as a template.

use minijinja::State;

/// How the names of templates start that are HTML, and of those that are not.
pub(super) const HTML: &str = "html";
pub(super) const PLAIN: &str = "text";
/// How the names of those start that are iCalendar objects.
pub(super) const CALENDAR: &str = "calendar";

/// Whether an iCalendar object is being evaluated.
pub(super) fn is_calendar(state: &State<'_, '_>) -> bool {
    state.name().starts_with(CALENDAR)
}
