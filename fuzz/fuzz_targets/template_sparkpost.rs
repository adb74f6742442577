//! Texts in the language `sparkpost`: both forms of a merge say the same.
#![no_main]

pmtaemail_fuzz::merge_target!(Some("sparkpost"));
