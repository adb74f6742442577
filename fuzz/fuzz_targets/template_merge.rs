//! Texts in the language `merge`: both forms of a merge say the same.
#![no_main]

pmtaemail_fuzz::merge_target!(Some("merge"));
