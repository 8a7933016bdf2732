//! The runbooks that ship, as texts. Tests check that each is without problems.

/// The runbooks' names and YAML, sorted by name.
#[must_use]
pub fn runbooks() -> &'static [(&'static str, &'static str)] {
    &[
        ("health", include_str!("../library/health.yaml")),
        ("patch-security", include_str!("../library/patch-security.yaml")),
        ("run-command", include_str!("../library/run-command.yaml")),
        ("service-restart", include_str!("../library/service-restart.yaml")),
        ("write-file", include_str!("../library/write-file.yaml")),
    ]
}

/// The JSON Schema of runbooks, for editors.
pub const SCHEMA: &str = include_str!("../runbook.schema.json");
