//! What a simulated server is before anybody has touched it: it follows from its name and its label `role`.

use std::collections::BTreeMap;

use clawd_model::{Digest, DurationMs, Labels, ServerName, Timestamp};

use crate::boot::boot_id;
use crate::catalog::{BASE, BASE_DAEMONS, Daemon, Item, KERNEL, KERNEL_RELEASES, Update, role};
use crate::world::{Candidate, Package, Service, World};

/// The world of a server that nobody has touched, at the moment of the first visit.
pub(crate) fn initial_world(name: &ServerName, labels: &Labels, now: Timestamp) -> World {
    let role = role(labels.get("role").map_or("", String::as_str));
    let mut packages: BTreeMap<String, Package> = BASE.iter().chain(role.packages).map(package).collect();
    let (kernel_name, mut kernel) = package(&KERNEL);
    if has_new_kernel(name) {
        if let Some(candidate) = &mut kernel.candidate {
            candidate.kernel = Some(KERNEL_RELEASES.1.to_owned());
        }
    } else {
        kernel.candidate = None;
    }
    packages.insert(kernel_name, kernel);
    World {
        hostname: name.to_string(),
        os_version: "12".to_owned(),
        kernel: KERNEL_RELEASES.0.to_owned(),
        cpus: role.cpus,
        memory_mib: role.memory_mib,
        disk_free_mib: role.disk_free_mib,
        boot_id: boot_id(name.as_str(), "first"),
        booted_at: before(now, up_for(name)),
        next_kernel: None,
        reboot_reasons: Vec::new(),
        packages,
        services: BASE_DAEMONS.iter().chain(role.daemons).map(service).collect(),
        files: BTreeMap::new(),
        jobs: BTreeMap::new(),
        strikes: BTreeMap::new(),
    }
}

/// On servers with an odd number (`web-1`, `web-canary-1`) an update of the kernel waits, which needs a reboot.
fn has_new_kernel(name: &ServerName) -> bool {
    name.as_str()
        .bytes()
        .last()
        .is_some_and(|last| last.is_ascii_digit() && last % 2 == 1)
}

/// Some weeks, another number for each server.
fn up_for(name: &ServerName) -> DurationMs {
    let [first, second, ..] = *Digest::of(name.as_str().as_bytes()).as_bytes();
    DurationMs::from_secs(u64::from(first) * 14_400 + u64::from(second) * 60 + 86_400)
}

fn before(now: Timestamp, duration: DurationMs) -> Timestamp {
    Timestamp(now.0.saturating_sub(i64::try_from(duration.0).unwrap_or(0)))
}

fn package(item: &Item) -> (String, Package) {
    let (security, kept_back) = match item.update {
        Update::Security => (true, None),
        Update::Ordinary => (false, None),
        Update::KeptBack(reason) => (true, Some(reason.to_owned())),
    };
    let candidate = (item.newest != item.installed).then(|| Candidate {
        version: item.newest.to_owned(),
        security,
        kept_back,
        kernel: None,
    });
    let package = Package {
        version: item.installed.to_owned(),
        candidate,
    };
    (item.name.to_owned(), package)
}

fn service(daemon: &Daemon) -> (String, Service) {
    let page = |(path, body): &(&str, &str)| ((*path).to_owned(), (*body).to_owned());
    let service = Service {
        active: true,
        enabled: true,
        restarts: 0,
        port: daemon.port,
        pages: daemon.pages.iter().map(page).collect(),
    };
    (daemon.name.to_owned(), service)
}
