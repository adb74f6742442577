//! Collects problems with their locations while a message is read and understood.

use super::{Code, Problem, Problems, Refusal};
use crate::text::same_name;
use std::borrow::Cow;
use std::num::NonZeroU32;

/// Where a value is in the document. Locations are numbered as they are read, so their order is the
/// document's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Location(NonZeroU32);

impl Location {
    /// The message itself.
    pub const ROOT: Self = Self(NonZeroU32::MIN);
    /// Behind all that the document holds: what the message itself lacks is told last.
    const END: Self = Self(NonZeroU32::MAX);
}

/// The last step of the way to a location.
#[derive(Debug)]
enum Step<'a> {
    Name(Cow<'a, str>),
    Index(usize),
}

#[derive(Debug)]
struct Node<'a> {
    parent: Location,
    /// The location that its problems are sorted by.
    order: Location,
    step: Step<'a>,
}

/// More are of no use to anybody, and telling them all could take longer than a hostile message
/// deserves.
const MOST_PROBLEMS: usize = 1_000;

/// The locations of a document and the problems found at them.
///
/// The locations are a tree that grows as the document is read. Each node knows its parent and its
/// last step, so a location costs one push, and a JSON Pointer is put together only for a problem:
///
/// ```text
/// {"to": ["a@example.com", "b"]}      1: "to" in the root      2: 0 in 1      3: 1 in 1
///                                     a problem at 3 is at "/to/1"
/// ```
#[derive(Debug)]
pub(crate) struct ProblemReport<'a> {
    nodes: Vec<Node<'a>>,
    problems: Vec<Finding>,
}

#[derive(Debug)]
struct Finding {
    /// The location that it is sorted by.
    order: Location,
    source: Source,
    refusal: Refusal,
}

/// Where something was found.
#[derive(Debug)]
enum Source {
    Here(Location),
    /// In a document with a report of its own: its JSON Pointer.
    Elsewhere(String),
}

impl<'a> ProblemReport<'a> {
    pub fn new() -> Self {
        Self {
            nodes: Vec::with_capacity(16),
            problems: Vec::new(),
        }
    }

    /// The location of the member `name` (as the caller spells it) of the object at `parent`.
    pub fn member(&mut self, parent: Location, name: Cow<'a, str>) -> Location {
        self.push(parent, Step::Name(name), None)
    }

    /// The location of element `index` of the array at `parent`.
    pub fn element(&mut self, parent: Location, index: usize) -> Location {
        self.push(parent, Step::Index(index), None)
    }

    /// The name of a member as the caller spells it.
    pub fn name(&self, location: Location) -> Option<&str> {
        match &self.node(location)?.step {
            Step::Name(name) => Some(name),
            Step::Index(_) => None,
        }
    }

    /// The location of a member that is not there; what is wrong with that is told with the object at
    /// `parent`.
    pub fn location_of_absent(&mut self, parent: Location, name: Cow<'a, str>) -> Location {
        let order = self.order(parent);
        self.push(parent, Step::Name(name), Some(order))
    }

    /// `order`: what its problems are sorted by, where that is another location.
    fn push(&mut self, parent: Location, step: Step<'a>, order: Option<Location>) -> Location {
        // The message itself is 1.
        let number = u32::try_from(self.nodes.len() + 2).ok();
        let number = number.and_then(NonZeroU32::new);
        let location = Location(number.expect("no input of this library holds so many values"));
        self.nodes.push(Node {
            parent,
            order: order.unwrap_or(location),
            step,
        });
        location
    }

    /// What the problems of a location are sorted by.
    fn order(&self, location: Location) -> Location {
        self.node(location).map_or(location, |node| node.order)
    }

    /// Notes what is wrong at `location`, for a rule that is checked where the report is at hand.
    pub fn problem(
        &mut self,
        location: Location,
        code: Code,
        detail: impl Into<Cow<'static, str>>,
    ) {
        let detail = detail.into();
        self.refuse(location, Refusal { code, detail });
    }

    /// Notes that the value at `location` is refused.
    pub fn refuse(&mut self, location: Location, refusal: Refusal) {
        self.note(self.order(location), Source::Here(location), refusal);
    }

