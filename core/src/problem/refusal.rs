//! Why a value is refused, before it is known where it is.

use super::{Code, Location, ProblemReport};
use std::{borrow::Cow, fmt};

/// What is wrong with a value: the code and the sentence of the rule that it breaks. It becomes a
/// [`Problem`](super::Problem) where the value's location is known:
///
/// ```text
/// AddrSpec::read(text)          Result<AddrSpec, Refusal>      the rule, which knows no location
///     .or_refuse(location, …)   Option<AddrSpec>               and a problem in the report
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub code: Code,
    /// One sentence, which never repeats the value.
    pub detail: Cow<'static, str>,
}

impl Refusal {
    /// With a sentence that is always the same.
    pub const fn new(code: Code, detail: &'static str) -> Self {
        Self {
            code,
            detail: Cow::Borrowed(detail),
        }
    }

    /// With a sentence that was put together.
    pub const fn with_detail(code: Code, detail: String) -> Self {
        Self {
            code,
            detail: Cow::Owned(detail),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

/// Notes a refusal as a problem.
pub(crate) trait OrRefuse<T> {
    /// The value; `None` if it was refused, which is then a problem at `location`.
    fn or_refuse(self, location: Location, report: &mut ProblemReport<'_>) -> Option<T>;
}

impl<T> OrRefuse<T> for Result<T, Refusal> {
    fn or_refuse(self, location: Location, report: &mut ProblemReport<'_>) -> Option<T> {
        self.map_err(|refusal| report.refuse(location, refusal))
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_becomes_a_problem_at_its_location() {
        const TOO_LONG: Refusal = Refusal::new(Code::TooLong, "long");
        let mut report = ProblemReport::new();
        let to = report.member(Location::ROOT, "to".into());
        assert_eq!(Ok(1).or_refuse(to, &mut report), Some(1));
        assert_eq!(report.len(), 0);
        assert_eq!(Err::<u8, _>(TOO_LONG).or_refuse(to, &mut report), None);
        let problems = report.finish::<()>(None).unwrap_err();
        let problem = problems.iter().next().unwrap();
        assert_eq!(problem.to_string(), "/to: too_long: long");
        assert_eq!(problems.len(), 1);
    }
}
