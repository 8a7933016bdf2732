//! clawd-audit
