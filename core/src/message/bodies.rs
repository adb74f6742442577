//! The bodies that may hold placeholders.

/// One value for each body that may contain placeholders.
#[derive(Debug, Default)]
pub(crate) struct Bodies<T> {
    pub text: Option<T>,
    pub amp: Option<T>,
    pub html: Option<T>,
    pub calendar: Option<T>,
}

impl<T> Bodies<T> {
    /// None of them.
    pub const NONE: Self = Self {
        text: None,
        amp: None,
        html: None,
        calendar: None,
    };

    /// Applies `make` to each.
    pub fn map<U>(&self, mut make: impl FnMut(&T) -> U) -> Bodies<U> {
        Bodies {
            text: self.text.as_ref().map(&mut make),
            amp: self.amp.as_ref().map(&mut make),
            html: self.html.as_ref().map(&mut make),
            calendar: self.calendar.as_ref().map(&mut make),
        }
    }

    /// Those that exist.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        [&self.text, &self.amp, &self.html, &self.calendar]
            .into_iter()
            .flatten()
    }
}
