//! Which packages are installed, by dpkg's own record.

use std::collections::BTreeMap;

use clawd_model::{ErrorKind, StepError};

use super::{is_name, is_version};
use crate::host::{Host, script};

/// The native architecture, then a line per package. 3: there is no dpkg.
const LIST: &str = r#"command -v dpkg-query >/dev/null || exit 3
dpkg --print-architecture && dpkg-query -W -f '${db:Status-Abbrev}|${Package}|${Architecture}|${Version}\n'"#;
/// A few tens of thousands of packages.
const LIST_MAX: usize = 4 << 20;

/// One installed package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Installed {
    /// Its version.
    pub(crate) version: String,
    /// Whether an administrator holds it.
    pub(crate) held: bool,
    /// Whether it is fully installed: unpacked and configured.
    pub(crate) whole: bool,
}

/// All packages that are installed at least in part, by name (with `:arch` when foreign).
pub(crate) type Packages = BTreeMap<String, Installed>;

/// Asks a host.
pub(crate) async fn installed(host: &Host) -> Result<Packages, StepError> {
    let reply = host.ask(&script(LIST, &[]), LIST_MAX).await?;
    match reply.exit {
        crate::transport::Exit::Code(0) => {
            parse(&reply.text()).ok_or_else(|| host.garbled("the list of installed packages"))
        }
        crate::transport::Exit::Code(3) => Err(no_apt(host)),
        _ => Err(host.failed(&reply.complaint())),
    }
}

/// The host has another package manager.
pub(crate) fn no_apt(host: &Host) -> StepError {
    StepError::new(
        ErrorKind::InvalidInput,
        format!("{}: the host has no apt", host.place),
    )
    .with_hint("the pkg operations need Debian, Ubuntu or a system derived from them")
}

/// Reads the list.
pub(super) fn parse(text: &str) -> Option<Packages> {
    let mut lines = text.lines();
    let native = lines.next()?.trim();
    let mut packages = Packages::new();
    for line in lines {
        let mut fields = line.split('|');
        let (status, name, arch, version) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let mut marks = status.chars();
        let (wanted, present) = (marks.next()?, marks.next()?);
        // Not installed, or only configuration files are left.
        if matches!(present, 'n' | 'c') {
            continue;
        }
        let name = if arch == native || arch == "all" {
            name.to_owned()
        } else {
            format!("{name}:{arch}")
        };
        if !is_name(&name) || !is_version(version) {
            return None;
        }
        let package = Installed {
            version: version.to_owned(),
            held: wanted == 'h',
            whole: present == 'i' && marks.next().is_none_or(|error| error == ' '),
        };
        packages.insert(name, package);
    }
    Some(packages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_read() {
        let packages = parse(
            "amd64\nii |libc6|amd64|2.36-9+deb12u10\nii |libc6|i386|2.36-9\nhi |base-files|amd64|12.4\n\
             rc |old|all|1.0\nun |never|all|\niF |broken|all|1:2.0\n",
        )
        .unwrap();
        let names: Vec<&str> = packages.keys().map(String::as_str).collect();
        assert_eq!(names, ["base-files", "broken", "libc6", "libc6:i386"]);
        assert!(packages["base-files"].held && packages["base-files"].whole);
        assert!(!packages["broken"].whole && !packages["libc6"].held);
        for bad in [
            "",
            "amd64\nii |x",
            "amd64\nii |-oX|amd64|1",
            "amd64\nii |ab|amd64|1;2",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
