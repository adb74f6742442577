//! Collects problems with their locations while a message is read and understood.

use super::{Code, Problem, Problems, Refusal};
use crate::text::same_name;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZeroU32;

/// Location of a value in the document. Locations are numbered as they are read, so their order is that of the
/// document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Location(NonZeroU32);

impl Location {
    /// The message itself.
    pub const ROOT: Self = Self(NonZeroU32::MIN);
    /// After everything in the document: what the message itself lacks is reported last.
    const END: Self = Self(NonZeroU32::MAX);
}

/// The last step on the path to a location.
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

/// More are of no use to anybody, and listing them all could take longer than a hostile message deserves.
pub(super) const MOST_PROBLEMS: usize = 1_000;

/// The locations of a document and the problems found at them.
///
/// The locations are a tree that grows as the document is read. Each node knows its parent and its last step, so a
/// location costs one push, and a JSON Pointer is composed only for a problem:
///
/// ```text
/// {"to": ["a@example.com", "b"]}      1: "to" in the root      2: 0 in 1      3: 1 in 1
///                                     a problem at 3 is at "/to/1"
/// ```
#[derive(Debug)]
pub(crate) struct ProblemReport<'a> {
    nodes: Vec<Node<'a>>,
    findings: Findings,
}

/// What was found, in the order of discovery.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Those that will be reported. Problems of array elements leave room for those of the message itself.
    told: Vec<Finding>,
    /// How many of them are in an element of an array of the message.
    in_elements: usize,
    /// The locations of the others, which are too many.
    beyond: Vec<(Location, Code)>,
    /// How many more there are of which nothing is kept.
    uncounted: usize,
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
            findings: Findings::default(),
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

    /// The name of a member as spelled by the caller.
    pub fn name(&self, location: Location) -> Option<&str> {
        match &self.node(location)?.step {
            Step::Name(name) => Some(name),
            Step::Index(_) => None,
        }
    }

    /// The location of a missing member; problems with that are reported with the object at `parent`.
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

    /// Reports a problem at `location`, for a rule that is checked where the report is at hand.
    pub fn problem(
        &mut self,
        location: Location,
        code: Code,
        detail: impl Into<Cow<'static, str>>,
    ) {
        let detail = detail.into();
        self.refuse(location, Refusal { code, detail });
    }

    /// Reports that the value at `location` is refused.
    pub fn refuse(&mut self, location: Location, refusal: Refusal) {
        self.note(self.order(location), Source::Here(location), refusal);
    }

    /// Reports that the object at `parent` lacks the member with any of `names` (the first is the documented one),
    /// unless it has it and something is wrong with it.
    pub fn missing(
        &mut self,
        parent: Location,
        names: &[&'static str],
        code: Code,
        detail: impl Into<Cow<'static, str>>,
    ) {
        if self.has_problem_in(parent, names) {
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
        let is_in_element = match &source {
            Source::Here(location) => self.is_in_element(*location),
            Source::Elsewhere(_) => false,
        };
        let finding = Finding {
            order,
            source,
            refusal,
        };
        self.findings.push(finding, is_in_element);
    }

    /// Whether a location is in an element of an array that is a member of the message.
    fn is_in_element(&self, location: Location) -> bool {
        let mut way = self.upwards(location).collect::<Vec<_>>().into_iter().rev();
        let element = way.nth(1).and_then(|at| self.node(at));
        element.is_some_and(|node| matches!(node.step, Step::Index(_)))
    }

    /// Takes out the problems of the elements of the array at `list`, by their indices, which rise.
    pub fn take_elements(&mut self, list: Location) -> Vec<(usize, Findings)> {
        if self.findings.is_empty() {
            return Vec::new();
        }
        let mut elements = BTreeMap::<usize, Findings>::new();
        let all = std::mem::take(&mut self.findings);
        for finding in all.told {
            let (element, is_in_element) = match finding.source {
                Source::Here(at) => (self.element_of(list, at), self.is_in_element(at)),
                Source::Elsewhere(_) => (None, false),
            };
            let findings = match element {
                Some(index) => elements.entry(index).or_default(),
                None => &mut self.findings,
            };
            findings.push(finding, is_in_element);
        }
        for (location, code) in all.beyond {
            let findings = match self.element_of(list, location) {
                Some(index) => elements.entry(index).or_default(),
                None => &mut self.findings,
            };
            findings.beyond.push((location, code));
        }
        self.findings.uncounted += all.uncounted;
        elements.into_iter().collect()
    }

    /// The index of the element of the array at `list` that a location is in.
    fn element_of(&self, list: Location, location: Location) -> Option<usize> {
        let element = self.upwards(location).find_map(|at| {
            let node = self.node(at)?;
            (node.parent == list).then_some(node)
        });
        match element?.step {
            Step::Index(index) => Some(index),
            Step::Name(_) => None,
        }
    }

    /// The index of an element of an array.
    pub fn index(&self, location: Location) -> Option<usize> {
        match self.node(location)?.step {
            Step::Index(index) => Some(index),
            Step::Name(_) => None,
        }
    }

    /// Replaces what was found so far with `findings`, and returns it.
    pub fn replace(&mut self, findings: Findings) -> Findings {
        std::mem::replace(&mut self.findings, findings)
    }

    /// Adds what was found elsewhere in this document.
    pub fn append(&mut self, findings: Findings) {
        for finding in findings.told {
            let Finding {
                order,
                source,
                refusal,
            } = finding;
            if !self.is_known(&source) {
                self.note(order, source, refusal);
            }
        }
        self.findings.beyond.extend(findings.beyond);
        self.findings.uncounted += findings.uncounted;
    }

    /// Whether the message itself is known to lack the member at a location; then that is not reported for each
    /// recipient.
    fn is_known(&self, source: &Source) -> bool {
        let Source::Here(location) = source else {
            return false;
        };
        match self.node(*location).map(|node| (node.parent, &node.step)) {
            Some((Location::ROOT, Step::Name(name))) => {
                self.has_problem_in(Location::ROOT, &[name])
            }
            _ => false,
        }
    }

    /// Splits the findings into those that may be skipped together with element `index` of the array at `list`, of
    /// which it returns the first in document order, and all others.
    pub fn first_in(
        &self,
        list: Location,
        index: usize,
        findings: Findings,
    ) -> (Findings, Option<(Code, String)>) {
        let mut others = Findings::default();
        let mut first: Option<(Location, Location, Code)> = None;
        let mut see = |order: Location, at: Location, code: Code| {
            if first.is_none_or(|(least, ..)| order < least) {
                first = Some((order, at, code));
            }
        };
        let is_own = |at: Location, code: Code| {
            code.may_be_skipped() && self.element_of(list, at) == Some(index)
        };
        for finding in findings.told {
            match finding.source {
                Source::Here(at) if is_own(at, finding.refusal.code) => {
                    see(finding.order, at, finding.refusal.code);
                }
                _ => others.push(finding, false),
            }
        }
        for (at, code) in findings.beyond {
            if is_own(at, code) {
                see(self.order(at), at, code);
            } else {
                others.beyond.push((at, code));
            }
        }
        others.uncounted = findings.uncounted;
        (others, first.map(|(_, at, code)| (code, self.pointer(at))))
    }

    /// Takes over the problems of another document, which belongs to `location`. Those of the whole message are taken
    /// over once.
    pub fn adopt(&mut self, location: Location, problems: Problems) {
        let own = self.pointer(location);
        let Problems { list, total } = problems;
        self.findings.uncounted += total - list.len();
        for problem in list {
            let is_below = problem.pointer.starts_with(&own);
            if !is_below && self.is_told(&problem) {
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
            let finding = Finding {
                order,
                source: Source::Elsewhere(pointer),
                refusal: Refusal { code, detail },
            };
            self.findings.push(finding, is_below);
        }
    }

    /// Whether the message itself already has a problem there.
    fn is_told(&self, problem: &Problem) -> bool {
        // What is said of the whole message for one recipient is said for the next.
        self.findings
            .told
            .iter()
            .rev()
            .any(|known| match &known.source {
                Source::Here(location) => self.pointer(*location) == problem.pointer,
                Source::Elsewhere(pointer) => *pointer == problem.pointer,
            })
    }

    /// Whether no further problem of an element will be reported.
    pub fn is_full(&self) -> bool {
        self.findings.told.len() >= MOST_PROBLEMS
    }

    /// How many problems there are so far.
    pub fn len(&self) -> usize {
        self.findings.len()
    }

    /// Whether something is wrong in a member of `parent` that has one of the names.
    fn has_problem_in(&self, parent: Location, names: &[&str]) -> bool {
        /// Objects are read one after the other: what is wrong in the present one was found last.
        const LAST: usize = 32;

        let is_member = |at: Location| {
            let name = || self.name(at);
            self.node(at).is_some_and(|node| node.parent == parent)
                && name().is_some_and(|name| names.iter().any(|known| same_name(known, name)))
        };
        let mut found = self.found_at();
        if self.is_full() && parent != Location::ROOT {
            // To look through all of them for each object would take too long.
            found.take(LAST).any(|at| self.upwards(at).any(is_member))
        } else {
            found.any(|at| self.upwards(at).any(is_member))
        }
    }

    /// Whether something is wrong with the value at `location`, or in it.
    pub fn has_problem_at(&self, location: Location) -> bool {
        self.found_at()
            .any(|at| self.upwards(at).any(|at| at == location))
    }

    /// Where something was found, latest first.
    fn found_at(&self) -> impl Iterator<Item = Location> {
        let beyond = self.findings.beyond.iter().rev().map(|(at, _)| *at);
        let told = self.findings.told.iter().rev();
        let told = told.filter_map(|finding| match finding.source {
            Source::Here(location) => Some(location),
            Source::Elsewhere(_) => None,
        });
        beyond.chain(told)
    }

    /// The location, that of its parent, and so on, without that of the message.
    fn upwards(&self, location: Location) -> impl Iterator<Item = Location> {
        let below_root = |at: Location| self.node(at).map(|_| at);
        std::iter::successors(below_root(location), move |at| {
            self.node(*at).and_then(|node| below_root(node.parent))
        })
    }

    /// `value` if nothing is wrong, otherwise every problem in document order.
    pub fn finish<T>(mut self, value: Option<T>) -> Result<T, Problems> {
        if self.findings.is_empty() {
            return Ok(value.expect("what is not there was refused, and the report says why"));
        }
        let findings = std::mem::take(&mut self.findings);
        let total = findings.len();
        let mut findings = findings.told;
        findings.sort_by_key(|finding| finding.order);
        findings.truncate(MOST_PROBLEMS);
        let problems = findings.into_iter().map(|finding| {
            let pointer = match finding.source {
                Source::Here(location) => self.pointer(location),
                Source::Elsewhere(pointer) => pointer,
            };
            Problem::new(pointer, finding.refusal)
        });
        Err(Problems {
            list: problems.collect(),
            total,
        })
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

impl Findings {
    fn push(&mut self, finding: Finding, is_in_element: bool) {
        let count = if is_in_element {
            self.in_elements
        } else {
            self.told.len() - self.in_elements
        };
        if count < MOST_PROBLEMS {
            self.in_elements += usize::from(is_in_element);
            self.told.push(finding);
        } else if let Source::Here(location) = finding.source {
            self.beyond.push((location, finding.refusal.code));
        } else {
            self.uncounted += 1;
        }
    }

    /// How many there are.
    fn len(&self) -> usize {
        self.told.len() + self.beyond.len() + self.uncounted
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
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
