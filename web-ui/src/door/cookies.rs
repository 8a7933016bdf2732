//! Our cookies: the session, the root of form tokens, the theme.
//!
//! Over TLS the first two carry the `__Host-` prefix, so that neither a neighbouring host nor plain HTTP can set
//! them. Plain HTTP is served on loopback only; there the prefix and `Secure` are left away, since not every browser
//! takes `Secure` cookies from `http://localhost`.

use axum::http::header::{COOKIE, HeaderMap, HeaderValue};
use clawd_model::{DurationMs, product};

/// Which cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crumb {
    /// The session's secret.
    Session,
    /// What form tokens are derived from; lives as long as the session, through its changes of secret.
    Form,
    /// The chosen theme. Says nothing about anybody.
    Theme,
}

impl Crumb {
    fn name(self, secure: bool) -> String {
        let prefix = if secure && self != Self::Theme {
            "__Host-"
        } else {
            ""
        };
        let suffix = match self {
            Self::Session => "",
            Self::Form => "-form",
            Self::Theme => "-theme",
        };
        format!("{prefix}{}{suffix}", product::BINARY)
    }

    /// A `Set-Cookie` that keeps this value for so long.
    pub(crate) fn set(self, secure: bool, value: &str, lasts: DurationMs) -> Option<HeaderValue> {
        let attributes = if secure { "; Secure" } else { "" };
        let name = self.name(secure);
        let seconds = lasts.0 / 1000;
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{attributes}");
        HeaderValue::try_from(text).ok()
    }

    /// A `Set-Cookie` that forgets it.
    pub(crate) fn clear(self, secure: bool) -> Option<HeaderValue> {
        self.set(secure, "", DurationMs(0))
    }
}

/// The cookies of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cookies(Vec<(String, String)>);

impl Cookies {
    /// Reads them; what is malformed is left out.
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let pairs = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|text| text.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Self(pairs)
    }

    /// The value of one of ours.
    pub(crate) fn get(&self, crumb: Crumb, secure: bool) -> Option<&str> {
        let wanted = crumb.name(secure);
        self.0
            .iter()
            .find(|(name, value)| *name == wanted && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_is_there_over_tls_and_only_there() {
        let cookie = |secure| {
            Crumb::Session
                .set(secure, "x", DurationMs::from_secs(60))
                .unwrap()
        };
        assert_eq!(
            cookie(true),
            "__Host-clawd=x; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure"
        );
        assert_eq!(
            cookie(false),
            "clawd=x; Path=/; HttpOnly; SameSite=Lax; Max-Age=60"
        );
    }

    #[test]
    fn a_cookie_without_the_prefix_is_none_over_tls() {
        let mut headers = HeaderMap::new();
        headers.insert(
            COOKIE,
            HeaderValue::from_static("clawd=weak; other=1; clawd-theme=dark"),
        );
        let cookies = Cookies::read(&headers);
        assert_eq!(cookies.get(Crumb::Session, true), None);
        assert_eq!(cookies.get(Crumb::Session, false), Some("weak"));
        assert_eq!(cookies.get(Crumb::Theme, true), Some("dark"));
    }

    #[test]
    fn nothing_can_be_smuggled_into_a_header() {
        assert!(Crumb::Session.set(true, "a\r\nb", DurationMs(0)).is_none());
    }
}
