//! Where a message becomes a template: markers in place of the fields that differ from recipient to
//! recipient.

use super::bodies::Bodies;
use super::header_field::HeaderField;
use crate::mime::NameMarkers;
use std::collections::HashMap;

/// Which fields of a message are written as markers, and its bodies as they are in the template.
///
/// A marker is a number between two NUL, which nothing else in a message holds. Who asked for them
/// finds them in the rendered message and puts the names of variables there.
#[derive(Debug, Default)]
pub(crate) struct Markers {
    /// The marker's number for each field that one stands for.
    pub fields: HashMap<HeaderField, usize>,
    /// Bodies in quoted-printable, with the names of variables in them.
    pub bodies: Bodies<Vec<u8>>,
    /// What boundaries are made from, in place of the Message-ID.
    pub boundary_seed: Option<String>,
}

impl Markers {
    /// Those of the fields with the name of a file.
    pub fn of_file(&self, index: usize) -> Option<NameMarkers> {
        let marker = |field| self.fields.get(&field).copied();
        Some(NameMarkers {
            content_type: marker(HeaderField::FileType(index))?,
            disposition: marker(HeaderField::FileDisposition(index))?,
        })
    }
}
