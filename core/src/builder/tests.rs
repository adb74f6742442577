use super::*;
use crate::json::{InvalidRecipients, MergeForm, Priority, TemplateLanguage};
use crate::{AddrSpec, Identity, Mailbox, Notify, NumberLiteral, Return, Submission};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, SystemTime};

/// A message with all that can be said in Rust, though not in one message.
fn everything() -> MessageBuilder<'static> {
    let attachment = Attachment::text("a.txt", "A")
        .content_type("text/plain")
        .content_id("a")
        .inline(true);
    let recipient = Recipient::new("Ann <ann@example.org>")
        .variable("a", 1)
        .sender("b@example.com")
        .envid("e")
        .job("j")
        .vmta("v")
        .subaccount_id("s")
        .custom_message_id("c")
        .header("X-A", "1")
        .priority(Priority::High);
    Message::builder()
        .sender("<>")
        .from(("A", "a@example.com"))
        .to("b@example.org")
        .cc("c@example.org")
        .bcc("d@example.org")
        .reply_to("e@example.org")
        .subject("s")
        .text("t")
        .html("h")
        .mjml("m")
        .inline_css(true)
        .text_from_html(true)
        .amp("a")
        .attachment(attachment)
        .calendar(Calendar::new("BEGIN").method("REQUEST"))
        .header("X-A", "1")
        .unsubscribe(Unsubscribe::default().url("u").mailto("m").one_click(true))
        .date("2026-11-23T05:33:54Z")
        .message_id("m@example.com")
        .in_reply_to("i@example.com")
        .references("r@example.com")
        .priority(Priority::Low)
        .envid("e")
        .job("j")
        .vmta("v")
        .subaccount_id("s")
        .custom_message_id("c")
        .dkim(
            Dkim::default()
                .selector("s")
                .domain("d")
                .identity("i")
                .key_list("k"),
        )
        .schedule("2026-11-23T08:00:00Z", "2026-11-23T20:00:00Z")
        .verp(true)
        .dsn(Dsn::default().notify(Notify::Delay).ret(Return::Full))
        .raw(b"From: a@example.com")
        .recipient(recipient)
        .variable("a", 1)
        .template(TemplateLanguage::Merge)
        .merge(MergeForm::Native)
        .seeds("f@example.org")
        .invalid_recipients(InvalidRecipients::Skip)
}

/// Those of the schema's object that `value` lacks, and what it has besides.
fn difference(schema: &Value, value: &Value) -> Vec<String> {
    let names = |value: &Value| -> BTreeSet<String> {
        let object = value.as_object().unwrap();
        object.keys().cloned().collect()
    };
    let (known, given) = (names(&schema["properties"]), names(value));
    known.symmetric_difference(&given).cloned().collect()
}

#[test]
fn each_field_of_the_schema_has_a_method() {
    let schema = crate::schema();
    let message = serde_json::to_value(everything()).unwrap();
    assert!(difference(&schema, &message).is_empty());
    let missing = |name: &str, value: &Value| difference(&schema["$defs"][name], value);
    for (name, value) in [
        ("MailboxObject", &message["from"]),
        ("Calendar", &message["calendar"]),
        ("Unsubscribe", &message["unsubscribe"]),
        ("Dkim", &message["dkim"]),
        ("Dsn", &message["dsn"]),
        ("RawObject", &message["raw"]),
        ("Window", &message["schedule"][0]),
        ("HeaderObject", &message["headers"][0]),
        ("RecipientObject", &message["recipients"][0]),
    ] {
        let missing = missing(name, value);
        assert!(missing.is_empty(), "{name}: {missing:?}");
    }
    // A part of a form: here content is given as it is.
    assert_eq!(missing("Attachment", &message["attachments"][0]), ["part"]);
}

/// What the message becomes, or its problems.
fn outcome(message: Result<Message<'_>, Problems>) -> Result<Vec<u8>, Problems> {
    let id = "1ng7qwf4c52q7bj9v8dsqnkxqv".parse().unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_415_951);
    let identity = Identity::new(id, time).unwrap();
    let message = message?;
    if message.is_merge() {
        // The envelope ids in the files of a merge are by chance.
        return Ok(message.render_with(identity));
    }
    let submission = Submission::with_identity(&message, identity);
    Ok(submission.files()[0].chunks().concat())
}

