//! Mail merges: both forms say the same, and each recipient gets their own values alone.
#![no_main]

pmtaemail_fuzz::merge_target!(None);
