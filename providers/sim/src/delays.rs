//! How long things take on a simulated server.

use clawd_model::DurationMs;

/// How long things take on a simulated server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delays {
    /// Looking at anything.
    pub look: DurationMs,
    /// `pkg.apply`.
    pub packages: DurationMs,
    /// `service.state`.
    pub service: DurationMs,
    /// `file.write`.
    pub file: DurationMs,
    /// `host.reboot`.
    pub reboot: DurationMs,
    /// `shell`.
    pub shell: DurationMs,
}

impl Delays {
    /// Slow enough to watch, quick enough for a demo.
    #[must_use]
    pub const fn watchable() -> Self {
        Self {
            look: DurationMs(60),
            packages: DurationMs(2000),
            service: DurationMs(400),
            file: DurationMs(300),
            reboot: DurationMs(1500),
            shell: DurationMs(400),
        }
    }

    /// Everything at once, for tests.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            look: DurationMs(0),
            packages: DurationMs(0),
            service: DurationMs(0),
            file: DurationMs(0),
            reboot: DurationMs(0),
            shell: DurationMs(0),
        }
    }

    pub(crate) fn of(&self, action: &str) -> DurationMs {
        match action {
            "pkg.apply" => self.packages,
            "service.state" => self.service,
            "file.write" => self.file,
            "host.reboot" => self.reboot,
            "shell" => self.shell,
            _ => self.look,
        }
    }
}

impl Default for Delays {
    fn default() -> Self {
        Self::watchable()
    }
}
