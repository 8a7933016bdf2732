//! Chooses which updates can be installed together without removing anything, and says of the others why not. New
//! packages are installed only where a security update needs them (a new kernel has a name of its own), and are frozen
//! with it. Apt itself is asked, by simulation.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use clawd_model::{ErrorKind, StepError};
use clawd_provider::contract::pkg_plan::{Class, Input, KeptBack, Output, Package};

use super::policy::Update;
use super::simulate::{Simulated, simulate};
use super::survey::Survey;
use crate::host::Host;

/// More simulations than this mean that something is wrong with the host's packages.
const TRIALS_MAX: usize = 300;

/// Chooses among a host's updates.
pub(crate) async fn select(host: &Host, survey: &Survey, input: &Input) -> Result<Output, StepError> {
    let (wanted, mut kept_back) = sort_out(survey, input);
    let mut trials = Trials {
        host,
        survey,
        exclude: &input.exclude,
        left: TRIALS_MAX,
        known: HashMap::new(),
    };
    let mut chosen = Vec::new();
    let mut groups = vec![wanted];
    while let Some(mut group) = groups.pop() {
        match trials.fit(&group).await? {
            Trial::Fits(pulls) => {
                chosen.append(&mut group);
                chosen.extend(pulls.into_iter().filter(is_new));
            }
            Trial::No(reason) if group.len() == 1 => {
                kept_back.extend(group.into_iter().map(|package| keep(package, &reason)));
            }
            Trial::No(_) => {
                let half = group.split_off(group.len() / 2);
                groups.push(group);
                groups.push(half);
            }
        }
    }
    let mut packages = together(&mut trials, chosen, &mut kept_back).await?;
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    // What another package brings along is not kept back after all.
    kept_back.retain(|kept| packages.iter().all(|package| package.name != kept.name));
    kept_back.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Output { packages, kept_back })
}

/// What is wanted and may be tried, and what is kept back before apt is asked.
fn sort_out(survey: &Survey, input: &Input) -> (Vec<Package>, Vec<KeptBack>) {
    let all = input.classes.contains(&Class::All);
    let (mut wanted, mut kept_back) = (Vec::new(), Vec::new());
    for update in survey.updates.iter().filter(|update| all || update.security) {
        let package = frozen(update);
        match obstacle(survey, &input.exclude, update) {
            Some(reason) => kept_back.push(keep(package, &reason)),
            None => wanted.push(package),
        }
    }
    (wanted, kept_back)
}

/// Why an update may not be installed, whatever apt says.
fn obstacle(survey: &Survey, exclude: &[String], update: &Update) -> Option<String> {
    if survey
        .packages
        .get(&update.name)
        .is_some_and(|package| package.held)
    {
        return Some("held on the host (`apt-mark hold`)".to_owned());
    }
    if let Some(pattern) = exclude.iter().find(|pattern| matches(pattern, &update.name)) {
        return Some(format!("excluded by `{pattern}`"));
    }
    let phased = update.phased.as_ref().filter(|_| !update.security);
    phased.map(|share| format!("phased: so far for {share} of all machines"))
}

fn frozen(update: &Update) -> Package {
    Package {
        name: update.name.clone(),
        from: Some(update.from.clone()),
        to: update.to.clone(),
        security: update.security,
    }
}

fn is_new(package: &Package) -> bool {
    package.from.is_none()
}

fn keep(package: Package, reason: &str) -> KeptBack {
    KeptBack {
        name: package.name,
        from: package.from.unwrap_or_default(),
        to: package.to,
        reason: reason.to_owned(),
    }
}

/// `*` matches any text.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    false
}

/// Whether a group can be installed.
#[derive(Clone)]
enum Trial {
    /// Yes, if these other upgrades and new packages come along.
    Fits(Vec<Package>),
    /// No.
    No(String),
}

struct Trials<'a> {
    host: &'a Host,
    survey: &'a Survey,
    exclude: &'a [String],
    left: usize,
    /// What was asked before: a simulation takes a second or more.
    known: HashMap<Vec<String>, Trial>,
}

