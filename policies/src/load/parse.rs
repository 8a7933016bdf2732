//! One `.cedar` file becomes policies, each with its place and its annotations.

use std::ops::Range;

use cedar_policy::pst::{Effect, Template};
use cedar_policy::{Policy, PolicySet};
use clawd_model::{DurationMs, Problem};
use miette::Diagnostic;

use super::limits::{self, Excess};
use super::problem::{Code, Source, error, nearest};
use super::votes::{self, Misuse, VOTES_MAX, VoteUse};
use crate::facts::Facts;
use crate::scope::Scope;

/// The prefix of the ids of built-in rules.
pub(crate) const BUILTIN_PREFIX: &str = "builtin.";
const ANNOTATIONS: [&str; 4] = ["id", "reason", "approval_ttl", "notify"];

/// A policy of a file.
pub(crate) struct Parsed {
    pub(crate) policy: Policy,
    pub(crate) place: Range<usize>,
    pub(crate) effect: Effect,
    pub(crate) id: String,
    pub(crate) reason: Option<String>,
    pub(crate) approval_ttl: Option<DurationMs>,
    pub(crate) notify: Vec<String>,
    pub(crate) votes: VoteUse,
    pub(crate) facts: Facts,
    pub(crate) scope: Scope,
    pub(crate) deep: bool,
}

/// A file with its problems so far.
pub(crate) struct FileReader<'a> {
    pub(crate) source: &'a Source<'a>,
    /// Whether the file is ours: only our rules have ids that begin with `builtin.`.
    pub(crate) builtin: bool,
    pub(crate) problems: &'a mut Vec<Problem>,
}

