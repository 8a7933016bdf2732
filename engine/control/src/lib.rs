//! clawd-control
