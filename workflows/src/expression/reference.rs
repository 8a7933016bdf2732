//! What an expression refers to, as names.

use crate::Template;

/// One variable that an expression names, with the fields that are selected on it.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    /// As it is written, without white space: `steps.apply.before`. The evaluation asks for it under this name.
    pub(crate) key: String,
    pub(crate) root: Root,
    /// The fields below the root: `["before"]`.
    pub(crate) path: Vec<String>,
    /// The byte of the expression at which it begins.
    pub(crate) offset: usize,
    /// Whether only the presence of a field of it is asked for: `has(steps.apply.before)` asks `steps.apply`.
    pub(crate) tested: bool,
    /// The field, when it is asked for in brackets: `inputs['reboot']`.
    pub(crate) index: Option<String>,
}

/// The variable itself.
#[derive(Clone, Debug)]
pub(crate) enum Root {
    Inputs,
    Step(String),
    JobStep {
        job: String,
        step: String,
    },
    /// An output that another job declares; the template is filled in once that job is known.
    JobOutput {
        job: String,
        output: String,
        template: Option<Template>,
    },
    Server,
    Run,
    Secret(String),
}

/// The names of the variables.
pub(crate) const ROOTS: [&str; 6] = ["inputs", "steps", "jobs", "server", "run", "secrets"];

/// Why names are no reference.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotAReference {
    Unknown(String),
    /// A variable that cannot be used as a whole: what to write.
    Incomplete(String, &'static str),
}

impl Reference {
    /// Reads a chain of names: `["steps", "apply", "before"]`.
    pub(crate) fn read(names: &[&str], offset: usize, tested: bool) -> Result<Self, NotAReference> {
        let incomplete = |hint| Err(NotAReference::Incomplete(names.join("."), hint));
        let (root, rest) = match names {
            ["inputs", rest @ ..] => (Root::Inputs, rest),
            ["server", rest @ ..] => (Root::Server, rest),
            ["run", rest @ ..] => (Root::Run, rest),
            ["steps", step, rest @ ..] => (Root::Step((*step).to_owned()), rest),
            ["steps"] => return incomplete("name a step and an output: `steps.<step>.<output>`"),
            ["jobs", job, "outputs", output, rest @ ..] => {
                let (job, output) = ((*job).to_owned(), (*output).to_owned());
                (
                    Root::JobOutput {
                        job,
                        output,
                        template: None,
                    },
                    rest,
                )
            }
            ["jobs", _, "outputs"] => return incomplete("name the output: `jobs.<job>.outputs.<output>`"),
            ["jobs", job, step, rest @ ..] => (
                Root::JobStep {
                    job: (*job).to_owned(),
                    step: (*step).to_owned(),
                },
                rest,
            ),
            ["jobs", ..] => return incomplete("name a step and an output: `jobs.<job>.<step>.<output>`"),
            ["secrets", name] => (Root::Secret((*name).to_owned()), [].as_slice()),
            ["secrets", ..] => return incomplete("name one secret: `secrets.<NAME>`"),
            [other, ..] => return Err(NotAReference::Unknown((*other).to_owned())),
            [] => return Err(NotAReference::Unknown(String::new())),
        };
        Ok(Self {
            key: names.join("."),
            root,
            path: rest.iter().map(|name| (*name).to_owned()).collect(),
            offset,
            tested,
            index: None,
        })
    }
}
