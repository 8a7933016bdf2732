//! clawd-web
