//! clawd-provider-sim
