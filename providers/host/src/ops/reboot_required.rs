//! Whether a host waits for a reboot, and which boot it is in. Shared by several operations.

use clawd_model::StepError;

use crate::host::{Host, script};
use crate::text;

const ASK: &str = concat!(
    include_str!("reboot_required.sh"),
    "\nprintf 'boot_id=%s\\n' \"$(cat /proc/sys/kernel/random/boot_id)\"\nreboot_reasons"
);
const ANSWER_MAX: usize = 16 * 1024;
/// So many reasons are enough.
const REASONS_MAX: usize = 20;

/// Which boot a host is in, and why it should leave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Boot {
    pub(super) id: String,
    pub(super) reasons: Vec<String>,
}

/// Asks a host.
pub(super) async fn boot(host: &Host) -> Result<Boot, StepError> {
    let reply = host.ask(&script(ASK, &[]), ANSWER_MAX).await?;
    let text = reply.text();
    let id = text.lines().find_map(|line| line.strip_prefix("boot_id="));
    match id.map(str::trim).filter(|id| is_boot_id(id)) {
        Some(id) => Ok(Boot {
            id: id.to_owned(),
            reasons: reasons(&text),
        }),
        None => Err(host.garbled("its boot id")),
    }
}

/// The reasons among the lines of a script.
pub(super) fn reasons(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.strip_prefix("reboot="))
        .map(|reason| text::line(reason, 200))
        .take(REASONS_MAX)
        .collect()
}

/// A UUID.
pub(super) fn is_boot_id(text: &str) -> bool {
    text.len() == 36 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}
