//! How urgent the sender finds a message, in the header.

use crate::header::HeaderSection;
use crate::json::Priority;

impl Priority {
    /// Writes X-Priority and Importance.
    pub fn write(self, header: &mut HeaderSection<'_>) {
        let (number, word) = self.values();
        header.tokens("X-Priority", [number]);
        header.tokens("Importance", [word]);
    }

    /// The values of X-Priority and Importance.
    fn values(self) -> (&'static str, &'static str) {
        match self {
            Self::High => ("1", "high"),
            Self::Normal => ("3", "normal"),
            Self::Low => ("5", "low"),
        }
    }
}
