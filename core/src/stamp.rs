pub(crate) use crate::identity::{Id, Identity as Stamp, RecipientIds};
