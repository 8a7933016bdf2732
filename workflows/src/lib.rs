//! clawd-workflow
