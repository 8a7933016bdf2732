//! The network of a lab: a namespace with a bridge (the switch), a cable from it into the root namespace
//! (where `clawd` and the tests are), and one cable into each host's namespace.

use std::net::Ipv4Addr;

use anyhow::{Context as _, Result};

use super::address::PREFIX;
use super::slot::Slot;
use crate::command::run_blocking;

/// The namespace with the bridge, and the cable to the root namespace.
pub(super) fn build_switch(slot: &Slot) -> Result<()> {
    let (lab, address) = (slot.name(), slot.controller_address());
    ip(
        None,
        &format!("netns add {lab}\nlink add {lab} type veth peer name uplink netns {lab}\n"),
    )?;
    // Without the forward delay of 0 a bridge drops what arrives in the first 30 seconds.
    let switch = "link set lo up\nlink add br0 type bridge forward_delay 0\nlink set br0 up\n\
                  link set uplink master br0 up\n";
    ip(Some(&lab), switch)?;
    ip(
        None,
        &format!("addr add {address}/{PREFIX} dev {lab}\nlink set {lab} up\n"),
    )
}

/// The cable of one host.
#[derive(Debug, Clone)]
pub(super) struct Cable {
    lab: String,
    netns: String,
    port: String,
    mac: String,
    address: Ipv4Addr,
    gateway: Ipv4Addr,
}

impl Cable {
    pub(super) fn new(slot: &Slot, host: u8) -> Result<Self> {
        Ok(Self {
            lab: slot.name(),
            netns: slot.host_name(host),
            port: format!("host{host}"),
            // Fixed, so that nobody's neighbour table is wrong after a reboot.
            mac: format!("02:c1:a4:d0:{:02x}:{host:02x}", slot.number()),
            address: slot.host_address(host)?,
            gateway: slot.controller_address(),
        })
    }

    pub(super) fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// The file that stands for the host's namespace.
    pub(super) fn netns_path(&self) -> String {
        format!("/run/netns/{}", self.netns)
    }

    /// Makes a fresh namespace with a fresh cable. The old one goes, and with it every firewall rule,
    /// address and connection of the host, as they do when a machine reboots.
    pub(super) fn connect(&self, plugged_in: bool) -> Result<()> {
        let Self {
            lab,
            netns,
            port,
            mac,
            address,
            gateway,
        } = self;
        self.remove();
        ip(None, &format!("netns add {netns}\n"))?;
        let state = if plugged_in { "up" } else { "down" };
        let switch = format!(
            "link add {port} type veth peer name eth0 address {mac} netns {netns}\nlink set {port} master br0 {state}\n"
        );
        ip(Some(lab), &switch)?;
        let host = format!(
            "link set lo up\naddr add {address}/{PREFIX} dev eth0\nlink set eth0 up\nroute add default via {gateway}\n"
        );
        ip(Some(netns), &host)
    }

    /// Pulls the cable at the switch, or puts it back.
    pub(super) fn plug(&self, plugged_in: bool) -> Result<()> {
        let state = if plugged_in { "up" } else { "down" };
        ip(Some(&self.lab), &format!("link set {} {state}\n", self.port))
    }

    /// The cable first, by name: a namespace that is deleted lets its interfaces go only some time later.
    fn remove(&self) {
        // Failures mean that there was none, which is what is wanted.
        let _ = ip(Some(&self.lab), &format!("link del {}\n", self.port));
        let _ = ip(None, &format!("netns del {}\n", self.netns));
    }
}

/// Runs `ip` commands, a line each, in the named namespace or in the root namespace.
fn ip(netns: Option<&str>, batch: &str) -> Result<()> {
    let argv: &[&str] = match netns {
        Some(netns) => &["ip", "-n", netns, "-batch", "-"],
        None => &["ip", "-batch", "-"],
    };
    run_blocking(argv, batch).context("could not change the network of the lab")?;
    Ok(())
}
