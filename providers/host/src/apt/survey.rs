//! Which updates a host has, by the indices that it has now.

use clawd_model::StepError;

use super::installed::{self, Packages};
use super::policy::{self, SecuritySources, Update};
use crate::host::{Host, script};
use crate::transport::Exit;

/// Three parts, divided by a line that none of them contains. 3: there is no apt.
const ASK: &str = r#"command -v apt-cache >/dev/null && command -v dpkg-query >/dev/null || exit 3
dpkg --print-architecture && dpkg-query -W -f '${db:Status-Abbrev}|${Package}|${Architecture}|${Version}\n' &&
echo '== sources' && apt-cache policy && echo '== updates' &&
dpkg-query -W -f '${db:Status-Abbrev}|${Package}:${Architecture}\n' |
    sed -n 's/^.[^nc].|//p' | sed 's/:all$//' | xargs apt-cache policy"#;
/// Some 250 bytes for every package.
const ANSWER_MAX: usize = 32 << 20;

/// Which updates a host has.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// What is installed.
    pub(crate) packages: Packages,
    /// What is newer, by name.
    pub(crate) updates: Vec<Update>,
}

/// Asks a host; `None` when it has no apt.
pub(crate) async fn survey(host: &Host) -> Result<Option<Survey>, StepError> {
    let mut request = script(ASK, &[]);
    // Whoever signed in may read all of it.
    request.root = false;
    let reply = host.ask(&request, ANSWER_MAX).await?;
    match reply.exit {
        Exit::Code(0) => parse(&reply.text())
            .map(Some)
            .ok_or_else(|| host.garbled("the list of updates")),
        Exit::Code(3) => Ok(None),
        _ => Err(super::complaint(
            &host.place,
            &String::from_utf8_lossy(&reply.stderr),
        )),
    }
}

fn parse(text: &str) -> Option<Survey> {
    let (list, rest) = text.split_once("== sources\n")?;
    let (sources, table) = rest.split_once("== updates\n")?;
    let mut updates = policy::updates(table, &SecuritySources::parse(sources))?;
    updates.sort_by(|a, b| a.name.cmp(&b.name));
    updates.dedup_by(|a, b| a.name == b.name);
    Some(Survey {
        packages: installed::parse(list)?,
        updates,
    })
}
