//! The one command that is ever sent to a host's login shell, and the escaping of what it reads.
//!
//! It says that it is there (so that whatever a login script printed before is skipped, and a refusal of sudo is
//! told from a failing command), reads the argument list line by line, and becomes that command. It is a single
//! line without `!` and without doubled backslashes, since the login shell may be a csh or a fish.

use std::fmt::Write as _;

use crate::transport::TransportError;

/// As the user that signed in.
const AS_USER: &str = concat!("exec sh -c '", include_str!("bootstrap.sh"), "'");
/// As root; `-n`: fail instead of asking for a password.
const AS_ROOT: &str = concat!("exec sudo -n -- sh -c '", include_str!("bootstrap.sh"), "'");
/// The line that it says when it is there.
pub(super) const READY: &[u8] = b"\x1eready\n";
/// How much a login script may print before it.
const NOISE_MAX: usize = 64 * 1024;

/// The constant command.
pub(super) fn command(as_root: bool) -> &'static str {
    if as_root { AS_ROOT } else { AS_USER }
}

/// The argument list, as the bootstrap reads it: how many, then a line each.
///
/// # Errors
/// `Unsendable` for an empty list, and for what no process can be given.
pub(crate) fn encode(argv: &[String]) -> Result<String, TransportError> {
    if argv.is_empty() {
        return Err(TransportError::Unsendable("the command is empty".to_owned()));
    }
    let mut out = format!("{}\n", argv.len());
    for word in argv {
        if word.contains('\0') {
            return Err(TransportError::Unsendable(
                "an argument contains a zero byte".to_owned(),
            ));
        }
        out.push_str(&escape(word));
        out.push('\n');
    }
    Ok(out)
}

/// One word for `printf %b`: printable ASCII but the backslash stays, every other byte becomes `\0ooo`.
pub(crate) fn escape(word: &str) -> String {
    let mut out = String::with_capacity(word.len() + word.len() / 8);
    for byte in word.bytes() {
        if (b' '..=b'~').contains(&byte) && byte != b'\\' {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "\\0{byte:03o}");
        }
    }
    out
}

/// Finds the line that says that the bootstrap is there.
#[derive(Debug, Default)]
pub(super) struct Ready {
    noise: Vec<u8>,
    found: bool,
}

impl Ready {
    pub(super) fn found(&self) -> bool {
        self.found
    }

    /// Takes a piece of standard output; gives what of it came after the line.
    ///
    /// # Errors
    /// When so much came that the line will not.
    pub(super) fn pass<'a>(&mut self, bytes: &'a [u8]) -> Result<std::borrow::Cow<'a, [u8]>, TransportError> {
        if self.found {
            return Ok(bytes.into());
        }
        self.noise.extend_from_slice(bytes);
        let at = self.noise.windows(READY.len()).position(|window| window == READY);
        match at {
            Some(at) => {
                self.found = true;
                Ok(self.noise.split_off(at + READY.len()).into())
            }
            None if self.noise.len() > NOISE_MAX => Err(TransportError::NoShell(
                "the login script of the host prints without end".to_owned(),
            )),
            None => Ok((&[]).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::Local;
    use crate::transport::{Captured, Exit, Request, Transport as _};

    /// What the far side makes of the list: the real bootstrap, in a real shell.
    async fn decoded(shell: &str, argv: &[String], stdin: &str) -> Vec<u8> {
        let mut list = ["sh", "-c", "printf '<%s>' \"$@\"; cat", "x"]
            .map(str::to_owned)
            .to_vec();
        list.extend_from_slice(argv);
        let request = Request {
            argv: vec![shell.to_owned(), "-c".to_owned(), AS_USER.to_owned()],
            stdin: format!("{}{stdin}", encode(&list).unwrap()).into_bytes(),
            root: false,
        };
        let mut captured = Captured::up_to(1 << 20);
        let exit = Local.exec(&request, &mut captured).await;
        assert_eq!(
            exit,
            Ok(Exit::Code(0)),
            "{}",
            String::from_utf8_lossy(&captured.stderr)
        );
        captured
            .stdout
            .strip_prefix(READY)
            .expect("the bootstrap says that it is there")
            .to_vec()
    }

    #[tokio::test]
    async fn every_argument_arrives_as_it_was() {
        let hard = [
            "plain",
            "",
            " ",
            "two words",
            "'",
            "\"",
            "\\",
            "\\n",
            "\\0101",
            "$HOME",
            "`id`",
            "$(id)",
            ";id",
            "a\nb",
            "\n",
            "trailing\n\n",
            "\t",
            "*",
            "~",
            "-n",
            "--",
            "!",
            "!!",
            "%s%d%b",
            "ä€🦀",
            "\u{1}\u{7f}\r",
            "& | > <",
            "#",
        ]
        .map(str::to_owned);
        let mut expected: String = hard.iter().map(|word| format!("<{word}>")).collect();
        expected.push_str("rest of\nthe input");
        for shell in ["sh", "bash"] {
            let got = decoded(shell, &hard, "rest of\nthe input").await;
            assert_eq!(String::from_utf8_lossy(&got), expected, "{shell}");
        }
    }

    #[tokio::test]
    async fn random_arguments_arrive_as_they_were() {
        let seed = 20_260_301;
        println!("seed {seed}");
        let entropy = clawd_model::SeededEntropy::new(seed);
        for _ in 0..40 {
            let word: String = clawd_model::Entropy::bytes(&entropy)
                .iter()
                .map(|byte| char::from(byte % 0xff + 1))
                .collect();
            let got = decoded("sh", std::slice::from_ref(&word), "").await;
            assert_eq!(String::from_utf8_lossy(&got), format!("<{word}>"));
        }
    }

    #[test]
    fn the_constant_survives_any_login_shell() {
        for constant in [AS_USER, AS_ROOT] {
            assert_eq!(constant.matches('\'').count(), 2, "{constant}");
            for bad in ["\n", "!", "\\\\"] {
                assert!(!constant.contains(bad), "{bad:?}");
            }
        }
        assert!(encode(&["a\0b".to_owned()]).is_err());
        assert!(encode(&[]).is_err());
    }

    #[test]
    fn noise_of_login_scripts_is_skipped() {
        let mut ready = Ready::default();
        assert_eq!(ready.pass(b"Welcome!\n\x1erea").unwrap(), &b""[..]);
        assert_eq!(ready.pass(b"dy\nout").unwrap(), &b"out"[..]);
        assert_eq!(ready.pass(b"\x1eready\n").unwrap(), READY);
        assert!(Ready::default().pass(&vec![b'x'; NOISE_MAX + 1]).is_err());
    }
}
