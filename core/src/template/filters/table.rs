//! The names of filters in each language. A test compares the table in docs/merge.md with this one.

use super::arguments::{Argument, Arguments, BadArguments};
use super::case::Case;
use super::url::UrlSet;
use super::{Filter, date, json, number, truncate};

/// A filter of one language or both.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "jinja"),
    expect(dead_code, reason = "only Jinja templates ask for what is Jinja's")
)]
pub(crate) struct FilterRow {
    /// Its name in `merge`; empty if it does not exist there.
    pub merge: &'static [&'static str],
    /// Its name in `jinja`.
    pub jinja: &'static [&'static str],
    /// The syntax of its arguments in `merge` and in `jinja`.
    usage: [&'static str; 2],
    prepare: fn(&mut Arguments) -> Result<Filter, BadArguments>,
    /// In Jinja, its result is HTML if the value is HTML.
    pub keeps_html: bool,
    /// In Jinja, its result is HTML.
    pub makes_html: bool,
}

const ROW: FilterRow = FilterRow {
    merge: &[],
    jinja: &[],
    usage: ["", ""],
    prepare: |_| Err(BadArguments),
    keeps_html: false,
    makes_html: false,
};

/// All filters except those that minijinja provides.
pub(crate) const FILTERS: &[FilterRow] = &[
    FilterRow {
        merge: &["default"],
        usage: [r#"default: "text""#, ""],
        prepare: default,
        ..ROW
    },
    FilterRow {
        merge: &["upcase", "upper"],
        jinja: &["upper"],
        usage: ["upcase", "upper"],
        prepare: |_| Ok(Filter::Case(Case::Upper)),
        keeps_html: true,
        ..ROW
    },
    FilterRow {
        merge: &["downcase", "lower"],
        jinja: &["lower"],
        usage: ["downcase", "lower"],
        prepare: |_| Ok(Filter::Case(Case::Lower)),
        keeps_html: true,
        ..ROW
    },
    FilterRow {
        merge: &["capitalize"],
        jinja: &["capitalize"],
        usage: ["capitalize", "capitalize"],
        prepare: |_| Ok(Filter::Case(Case::Capitalized)),
        keeps_html: true,
        ..ROW
    },
    FilterRow {
        merge: &["title"],
        jinja: &["title"],
        usage: ["title", "title"],
        prepare: |_| Ok(Filter::Case(Case::Title)),
        keeps_html: true,
        ..ROW
    },
    FilterRow {
        merge: &["truncate"],
        usage: [r#"truncate: 50, "...""#, ""],
        prepare: truncate::liquid,
        ..ROW
    },
    FilterRow {
        jinja: &["truncate"],
        usage: ["", "truncate(255, false, '...', 5)"],
        prepare: truncate::jinja,
        keeps_html: true,
        ..ROW
    },
    FilterRow {
        merge: &["truncatewords"],
        usage: [r#"truncatewords: 15, "...""#, ""],
        prepare: truncate::liquid_words,
        ..ROW
    },
    FilterRow {
        merge: &["urlencode"],
        jinja: &["urlencode"],
        usage: ["urlencode", "urlencode"],
        prepare: |_| Ok(Filter::UrlEncode(UrlSet::Slashes)),
        ..ROW
    },
    FilterRow {
        merge: &["url_encode"],
        usage: ["url_encode", ""],
        prepare: |_| Ok(Filter::UrlEncode(UrlSet::Form)),
        ..ROW
    },
    FilterRow {
        merge: &["json", "tojson"],
        usage: ["json", ""],
        prepare: |_| Ok(Filter::Json(json::LIQUID)),
        ..ROW
    },
    FilterRow {
        jinja: &["tojson"],
        usage: ["", "tojson(indent=2)"],
        prepare: json::jinja,
        makes_html: true,
        ..ROW
    },
    FilterRow {
        merge: &["date"],
        jinja: &["date"],
        usage: [r#"date: "%B %d, %Y""#, r#"date("%B %d, %Y")"#],
        prepare: date::prepare,
        ..ROW
    },
    FilterRow {
        merge: &["number"],
        jinja: &["number"],
        usage: [r#"number: 2, ".", ",""#, r#"number(2, ".", ",")"#],
        prepare: number::prepare,
        ..ROW
    },
];

/// The filter of `merge` with this name, and the name.
pub(crate) fn filter_of(name: &str) -> Option<(&'static str, &'static FilterRow)> {
    FILTERS.iter().find_map(|row| {
        let known = row.merge.iter().find(|known| **known == name);
        Some((*known?, row))
    })
}

/// The names of all filters of `merge`.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    FILTERS.iter().flat_map(|row| row.merge).copied()
}

impl FilterRow {
    /// The filter with these arguments.
    pub fn prepare(&self, mut arguments: Arguments) -> Result<Filter, BadArguments> {
        let filter = (self.prepare)(&mut arguments)?;
        arguments.end()?;
        Ok(filter)
    }

    /// Its syntax in `merge`.
    pub fn merge_usage(&self) -> &'static str {
        self.usage[0]
    }

    /// Its syntax in `jinja`.
    #[cfg(feature = "jinja")]
    pub fn jinja_usage(&self) -> &'static str {
        self.usage[1]
    }
}

/// Liquid's: `default: "text"`, `default: "text", allow_false: true`.
fn default(arguments: &mut Arguments) -> Result<Filter, BadArguments> {
    let value = arguments.take("default");
    Ok(Filter::Default {
        value: value.unwrap_or_else(|| Argument::Text(String::new())),
        allows_false: arguments.boolean("allow_false")?.unwrap_or(false),
    })
}