impl FileReader<'_> {
    fn problem(&mut self, code: Code, message: String, place: &Range<usize>, hint: Option<String>) {
        let draft = error(code, message).at(self.source, place.clone());
        self.problems.push(draft.maybe_hint(hint).into());
    }

    /// All policies of the file. What cannot be read is a problem, and left out.
    pub(crate) fn read(&mut self) -> Vec<Parsed> {
        if let Some(excess) = limits::excess(self.source.text) {
            self.excess(&excess);
            return Vec::new();
        }
        let set: PolicySet = match self.source.text.parse() {
            Ok(set) => set,
            Err(errors) => {
                let errors: cedar_policy::ParseErrors = errors;
                for problem in errors.iter() {
                    let place = place_of(problem).unwrap_or(0..0);
                    let hint = problem.help().map(|help| help.to_string());
                    self.problem(Code::Syntax, problem.to_string(), &place, hint);
                }
                return Vec::new();
            }
        };
        for template in set.templates() {
            let place = self.find(&template.to_cedar(), 0);
            let message = "templates are not used in bundles".to_owned();
            let hint = "write one policy per principal or resource, or use a group".to_owned();
            self.problem(Code::Template, message, &place, Some(hint));
        }
        let mut policies: Vec<&Policy> = set.policies().collect();
        // Cedar calls them `policy0`, `policy1`, … in the order of the file.
        policies.sort_by_key(|policy| {
            let digits = AsRef::<str>::as_ref(policy.id())
                .trim_start_matches("policy")
                .to_owned();
            digits.parse::<usize>().unwrap_or(usize::MAX)
        });
        let mut from = 0;
        let mut parsed = Vec::with_capacity(policies.len());
        for policy in policies {
            let place = self.find(&policy.to_cedar().unwrap_or_default(), from);
            from = place.end;
            match policy.to_pst() {
                Ok(tree) => parsed.push(self.policy(policy, tree.body(), place)),
                Err(problem) => self.problem(Code::Syntax, problem.to_string(), &place, None),
            }
        }
        parsed
    }

    fn excess(&mut self, excess: &Excess) {
        let (place, message) = match excess {
            Excess::Nesting(place) => (place, format!("more than {} levels deep", limits::NESTING_MAX)),
            Excess::Operators(place) => (
                place,
                format!("more than {} conditions in one policy", limits::OPERATORS_MAX),
            ),
        };
        let hint = "use several policies, or a list: `[\"a\", \"b\"].contains(…)`".to_owned();
        self.problem(Code::Excess, message, place, Some(hint));
    }

    /// Where a text that was read from the file stands in it.
    fn find(&self, text: &str, from: usize) -> Range<usize> {
        let rest = self.source.get(from..self.source.text.len());
        let start = rest.find(text).map_or(from, |at| from + at);
        start..(start + text.len()).min(self.source.text.len())
    }

    fn policy(&mut self, policy: &Policy, tree: &Template, place: Range<usize>) -> Parsed {
        let head = place.start..self.line_end(place.start);
        let (votes, misuses) = votes::read(tree);
        for misuse in misuses {
            self.misuse(&misuse, &place);
        }
        let mut parsed = Parsed {
            policy: policy.clone(),
            effect: tree.effect,
            id: String::new(),
            reason: None,
            approval_ttl: None,
            notify: Vec::new(),
            votes,
            facts: Facts::of(tree),
            scope: Scope::of(tree),
            deep: limits::is_deep(tree),
            place,
        };
        let mut annotations: Vec<(&str, &str)> = policy.annotations().collect();
        annotations.sort_unstable();
        for (key, value) in annotations {
            self.annotation(&mut parsed, key, value);
        }
        if policy.annotation("id").is_none() {
            let hint = "put `@id(\"a-name\")` before the policy".to_owned();
            self.problem(Code::NoId, "policy without `@id`".to_owned(), &head, Some(hint));
        }
        parsed
    }

    fn annotation(&mut self, parsed: &mut Parsed, key: &str, value: &str) {
        let place = self.annotation_place(&parsed.place, key);
        let bad = |rule: &str| {
            (
                format!("`@{key}(\"{value}\")` cannot be used"),
                Some(rule.to_owned()),
            )
        };
        match key {
            "id" if is_slug(value) && value.starts_with(BUILTIN_PREFIX) == self.builtin => {
                value.clone_into(&mut parsed.id)
            }
            "id" => {
                let (message, hint) = bad("1 to 63 of a-z 0-9 - _ . that do not begin with `builtin.`");
                self.problem(Code::Annotation, message, &place, hint);
            }
            "reason" if !value.trim().is_empty() && value.chars().count() <= 300 => {
                parsed.reason = Some(value.to_owned());
            }
            "reason" => {
                let (message, hint) = bad("a sentence for people, at most 300 characters");
                self.problem(Code::Annotation, message, &place, hint);
            }
            "approval_ttl" => match DurationMs::parse(value).filter(|ttl| ttl.0 > 0) {
                Some(ttl) if parsed.votes.asks => parsed.approval_ttl = Some(ttl),
                Some(_) => {
                    let (message, hint) = bad("this policy asks for no votes that could expire");
                    self.problem(Code::Annotation, message, &place, hint);
                }
                None => {
                    let (message, hint) = bad("a length of time, such as `4h` or `30m`");
                    self.problem(Code::Annotation, message, &place, hint);
                }
            },
            "notify" => {
                let channels: Vec<String> = value.split(',').map(|name| name.trim().to_owned()).collect();
                if channels.iter().all(|name| is_slug(name)) {
                    parsed.notify = channels;
                } else {
                    let (message, hint) = bad("names of channels, separated by commas");
                    self.problem(Code::Annotation, message, &place, hint);
                }
            }
            _ => {
                let meant = nearest(key, ANNOTATIONS).map(|name| format!("did you mean `@{name}`?"));
                let hint =
                    meant.unwrap_or_else(|| "known are `@id @reason @approval_ttl @notify`".to_owned());
                self.problem(
                    Code::UnknownAnnotation,
                    format!("unknown annotation `@{key}`"),
                    &place,
                    Some(hint),
                );
            }
        }
    }

    fn misuse(&mut self, misuse: &Misuse, policy: &Range<usize>) {
        let text = self.source.get(policy.clone());
        let (code, needle, message, hint) = match misuse {
            Misuse::NotCounted => (
                Code::NotCounted,
                "approvals".to_owned(),
                "votes can only be counted".to_owned(),
                "compare one count with a number: `context.approvals.sre >= 2`",
            ),
            Misuse::Hurts(count) => (
                Code::VotesHurt,
                format!("approvals.{count}"),
                format!("another vote of `{count}` would stand in the way"),
                "ask for votes as `forbid (…) unless { context.approvals.sre >= 2 };`",
            ),
            Misuse::OutOfRange(count, number) => (
                Code::VotesRange,
                format!("approvals.{count}"),
                format!("`{count}` cannot be asked for {number} votes"),
                "ask for 1 to 1000 votes",
            ),
            Misuse::WholeContext => (
                Code::WholeContext,
                "context".to_owned(),
                "`context` can only be read attribute by attribute".to_owned(),
                "name the attribute: `context.run`",
            ),
        };
        debug_assert_eq!(VOTES_MAX, 1000, "the hint names it");
        let at = text.find(&needle).unwrap_or(0);
        let place = policy.start + at..policy.start + at + needle.len();
        self.problem(code, message, &place, Some(hint.to_owned()));
    }

    fn annotation_place(&self, policy: &Range<usize>, key: &str) -> Range<usize> {
        let needle = format!("@{key}");
        let text = self.source.get(policy.clone());
        let start = policy.start + text.find(&needle).unwrap_or(0);
        start..self.line_end(start)
    }

    fn line_end(&self, from: usize) -> usize {
        let rest = self.source.get(from..self.source.text.len());
        from + rest.find('\n').unwrap_or(rest.len())
    }
}

/// The first place that a diagnostic points at.
pub(crate) fn place_of(diagnostic: &dyn Diagnostic) -> Option<Range<usize>> {
    let label = diagnostic.labels()?.next()?;
    Some(label.offset()..label.offset() + label.len())
}

fn is_slug(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.'))
}
