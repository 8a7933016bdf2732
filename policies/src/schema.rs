//! The Cedar schema of a vocabulary: entity types, one action per operation, the control actions.

use std::fmt::Write as _;

use crate::Vocabulary;
use crate::action::{self, ActionInfo};
use crate::names::{BREAK_GLASS, DISTINCT};

const HEAD: &str = "\
// Generated from the operations and groups of this installation: every name that a policy can use.
// Reads as: entity types with their attributes, then actions with what they apply to.

";

/// Written so that a typo is found: `Group` lists its members, `Approvals` has one count per group.
const ENTITIES: &str = r#"
// Who asks. `disabled` principals are always denied.
entity User in [Group] { tenant: String, name: String, disabled: Bool };
// The AI ops agent; `operator` is the name of the person who answers for it.
entity Agent in [Group] { tenant: String, name: String, disabled: Bool, operator?: String };
// An alert or a schedule.
entity Trigger in [Group] { tenant: String, name: String, disabled: Bool };
// A program with a token of its own.
entity Service in [Group] { tenant: String, name: String, disabled: Bool };

// What is acted on. Every one of them belongs to a tenant.
entity Tenant { tenant: String };
// A managed machine, by name: Server::"web-1". Labels are tags:
// resource.hasTag("role") && resource.getTag("role") == "web"
entity Server { tenant: String, name: String, env: String, provider: String, protected: Bool } tags String;
// The controller: operations that need no server.
entity Controller { tenant: String };
// Labels of a runbook are tags.
entity Runbook { tenant: String, name: String } tags String;
// `requester` is the name of the principal that started the run.
entity Run { tenant: String, requester: String, runbook: String };
// A request for votes. `operator` answers for the agent that started the run.
entity Approval { tenant: String, requester: String, operator?: String, runbook?: String };
"#;

const CONTEXT: &str = "
type Facts = {
  // The votes so far. Compare with a number: context.approvals.sre >= 2
  approvals: Approvals,
  // The run that the step belongs to, or that is being planned.
  run?: { runbook: Runbook, requester: String },
  // UTC.
  now: datetime,
};
";

/// The schema's text.
pub(crate) fn text(vocabulary: &Vocabulary) -> String {
    let mut out = String::from(HEAD);
    groups(vocabulary, &mut out);
    out.push_str(ENTITIES);
    out.push_str(CONTEXT);
    out.push_str("\n// Groups of actions: action in Action::\"operation.change\"\n");
    for (name, summary) in action::GROUPS {
        let _ = writeln!(out, "// {summary}\naction {};", quoted(name));
    }
    out.push_str("\n// Actions.\n");
    for action in action::all(vocabulary) {
        one_action(&action, &mut out);
    }
    out
}

fn groups(vocabulary: &Vocabulary, out: &mut String) {
    out.push_str("// Roles and approver groups.\n");
    if vocabulary.groups.is_empty() {
        out.push_str("entity Group;\n");
    } else {
        let names: Vec<String> = vocabulary
            .groups
            .iter()
            .map(|group| quoted(group.as_str()))
            .collect();
        let _ = writeln!(out, "entity Group enum [{}];", names.join(", "));
    }
    out.push_str("// Counts of valid votes: of different people, and of members of each group.\n");
    let _ = write!(out, "entity Approvals {{ {DISTINCT}: Long, {BREAK_GLASS}: Bool");
    for group in &vocabulary.groups {
        let _ = write!(out, ", {}: Long", quoted(group.as_str()));
    }
    out.push_str(" };\n");
}

fn one_action(action: &ActionInfo, out: &mut String) {
    let groups: Vec<String> = action.groups.iter().map(|group| quoted(group)).collect();
    let groups = if groups.is_empty() {
        String::new()
    } else {
        format!(" in [{}]", groups.join(", "))
    };
    let principals: Vec<&str> = action.principals.iter().map(|kind| kind.as_str()).collect();
    let resources: Vec<&str> = action.resources.iter().map(|kind| kind.as_str()).collect();
    // A summary is one line of a comment, whatever a provider wrote into it.
    let summary: String = action.summary.chars().filter(|c| !c.is_control()).collect();
    let _ = writeln!(
        out,
        "// {summary}\naction {}{groups} appliesTo {{ principal: [{}], resource: [{}], context: Facts }};",
        quoted(&action.name),
        principals.join(", "),
        resources.join(", "),
    );
}

/// A Cedar string. Names hold letters, digits and `-_.` only, hence nothing to escape.
fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}
