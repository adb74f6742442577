//! Why a text is not a valid template.

use super::super::place::{Place, sayable};
use super::super::sources::TOO_MANY;
use crate::problem::{Code, Refusal};

/// What is wrong with a placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault<'t> {
    /// It is not written like one.
    Form,
    /// An arithmetic operator, or a filter.
    Operator(&'static str),
    /// A word with another meaning, or reserved by SparkPost.
    Reserved(&'t str),
    /// SparkPost has it, but this library does not.
    NotHere(&'static str),
    /// An unknown macro.
    Macro(&'t str),
    /// A statement without an end.
    NoEnd(&'static str),
    /// Part of a statement outside of one.
    NoStart(&'static str),
    /// A loop variable outside of a loop.
    NoLoop,
    /// `loop_vars` with a name that no loop around it has.
    NoLoopOfThisName,
    /// Too deeply nested.
    Deep,
    /// Too many different variables.
    ManyNames,
    /// More parts of expressions than this in all texts.
    ManyParts(usize),
    /// What SparkPost removes from a text after a link.
    LinkAttribute,
}

impl Fault<'_> {
    /// The refusal for it.
    pub fn at(self, place: Place) -> Refusal {
        let said = |name| sayable(name).map_or_else(String::new, |name| format!(" `{name}`"));
        let what = match self {
            Self::Form => "a placeholder does not have the form `{{ name }}`, `{{ name or 'text' }}`, \
                           `{{ if name == 'text' }}` … `{{ elseif name }}` … `{{ else }}` … `{{ end }}` or \
                           `{{ each names }}` … `{{ end }}`, with three braces for a value that is \
                           not escaped; `{{ opening_double_curly() }}` writes two braces."
                .to_owned(),
            Self::Operator(sign) => format!(
                "there is `{sign}`, but this language has no arithmetic and no filters: pass the value as a variable."
            ),
            Self::Reserved(word) => format!(
                "there is the word{}, which is not allowed here; write a member with that name in \
                 brackets, as in `user['end']`.",
                said(word)
            ),
            Self::NotHere(name) => format!(
                "there is `{name}`, a feature of SparkPost that is not supported here: put the text \
                 itself into the template."
            ),
            Self::Macro(name) => format!(
                "there is an unknown macro{}. The macros are `empty()`, `opening_double_curly()`, \
                 `closing_double_curly()`, `opening_triple_curly()`, `closing_triple_curly()`.",
                said(name)
            ),
            Self::NoEnd(statement) => {
                format!("a statement `{{{{ {statement} }}}}` has no `{{{{ end }}}}`.")
            }
            Self::NoStart(word) => format!(
                "there is `{{{{ {word} }}}}` without the statement that it belongs to."
            ),
            Self::NoLoop => "there is a loop variable outside of any `{{ each }}`.".to_owned(),
            Self::NoLoopOfThisName => "`loop_vars` does not name a list of an enclosing `{{ each }}`."
                .to_owned(),
            Self::Deep => format!(
                "statements, or parts of an expression, are nested more than {DEEPEST} deep."
            ),
            Self::ManyNames => return TOO_MANY,
            Self::ManyParts(most) => format!(
                "the placeholders and statements of the message exceed the limit of {most} parts."
            ),
            Self::LinkAttribute => "there is a link attribute in double brackets \
                                    (`[[data-msys-…]]`), which SparkPost removes but readers would \
                                    see here: leave it out."
                .to_owned(),
        };
        Refusal::with_detail(Code::InvalidTemplate, format!("In {place} {what}"))
    }
}

/// Maximum nesting: each level needs some stack.
pub(super) const DEEPEST: usize = 50;
