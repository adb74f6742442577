//! The messages of a batch in our format.

use super::super::super::error::ApiError;
use super::super::super::request::BufferedBody;
use super::super::object::Value;
use super::super::translated::Places;
use super::email;
use bytes::Bytes;
use pmtaemail::{Code, Problem, Problems, Selection, SenderDomains};

/// Most messages of a batch.
const MOST: usize = 100;

/// The messages of a batch, with their indices there.
pub struct Emails(Vec<(u64, Result<Ours, Problems>)>);

struct Ours {
    json: Bytes,
    places: Places,
}

impl Emails {
    /// Translates the array of messages.
    pub fn translate(body: &[u8]) -> Result<Self, Problems> {
        let root = Value::of_body(body)?;
        let count = format!("an array of 1 to {MOST} messages");
        let elements = root.array().map_err(|_| root.wrong_type(&count))?;
        if elements.is_empty() || elements.len() > MOST {
            let detail = format!("A batch must be {count}.");
            return Err(Problem::found(Code::TooLong, "", detail).into());
        }
        let translated = |element: &Value<'_>| {
            let (json, places) = email::translate(element)?;
            let json = json.into();
            Ok(Ours { json, places })
        };
        let all = elements.iter().map(translated);
        Ok(Self((0..).zip(all).collect()))
    }

    /// Whether some are known to break rules.
    pub fn are_some_refused(&self) -> bool {
        self.0.iter().any(|(_, email)| email.is_err())
    }

    /// Looks for further problems.
    pub fn check(&mut self, senders: &SenderDomains) -> Result<(), ApiError> {
        for (_, email) in &mut self.0 {
            let Ok(ours) = email else { continue };
            let body = BufferedBody::Json(ours.json.clone());
            match body.read(Selection::All, senders, |_| ()) {
                Ok(()) => {}
                Err(ApiError::Problems(problems)) => *email = Err(ours.places.relocate(problems)),
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }

    /// Removes those that are known to break rules.
    pub fn take_refused(&mut self) -> Vec<(u64, Problems)> {
        let mut refused = Vec::new();
        let all = std::mem::take(&mut self.0);
        for (index, email) in all {
            match email {
                Ok(ours) => self.0.push((index, Ok(ours))),
                Err(problems) => refused.push((index, problems)),
            }
        }
        refused
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The size of the largest of them in our format, in bytes.
    pub fn longest(&self) -> usize {
        let ours = self.0.iter().filter_map(|(_, email)| email.as_ref().ok());
        ours.map(|ours| ours.json.len()).max().unwrap_or(0)
    }

    /// Feeds a batch of ours with those that break no known rule. Returns their indices, and where what is in them came
    /// from.
    pub fn feed<E>(
        self,
        mut feed: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Vec<(u64, Places)>, E> {
        feed(b"[")?;
        let mut places = Vec::with_capacity(self.0.len());
        for (index, email) in self.0 {
            let Ok(ours) = email else { continue };
            if !places.is_empty() {
                feed(b",")?;
            }
            feed(&ours.json)?;
            places.push((index, ours.places));
        }
        feed(b"]")?;
        Ok(places)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::translated::tests::place_of;
    use super::*;

    const RIGHT: &str =
        r#"{"from": "a@b.example", "to": "c@d.example", "subject": "", "text": ""}"#;

    fn told(body: &str) -> Vec<String> {
        let problems = Emails::translate(body.as_bytes()).map(drop).unwrap_err();
        let told = |problem: &Problem| format!("{} {}", problem.pointer(), problem.code());
        problems.iter().map(told).collect()
    }

    #[test]
    fn a_batch_is_an_array_of_so_many_messages() {
        let of = |count: usize| format!("[{}]", vec![RIGHT; count].join(","));
        assert_eq!(told("{}"), [" wrong_type"]);
        assert_eq!(told("["), [" not_json"]);
        for count in [0, 101] {
            assert_eq!(told(&of(count)), [" too_long"]);
        }
        for count in [1, 100] {
            assert!(Emails::translate(of(count).as_bytes()).is_ok());
        }
    }

    #[test]
    fn valid_ones_are_in_order() {
        let elsewhere = RIGHT.replace("a@b", "a@x");
        let no_address = RIGHT.replace("c@d.example", "c");
        let body = format!("[{RIGHT}, 1,\n{elsewhere}, {no_address}, {RIGHT}]");
        let mut emails = Emails::translate(body.as_bytes()).unwrap();
        assert!(emails.are_some_refused());
        let senders: SenderDomains = ["b.example".parse().unwrap()].into_iter().collect();
        emails.check(&senders).unwrap();
        let refused = emails.take_refused();
        let refused: Vec<_> = refused
            .iter()
            .map(|(index, problems)| (*index, problems.iter().next().unwrap().pointer()))
            .collect();
        assert_eq!(refused, [(1, "/1"), (2, "/2/from"), (3, "/3/to")]);
        let mut fed = Vec::new();
        let longest = emails.longest();
        let places = emails.feed(|bytes| {
            fed.extend_from_slice(bytes);
            Ok::<_, ApiError>(())
        });
        let places = places.unwrap();
        let indices: Vec<_> = places.iter().map(|(index, _)| *index).collect();
        assert_eq!(indices, [0, 4]);
        assert_eq!(place_of("/text", &places[1].1), "/4/text");
        assert_eq!(fed.len(), 2 * longest + 3);
        assert!(
            serde_json::from_slice::<serde_json::Value>(&fed)
                .unwrap()
                .is_array()
        );
    }
}
