//! What is wrong with a message, said to its writer.

mod code;
mod or_refuse;
mod refusal;
mod report;

pub use code::Code;
pub(crate) use or_refuse::OrRefuse;
pub(crate) use refusal::Refusal;
pub(crate) use report::{Location, ProblemReport};

use serde::{Serialize, Serializer, ser::SerializeStruct};
use std::{borrow::Cow, fmt};

/// One thing that is wrong with a message.
///
/// Serializes as `{"code": …, "pointer": …, "detail": …}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    code: Code,
    pointer: String,
    detail: Cow<'static, str>,
}

impl Problem {
    pub(crate) fn new(pointer: String, refusal: Refusal) -> Self {
        let Refusal { code, detail } = refusal;
        Self {
            code,
            pointer,
            detail,
        }
    }

    /// The frozen word that programs compare.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Where the problem is: a JSON Pointer (RFC 6901) into the message, in the caller's own
    /// spelling of the names. The empty pointer is the whole message.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// One sentence for a person: what is wrong and what to do. It never repeats a value of the
    /// message.
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() {
            "(message)"
        } else {
            &self.pointer
        };
        write!(f, "{pointer}: {}: {}", self.code, self.detail)
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Problem", 3)?;
        object.serialize_field("code", &self.code)?;
        object.serialize_field("pointer", &self.pointer)?;
        object.serialize_field("detail", &self.detail)?;
        object.end()
    }
}

/// All that is wrong with a message, in document order; never empty.
///
/// Serializes as the list of its problems.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Says of each of them in which line of a table it is.
    #[cfg(feature = "csv")]
    pub(crate) fn in_line(mut self, line: usize) -> Self {
        for problem in &mut self.0 {
            problem.detail = format!("{} See line {line} of the table.", problem.detail).into();
        }
        self
    }

    pub(crate) fn one(problem: Problem) -> Self {
        Self(vec![problem])
    }

    /// The problems in document order.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// How many there are: at least one.
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the input could not be read as JSON at all (HTTP 400 rather than 422).
    pub fn is_not_json(&self) -> bool {
        self.0.iter().any(|problem| problem.code == Code::NotJson)
    }
}

impl<'p> IntoIterator for &'p Problems {
    type Item = &'p Problem;
    type IntoIter = std::slice::Iter<'p, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Problems {
    /// One problem a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