/// Texts of which some are right somewhere, and others would do harm.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec![
            "ann@example.org", "Ann <ann@example.org>", "\"Lee, Ann\" <ann@bücher.example>", "Hello",
            "a@b.c, d@e.f", "a@b>, <c@d", "x\r\nBcc: b@c.d", "x\ny", "x\ry", "x\0y", "=?utf-8?Q?x?=", "", " ", "\t x ",
            "<>", "<a@b.c>", "\"", "\\", "{{ a }}", "{{ a", "[a]", "日本語", "a\u{85}b", "\u{202e}", "https://example.com/",
            "2026-11-23T05:33:54+01:00", "2026-11-24T05:33:54Z", "mail@[192.0.2.1]", "application/pdf",
            "text/plain; charset=\"x", "multipart/mixed", "X-A", "Subject", "Reply-To", "X-PMTA-x", "Content-Type", "REQUEST",
            "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n", "../x", "..", "JVBERi0xLjc=", "JVBERi0xLjc",
            "From: a@example.com\r\nTo: b@example.org\r\nMessage-ID: <a@b.c>\r\nDate: x\r\n\r\nHi\r\n",
            "<p>Hi <b>{{ a }}</b></p>", "From: a@b.c\nBcc: d@e.f\n\n",
        ]).prop_map(str::to_owned),
        1 => "(\\PC|[\r\n\t\0<>@,;:\"\\\\ ]){0,20}",
        1 => (any::<char>(), prop::sample::select(vec![64_usize, 255, 256, 998, 1_100]))
            .prop_map(|(c, count)| c.to_string().repeat(count)),
    ]
}

fn template_value() -> impl Strategy<Value = TemplateValue<'static>> {
    let leaf = prop_oneof![
        text().prop_map(TemplateValue::from),
        any::<i64>().prop_map(TemplateValue::from),
        any::<u128>().prop_map(TemplateValue::from),
        any::<bool>().prop_map(TemplateValue::from),
        (-1e9_f64..1e9).prop_map(TemplateValue::from),
        (-1e9_f32..1e9).prop_map(TemplateValue::from),
        Just(TemplateValue::from(None::<bool>)),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(TemplateValue::from),
            prop::collection::vec((text(), inner), 0..3).prop_map(TemplateValue::object),
        ]
    })
}

/// One call of a method, by its number.
fn call<'a>(
    builder: MessageBuilder<'a>,
    (method, [a, b, c], value): (usize, [String; 3], TemplateValue<'a>),
) -> MessageBuilder<'a> {
    let is_first = a.len() % 2 == 0;
    match method {
        0 => builder.sender(a),
        1 => builder.from(a),
        2 => builder.from((a, b)),
        3 => builder.to(a),
        4 => builder.to(vec![(a, b)]),
        5 => builder.cc([a, b, c]),
        6 => builder.bcc((a, b)),
        7 => builder.reply_to(a),
        8 => builder.subject(a),
        9 => builder.text(a),
        10 => builder.html(a),
        11 => builder.text_from_html(is_first).inline_css(!is_first),
        12 => builder.amp(a),
        13 => builder.attachment(Attachment::new(a, b.into_bytes()).content_id(c)),
        14 => builder.attachment(Attachment::text(a, b).content_type(c).inline(is_first)),
        15 => builder.attachment(Attachment::base64(a, b).content_type(c)),
        16 => builder.calendar(Calendar::new(a).method(b)),
        17 => builder.header(a, b),
        18 => builder.header("X-A", a).header(b, c),
        19 => builder.unsubscribe(Unsubscribe::default().url(a).mailto(b)),
        20 => builder.unsubscribe(Unsubscribe::default().url(a).one_click(is_first)),
        21 => builder.date(a),
        22 => builder.message_id(a),
        23 => builder.in_reply_to(a),
        24 => builder.references(a).references(b),
        25 => builder.priority(if is_first {
            Priority::High
        } else {
            Priority::Normal
        }),
        26 => builder.envid(a).job(b),
        27 => builder.vmta(a),
        28 => builder.subaccount_id(a).custom_message_id(b),
        29 => builder.dkim(Dkim::default().selector(a).domain(b)),
        30 => builder.dkim(Dkim::default().identity(a).key_list(b)),
        31 => builder.schedule(a, b),
        32 => builder.verp(is_first),
        33 => builder.dsn(Dsn::default().notify(Notify::Never).notify(Notify::Delay)),
        34 => builder.dsn(Dsn::default().notify(Notify::Failure).ret(Return::Headers)),
        35 => builder.raw(a.into_bytes()),
        36 => builder.recipient(Recipient::new(a).variable(b, value).header("X-A", c)),
        37 => builder.recipient(Recipient::new(a).sender(b).job(c).delivery_priority(7)),
        38 => builder.recipients([a, b]),
        39 => builder.recipient(Recipient::new(a).name(b).envid(c).vmta("v")),
        40 => builder.variable(a, value),
        41 => builder.variables(&BTreeMap::from([(a, b)])),
        42 => builder.template(TemplateLanguage::Merge),
        43 => builder.template(TemplateLanguage::SparkPost),
        44 => builder.merge(MergeForm::Expanded),
        45 => builder.seeds(a),
        46 => builder.invalid_recipients(InvalidRecipients::Skip),
        47 => builder.mjml(a),
        48 => builder.header(a.clone(), b).header(a, c),
        _ => builder.variables(&b),
    }
}

