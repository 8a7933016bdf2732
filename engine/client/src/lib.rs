//! clawd-client
