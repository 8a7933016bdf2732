//! What a check is about: read from the input and the lane, before anything is connected to.

use clawd_model::{DurationMs, ErrorKind, StepError};
use clawd_provider::Context;
use clawd_provider::egress::{Reach, own_host};

/// How long to wait when the input does not say.
pub(crate) const USUAL_WITHIN: DurationMs = DurationMs::from_secs(30);

/// The address of the lane's server.
pub(crate) fn lane_host(context: &Context) -> Result<String, StepError> {
    let server = context.server.as_ref().ok_or_else(|| {
        invalid("there is no server in this lane")
            .with_hint("name the host, or give the job `targets` with a selector")
    })?;
    own_host(server).ok_or_else(|| {
        invalid(format!(
            "the server `{}` has no address that could be asked",
            server.name
        ))
    })
}

/// Whether a host is the lane's own server.
pub(crate) fn reach_of(context: &Context, host: &str) -> Reach {
    let own = context.server.as_ref().and_then(|server| own_host(server));
    match own {
        Some(own) if own.eq_ignore_ascii_case(host) => Reach::OwnServer,
        _ => Reach::Elsewhere,
    }
}

/// A length of time in the input.
pub(crate) fn duration(field: &str, text: Option<&str>) -> Result<Option<DurationMs>, StepError> {
    text.map(|text| {
        DurationMs::parse(text).ok_or_else(|| {
            invalid(format!(
                "`{field}` is `{text}`, which is not a length of time such as `30s`"
            ))
        })
    })
    .transpose()
}

pub(crate) fn invalid(message: impl Into<String>) -> StepError {
    StepError::new(ErrorKind::InvalidInput, message)
}
