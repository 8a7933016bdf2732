//! How many streams of events everybody has open. A stream lasts for minutes and keeps a connection, so that one
//! principal alone could take all of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clawd_model::{PrincipalName, TenantName};

use super::act::Act;
use super::app::App;
use super::permit::Permit;
use super::target::Target;
use crate::error::{Class, Explained};

/// How many streams a principal may have open at once, in all of its browsers and programs.
pub const STREAMS_MAX: usize = 32;

type Open = HashMap<(TenantName, PrincipalName), usize>;

/// The streams that are open.
#[derive(Default)]
pub(super) struct Streams(Mutex<Open>);

impl Streams {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of an open stream; it is given back when this is dropped.
pub struct StreamPlace {
    streams: Arc<Streams>,
    whose: (TenantName, PrincipalName),
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        let mut open = self.streams.open();
        if let Some(count) = open.get_mut(&self.whose) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.whose);
            }
        }
    }
}

/// All places are taken.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("you have {STREAMS_MAX} streams of events open, and may not open more")]
pub struct TooManyStreams;

impl Explained for TooManyStreams {
    fn class(&self) -> Class {
        Class::TooMany
    }

    fn code(&self) -> &'static str {
        "too-many-streams"
    }

    fn hint(&self) -> Option<String> {
        Some("close pages and watches of runs that you do not need".to_owned())
    }
}

impl<A: Act, On: Target> Permit<A, On> {
    /// Takes the place of a stream, which must hold it for as long as it is open.
    ///
    /// # Errors
    /// When the caller has too many open.
    pub fn stream_place(&self) -> Result<StreamPlace, TooManyStreams> {
        let principal = self.caller().principal();
        let whose = (principal.tenant.clone(), principal.name.clone());
        let streams = Arc::clone(&self.app().streams);
        {
            let mut open = streams.open();
            let count = open.entry(whose.clone()).or_default();
            if *count >= STREAMS_MAX {
                return Err(TooManyStreams);
            }
            *count += 1;
        }
        Ok(StreamPlace { streams, whose })
    }
}

impl App {
    /// How many streams of events are open.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        self.streams.open().values().sum()
    }
}
