//! What is wrong with a message, for its author.

mod code;
mod or_refuse;
mod refusal;
mod report;

pub use code::Code;
pub(crate) use or_refuse::OrRefuse;
pub(crate) use refusal::Refusal;
pub(crate) use report::{Findings, Location, ProblemReport};

use serde::{Serialize, Serializer, ser::SerializeStruct};
use std::{borrow::Cow, fmt};

/// One thing that is wrong with a message. Serializes as `{"code": …, "pointer": …, "detail": …}`.
///
/// ```
/// use pmtaemail::Code;
///
/// let problems = pmtaemail::check(br#"{"from": "shop@example.com", "to": "ann@"}"#).unwrap_err();
/// let problem = problems.iter().next().unwrap();
/// assert_eq!(problem.code(), Code::InvalidDomain);
/// assert_eq!(problem.pointer(), "/to");
/// println!("{}", problem.detail());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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

    /// A problem that your program found in its input before it became a message of this library. `pointer` is a JSON
    /// Pointer (RFC 6901) into that input; the sentence must not repeat any of it.
    ///
    /// ```
    /// use pmtaemail::{Code, Problem, Problems};
    ///
    /// let problem = Problem::found(Code::MissingField, "/customer/email", "The customer has no address.");
    /// let problems = Problems::some(vec![problem]).unwrap();
    /// assert_eq!(problems.to_string(), "/customer/email: missing_field: The customer has no address.");
    /// ```
    pub fn found(
        code: Code,
        pointer: impl Into<String>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            code,
            pointer: pointer.into(),
            detail: detail.into(),
        }
    }

    /// The kind of problem; programs may compare it.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Location of the problem: a JSON Pointer (RFC 6901) into the message, with names spelled as the caller did. The
    /// empty pointer is the whole message.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// One sentence for people: what is wrong and what to do. It never repeats a value of the message.
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

/// Everything that is wrong with a message, in document order; never empty. It holds the first 1,000 problems and
/// counts the others.
///
/// Serializes as the list of the problems that it holds.
///
/// ```
/// let problems = pmtaemail::check(br#"{"to": 5, "text": "Hello"}"#).unwrap_err();
/// assert_eq!(problems.len(), 2);
/// let json = serde_json::to_value(&problems)?;
/// assert_eq!(json[0]["pointer"], "/to");
/// assert_eq!(json[1]["code"], "missing_field"); // `from`
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    list: Vec<Problem>,
    total: usize,
}

impl Problems {
    /// Adds to each problem the line of the table that it is in.
    #[cfg(feature = "csv")]
    pub(crate) fn in_line(mut self, line: usize) -> Self {
        for problem in &mut self.list {
            problem.detail = format!("{} See line {line} of the table.", problem.detail).into();
        }
        self
    }

    pub(crate) fn one(problem: Problem) -> Self {
        Self {
            list: vec![problem],
            total: 1,
        }
    }

    /// Splits the problems into those that may be skipped together with what is at `pointer`, of which it returns the
    /// first, and all others.
    pub(crate) fn first_in(self, pointer: &str) -> (Option<Problem>, Option<Self>) {
        let is_own = |problem: &Problem| {
            let end = problem.pointer.strip_prefix(pointer);
            problem.code.may_be_skipped()
                && end.is_some_and(|end| end.is_empty() || end.starts_with('/'))
        };
        let (own, list): (Vec<_>, Vec<_>) = self.list.into_iter().partition(is_own);
        let total = list.len();
        let others = (total > 0).then_some(Self { list, total });
        (own.into_iter().next(), others)
    }

    /// These problems in their order; `None` if there are none. The first 1,000 are kept.
    ///
    /// ```
    /// use pmtaemail::{Code, Problem, Problems};
    ///
    /// assert!(Problems::some(Vec::new()).is_none());
    /// let problem = Problem::found(Code::MissingField, "/email", "There is no address.");
    /// assert_eq!(Problems::some(vec![problem]).unwrap().len(), 1);
    /// ```
    pub fn some(mut list: Vec<Problem>) -> Option<Self> {
        let total = list.len();
        list.truncate(report::MOST_PROBLEMS);
        (total > 0).then_some(Self { list, total })
    }

    /// Translates the location of each problem to what the message was made from: `place` gets the pointer into the
    /// message and returns the other one.
    ///
    /// ```
    /// let problems = pmtaemail::check(br#"{"from": "a@example.com", "to": "nobody"}"#).unwrap_err();
    /// let problems = problems.relocated(|pointer| format!("/mail{pointer}"));
    /// assert_eq!(problems.iter().next().unwrap().pointer(), "/mail/to");
    /// ```
    #[must_use]
    pub fn relocated(mut self, mut place: impl FnMut(&str) -> String) -> Self {
        for problem in &mut self.list {
            problem.pointer = place(&problem.pointer);
        }
        self
    }

    /// The problems in document order.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.list.iter()
    }

    /// How many problems the message has, including those that are not listed because there are too many. Consequences
    /// of another problem are not counted.
    pub fn total(&self) -> usize {
        self.total
    }

    /// A sentence that says how many problems are not listed; `None` if all are.
    ///
    /// ```
    /// let message = format!(
    ///     r#"{{"from": "a@example.com", "recipients": [{}]}}"#,
    ///     ["\"nobody\""; 1_500].join(",")
    /// );
    /// let problems = pmtaemail::check(message.as_bytes()).unwrap_err();
    /// assert_eq!((problems.len(), problems.total()), (1_000, 1_500));
    /// let cut = "The message has 1500 problems; the first 1000 are listed.";
    /// assert_eq!(problems.cut().as_deref(), Some(cut));
    /// ```
    pub fn cut(&self) -> Option<String> {
        let (count, total) = (self.len(), self.total);
        (count < total)
            .then(|| format!("The message has {total} problems; the first {count} are listed."))
    }

    /// How many problems are listed: at least one.
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether the input could not be read as JSON at all (HTTP 400 rather than 422).
    ///
    /// ```
    /// assert!(pmtaemail::check(b"{").unwrap_err().is_not_json());
    /// assert!(!pmtaemail::check(b"{}").unwrap_err().is_not_json());
    /// ```
    pub fn is_not_json(&self) -> bool {
        self.list
            .iter()
            .any(|problem| problem.code == Code::NotJson)
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self::one(problem)
    }
}

impl<'p> IntoIterator for &'p Problems {
    type Item = &'p Problem;
    type IntoIter = std::slice::Iter<'p, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Serialize for Problems {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.list.serialize(serializer)
    }
}

impl fmt::Display for Problems {
    /// One problem per line; the last line says if more are not listed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        if let Some(cut) = self.cut() {
            write!(f, "\n{cut}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
