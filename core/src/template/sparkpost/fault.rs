//! Why a text is no template.

use super::super::place::{Place, sayable};
use super::super::sources::TOO_MANY;
use crate::problem::{Code, Refusal};

/// What is wrong with a placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault<'t> {
    /// It is not written like one.
    Form,
    /// A sign that computes, or that makes a filter.
    Operator(&'static str),
    /// A word that means something else, or that SparkPost keeps for itself.
    Reserved(&'t str),
    /// SparkPost has it.
    NotHere(&'static str),
    /// Nobody has it.
    Macro(&'t str),
    /// A statement that nothing ends.
    NoEnd(&'static str),
    /// What belongs to a statement and is in none.
    NoStart(&'static str),
    /// A name of loops outside of one.
    NoLoop,
    /// `loop_vars` with a name that no loop around it has.
    NoLoopOfThisName,
    /// Too many things within each other.
    Deep,
    /// Too many different variables.
    ManyNames,
    /// More parts of expressions than this in all texts.
    ManyParts(usize),
    /// What SparkPost takes out of a text where it follows a link.
    LinkAttribute,
}

impl Fault<'_> {
    /// What is reported about it.
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

/// So many things may be within each other: each needs a part of the stack.
pub(super) const DEEPEST: usize = 50;
