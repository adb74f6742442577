//! What the fuzz targets share: how inputs are changed, and judges that say whether what comes out is right.
//!
//! A panic is found by the fuzzer. What is found here is mail that says something else than what went in: the pickup
//! file is read by the library's own strict reader, and the message in it by two parsers that nobody here wrote.
//!
//! ```text
//! mutation           JSON stays JSON while it is changed       words    what is put in
//! message  merge  headers  header_body     judges of pickup files
//! address  encoded_word  html  finished  sendmail  compat
//! raw  http  refusal judges of finished messages, of the daemon's answers, of problems
//! expected           what a message should come out as
//! fields             JSON by the documented names
//! compare            a reading beside what is expected, with the known faults of the readers
//! foreign            the two parsers
//! reading            what a reader sees of a message
//! wire               rules that the bytes of every message keep
//! ```

pub mod address;
pub mod compare;
pub mod compat;
pub mod encoded_word;
pub mod expected;
pub mod fields;
pub mod finished;
pub mod foreign;
pub mod header_body;
pub mod headers;
pub mod html;
pub mod http;
pub mod merge;
pub mod message;
pub mod mutation;
pub mod raw;
pub mod reading;
pub mod refusal;
pub mod sendmail;
pub mod wire;
pub mod words;
