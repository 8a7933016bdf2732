//! Problem details (RFC 9457).

use serde_json::{Map, Value};

use crate::Problem;

super::views! {
    /// What went wrong with a request: `application/problem+json`.
    pub struct ProblemDetails {
        /// A URI that names the kind of problem; it ends with the code.
        #[serde(rename = "type")]
        pub kind: String,
        /// The kind of problem, in words.
        pub title: String,
        /// The HTTP status.
        pub status: u16,
        /// A stable code: `plan-stale`.
        pub code: String,
        /// What happened this time.
        #[serde(default)]
        pub detail: String,
        /// What to do about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub hint: Option<String>,
        /// The id of the request, to find it in the logs.
        #[serde(default)]
        pub request_id: String,
        /// All problems of a document that was sent.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub problems: Vec<Problem>,
        /// Why the policies refused.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub reasons: Vec<String>,
        /// More, depending on the code: `host_key` for `host-key-unconfirmed`.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        #[cfg_attr(feature = "openapi", schema(value_type = Object))]
        pub more: Map<String, Value>,
    }
}
