//! A message in which marks stand for what differs from recipient to recipient.

use super::composed::Field;
use super::templates::Bodies;

/// Which fields of a message are marks, and its bodies with marks in them.
#[derive(Debug, Default)]
pub(crate) struct Stencil {
    /// The fields in place of which a mark stands, and its number.
    pub fields: Vec<(Field, usize)>,
    /// Bodies in quoted-printable, with marks.
    pub bodies: Bodies<Vec<u8>>,
    /// What boundaries are made from, in place of the Message-ID.
    pub identity: Option<String>,
}

impl Stencil {
    /// The mark that stands for a field.
    pub fn mark(&self, field: Field) -> Option<usize> {
        self.fields
            .iter()
            .find(|(known, _)| *known == field)
            .map(|(_, mark)| *mark)
    }
}
