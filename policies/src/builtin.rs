//! The rules that are part of every bundle, whatever it says.

/// What the file is called where a place is shown.
pub const FILE: &str = "built-in";

/// The rules, in Cedar. They are evaluated like any other policy, and show up in decisions by their ids.
pub const RULES: &str = r#"@id("builtin.tenant-isolation")
@reason("it belongs to another tenant")
forbid(principal, action, resource) unless { principal.tenant == resource.tenant };

@id("builtin.disabled-principal")
@reason("this principal is disabled")
forbid(principal, action, resource) when { principal.disabled };
"#;
