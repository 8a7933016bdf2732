//! What the OpenAPI document says beside the routes: title, sign-in, the form of problems.

use clawd_model::api::ProblemDetails;
use clawd_model::product;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Response, ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};

/// The document without routes.
pub(crate) fn frame() -> OpenApi {
    let info = InfoBuilder::new()
        .title(product::PRODUCT)
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Every route but those under `health` needs a token, and states in `x-permission` which action the \
             policies are asked for. Errors are problem details (RFC 9457) with a stable `code`. A request with an \
             `Idempotency-Key` is carried out once: the same key with the same request gives the same answer, with \
             another request it is refused.",
        ))
        .build();
    let mut components = Components::new();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(format!(
            "a personal access token, `{}…`",
            product::TOKEN_PREFIX
        )))
        .build();
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    let mut schemas = vec![(ProblemDetails::name().into_owned(), ProblemDetails::schema())];
    ProblemDetails::schemas(&mut schemas);
    components.schemas.extend(schemas);
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components))
        .build()
}

/// Every route may answer with a problem.
pub(crate) fn add_problem(operation: &mut Operation) {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("ProblemDetails")))
        .build();
    let problem: Response = ResponseBuilder::new()
        .description("what went wrong")
        .content("application/problem+json", content)
        .build();
    operation
        .responses
        .responses
        .insert("default".to_owned(), RefOr::T(problem));
}

/// The document as it is served and kept in `docs/reference/openapi.json`: keys sorted, two spaces.
pub(crate) fn text(document: &OpenApi) -> String {
    let value = serde_json::to_value(document).unwrap_or_default();
    let mut text = serde_json::to_string_pretty(&value).unwrap_or_default();
    text.push('\n');
    text
}
