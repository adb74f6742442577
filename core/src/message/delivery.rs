//! PowerMTA's options for a message.

use super::values::choice;
use crate::header::{Date, is_token, local_time};
use crate::identity::Id;
use crate::json::{JsonDkim, JsonDsn, JsonMessage, JsonWindow, Located, NotifyWord, ReturnWord};
use crate::problem::{Code, Location, OrRefuse, ProblemReport, Refusal};
use std::borrow::Cow;

/// PowerMTA's options for a message. They are written to the pickup file, not into the message.
#[derive(Debug, Default)]
pub(crate) struct Delivery<'a> {
    /// DSN envelope ID; by default that of the submission or of the recipient.
    pub envid: Option<Cow<'a, str>>,
    /// Job (campaign) id.
    pub job: Option<Cow<'a, str>>,
    /// Virtual MTA, or pool.
    pub vmta: Option<Cow<'a, str>>,
    /// PowerMTA's subaccount ID, which only its merge form can express.
    pub subaccount_id: Option<Cow<'a, str>>,
    /// PowerMTA's custom message ID, which only its merge form can express.
    pub custom_message_id: Option<Cow<'a, str>>,
    /// The signing key, in PowerMTA's syntax.
    pub dkim: Option<Cow<'a, str>>,
    /// The delivery windows, in PowerMTA's syntax.
    pub schedule: Option<Cow<'a, str>>,
    /// A bounce address for each recipient.
    pub verp: bool,
    /// Delivery status notifications.
    pub dsn: Option<Dsn>,
}

impl Delivery<'_> {
    /// The envelope ID, where `id` is the identifier that the message has here.
    pub fn envelope_id<'m>(&'m self, id: &'m Id) -> &'m str {
        self.envid.as_deref().unwrap_or(id.as_str())
    }

    /// Whether it contains what only PowerMTA's merge form can express.
    pub fn needs_merge_form(&self) -> bool {
        self.subaccount_id.is_some() || self.custom_message_id.is_some()
    }

    /// Whether the schedule is too long for a line of definitions, and therefore for PowerMTA's merge form.
    pub fn has_long_schedule(&self) -> bool {
        const LONGEST: usize = 460;
        self.schedule
            .as_ref()
            .is_some_and(|schedule| schedule.len() > LONGEST)
    }
}

/// Delivery status notifications (RFC 3461).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dsn {
    /// The value of NOTIFY, such as `SUCCESS,FAILURE`.
    pub notify: Option<String>,
    /// The value of RET: `FULL` or `HDRS`.
    pub ret: Option<&'static str>,
}

/// RFC 3461 section 4.4: at most 100 characters, encoded.
pub(super) const LONGEST_ENVID: usize = 100;
pub(super) const LONGEST_TOKEN: usize = 200;

/// Takes PowerMTA's fields out of the message.
pub(super) fn read_delivery<'a>(
    json: &mut JsonMessage<'a>,
    report: &mut ProblemReport<'a>,
) -> Delivery<'a> {
    let mut token = |field: Option<Located<Cow<'a, str>>>, longest| {
        field.and_then(|text| read_token(text, longest, report))
    };
    // Where texts are templates it is one, and is read with them.
    let envid = match json.template {
        Some(_) => None,
        None => token(json.envid.take(), LONGEST_ENVID),
    };
    let job = token(json.job.take(), LONGEST_TOKEN);
    let vmta = token(json.vmta.take(), LONGEST_TOKEN);
    let subaccount_id = token(json.subaccount_id.take(), LONGEST_TOKEN);
    let custom_message_id = token(json.custom_message_id.take(), LONGEST_TOKEN);
    Delivery {
        envid,
        job,
        vmta,
        subaccount_id,
        custom_message_id,
        dkim: json
            .dkim
            .take()
            .and_then(|dkim| read_dkim(dkim, report))
            .map(Cow::Owned),
        schedule: json
            .schedule
            .take()
            .and_then(|windows| read_schedule(windows, report))
            .map(Cow::Owned),
        verp: json.verp.take().is_some_and(|verp| verp.value),
        dsn: json.dsn.take().and_then(|dsn| read_dsn(dsn.value, report)),
    }
}

/// Reads an envelope ID that is not a template, if that was left to the template reader.
pub(super) fn read_envid<'a>(
    json: &mut JsonMessage<'a>,
    delivery: &mut Delivery<'a>,
    report: &mut ProblemReport<'a>,
) {
    if let Some(envid) = json.envid.take() {
        delivery.envid = read_token(envid, LONGEST_ENVID, report);
    }
}

/// Printable ASCII that means the same to PowerMTA bare and quoted.
pub(super) fn read_token<'a>(
    text: Located<Cow<'a, str>>,
    longest: usize,
    report: &mut ProblemReport<'a>,
) -> Option<Cow<'a, str>> {
    if is_printable_token(&text.value, longest) {
        return Some(text.value);
    }
    let detail = format!(
        "This must be at most {longest} printable ASCII characters, without spaces, quotes, \
         backslashes and angle brackets."
    );
    report.problem(text.location, Code::InvalidToken, detail);
    None
}

fn is_printable_token(text: &str, longest: usize) -> bool {
    let fits = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'<' | b'>');
    !text.is_empty() && text.len() <= longest && text.bytes().all(fits)
}

