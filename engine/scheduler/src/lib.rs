//! clawd-scheduler
