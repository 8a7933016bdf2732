//! How people reach the server: by its own address, or by the one of a proxy that does TLS in front of it.

use std::str::FromStr;

use clawd_web::Front;
use reqwest::Url;

/// The address that people use, from `--public-url`: `https://claw.example`, without a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicUrl(String);

impl PublicUrl {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("not an address: {error}"))?;
        if url.scheme() != "https" {
            return Err("expected https://: browsers keep sessions safe over TLS only".to_owned());
        }
        let bare = url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        if !bare {
            return Err("expected a host and perhaps a port, such as https://claw.example".to_owned());
        }
        // The spelling that browsers use in `Origin`.
        Ok(Self(url.origin().ascii_serialization()))
    }
}

/// How browsers reach the console. `tls`: this process has a certificate.
pub(crate) fn front(public: Option<&PublicUrl>, tls: bool) -> Front {
    Front {
        secure: tls || public.is_some(),
        origin: public.map(|public| public.0.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_an_origin_over_tls() {
        let read = |text: &str| text.parse::<PublicUrl>().map(|url| url.0);
        assert_eq!(read("https://claw.example").unwrap(), "https://claw.example");
        assert_eq!(read("https://Claw.Example:443/").unwrap(), "https://claw.example");
        assert_eq!(
            read("https://claw.example:8443").unwrap(),
            "https://claw.example:8443"
        );
        for (wrong, says) in [
            ("http://claw.example", "https://"),
            ("claw.example", "not an address"),
            ("https://claw.example/console", "a host"),
            ("https://claw.example/?a=b", "a host"),
            ("https://ana:secret@claw.example", "a host"),
        ] {
            let error = read(wrong).unwrap_err();
            assert!(error.contains(says), "{wrong}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn cookies_are_secure_when_browsers_come_over_tls_whoever_does_it() {
        let public: PublicUrl = "https://claw.example".parse().unwrap();
        assert_eq!(front(None, false), Front::default());
        assert!(front(None, true).secure);
        let behind = front(Some(&public), false);
        assert!(behind.secure);
        assert_eq!(behind.origin.as_deref(), Some("https://claw.example"));
    }
}
