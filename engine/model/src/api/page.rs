//! One page of a long list.

use serde::{Deserialize, Serialize};

/// One page of a long list. A page may hold fewer items than were asked for, since what the caller may not see is
/// left out; only the absence of `next` means that the list is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// What to pass as `after` to get the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
