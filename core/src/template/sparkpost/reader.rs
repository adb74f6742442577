//! Parses a text: parts that are the same for everybody, values, and statements with their content.

use super::super::TextKind;
use super::super::place::Place;
use super::expression::{Branch, Expression, Node, Writing};
use super::fault::{DEEPEST, Fault};
use super::links::Links;
use super::names::Names;
use super::parser::{Parser, Tag};
use super::segments::{Segment, segments};
use crate::problem::Refusal;
use crate::text::part;
use std::borrow::Cow;

/// A part outside of all statements.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    Text(Cow<'a, str>),
    Value {
        expression: Expression<'a>,
        writing: Writing,
        place: Place,
    },
    Statement {
        node: Node<'a>,
        place: Place,
    },
}

/// Reads the pieces of a text in order.
pub(super) struct Reader<'t, 'a> {
    text: &'t Cow<'a, str>,
    kind: TextKind,
    segments: std::vec::IntoIter<Segment>,
    links: Links,
    loops: Vec<Option<Cow<'a, str>>>,
    names: &'t mut Names<'a>,
    asked: Vec<usize>,
}

impl<'t, 'a> Reader<'t, 'a> {
    /// Reads this text, whose lines end with LF.
    pub fn new(
        text: &'t Cow<'a, str>,
        kind: TextKind,
        names: &'t mut Names<'a>,
    ) -> Result<Self, Refusal> {
        Ok(Self {
            text,
            kind,
            segments: segments(text, kind == TextKind::Html)?.into_iter(),
            links: Links::default(),
            loops: Vec::new(),
            names,
            asked: Vec::new(),
        })
    }

    /// The next piece, with the numbers of the variables that it uses.
    pub fn next_piece(&mut self) -> Result<Option<(Piece<'a>, Vec<usize>)>, Refusal> {
        let piece = match self.segments.next() {
            None => return Ok(None),
            Some(Segment::Text(range)) => {
                self.pass_text(&range)?;
                Piece::Text(part(self.text, range))
            }
            Some(Segment::Tag {
                inner,
                is_raw,
                place,
            }) => match self.parse(inner, place)? {
                Tag::Value(expression) => Piece::Value {
                    writing: self.writing(&expression, is_raw),
                    expression,
                    place,
                },
                tag => Piece::Statement {
                    node: self.statement(tag, place, 1)?,
                    place,
                },
            },
        };
        let mut asked = std::mem::take(&mut self.asked);
        asked.sort_unstable();
        asked.dedup();
        Ok(Some((piece, asked)))
    }

    /// The known names.
    pub fn names(&self) -> &Names<'a> {
        self.names
    }

    fn parse(&mut self, inner: std::ops::Range<usize>, place: Place) -> Result<Tag<'a>, Refusal> {
        let parser = Parser::new(self.text, inner, &self.loops, self.names, &mut self.asked);
        parser.tag().map_err(|fault| fault.at(place))
    }

    /// A statement that starts with this tag, up to its end.
    fn statement(&mut self, tag: Tag<'a>, place: Place, depth: usize) -> Result<Node<'a>, Refusal> {
        if depth > DEEPEST {
            return Err(Fault::Deep.at(place));
        }
        match tag {
            Tag::If(condition) => self.branches(condition, place, depth),
            Tag::Each(list) => {
                self.loops.push(list.list_name(self.names.as_slice()));
                let (body, end, end_place) = self.body("each", place, depth)?;
                self.loops.pop();
                if !matches!(end, Tag::End) {
                    return Err(stray(&end, end_place));
                }
                Ok(Node::Each { list, place, body })
            }
            tag => Err(stray(&tag, place)),
        }
    }

    fn branches(
        &mut self,
        condition: Expression<'a>,
        place: Place,
        depth: usize,
    ) -> Result<Node<'a>, Refusal> {
        let mut branches = Vec::new();
        let (mut condition, mut condition_place) = (Some(condition), place);
        loop {
            let (body, end, end_place) = self.body("if", place, depth)?;
            let is_last = condition.is_none();
            branches.push(Branch {
                condition: condition.take(),
                place: condition_place,
                body,
            });
            condition_place = end_place;
            match end {
                Tag::End => return Ok(Node::If(branches)),
                Tag::ElseIf(other) if !is_last => condition = Some(other),
                Tag::Else if !is_last => {}
                tag => return Err(stray(&tag, end_place)),
            }
        }
    }

    /// The content of a statement that starts at `place`, and the tag that ends it.
    fn body(
        &mut self,
        statement: &'static str,
        place: Place,
        depth: usize,
    ) -> Result<(Vec<Node<'a>>, Tag<'a>, Place), Refusal> {
        let mut body = Vec::new();
        while let Some(segment) = self.segments.next() {
            match segment {
                Segment::Text(range) => {
                    self.pass_text(&range)?;
                    body.push(Node::Text(part(self.text, range)));
                }
                Segment::Tag {
                    inner,
                    is_raw,
                    place,
                } => match self.parse(inner, place)? {
                    Tag::Value(expression) => body.push(Node::Value {
                        writing: self.writing(&expression, is_raw),
                        expression,
                        place,
                    }),
                    tag @ (Tag::If(_) | Tag::Each(_)) => {
                        body.push(self.statement(tag, place, depth + 1)?);
                    }
                    tag => return Ok((body, tag, place)),
                },
            }
        }
        Err(Fault::NoEnd(statement).at(place))
    }

    /// Advances to the end of a text outside of all braces.
    fn pass_text(&mut self, range: &std::ops::Range<usize>) -> Result<(), Refusal> {
        let text = &self.text[range.clone()];
        match self.kind {
            TextKind::Header | TextKind::Calendar => return Ok(()),
            TextKind::Html => {}
            TextKind::Text => {
                if let Some(at) = memchr::memmem::find(text.as_bytes(), b"[[data-msys-") {
                    return Err(Fault::LinkAttribute.at(Place::of(self.text, range.start + at)));
                }
            }
        }
        self.links.pass(text);
        Ok(())
    }

    /// How a value is written at this position.
    fn writing(&self, expression: &Expression<'_>, is_raw: bool) -> Writing {
        let is_raw = is_raw || matches!(expression, Expression::Braces(_));
        match self.kind {
            // In a calendar no value is raw.
            TextKind::Calendar => Writing::Calendar,
            _ if is_raw => Writing::Plain,
            TextKind::Html | TextKind::Text if self.links.is_within() => Writing::Url,
            TextKind::Html => Writing::Html,
            TextKind::Text | TextKind::Header => Writing::Plain,
        }
    }
}

/// A part of a statement where no such statement is open.
fn stray(tag: &Tag<'_>, place: Place) -> Refusal {
    let word = match tag {
        Tag::ElseIf(_) => "elseif",
        Tag::Else => "else",
        Tag::If(_) | Tag::Each(_) | Tag::Value(_) | Tag::End => "end",
    };
    Fault::NoStart(word).at(place)
}
