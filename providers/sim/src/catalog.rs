//! Debian packages, services and sizes of simulated servers, by role: the versions look like those of Debian 12.

/// A package: installed version, newer version (the same when there is none), what kind of update it is.
pub(crate) struct Item {
    pub(crate) name: &'static str,
    pub(crate) installed: &'static str,
    pub(crate) newest: &'static str,
    pub(crate) update: Update,
}

/// What kind of update it is.
pub(crate) enum Update {
    /// From the security suite.
    Security,
    /// From the ordinary suite.
    Ordinary,
    /// From the security suite, but apt keeps it back.
    KeptBack(&'static str),
}

/// A service and what it does on the network.
pub(crate) struct Daemon {
    pub(crate) name: &'static str,
    pub(crate) port: Option<u16>,
    pub(crate) pages: &'static [(&'static str, &'static str)],
}

/// What a role adds to the base.
pub(crate) struct Role {
    pub(crate) packages: &'static [Item],
    pub(crate) daemons: &'static [Daemon],
    pub(crate) cpus: u32,
    pub(crate) memory_mib: u64,
    pub(crate) disk_free_mib: u64,
}

const fn item(name: &'static str, installed: &'static str, newest: &'static str, update: Update) -> Item {
    Item {
        name,
        installed,
        newest,
        update,
    }
}

const fn daemon(name: &'static str, port: Option<u16>) -> Daemon {
    Daemon {
        name,
        port,
        pages: &[],
    }
}

use Update::{KeptBack, Ordinary, Security};

/// On every server.
pub(crate) const BASE: &[Item] = &[
    item("bash", "5.2.15-2+b7", "5.2.15-2+b7", Ordinary),
    item("libc6", "2.36-9+deb12u9", "2.36-9+deb12u13", Security),
    item("libssl3", "3.0.15-1~deb12u1", "3.0.17-1~deb12u3", Security),
    item("openssl", "3.0.15-1~deb12u1", "3.0.17-1~deb12u3", Security),
    item(
        "openssh-server",
        "1:9.2p1-2+deb12u5",
        "1:9.2p1-2+deb12u7",
        Security,
    ),
    item("sudo", "1.9.13p3-1+deb12u1", "1.9.13p3-1+deb12u2", Security),
    item("systemd", "252.33-1~deb12u1", "252.39-1~deb12u1", Ordinary),
    item("tzdata", "2024b-0+deb12u1", "2025b-0+deb12u2", Ordinary),
];

/// The kernel, which waits on some servers.
pub(crate) const KERNEL: Item = item("linux-image-cloud-amd64", "6.1.129-1", "6.1.158-1", Security);
/// The running kernel, and the one that the update brings.
pub(crate) const KERNEL_RELEASES: (&str, &str) = ("6.1.0-32-cloud-amd64", "6.1.0-41-cloud-amd64");

/// On every server.
pub(crate) const BASE_DAEMONS: &[Daemon] = &[daemon("ssh", Some(22)), daemon("cron", None)];

const HEALTHY: &[(&str, &str)] = &[
    ("/", "<!doctype html><title>It works</title>"),
    ("/healthz", "ok\n"),
];

const WEB: Role = Role {
    packages: &[
        item("curl", "7.88.1-10+deb12u8", "7.88.1-10+deb12u14", Security),
        item("nginx", "1.22.1-9+deb12u1", "1.22.1-9+deb12u3", Security),
        item("nginx-common", "1.22.1-9+deb12u1", "1.22.1-9+deb12u3", Security),
        item("php8.2-fpm", "8.2.26-1~deb12u1", "8.2.29-1~deb12u1", Security),
    ],
    daemons: &[
        Daemon {
            name: "nginx",
            port: Some(80),
            pages: HEALTHY,
        },
        daemon("php8.2-fpm", None),
    ],
    cpus: 2,
    memory_mib: 3_912,
    disk_free_mib: 21_480,
};

const GAME: Role = Role {
    packages: &[
        item(
            "containerd.io",
            "1.7.24-1",
            "1.7.28-1",
            KeptBack("held by the administrator (apt-mark hold)"),
        ),
        item(
            "redis-server",
            "5:7.0.15-1~deb12u2",
            "5:7.0.15-1~deb12u6",
            Security,
        ),
    ],
    daemons: &[
        Daemon {
            name: "game-server",
            port: Some(8080),
            pages: HEALTHY,
        },
        daemon("redis-server", Some(6379)),
    ],
    cpus: 8,
    memory_mib: 31_980,
    disk_free_mib: 88_120,
};

const DATABASE: Role = Role {
    packages: &[
        item("libpq5", "15.10-0+deb12u1", "15.14-0+deb12u1", Security),
        item(
            "postgresql-15",
            "15.10-0+deb12u1",
            "15.14-0+deb12u1",
            KeptBack("held by the administrator (apt-mark hold)"),
        ),
    ],
    daemons: &[daemon("postgresql", Some(5432))],
    cpus: 4,
    memory_mib: 15_990,
    disk_free_mib: 142_300,
};

const VALIDATOR: Role = Role {
    packages: &[item(
        "docker-ce",
        "5:27.3.1-1~debian.12~bookworm",
        "5:28.5.2-1~debian.12~bookworm",
        KeptBack("needs containerd.io (>= 1.7.27), which is not going to be installed"),
    )],
    daemons: &[daemon("validator", Some(30303)), daemon("docker", None)],
    cpus: 16,
    memory_mib: 64_210,
    disk_free_mib: 1_204_000,
};

const EDGE: Role = Role {
    packages: &[
        item("haproxy", "2.6.12-1+deb12u1", "2.6.12-1+deb12u3", Security),
        item("nftables", "1.0.6-2+deb12u2", "1.0.6-2+deb12u2", Ordinary),
    ],
    daemons: &[
        Daemon {
            name: "haproxy",
            port: Some(80),
            pages: HEALTHY,
        },
        daemon("nftables", None),
    ],
    cpus: 1,
    memory_mib: 1_960,
    disk_free_mib: 9_870,
};

const PLAIN: Role = Role {
    packages: &[],
    daemons: &[],
    cpus: 1,
    memory_mib: 1_960,
    disk_free_mib: 12_050,
};

/// What a role adds; nothing for a role that is not known.
pub(crate) fn role(name: &str) -> Role {
    match name {
        "web" => WEB,
        "game" => GAME,
        "db" => DATABASE,
        "validator" => VALIDATOR,
        "edge" => EDGE,
        _ => PLAIN,
    }
}
