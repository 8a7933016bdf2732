//! Asks apt what an installation would do, without doing it.

use clawd_model::StepError;
use clawd_provider::contract::pkg_plan::Package;

use super::{ONLY_UPGRADE, is_name, is_version};
use crate::host::{Host, Reply};
use crate::text;
use crate::transport::Request;

/// A line per package and some prose.
const OUTPUT_MAX: usize = 4 << 20;
/// The longest reason that is kept.
const REASON_MAX: usize = 300;

/// One package that would be installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inst {
    /// The package.
    pub(crate) name: String,
    /// The version that it replaces; absent for a new package.
    pub(crate) from: Option<String>,
    /// The version that would be there.
    pub(crate) to: String,
}

/// What apt would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Simulated {
    /// It would do this.
    Would {
        /// Installed or upgraded.
        installs: Vec<Inst>,
        /// Removed.
        removes: Vec<String>,
    },
    /// It cannot: why, in a line.
    Cannot(String),
}

/// What apt is asked to install, word by word. New packages are not named: they come along with what needs them, so
/// that apt knows that they may go when nothing needs them any more.
pub(crate) fn wanted(set: &[Package]) -> impl Iterator<Item = String> {
    set.iter()
        .filter(|package| package.from.is_some())
        .map(|package| format!("{}={}", package.name, package.to))
}

/// Asks a host.
pub(crate) async fn simulate(host: &Host, set: &[Package]) -> Result<Simulated, StepError> {
    let mut argv: Vec<String> = ["apt-get", "-s", "-o", "Debug::NoLocking=true"]
        .iter()
        .chain(&ONLY_UPGRADE)
        .chain(&["install", "--"])
        .map(|word| (*word).to_owned())
        .collect();
    argv.extend(wanted(set));
    let request = Request {
        argv,
        stdin: Vec::new(),
        root: true,
    };
    let reply = host.ask(&request, OUTPUT_MAX).await?;
    let errors = String::from_utf8_lossy(&reply.stderr);
    // These say nothing about the packages.
    if !reply.is_success() && super::is_trouble(&errors) {
        return Err(super::complaint(&host.place, &errors));
    }
    parse(&reply).ok_or_else(|| host.garbled("the simulation of apt"))
}

fn parse(reply: &Reply) -> Option<Simulated> {
    let text = reply.text();
    if !reply.is_success() {
        let errors = String::from_utf8_lossy(&reply.stderr).into_owned();
        return Some(Simulated::Cannot(reason(&text, &errors)));
    }
    let (mut installs, mut removes) = (Vec::new(), Vec::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("Inst ") {
            installs.push(inst(rest)?);
        } else if let Some(rest) = line.strip_prefix("Remv ").or_else(|| line.strip_prefix("Purg ")) {
            removes.push(rest.split(' ').next().filter(|name| is_name(name))?.to_owned());
        }
    }
    Some(Simulated::Would { installs, removes })
}

/// `openssl [3.0.19] (3.0.22 Debian-Security:12/stable-security [amd64]) []`
fn inst(rest: &str) -> Option<Inst> {
    let (name, rest) = rest.split_once(' ')?;
    let (from, rest) = match rest.strip_prefix('[') {
        Some(rest) => {
            let (from, rest) = rest.split_once("] ")?;
            (Some(from.to_owned()), rest)
        }
        None => (None, rest),
    };
    let to = rest.strip_prefix('(')?.split([' ', ')']).next()?;
    (is_name(name) && is_version(to)).then(|| Inst {
        name: name.to_owned(),
        from,
        to: to.to_owned(),
    })
}

/// What apt says about dependencies, else its last error.
fn reason(output: &str, errors: &str) -> String {
    let unmet: Vec<&str> = output
        .lines()
        .skip_while(|line| !line.starts_with("The following packages have unmet dependencies"))
        .skip(1)
        .take_while(|line| line.starts_with(' '))
        .map(str::trim)
        .collect();
    let said = if unmet.is_empty() {
        errors
            .lines()
            .rev()
            .find_map(|line| line.trim().strip_prefix("E: "))
            .unwrap_or("apt cannot install it")
            .to_owned()
    } else {
        let text = unmet.join("; ");
        text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
    };
    text::line(&said, REASON_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Exit;

    fn reply(code: u32, stdout: &str, stderr: &str) -> Reply {
        Reply {
            exit: Exit::Code(code),
            stdout: stdout.as_bytes().to_vec(),
            stderr: stderr.as_bytes().to_vec(),
            redactor: clawd_provider::Redactor::default(),
        }
    }

    #[test]
    fn what_would_happen_is_read() {
        let text = "\
Reading package lists...
Building dependency tree...
The following packages will be REMOVED:
  old
Inst zip [3.0-13] (3.0-13+deb12u1 Debian-Security:12/oldstable-security [amd64])
Inst linux-image-6.1.0-40-amd64 (6.1.153-1 Debian-Security:12/oldstable-security [amd64])
Inst libssl3 [3.0.19-1] (3.0.22-1 Debian-Security:12/oldstable-security [amd64]) [openssl:amd64 ]
Remv old [1.0]
Conf zip (3.0-13+deb12u1 Debian-Security:12/oldstable-security [amd64])
";
        let Some(Simulated::Would { installs, removes }) = parse(&reply(0, text, "")) else {
            unreachable!("it succeeded");
        };
        let seen: Vec<(&str, Option<&str>, &str)> = installs
            .iter()
            .map(|inst| (&*inst.name, inst.from.as_deref(), &*inst.to))
            .collect();
        assert_eq!(
            seen,
            [
                ("zip", Some("3.0-13"), "3.0-13+deb12u1"),
                ("linux-image-6.1.0-40-amd64", None, "6.1.153-1"),
                ("libssl3", Some("3.0.19-1"), "3.0.22-1"),
            ]
        );
        assert_eq!(removes, ["old"]);
        assert_eq!(parse(&reply(0, "Inst -x (1)\n", "")), None);
    }

    #[test]
    fn what_stands_in_the_way_is_told() {
        let unmet = "\
Some packages could not be installed. This may mean that you have
requested an impossible situation or if you are using the unstable
The following information may help to resolve the situation:

The following packages have unmet dependencies:
 clawd-lab-blocked : Depends: clawd-lab-missing but it is not installable
                     Breaks: other (< 2) but 1 is installed
";
        let cannot = parse(&reply(
            100,
            unmet,
            "E: Unable to correct problems, you have held broken packages.\n",
        ));
        let expected = "clawd-lab-blocked : Depends: clawd-lab-missing but it is not installable; \
                        Breaks: other (< 2) but 1 is installed";
        assert_eq!(cannot, Some(Simulated::Cannot(expected.to_owned())));
        let cannot = parse(&reply(
            100,
            "Reading package lists...\n",
            "E: Version '9.9' for 'zip' was not found\n",
        ));
        assert_eq!(
            cannot,
            Some(Simulated::Cannot(
                "Version '9.9' for 'zip' was not found".to_owned()
            ))
        );
    }
}
