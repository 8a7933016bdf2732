//! clawd-worker
