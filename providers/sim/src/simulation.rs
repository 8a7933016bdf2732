//! All simulated servers under one folder.

use std::collections::HashMap;
use std::error::Error;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use clawd_model::{ErrorKind, Server, ServerName, ServerProvider, StepError, TenantName, Timestamp};
use clawd_provider::{Context, Registry, RegistryError, Serves};

use crate::acting::Acting;
use crate::delays::Delays;
use crate::disk::{DiskError, Machine, create_dir};
use crate::initial::initial_world;
use crate::looking::Looking;
use crate::settle::{EffectRecord, settle};
use crate::world::World;
use crate::{act, look};

/// All simulated servers under one folder. Cheap to clone. One process at a time: the owner of the folder sees
/// to that.
#[derive(Clone)]
pub struct Simulation {
    inner: Arc<Inner>,
}

struct Inner {
    dir: PathBuf,
    delays: Delays,
    /// One visitor at a time per server.
    doors: Mutex<HashMap<PathBuf, Arc<Mutex<()>>>>,
}

impl Simulation {
    /// The servers under a folder, which is created when it is not there.
    ///
    /// # Errors
    /// When the folder cannot be created.
    pub fn open(dir: impl Into<PathBuf>, delays: Delays) -> Result<Self, DiskError> {
        let dir = dir.into();
        create_dir(&dir)?;
        Ok(Self {
            inner: Arc::new(Inner {
                dir,
                delays,
                doors: Mutex::default(),
            }),
        })
    }

    /// Registers every operation for simulated servers.
    ///
    /// # Errors
    /// When another implementation serves them already.
    pub fn register(&self, registry: &mut Registry) -> Result<(), RegistryError> {
        let serves = Serves::Servers(ServerProvider::Sim);
        for act in act::ALL {
            registry.register(serves, Arc::new(Acting::new(self.clone(), *act)))?;
        }
        for look in look::ALL {
            registry.register(serves, Arc::new(Looking::new(self.clone(), *look)))?;
        }
        Ok(())
    }

    /// The stored world of a server; absent when nobody has visited it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn world(&self, tenant: &TenantName, server: &ServerName) -> Result<Option<World>, DiskError> {
        self.machine(tenant, server).load()
    }

    /// The server's own record of effects, oldest first.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn effects(&self, tenant: &TenantName, server: &ServerName) -> Result<Vec<EffectRecord>, DiskError> {
        self.machine(tenant, server).effects()
    }

    pub(crate) fn delays(&self) -> Delays {
        self.inner.delays
    }

    /// Visits the server of the lane at a moment: the world moves on to it, the visitor looks and changes, and
    /// what has changed is on the disk when this returns. A visit that began ends, whoever waits for it.
    pub(crate) async fn visit<T: Send + 'static>(
        &self,
        context: &Context,
        now: Timestamp,
        visitor: impl FnOnce(&mut World) -> T + Send + 'static,
    ) -> Result<T, StepError> {
        let server = Arc::clone(server_of(context)?);
        let simulation = self.clone();
        let visit = move || simulation.visit_blocking(&server, now, visitor);
        match tokio::task::spawn_blocking(visit).await {
            Ok(answer) => answer.map_err(|error| broken(&error)),
            Err(error) => Err(broken(&error)),
        }
    }

    fn visit_blocking<T>(
        &self,
        server: &Server,
        now: Timestamp,
        visitor: impl FnOnce(&mut World) -> T,
    ) -> Result<T, DiskError> {
        let machine = self.machine(&server.tenant, &server.name);
        let door = self.door(server);
        let _inside = door.lock().unwrap_or_else(PoisonError::into_inner);
        let stored = machine.load()?;
        let mut world = stored
            .clone()
            .unwrap_or_else(|| initial_world(&server.name, &server.labels, now));
        let mut effects = settle(&mut world, now);
        let answer = visitor(&mut world);
        // With no delay a job ends in the same visit.
        effects.extend(settle(&mut world, now));
        // INVARIANT: the record is durable before the world that shows the effect, and knows each attempt once.
        machine.record(&effects)?;
        if stored.as_ref() != Some(&world) {
            machine.save(&world)?;
        }
        Ok(answer)
    }

    fn machine(&self, tenant: &TenantName, server: &ServerName) -> Machine {
        // Names hold neither separators nor a leading dot, hence lead nowhere else.
        Machine::new(self.inner.dir.join(tenant.as_str()).join(server.as_str()))
    }

    fn door(&self, server: &Server) -> Arc<Mutex<()>> {
        let key = PathBuf::from(server.tenant.as_str()).join(server.name.as_str());
        let mut doors = self.inner.doors.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(doors.entry(key).or_default())
    }
}

/// The server of the lane.
pub(crate) fn server_of(context: &Context) -> Result<&Arc<Server>, StepError> {
    context.server.as_ref().ok_or_else(|| {
        StepError::new(ErrorKind::InvalidInput, "this operation needs a server")
            .with_hint("give the job `targets` with a selector")
    })
}

/// Something of ours broke: with its causes, since a step's error has one line only.
fn broken(error: &dyn Error) -> StepError {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message.push_str(": ");
        message.push_str(&cause.to_string());
        source = cause.source();
    }
    StepError::new(ErrorKind::Internal, message)
}
