//! clawd-provider-notify
