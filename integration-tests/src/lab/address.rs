//! The addresses of a slot: a /27 of one of the two networks that are reserved for documentation, so
//! that no address of a lab can ever be somebody's.

use std::net::Ipv4Addr;

use anyhow::{Result, bail};

/// How many labs a machine can hold at once: two /24 networks, cut into /27.
pub(super) const SLOTS: u8 = 16;

/// The prefix length of a lab's network.
pub(super) const PREFIX: u8 = 27;

/// Addresses in a /27, without the network's, the switch's own and the broadcast address.
pub(super) const MAX_HOSTS: u8 = 29;

/// The address of the root namespace in the lab: where hosts see the tests and `clawd`.
pub(super) fn controller(slot: u8) -> Ipv4Addr {
    nth(slot, 1)
}

/// The address of host number `host`, counted from 1.
pub(super) fn of_host(slot: u8, host: u8) -> Result<Ipv4Addr> {
    if host == 0 || host > MAX_HOSTS {
        bail!("a lab holds at most {MAX_HOSTS} hosts");
    }
    Ok(nth(slot, host + 1))
}

fn nth(slot: u8, n: u8) -> Ipv4Addr {
    let last = (slot % 8) * 32 + n;
    if slot < 8 {
        Ipv4Addr::new(198, 51, 100, last)
    } else {
        Ipv4Addr::new(203, 0, 113, last)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_hosts_of_the_machine_share_an_address() {
        let mut seen = BTreeSet::new();
        for slot in 0..SLOTS {
            assert!(seen.insert(controller(slot)));
            for host in 1..=MAX_HOSTS {
                let address = of_host(slot, host).unwrap();
                assert!(seen.insert(address), "{address} twice");
                assert_eq!(
                    address.octets()[3] / 32,
                    controller(slot).octets()[3] / 32,
                    "outside of its /27"
                );
                assert_ne!(address.octets()[3] % 32, 31, "a broadcast address");
            }
        }
        assert_eq!(seen.len(), 16 * 30);
    }

    #[test]
    fn a_lab_is_never_silently_too_small() {
        assert!(of_host(0, 0).is_err());
        assert!(of_host(0, MAX_HOSTS + 1).is_err());
    }
}