impl Trials<'_> {
    async fn fit(&mut self, group: &[Package]) -> Result<Trial, StepError> {
        if group.is_empty() {
            return Ok(Trial::Fits(Vec::new()));
        }
        let mut names: Vec<String> = group.iter().map(|package| package.name.clone()).collect();
        names.sort_unstable();
        if let Some(trial) = self.known.get(&names) {
            return Ok(trial.clone());
        }
        self.left = self.left.checked_sub(1).ok_or_else(|| {
            let message = format!("{}: its updates cannot be untangled", self.host.place);
            StepError::new(ErrorKind::Failed, message)
                .with_hint("`apt-get -s dist-upgrade` on the host shows what is in the way")
        })?;
        let trial = match simulate(self.host, group).await? {
            Simulated::Cannot(reason) => Trial::No(reason),
            Simulated::Would { removes, .. } if !removes.is_empty() => {
                Trial::No(format!("would remove {}", few(&removes)))
            }
            Simulated::Would { installs, .. } => self.judge(group, &installs),
        };
        self.known.insert(names, trial.clone());
        Ok(trial)
    }

    fn judge(&self, group: &[Package], installs: &[super::simulate::Inst]) -> Trial {
        let names: BTreeSet<&str> = group.iter().map(|package| &*package.name).collect();
        let (mut pulls, mut new, mut done) = (Vec::new(), Vec::new(), BTreeSet::new());
        for inst in installs {
            if names.contains(&*inst.name) {
                done.insert(&*inst.name);
                continue;
            }
            if inst.from.is_none() {
                if let Some(pattern) = self.exclude.iter().find(|pattern| matches(pattern, &inst.name)) {
                    return Trial::No(format!("needs {}, which is excluded by `{pattern}`", inst.name));
                }
                new.push(Package {
                    name: inst.name.clone(),
                    from: None,
                    to: inst.to.clone(),
                    security: true,
                });
                continue;
            }
            let update = self
                .survey
                .updates
                .iter()
                .find(|update| update.name == inst.name && update.to == inst.to);
            match update.map(|update| (update, obstacle(self.survey, self.exclude, update))) {
                Some((update, None)) => pulls.push(frozen(update)),
                Some((_, Some(why))) => return Trial::No(format!("needs {}, which is {why}", inst.name)),
                None => return Trial::No(format!("would change {} to {}", inst.name, inst.to)),
            }
        }
        // Which of a group needs them cannot be told; alone, each of them can.
        if !new.is_empty() && !group.iter().all(|package| package.security) {
            let names: Vec<String> = new.into_iter().map(|package| package.name).collect();
            return Trial::No(format!("would install new packages: {}", few(&names)));
        }
        pulls.extend(new);
        match names.iter().find(|name| !done.contains(**name)) {
            Some(name) => Trial::No(format!("apt does not upgrade {name}")),
            None => Trial::Fits(pulls),
        }
    }
}

fn few(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(5).map(String::as_str).collect();
    let more = names.len().saturating_sub(5);
    let tail = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{tail}", shown.join(", "))
}

/// What fits alone may not fit together; what has to come along joins the frozen set.
async fn together(
    trials: &mut Trials<'_>,
    chosen: Vec<Package>,
    kept_back: &mut Vec<KeptBack>,
) -> Result<Vec<Package>, StepError> {
    if let Some(set) = with_pulls(trials, chosen.clone()).await?.0 {
        return Ok(set);
    }
    let mut set = Vec::new();
    for package in chosen {
        if set.iter().any(|there: &Package| there.name == package.name) {
            continue;
        }
        let mut more = set.clone();
        more.push(package.clone());
        match with_pulls(trials, more).await? {
            (Some(more), _) => set = more,
            (None, reason) => kept_back.push(keep(package, &reason)),
        }
    }
    Ok(set)
}

/// The set with all that it needs; or why not.
async fn with_pulls(
    trials: &mut Trials<'_>,
    set: Vec<Package>,
) -> Result<(Option<Vec<Package>>, String), StepError> {
    let mut all: BTreeMap<String, Package> = set
        .into_iter()
        .map(|package| (package.name.clone(), package))
        .collect();
    loop {
        let group: Vec<Package> = all.values().cloned().collect();
        match trials.fit(&group).await? {
            Trial::Fits(pulls) if pulls.is_empty() => return Ok((Some(group), String::new())),
            Trial::Fits(pulls) => {
                all.extend(pulls.into_iter().map(|package| (package.name.clone(), package)))
            }
            Trial::No(reason) => return Ok((None, reason)),
        }
    }
}

#[cfg(test)]
#[path = "select/tests.rs"]
mod tests;
