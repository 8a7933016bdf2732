//! clawd-provider-http
