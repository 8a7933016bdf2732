//! Booting a simulated server, wanted or not.

use clawd_model::{Digest, Timestamp};

use crate::world::World;

/// The server comes up again. The boot id follows from the cause, so that computing the same boot twice gives
/// the same id.
pub(crate) fn boot(world: &mut World, cause: &str, at: Timestamp) {
    world.boot_id = boot_id(&world.hostname, cause);
    world.booted_at = at;
    world.reboot_reasons.clear();
    if let Some(kernel) = world.next_kernel.take() {
        world.kernel = kernel;
    }
    for service in world.services.values_mut() {
        service.active = service.enabled;
    }
}

/// An id in the form that `/proc/sys/kernel/random/boot_id` has.
pub(crate) fn boot_id(hostname: &str, cause: &str) -> String {
    let hex = Digest::of(format!("boot\n{hostname}\n{cause}").as_bytes()).to_hex();
    let mut id = String::with_capacity(36);
    for (position, digit) in hex.chars().take(32).enumerate() {
        if matches!(position, 8 | 12 | 16 | 20) {
            id.push('-');
        }
        id.push(digit);
    }
    id
}
