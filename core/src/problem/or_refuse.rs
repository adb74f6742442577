//! Where a refusal becomes a problem.

use super::refusal::Refusal;
use super::report::{Location, ProblemReport};

/// Records a refusal as a problem.
pub(crate) trait OrRefuse<T> {
    /// The value, or `None` if it was refused; then there is a problem at `location`.
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
    use crate::problem::Code;

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
