//! Whether a request that changes something comes from a page of ours.
//!
//! Browsers say where a form was sent from, in `Sec-Fetch-Site` and in `Origin`; pages cannot forge either. What says
//! neither is no browser of today, and has the API. The form's token is checked besides.
//!
//! Which origin is ours: the one that the operator named, since a proxy may pass on any `Host`; else the request's own
//! host.

use axum::http::header::{HOST, HeaderMap, ORIGIN};
use axum::http::{Method, Uri};

/// Why the request is not ours; `None` when it is, or when it changes nothing. `ours` is our origin, when it is known.
pub(crate) fn foreign(method: &Method, headers: &HeaderMap, ours: Option<&str>) -> Option<&'static str> {
    if method.is_safe() {
        return None;
    }
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let site = text("sec-fetch-site");
    if site.is_some_and(|site| site != "same-origin") {
        return Some("it was sent from another site");
    }
    match text(ORIGIN.as_str()) {
        Some(origin) => {
            let same = match ours {
                Some(ours) => origin == ours,
                None => {
                    let authority = origin
                        .parse::<Uri>()
                        .ok()
                        .and_then(|uri| uri.authority().map(ToString::to_string));
                    authority.is_some() && authority.as_deref() == text(HOST.as_str())
                }
            };
            (!same).then_some("it was sent from another origin")
        }
        None if site.is_some() => None,
        None => Some("it does not say where it was sent from"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        headers
    }

    fn verdict(method: Method, pairs: &[(&'static str, &'static str)]) -> bool {
        foreign(&method, &headers(pairs), None).is_none()
    }

    #[test]
    fn a_known_origin_is_the_only_one_whatever_the_host_says() {
        let ours = Some("https://claw.example");
        let post =
            |pairs: &[(&'static str, &'static str)]| foreign(&Method::POST, &headers(pairs), ours).is_none();
        let (inner, site) = (("host", "10.0.0.7:7650"), ("sec-fetch-site", "same-origin"));
        assert!(post(&[inner, ("origin", "https://claw.example")]));
        assert!(post(&[inner, site]));
        for other in [
            "http://claw.example",
            "https://claw.example:8443",
            "https://evil.example",
            "http://10.0.0.7:7650",
            "null",
        ] {
            assert!(!post(&[inner, ("origin", other)]), "{other}");
        }
        assert!(!post(&[inner]));
    }

    #[test]
    fn only_our_own_forms_pass() {
        let host = ("host", "127.0.0.1:8080");
        let own = ("origin", "http://127.0.0.1:8080");
        let same = ("sec-fetch-site", "same-origin");
        for (pairs, ours) in [
            (vec![host, own], true),
            (vec![host, own, same], true),
            (vec![host, same], true),
            (vec![host], false),
            (vec![host, ("origin", "null")], false),
            (vec![host, ("origin", "http://127.0.0.1:8081")], false),
            (vec![host, ("origin", "http://evil.example")], false),
            (
                vec![host, ("origin", "http://127.0.0.1:8080.evil.example")],
                false,
            ),
            (vec![host, own, ("sec-fetch-site", "same-site")], false),
            (vec![host, own, ("sec-fetch-site", "cross-site")], false),
            (vec![host, own, ("sec-fetch-site", "none")], false),
            (vec![own], false),
        ] {
            assert_eq!(verdict(Method::POST, &pairs), ours, "{pairs:?}");
        }
    }

    #[test]
    fn looking_is_free() {
        assert!(verdict(Method::GET, &[("origin", "http://evil.example")]));
    }
}
