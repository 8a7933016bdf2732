//! Where a server is: `user@host:port`.

use std::fmt;
use std::str::FromStr;

/// The port of SSH.
const DEFAULT_PORT: u16 = 22;
/// Who signs in when the address names nobody.
const DEFAULT_USER: &str = "root";

/// Where a server is, and as whom to sign in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// As whom.
    pub user: String,
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// The text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address: expected `user@host:port`, such as `root@203.0.113.5:22`")]
pub struct InvalidAddress(String);

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        parse(text).ok_or_else(|| InvalidAddress(crate::text::line(text, 200)))
    }
}

fn parse(text: &str) -> Option<Address> {
    let (user, place) = text.split_once('@').unwrap_or((DEFAULT_USER, text));
    let (host, port) = if let Some(rest) = place.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        host.contains(':').then_some(())?;
        match rest {
            "" => (host, None),
            _ => (host, Some(rest.strip_prefix(':')?)),
        }
    } else if place.matches(':').count() > 1 {
        (place, None)
    } else {
        match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        }
    };
    let port = match port {
        Some(port) => port.parse().ok().filter(|port| *port > 0)?,
        None => DEFAULT_PORT,
    };
    let named = |text: &str, also: &str| {
        !text.is_empty()
            && text.len() <= 255
            && !text.starts_with('-')
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || also.contains(c))
    };
    (named(user, "_.-") && named(host, ".-_:%")).then(|| Address {
        user: user.to_owned(),
        host: host.to_owned(),
        port,
    })
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user, host, port } = self;
        if host.contains(':') {
            write!(f, "{user}@[{host}]:{port}")
        } else {
            write!(f, "{user}@{host}:{port}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_their_defaults() {
        for (text, shown) in [
            ("root@203.0.113.5:22", "root@203.0.113.5:22"),
            ("web-1.example.org", "root@web-1.example.org:22"),
            ("ops@web-1:2222", "ops@web-1:2222"),
            ("ops@[2001:db8::1]:2222", "ops@[2001:db8::1]:2222"),
            ("2001:db8::1", "root@[2001:db8::1]:22"),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), shown);
            assert_eq!(address.to_string().parse(), Ok(address));
        }
        for text in [
            "",
            "@host",
            "a@",
            "a@b:0",
            "a@b:x",
            "a b@c",
            "-oX@h",
            "a@-h",
            "a@[h]:1",
            "a@h:22:x y",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