    /// Notes that the object at `parent` lacks the member that may have any of `names` (the first
    /// is the documented one), unless it has it and something is wrong with it.
    pub fn missing(
        &mut self,
        parent: Location,
        names: &[&'static str],
        code: Code,
        detail: impl Into<Cow<'static, str>>,
    ) {
        if self.is_full() || self.has_problem_in(parent, names) {
            return;
        }
        let name = names.first().expect("a member has a documented name");
        let location = self.member(parent, (*name).into());
        let order = if parent == Location::ROOT {
            Location::END
        } else {
            self.order(parent)
        };
        let detail = detail.into();
        self.note(order, Source::Here(location), Refusal { code, detail });
    }

    fn note(&mut self, order: Location, source: Source, refusal: Refusal) {
        if !self.is_full() {
            self.problems.push(Finding {
                order,
                source,
                refusal,
            });
        }
    }

    /// Takes over the problems of another document, which belongs to `location`. What it says of
    /// the whole message is taken over once.
    pub fn adopt(&mut self, location: Location, problems: Problems) {
        let own = self.pointer(location);
        for problem in problems.0 {
            let is_below = problem.pointer.starts_with(&own);
            if self.is_full() || (!is_below && self.is_told(&problem)) {
                continue;
            }
            let order = if is_below {
                self.order(location)
            } else {
                Location::END
            };
            let Problem {
                code,
                pointer,
                detail,
            } = problem;
            self.note(order, Source::Elsewhere(pointer), Refusal { code, detail });
        }
    }

    /// Whether the message itself has a problem there already.
    fn is_told(&self, problem: &Problem) -> bool {
        self.problems.iter().any(|known| match &known.source {
            Source::Here(location) => self.pointer(*location) == problem.pointer,
            Source::Elsewhere(pointer) => *pointer == problem.pointer,
        })
    }

    /// Whether no further problem is kept.
    pub fn is_full(&self) -> bool {
        self.problems.len() >= MOST_PROBLEMS
    }

    /// How many problems there are so far.
    pub fn len(&self) -> usize {
        self.problems.len()
    }

    /// Whether something is wrong in a member of `parent` that has one of the names.
    fn has_problem_in(&self, parent: Location, names: &[&str]) -> bool {
        let is_member = |at: Location| {
            let name = || self.name(at);
            self.node(at).is_some_and(|node| node.parent == parent)
                && name().is_some_and(|name| names.iter().any(|known| same_name(known, name)))
        };
        self.found_at().any(|at| self.upwards(at).any(is_member))
    }

    /// Whether something is wrong with the value at `location`, or in it.
    pub fn has_problem_at(&self, location: Location) -> bool {
        self.found_at()
            .any(|at| self.upwards(at).any(|at| at == location))
    }

    fn found_at(&self) -> impl Iterator<Item = Location> {
        self.problems
            .iter()
            .filter_map(|finding| match finding.source {
                Source::Here(location) => Some(location),
                Source::Elsewhere(_) => None,
            })
    }

    /// The location, that of what it is in, and so on, without that of the message.
    fn upwards(&self, location: Location) -> impl Iterator<Item = Location> {
        let below_root = |at: Location| self.node(at).map(|_| at);
        std::iter::successors(below_root(location), move |at| {
            self.node(*at).and_then(|node| below_root(node.parent))
        })
    }

    /// `value` if nothing is wrong, otherwise every problem in document order.
    pub fn finish<T>(mut self, value: Option<T>) -> Result<T, Problems> {
        let mut findings = std::mem::take(&mut self.problems);
        if findings.is_empty() {
            return Ok(value.expect("what is not there was refused, and the report says why"));
        }
        findings.sort_by_key(|finding| finding.order);
        let problems = findings.into_iter().map(|finding| {
            let pointer = match finding.source {
                Source::Here(location) => self.pointer(location),
                Source::Elsewhere(pointer) => pointer,
            };
            Problem::new(pointer, finding.refusal)
        });
        Err(Problems(problems.collect()))
    }

    /// The JSON Pointer (RFC 6901) of `location`.
    pub fn pointer(&self, location: Location) -> String {
        let mut steps = Vec::new();
        let mut at = location;
        while let Some(node) = self.node(at) {
            steps.push(&node.step);
            at = node.parent;
        }
        let mut pointer = String::new();
        for step in steps.into_iter().rev() {
            pointer.push('/');
            match step {
                Step::Name(name) => pointer.push_str(&name.replace('~', "~0").replace('/', "~1")),
                Step::Index(index) => pointer.push_str(&index.to_string()),
            }
        }
        pointer
    }

    fn node(&self, location: Location) -> Option<&Node<'a>> {
        self.nodes.get((location.0.get() as usize).checked_sub(2)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_come_in_document_order_with_escaped_pointers() {
        let mut report = ProblemReport::new();
        let to = report.member(Location::ROOT, "to".into());
        let second = report.element(to, 1);
        let odd = report.member(second, "a/b~c".into());
        report.problem(odd, Code::UnknownField, "late");
        report.problem(to, Code::WrongType, "early");
        let problems = report.finish::<()>(None).unwrap_err();
        let seen: Vec<_> = problems.iter().map(Problem::pointer).collect();
        assert_eq!(seen, ["/to", "/to/1/a~1b~0c"]);
    }

    #[test]
    fn a_problem_refuses_even_a_value_that_is_there() {
        let mut report = ProblemReport::new();
        report.problem(Location::ROOT, Code::NoRecipients, "nobody");
        assert!(report.finish(Some(1)).is_err());
        assert_eq!(ProblemReport::new().finish(Some(1)), Ok(1));
    }
}
