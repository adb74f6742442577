"""What is right in `cases/` and the product does not do yet. An entry goes when its test passes."""

# Cases whose expected file is right and which the product does not meet yet, with what it does instead.
NOT_YET = {
    "attached_message_8bit": "the multiparts around an 8bit part do not say that they are 8bit (RFC 2045 section 6.4)",
    "attachment_names": "`'` and `*` stand in file names that are not quoted, which Python's email takes for RFC 2231",
    "dsn_empty": "an empty `dsn` takes the BSMTP form though the header form could say it all",
    "problem_attached_message_last_line": "a last line of 999 octets without a line end is taken",
    "problem_dkim_wrong_domain": "a member of the wrong type makes another one missing",
    "problem_header_lacks_both": "of two missing members one is told",
    "problem_raw_number": "where `raw` is of the wrong type, `from` is missing",
    "problem_unsubscribe_twice": "List-Unsubscribe can be given twice, by `headers` and by `unsubscribe`",
    "problem_unsubscribe_wrong_mailto": "a member of the wrong type makes another one missing",
    "raw_header_alone": "a finished message without an empty line after its header goes out without one",
    "raw_ipv6_literal": "an IPv6 literal in a finished message's header is lost, and its recipient with it",
    "raw_quoted_local_part": "a quoted local part in a finished message's header is refused",
}
