//! The styles that css-inline found.

use super::outline::Outline;
use html5gum::emitters::default::DefaultEmitter;
use html5gum::{Token, Tokenizer};

pub(super) struct Styles {
    elements: Vec<Option<String>>,
    sheets: Vec<Option<String>>,
    /// There are styles of elements that a parser adds: `<body>` and `<tbody>` may be omitted.
    pub has_others: bool,
}

impl Styles {
    /// Reads the output of css-inline for an outline.
    pub fn read(html: &[u8], outline: &Outline<'_>) -> Self {
        let mut styles = Self {
            elements: vec![None; outline.elements.len()],
            sheets: vec![None; outline.sheets.len()],
            has_others: false,
        };
        let attribute = outline.attribute.as_bytes();
        let mut emitter = DefaultEmitter::<()>::default();
        emitter.naively_switch_states(true);
        // The number of the sheet whose content is read.
        let mut sheet = None;
        for token in Tokenizer::new_with_emitter(html, emitter) {
            let Ok(token) = token;
            match token {
                Token::StartTag(tag) => {
                    let number = tag.attributes.get(attribute);
                    let number = number
                        .and_then(|number| std::str::from_utf8(number).ok()?.parse::<usize>().ok());
                    let Some(number) = number else {
                        styles.has_others |= tag.attributes.contains_key(b"style".as_slice());
                        continue;
                    };
                    if tag.name.as_slice() == b"style" {
                        sheet = Some(number);
                        if let Some(text) = styles.sheets.get_mut(number) {
                            *text = Some(String::new());
                        }
                    } else if let Some(style) = tag.attributes.get(b"style".as_slice())
                        && let Some(first @ None) = styles.elements.get_mut(number)
                    {
                        *first = Some(String::from_utf8_lossy(style).into_owned());
                    }
                }
                Token::EndTag(_) => sheet = None,
                Token::String(text) => {
                    if let Some(Some(sheet)) =
                        sheet.and_then(|number| styles.sheets.get_mut(number))
                    {
                        sheet.push_str(&String::from_utf8_lossy(&text));
                    }
                }
                _ => {}
            }
        }
        styles
    }

    pub fn of(&self, element: usize) -> Option<&str> {
        self.elements.get(element)?.as_deref()
    }

    /// What is left of a sheet; `None` if the parser dropped it.
    pub fn of_sheet(&self, sheet: usize) -> Option<&str> {
        self.sheets.get(sheet)?.as_deref()
    }
}
