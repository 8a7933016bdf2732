//! What kind of place an address leads to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use clawd_model::{Server, ServerProvider};

/// What kind of place an address leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Anybody can reach it.
    Public,
    /// Only some can reach it, perhaps only this machine.
    Internal(&'static str),
    /// Nothing that a runbook could mean.
    Forbidden(&'static str),
}

const LINK_LOCAL: Class = Class::Forbidden("a link-local address");
const METADATA: Class = Class::Forbidden("the address of a cloud's metadata service");
const RESERVED: Class = Class::Forbidden("a reserved or multicast address");
const LOOPBACK: Class = Class::Internal("a loopback address");
const PRIVATE: Class = Class::Internal("a private address");

pub(super) fn classify(address: IpAddr) -> Class {
    match address {
        IpAddr::V4(address) => classify_v4(address),
        IpAddr::V6(address) => match embedded(address) {
            Some(inner) => classify_v4(inner),
            None => classify_v6(address),
        },
    }
}

fn classify_v4(address: Ipv4Addr) -> Class {
    match address.octets() {
        [169, 254, ..] => LINK_LOCAL,
        [168, 63, 129, 16] | [100, 100, 100, 200] | [192, 0, 0, 192] => METADATA,
        // Linux takes 0.0.0.0 for this very machine.
        [0, ..] | [224..=255, ..] => RESERVED,
        [127, ..] => LOOPBACK,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => PRIVATE,
        // Of no use on the internet, hence in use inside: protocol assignments, documentation, benchmarks.
        [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [198, 18..=19, ..] => PRIVATE,
        _ => Class::Public,
    }
}

fn classify_v6(address: Ipv6Addr) -> Class {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => RESERVED,
        [0, 0, 0, 0, 0, 0, 0, 1] => LOOPBACK,
        [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254] | [0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x254] => METADATA,
        [0xfe80..=0xfebf, ..] => LINK_LOCAL,
        [0xfec0..=0xfeff, ..] | [0xfc00..=0xfdff, ..] => PRIVATE,
        [0x2001, 0x0db8, ..] | [0x64, 0xff9b, 1, ..] => PRIVATE,
        // Discarded, and Teredo, which hides an IPv4 address.
        [0x100, 0, 0, 0, ..] | [0x2001, 0, ..] | [0xff00..=0xffff, ..] => RESERVED,
        _ => Class::Public,
    }
}

/// The IPv4 address that an IPv6 address leads to: mapped, compatible, through NAT64 or 6to4.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let join = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(join(high, low))
        }
        [0x2002, high, low, ..] => Some(join(high, low)),
        _ => None,
    }
}

/// The host in a server's address (`user@host:port`). A local server is the loopback interface; a simulated one
/// is nowhere.
#[must_use]
pub fn own_host(server: &Server) -> Option<String> {
    match server.provider {
        ServerProvider::Sim => None,
        ServerProvider::Local => Some("127.0.0.1".to_owned()),
        ServerProvider::Ssh => host_of(&server.address),
    }
}

fn host_of(address: &str) -> Option<String> {
    let rest = address.rsplit_once('@').map_or(address, |(_, rest)| rest);
    let host = if let Some(inner) = rest.strip_prefix('[') {
        inner.split_once(']').map(|(host, _)| host)?
    } else if rest.parse::<Ipv6Addr>().is_ok() {
        rest
    } else {
        rest.split_once(':').map_or(rest, |(host, _)| host)
    };
    (!host.is_empty()).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_an_address() {
        for (address, host) in [
            ("root@203.0.113.5:22", Some("203.0.113.5")),
            ("web-1.example.net", Some("web-1.example.net")),
            ("ops@web-1.example.net:2222", Some("web-1.example.net")),
            ("root@[2001:db8::5]:22", Some("2001:db8::5")),
            ("2001:db8::5", Some("2001:db8::5")),
            ("root@", None),
        ] {
            assert_eq!(host_of(address).as_deref(), host, "{address}");
        }
    }
}
