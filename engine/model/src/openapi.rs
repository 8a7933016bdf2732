//! OpenAPI schemas of the types whose JSON form is a text or a number of their own making. Only with the feature
//! `openapi`, which the HTTP API turns on; everything else derives its schema.

use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{KnownFormat, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::{AttemptId, Digest, DurationMs, Timestamp};

/// The schema of a type that is written as a text.
macro_rules! text_schema {
    ($name:ident, $rule:expr) => {
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                crate::openapi::text($rule)
            }
        }
        impl utoipa::ToSchema for $name {}
    };
}
pub(crate) use text_schema;

/// A text with a description.
pub(crate) fn text(description: &str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .into()
}

fn whole_number(description: &str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .description(Some(description))
        .into()
}

text_schema!(AttemptId, "att_ and 32 hexadecimal digits");
text_schema!(Digest, "sha256: and 64 hexadecimal digits");

impl PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        whole_number("a moment, in milliseconds since 1970-01-01T00:00:00Z")
    }
}
impl ToSchema for Timestamp {}

impl PartialSchema for DurationMs {
    fn schema() -> RefOr<Schema> {
        whole_number("a length of time, in milliseconds")
    }
}
impl ToSchema for DurationMs {}
