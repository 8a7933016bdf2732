//! clawd-store
