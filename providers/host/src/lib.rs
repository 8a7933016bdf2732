//! clawd-provider-host
