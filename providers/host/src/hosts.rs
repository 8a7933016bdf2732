//! From the server of a lane to a [`Host`].

use std::sync::Arc;

use clawd_model::product::HOST_JOBS_DIR;
use clawd_model::{ErrorKind, Server, ServerProvider, StepError};
use clawd_provider::{Context, Redactor};

use crate::address::Address;
use crate::errors;
use crate::host::Host;
use crate::keys::Keys;
use crate::local::Local;
use crate::ssh::{SshOptions, SshPool};
use crate::transport::Transport;

/// Finds the way to a server.
pub trait Reach: Send + Sync {
    /// The way to this server.
    ///
    /// # Errors
    /// When its record does not say enough.
    fn transport(&self, server: &Server) -> Result<Arc<dyn Transport>, StepError>;
}

/// SSH for the servers that are reached so, and this very machine.
struct Network {
    pool: Arc<SshPool>,
    keys: Keys,
}

impl Reach for Network {
    fn transport(&self, server: &Server) -> Result<Arc<dyn Transport>, StepError> {
        match server.provider {
            ServerProvider::Ssh => {
                let address: Address = server
                    .address
                    .parse()
                    .map_err(|error| errors::invalid_address(&error))?;
                self.pool
                    .transport(address, server.host_key.as_deref(), self.keys.of_server(server))
                    .map(|transport| Arc::new(transport) as Arc<dyn Transport>)
                    .map_err(|error| errors::step_error(&error, &place(server)))
            }
            ServerProvider::Local => Ok(Arc::new(Local)),
            ServerProvider::Sim => Err(StepError::new(
                ErrorKind::InvalidInput,
                format!("`{}` is a simulated server", server.name),
            )),
        }
    }
}

/// The hosts of this process: connections are shared by all operations.
pub struct Hosts {
    reach: Arc<dyn Reach>,
    jobs_dir: String,
}

impl Hosts {
    /// Hosts over SSH, with the keys of their tenants, and this machine.
    #[must_use]
    pub fn new(options: SshOptions, keys: Keys) -> Arc<Self> {
        let pool = SshPool::new(options);
        Self::over(Arc::new(Network { pool, keys }), HOST_JOBS_DIR)
    }

    /// Hosts over something else, with their jobs in another folder (an absolute path).
    #[must_use]
    pub fn over(reach: Arc<dyn Reach>, jobs_dir: &str) -> Arc<Self> {
        Arc::new(Self {
            reach,
            jobs_dir: jobs_dir.to_owned(),
        })
    }

    /// The host of a server.
    ///
    /// # Errors
    /// When the server's record does not say enough to reach it.
    pub fn of(&self, server: &Server) -> Result<Host, StepError> {
        Ok(Host {
            transport: self.reach.transport(server)?,
            place: place(server),
            jobs_dir: self.jobs_dir.clone(),
            redactor: Redactor::default(),
        })
    }

    /// The host of the lane.
    pub(crate) fn of_lane(&self, context: &Context) -> Result<Host, StepError> {
        let server = context.server.as_ref().ok_or_else(|| {
            StepError::new(ErrorKind::InvalidInput, "the operation needs a server")
                .with_hint("give the job `targets` that are servers")
        })?;
        Ok(Host {
            redactor: context.redactor.clone(),
            ..self.of(server)?
        })
    }
}

fn place(server: &Server) -> String {
    format!("{} ({})", server.name, crate::text::line(&server.address, 200))
}
