//! Hears what the worker logs, for tests of what is seen nowhere else.

use std::fmt;
use std::sync::{LazyLock, Once};

use tokio::sync::watch;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// How often a run could not be read back.
static UNREADABLE: LazyLock<watch::Sender<u32>> = LazyLock::new(watch::Sender::default);

struct Ears;

struct Words(bool);

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0 |= field.name() == "message" && format!("{value:?}").contains("could not be loaded");
    }
}

impl Subscriber for Ears {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with("clawd_worker")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut words = Words(false);
        event.record(&mut words);
        if words.0 {
            UNREADABLE.send_modify(|times| *times += 1);
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// How often a run could not be read back, from now on.
pub(crate) fn listen() -> watch::Receiver<u32> {
    static BEGIN: Once = Once::new();
    BEGIN.call_once(|| tracing::subscriber::set_global_default(Ears).expect("nobody else listens"));
    UNREADABLE.subscribe()
}
