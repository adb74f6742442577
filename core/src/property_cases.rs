//! How often the properties of the tests are tried.

use proptest::prelude::ProptestConfig;

/// This often, or as often as `PROPTEST_CASES` says if that is more.
pub(crate) fn at_least(cases: u32) -> ProptestConfig {
    let given = ProptestConfig::default();
    let is_given = std::env::var_os("PROPTEST_CASES").is_some();
    let cases = if is_given {
        given.cases.max(cases)
    } else {
        cases
    };
    ProptestConfig { cases, ..given }
}
