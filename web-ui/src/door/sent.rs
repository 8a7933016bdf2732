//! A form that was sent: its fields, once its token was found to be right.

use axum::extract::{Form, FromRequest, Request};

use super::{Failure, Visitor, Web};

/// The fields of a form.
#[derive(Clone, Debug)]
pub(crate) struct Sent(Vec<(String, String)>);

impl Sent {
    /// The first field of that name; empty when there is none.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value.as_str())
    }

    /// Fields whose names begin so, without that beginning.
    pub(crate) fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0
            .iter()
            .filter_map(move |(key, value)| Some((key.strip_prefix(prefix)?, value.as_str())))
    }

    /// Where the form comes back to: a path of ours, or the fallback.
    pub(crate) fn back(&self, fallback: &str) -> String {
        own_path(self.text("back")).unwrap_or(fallback).to_owned()
    }
}

/// The text if it is a path of this console and nothing else.
pub(crate) fn own_path(text: &str) -> Option<&str> {
    let plain = text.starts_with('/')
        && !text.starts_with("//")
        && text.len() < 2000
        && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    plain.then_some(text)
}

impl FromRequest<Web> for Sent {
    type Rejection = Failure;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Failure> {
        let token = request
            .extensions()
            .get::<Visitor>()
            .map(|visitor| visitor.csrf.clone());
        let Form(fields) = Form::<Vec<(String, String)>>::from_request(request, web)
            .await
            .map_err(|error| Failure::invalid(format!("the form cannot be read: {error}")))?;
        let sent = Self(fields);
        // Nobody is signed in: the form signs somebody in, and its origin was looked at.
        if let Some(token) = token
            && !same(token.as_bytes(), sent.text("csrf").as_bytes())
        {
            return Err(Failure::foreign("its token is not the one of your session"));
        }
        Ok(sent)
    }
}

/// Takes as long for a near miss as for a far one.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_back_stays_here() {
        for (text, own) in [
            ("/runs/run_1?step=1", true),
            ("/", true),
            ("", false),
            ("//evil.example", false),
            ("/\\evil.example", false),
            ("https://evil.example", false),
            ("/a b", false),
            ("/a\r\nSet-Cookie:x", false),
        ] {
            assert_eq!(own_path(text).is_some(), own, "{text:?}");
        }
    }

    #[test]
    fn tokens_are_compared_whole() {
        assert!(same(b"abc", b"abc"));
        assert!(!same(b"abc", b"abd"));
        assert!(!same(b"abc", b"ab"));
        assert!(!same(b"", b"a"));
    }
}
