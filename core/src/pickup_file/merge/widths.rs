//! How much room values take in a file.

/// How many columns values take at most.
#[derive(Debug)]
pub(super) struct Widths {
    /// Those of the header, by the number of the value.
    pub header: Vec<usize>,
    /// The variables of the bodies.
    pub bodies: Vec<usize>,
}
