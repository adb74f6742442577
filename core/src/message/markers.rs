//! How a message becomes a template: markers in place of the fields that differ between recipients.

use super::bodies::Bodies;
use super::header_field::HeaderField;
use crate::mime::NameMarkers;
use std::collections::HashMap;

/// The fields of a message that are written as markers, and its bodies as they are in the template.
///
/// A marker is a number between two NUL, which nothing else in a message contains. Whoever asked for them finds them in
/// the rendered message and replaces them with the names of variables.
#[derive(Debug, Default)]
pub(crate) struct Markers {
    /// The number of the marker for each field that has one.
    pub fields: HashMap<HeaderField, usize>,
    /// Bodies in quoted-printable, with the names of variables in them.
    pub bodies: Bodies<Vec<u8>>,
    /// What boundaries are made from, instead of the Message-ID.
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
