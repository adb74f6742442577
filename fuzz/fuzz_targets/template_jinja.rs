//! Texts in the language `jinja`: both forms of a merge say the same.
#![no_main]

pmtaemail_fuzz::merge_target!(Some("jinja"));
