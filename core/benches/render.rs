//! JSON, and fields of Rust, to message bytes, beside plain `serde_json` and mail-builder without any check, in
//! one run: compare the two lines of each message, not lines of different runs.
#![allow(
    missing_docs,
    reason = "criterion's macros make undocumented functions"
)]

mod messages;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mail_builder::MessageBuilder;
use pmtaemail::{Attachment, Message};
use serde::Deserialize;
use std::borrow::Cow;
use std::hint::black_box;

/// The fields as a program without this library would declare them.
#[derive(Deserialize)]
struct Plain<'a> {
    #[serde(borrow)]
    from: Cow<'a, str>,
    #[serde(borrow)]
    to: Cow<'a, str>,
    #[serde(borrow)]
    subject: Cow<'a, str>,
    #[serde(borrow)]
    text: Cow<'a, str>,
    #[serde(borrow, default)]
    html: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    attachments: Vec<PlainFile<'a>>,
}

#[derive(Deserialize)]
struct PlainFile<'a> {
    #[serde(borrow)]
    filename: Cow<'a, str>,
    #[serde(borrow)]
    content: Cow<'a, str>,
}

fn plain(json: &[u8]) -> Vec<u8> {
    let plain: Plain<'_> = serde_json::from_slice(json).expect("the messages are JSON");
    let mut builder = MessageBuilder::new()
        .from(&*plain.from)
        .to(&*plain.to)
        .subject(plain.subject)
        .text_body(plain.text);
    if let Some(html) = plain.html {
        builder = builder.html_body(html);
    }
    for file in plain.attachments {
        let content = encodify::base64::STANDARD.decode(file.content.as_bytes());
        let content = content.expect("the content is base64");
        builder = builder.attachment("application/pdf", file.filename, content);
    }
    builder.write_to_vec().expect("a Vec takes everything")
}

/// The same message of fields that a program has already.
fn built(plain: &Plain<'_>, contents: &[Vec<u8>]) -> Vec<u8> {
    let mut builder = Message::builder()
        .from(&*plain.from)
        .to(&*plain.to)
        .subject(&*plain.subject)
        .text(&*plain.text);
    if let Some(html) = &plain.html {
        builder = builder.html(&**html);
    }
    for (file, content) in plain.attachments.iter().zip(contents) {
        builder = builder.attachment(Attachment::new(&*file.filename, content));
    }
    builder.build().expect("the messages are right").render()
}

fn render(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("render");
    for (name, json) in messages::all() {
        group.throughput(Throughput::Bytes(json.len() as u64));
        group.bench_with_input(
            BenchmarkId::new("pmtaemail", name),
            &json,
            |bencher, json| {
                bencher
                    .iter(|| pmtaemail::render(black_box(json)).expect("the messages are right"));
            },
        );
        let plain_message: Plain<'_> = serde_json::from_slice(&json).expect("it is JSON");
        let files = plain_message.attachments.iter();
        let contents: Vec<_> = files
            .map(|file| encodify::base64::STANDARD.decode(file.content.as_bytes()))
            .map(|content| content.expect("the content is base64"))
            .collect();
        group.bench_function(BenchmarkId::new("builder", name), |bencher| {
            bencher.iter(|| built(black_box(&plain_message), &contents));
        });
        group.bench_with_input(BenchmarkId::new("plain", name), &json, |bencher, json| {
            bencher.iter(|| plain(black_box(json)));
        });
    }
    group.finish();
}

criterion_group!(benches, render);
criterion_main!(benches);