/// Checks an envelope ID that was filled in.
pub(super) fn check_filled_envid(envid: &str) -> Result<(), Refusal> {
    const NO_ENVID: Refusal = Refusal::new(
        Code::InvalidToken,
        "With these values `envid` is longer than 100 characters, or contains characters other than \
         printable ASCII without spaces, quotes, backslashes and angle brackets.",
    );
    is_printable_token(envid, LONGEST_ENVID)
        .then_some(())
        .ok_or(NO_ENVID)
}

/// `s=SELECTOR; d=DOMAIN; i=IDENTITY; key-list=NAME`
fn read_dkim<'a>(dkim: Located<JsonDkim<'a>>, report: &mut ProblemReport<'a>) -> Option<String> {
    let Located { location, value } = dkim;
    let fields = [
        ("s=", value.selector),
        ("d=", value.domain),
        ("i=", value.identity),
        ("key-list=", value.key_list),
    ];
    let mut options = Vec::new();
    for (tag, field) in fields {
        let Some(Located { location, value }) = field else {
            continue;
        };
        // The only one of them with an @ in it.
        let bare = if tag == "i=" {
            value.replacen('@', "", 1)
        } else {
            value.to_string()
        };
        if is_token(&bare) {
            options.push(format!("{tag}{value}"));
        } else {
            let detail = "This must be one word of at most 60 letters, digits, dots, hyphens and the \
                          like.";
            report.problem(location, Code::InvalidToken, detail);
        }
    }
    if options.is_empty() {
        let detail = "Give at least one of `selector`, `domain`, `identity`, `keyList`.";
        report.missing(
            location,
            &["selector", "domain", "identity", "keyList"],
            Code::MissingField,
            detail,
        );
        return None;
    }
    Some(options.join("; "))
}

/// `START/END, START/END`
fn read_schedule<'a>(
    windows: Located<Vec<Located<JsonWindow<'a>>>>,
    report: &mut ProblemReport<'a>,
) -> Option<String> {
    let mut texts = Vec::with_capacity(windows.value.len());
    for Located { location, value } in windows.value {
        let mut instant = |field: Option<Located<Cow<'a, str>>>, name| match field {
            None => {
                let detail = "A window must have `start` and `end`.";
                report.missing(location, &[name], Code::MissingField, detail);
                None
            }
            Some(text) => Date::from_rfc3339(&text.value)
                .and_then(Date::to_timestamp)
                .or_refuse(text.location, report),
        };
        let (start, end) = (instant(value.start, "start"), instant(value.end, "end"));
        let (Some(start), Some(end)) = (start, end) else {
            continue;
        };
        if start >= end {
            let detail = "A delivery window must end after it starts.";
            report.problem(location, Code::InvalidSchedule, detail);
        }
        texts.push(format!("{}/{}", local_time(start), local_time(end)));
    }
    if texts.len() > MOST_WINDOWS {
        let detail = "A schedule may have at most 20 windows.";
        report.problem(windows.location, Code::InvalidSchedule, detail);
    }
    (!texts.is_empty()).then(|| texts.join(", "))
}

/// They must fit in one line of less than 998 bytes.
const MOST_WINDOWS: usize = 20;

/// `None` if nothing is asked for.
fn read_dsn<'a>(dsn: JsonDsn<'a>, report: &mut ProblemReport<'a>) -> Option<Dsn> {
    let mut events: Vec<&str> = Vec::new();
    let mut never: Option<Location> = None;
    for word in dsn.notify.map(|notify| notify.value.0).unwrap_or_default() {
        let Some(event) = choice(&word, report) else {
            continue;
        };
        let event = match event {
            NotifyWord::Never => "NEVER",
            NotifyWord::Success => "SUCCESS",
            NotifyWord::Failure => "FAILURE",
            NotifyWord::Delay => "DELAY",
        };
        if event == "NEVER" {
            never = Some(word.location);
        }
        if !events.contains(&event) {
            events.push(event);
        }
    }
    if let Some(location) = never
        && events.len() > 1
    {
        let detail = "`never` cannot be combined with other values (RFC 3461 section 4.1).";
        report.problem(location, Code::InvalidChoice, detail);
    }
    let notify = (!events.is_empty()).then(|| events.join(","));
    let ret = dsn.ret.and_then(|word| choice(&word, report));
    let ret = ret.map(|word| match word {
        ReturnWord::Full => "FULL",
        ReturnWord::Headers => "HDRS",
    });
    (notify.is_some() || ret.is_some()).then_some(Dsn { notify, ret })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_window_ends_after_it_starts_at_the_end_of_time_too() {
        for (start, end, expected) in [
            ("2026-11-23T12:00:00Z", "2026-11-23T12:00:01Z", None),
            (
                "2026-11-23T12:00:00Z",
                "2026-11-23T12:00:00Z",
                Some(("/schedule/0", "invalid_schedule")),
            ),
            (
                "9999-12-31T23:59:59Z",
                "2026-11-23T12:00:00Z",
                Some(("/schedule/0/start", "invalid_date")),
            ),
            (
                "2026-11-23T12:00:00Z",
                "9999-12-31T23:59:59Z",
                Some(("/schedule/0/end", "invalid_date")),
            ),
        ] {
            let json = format!(
                r#"{{"from": "a@example.com", "to": "b@example.org",
                     "schedule": [{{"start": "{start}", "end": "{end}"}}]}}"#
            );
            let problems = crate::check(json.as_bytes()).err();
            let problem = problems
                .as_ref()
                .and_then(|problems| problems.iter().next());
            let seen = problem.map(|problem| (problem.pointer(), problem.code().as_str()));
            assert_eq!(seen, expected, "{start} {end}");
        }
    }
}
