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
    /// What belongs to a statement and stands in none.
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
    /// What is told of it.
    pub fn at(self, place: Place) -> Refusal {
        let said = |name| sayable(name).map_or_else(String::new, |name| format!(" `{name}`"));
        let what = match self {
            Self::Form => "a placeholder is not written `{{ name }}`, `{{ name or 'text' }}`, \
                           `{{ if name == 'text' }}` … `{{ elseif name }}` … `{{ else }}` … `{{ end }}` or \
                           `{{ each names }}` … `{{ end }}`, with three braces for a value that is written \
                           as it is; `{{ opening_double_curly() }}` writes two braces."
                .to_owned(),
            Self::Operator(sign) => format!(
                "there is `{sign}`, and this language neither computes nor has filters: give the value as a variable."
            ),
            Self::Reserved(word) => format!(
                "there is the word{}, which cannot stand here; a member of that name is written with brackets, \
                 as in `user['end']`.",
                said(word)
            ),
            Self::NotHere(name) => format!(
                "there is `{name}`, which SparkPost has and which is not there here: put the text itself into the \
                 template."
            ),
            Self::Macro(name) => format!(
                "there is a macro{} that this language does not have: it has `empty()`, `opening_double_curly()`, \
                 `closing_double_curly()`, `opening_triple_curly()`, `closing_triple_curly()`.",
                said(name)
            ),
            Self::NoEnd(statement) => {
                format!("a statement `{{{{ {statement} }}}}` begins, and no `{{{{ end }}}}` follows.")
            }
            Self::NoStart(word) => format!(
                "there is `{{{{ {word} }}}}`, and the statement that it belongs to does not stand before it."
            ),
            Self::NoLoop => "there is the variable of a loop, and no `{{ each }}` around it.".to_owned(),
            Self::NoLoopOfThisName => "`loop_vars` names no list that an `{{ each }}` around it goes through."
                .to_owned(),
            Self::Deep => format!(
                "statements, or parts of an expression, stand within each other more than {DEEPEST} times."
            ),
            Self::ManyNames => return TOO_MANY,
            Self::ManyParts(most) => format!(
                "there is one part more than the {most} that the placeholders and statements of a message may have."
            ),
            Self::LinkAttribute => "there is an attribute of a link in double brackets (`[[data-msys-…]]`), which \
                                    SparkPost takes out and readers would see here: leave it out."
                .to_owned(),
        };
        Refusal::with_detail(Code::InvalidTemplate, format!("In {place} {what}"))
    }
}

/// So many things may stand within each other: each needs a part of the stack.
pub(super) const DEEPEST: usize = 50;
