//! Where a step stands in a run.

use serde::{Deserialize, Serialize};

use crate::{Labels, ServerId, ServerName};

/// One step of one run: indices into its workflow's jobs, that job's frozen list of lanes, and the job's steps
/// (`steps`, then `rescue`, then `always`, counted through).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StepRef {
    /// Index of the job in the workflow, in document order.
    pub job: u16,
    /// Index of the lane in the job: its target.
    pub lane: u32,
    /// Index of the step in the job.
    pub step: u16,
}

/// What a lane works on: a server, frozen when the run was planned, or the controller itself (`None`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LaneTarget {
    /// The server's id; absent for a lane of the controller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerId>,
    /// The server's name, or `controller`.
    pub name: ServerName,
    /// Its environment as planned; empty for the controller.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub env: String,
    /// Its labels as planned.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
}

impl LaneTarget {
    /// The lane of a job that works from the controller.
    ///
    /// # Panics
    /// Never: the name is well formed.
    #[must_use]
    pub fn controller() -> Self {
        let name = "controller".parse().expect("`controller` is a well-formed name");
        Self {
            server: None,
            name,
            env: String::new(),
            labels: Labels::new(),
        }
    }

    /// The lane of a server, frozen as it is now.
    #[must_use]
    pub fn server(server: &crate::Server) -> Self {
        Self {
            server: Some(server.id),
            name: server.name.clone(),
            env: server.env.clone(),
            labels: server.labels.clone(),
        }
    }
}
