//! The header fields of single recipients, in the template of a file.
//!
//! A template contains the fields of all recipients in its file; a recipient without one gets none of its parts. So
//! recipients with different fields need no separate files, as long as there are not too many:
//!
//! ```text
//! Ann: X-Ref, X-Tier      template: X-Ref, X-Tier, X-Shop
//! Bo:  X-Ref, X-Shop
//! ```

use crate::message::{HeaderField, RecipientHeaders};

/// The fields of single recipients.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnFields {
    /// Those that are read as fields of the message.
    fields: Vec<HeaderField>,
    /// The names of the others, in an order that contains that of each recipient.
    names: Vec<String>,
}

/// With more, a file is for those who have the same.
const MOST: usize = 16;

impl OwnFields {
    /// Those of one recipient.
    pub fn of(headers: &RecipientHeaders<'_>) -> Self {
        let names = headers.extra.iter().map(|field| field.name.to_string());
        Self {
            fields: headers.fields.clone(),
            names: names.collect(),
        }
    }

    /// These and those of another recipient; `None` if they would be too many.
    pub fn with(&self, headers: &RecipientHeaders<'_>) -> Option<Self> {
        let mut all = self.clone();
        let mut at = 0;
        for field in &headers.extra {
            let later = all.names[at..].iter().position(|name| *name == field.name);
            if let Some(later) = later {
                at += later;
            } else {
                all.names.insert(at, field.name.to_string());
            }
            at += 1;
        }
        for field in &headers.fields {
            if !all.has(*field) {
                all.fields.push(*field);
            }
        }
        (all.names.len() + all.fields.len() <= MOST).then_some(all)
    }

    /// Whether some recipient has its own version of this field of the message.
    pub fn has(&self, field: HeaderField) -> bool {
        self.fields.contains(&field)
    }

    /// The names of the sender's own fields, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether the fields of a recipient are among these. Then `places` gets, for each name here, the index of the
    /// recipient's field.
    pub fn place(
        &self,
        headers: Option<&RecipientHeaders<'_>>,
        places: &mut Vec<Option<usize>>,
    ) -> bool {
        places.clear();
        let fields = headers.map_or(&[][..], |headers| headers.fields.as_slice());
        let extra = headers.map_or(&[][..], |headers| headers.extra.as_slice());
        let mut next = 0;
        for name in &self.names {
            let is_next = extra.get(next).is_some_and(|field| field.name == *name);
            places.push(is_next.then_some(next));
            next += usize::from(is_next);
        }
        next == extra.len() && fields.iter().all(|field| self.has(*field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{ExtraBody, ExtraHeader};

    fn headers(names: &[&str], fields: &[HeaderField]) -> RecipientHeaders<'static> {
        let extra = names.iter().map(|name| ExtraHeader {
            name: (*name).to_owned().into(),
            body: ExtraBody::NOTHING,
        });
        RecipientHeaders {
            extra: extra.collect(),
            fields: fields.to_vec(),
        }
    }

    #[test]
    fn each_recipient_has_a_part_of_the_fields_in_order() {
        let recipients = [
            headers(&["X-A", "X-B"], &[]),
            headers(&["X-B", "X-A", "X-A"], &[HeaderField::Date]),
            headers(&["X-C", "X-B"], &[HeaderField::ReplyTo, HeaderField::Date]),
            headers(&[], &[]),
        ];
        let mut all = OwnFields::of(&recipients[0]);
        for recipient in &recipients[1..] {
            all = all.with(recipient).unwrap();
        }
        let mut places = Vec::new();
        for recipient in &recipients {
            assert!(all.place(Some(recipient), &mut places), "{recipient:?}");
            let found: Vec<_> = places.iter().flatten().copied().collect();
            assert_eq!(found, (0..recipient.extra.len()).collect::<Vec<_>>());
            for (name, place) in all.names().iter().zip(&places) {
                assert!(place.is_none_or(|place| recipient.extra[place].name == *name));
            }
        }
        assert!(all.place(None, &mut places));
        let other = headers(&["X-D"], &[]);
        assert!(!all.place(Some(&other), &mut places));
        let other = headers(&[], &[HeaderField::References]);
        assert!(!all.place(Some(&other), &mut places));
    }

    #[test]
    fn a_template_has_only_so_many() {
        let names: Vec<_> = (0..20).map(|number| format!("X-{number}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let few = OwnFields::of(&headers(&names[..16], &[]));
        assert!(few.with(&headers(&names[3..5], &[])).is_some());
        assert!(few.with(&headers(&names[16..17], &[])).is_none());
        assert!(few.with(&headers(&[], &[HeaderField::Date])).is_none());
        let many = OwnFields::of(&headers(&names, &[]));
        assert!(many.place(Some(&headers(&names, &[])), &mut Vec::new()));
    }
}