const METHODS: usize = 50;

fn builder() -> impl Strategy<Value = MessageBuilder<'static>> {
    let texts = [text(), text(), text()];
    let one = (0..METHODS, texts, template_value());
    // Most messages are nearly right, so that most rules are reached.
    let start = prop::sample::select(vec![
        Message::builder()
            .from("shop@example.com")
            .to("ann@example.org"),
        Message::builder()
            .from("shop@example.com")
            .recipient("ann@example.org")
            .variable("a", "A"),
        Message::builder(),
    ]);
    (start, prop::collection::vec(one, 0..6))
        .prop_map(|(start, calls)| calls.into_iter().fold(start, call))
}

proptest! {
    #![proptest_config(crate::property_cases::at_least(2_000))]

    #[test]
    fn a_builder_says_what_its_json_says(builder in builder()) {
        let json = serde_json::to_vec(&builder).unwrap();
        let warnings = builder.warnings();
        prop_assert_eq!(warnings, crate::warnings(&json));
        let of_json = outcome(Message::from_json(&json));
        if let Ok(bytes) = &of_json {
            let is_line = |line: &[u8]| {
                let content = line.strip_suffix(b"\r\n");
                content.is_some_and(|line| line.len() <= 998 && !line.contains(&b'\r') && !line.contains(&0))
            };
            prop_assert!(bytes.split_inclusive(|byte| *byte == b'\n').all(is_line));
        }
        prop_assert_eq!(outcome(builder.clone().build()), of_json.clone());
        prop_assert_eq!(outcome(Message::from_values(
            Data::Object(builder.members.lend()),
            HeaderAddresses::CompleteEnvelope,
            &SenderDomains::ALL,
            Vec::new(),
        )), of_json);
    }
}

/// Pointers and codes of the problems.
fn problems(builder: MessageBuilder<'_>) -> Vec<(String, String)> {
    let problems = builder.build().unwrap_err();
    let problems = problems.iter();
    let told = problems.map(|problem| (problem.pointer().to_owned(), problem.code().to_string()));
    told.collect()
}

fn one(pointer: &str, code: &str) -> Vec<(String, String)> {
    vec![(pointer.to_owned(), code.to_owned())]
}

fn letter() -> MessageBuilder<'static> {
    let builder = Message::builder().from("a@example.com").to("b@example.org");
    builder.template(TemplateLanguage::Merge)
}

