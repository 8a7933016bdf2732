//! clawd-policy
