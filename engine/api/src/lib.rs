//! clawd-api