#[test]
fn values_of_many_types_are_mailboxes_and_variables() {
    let bob: Mailbox<'_> = "Bob <bob@example.org>".parse().unwrap();
    let address: AddrSpec<'_> = "cy@example.org".parse().unwrap();
    let builder = Message::builder()
        .from(&bob)
        .to(bob.clone())
        .to(&address)
        .cc(vec![address.clone()])
        .cc(["a@example.org", "d@example.org"].as_slice())
        .sender(address.clone())
        .date(SystemTime::UNIX_EPOCH + Duration::from_millis(1_500))
        .variable("map", HashMap::from([("a", 1_u8)]))
        .variable("price", NumberLiteral::new("19.90").unwrap())
        .variable("list", [1_i128 << 100]);
    let json = json!({
        "from": {"name": "Bob", "address": "bob@example.org"},
        "to": [{"name": "Bob", "address": "bob@example.org"}, {"address": "cy@example.org"}],
        "cc": [{"address": "cy@example.org"}, "a@example.org", "d@example.org"],
        "sender": "cy@example.org",
        "date": "1970-01-01T00:00:01Z",
    });
    let mut written = serde_json::to_value(&builder).unwrap();
    let variables = written
        .as_object_mut()
        .unwrap()
        .remove("variables")
        .unwrap();
    assert_eq!(written, json);
    assert_eq!(variables["map"], json!({"a": 1}));
    let text = serde_json::to_string(&builder).unwrap();
    assert!(
        text.contains(r#""price":19.90,"list":[1267650600228229401496703205376]"#),
        "{text}"
    );
    for mailbox in [
        Recipient::new(&bob),
        Recipient::new(bob.clone()),
        Recipient::from(bob.to_string()),
    ] {
        assert_eq!(mailbox, Recipient::new("Bob <bob@example.org>"));
    }
    assert_eq!(Recipient::new(&address), Recipient::new(address.clone()));
}

#[test]
fn the_last_call_of_a_setter_wins_and_added_values_accumulate() {
    let message = letter()
        .subject("a")
        .subject("b")
        .to("c@example.org")
        .build()
        .unwrap();
    assert_eq!(message.addressee_count(), 2);
    let mail = String::from_utf8(message.render()).unwrap();
    assert!(mail.contains("Subject: b\r\n") && !mail.contains("Subject: a"));
}

#[test]
fn values_that_json_cannot_express_are_problems_and_do_not_panic() {
    struct Failing;
    impl Serialize for Failing {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("secret"))
        }
    }
    assert_eq!(
        problems(letter().variables(&Failing)),
        one("/variables", "wrong_type")
    );
    assert_eq!(
        problems(letter().variables(&Failing).variable("a", 1)),
        one("/variables", "wrong_type")
    );
    assert_eq!(
        problems(letter().variables(&[1])),
        one("/variables", "wrong_type")
    );
    let by_pairs = TemplateValue::from_serialize(&BTreeMap::from([((1, 2), 3)]));
    assert_eq!(
        problems(letter().variable("a", by_pairs)),
        one("/variables/a", "wrong_type")
    );
    assert_eq!(
        problems(letter().variable("a", f64::NAN)),
        one("/variables/a", "wrong_type")
    );
    assert_eq!(
        problems(letter().variable("a", 1).variable("a", 2)),
        one("/variables/a", "duplicate_field")
    );
    let early = SystemTime::UNIX_EPOCH - Duration::from_secs(1 << 40);
    assert_eq!(problems(letter().date(early)), one("/date", "wrong_type"));
    assert_eq!(
        problems(letter().from(["a@b.c"])),
        one("/from", "wrong_type")
    );
    assert!(!format!("{:?}", letter().variables(&Failing).build()).contains("secret"));
    let mut deep = TemplateValue::from(1);
    for _ in 0..100_000 {
        deep = vec![deep].into();
    }
    assert_eq!(problems(letter().variable("a", deep)).len(), 1);
    let allowed: SenderDomains = std::iter::once("example.net".parse().unwrap()).collect();
    assert!(letter().build_within(&allowed).is_err());
}

#[test]
fn a_message_of_own_values_outlives_them() {
    let make = || letter().subject(String::from("Hello")).build();
    let message: Message<'static> = std::thread::spawn(make).join().unwrap().unwrap();
    assert!(
        String::from_utf8(message.render())
            .unwrap()
            .contains("Subject: Hello\r\n")
    );
}
