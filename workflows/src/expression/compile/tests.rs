//! What is an expression, and what is said of what is none.

use super::*;

fn faults(source: &str) -> Vec<(&'static str, String, String)> {
    match compile(source) {
        Ok(_) => Vec::new(),
        Err(faults) => faults
            .into_iter()
            .map(|fault| {
                let marked = source.get(fault.range.clone()).unwrap_or("?").to_owned();
                (fault.code.id, fault.message, marked)
            })
            .collect(),
    }
}

#[test]
fn usual_expressions_compile() {
    for source in [
        "inputs.x",
        "inputs['x']",
        "steps.a.b[0].c == 'x' || !has(steps.a.d)",
        "jobs.plan.set.packages.exists(p, p.name == 'linux' && p.security)",
        "size(jobs.plan.set.packages) > 0 ? 'some' : 'none'",
        "inputs.names.map(name, name + '!').join(', ')",
        "server.labels.role in ['web', 'api']",
        "'gpu' in server.labels",
        "type(inputs.x) == string",
        "inputs.list.all(inputs, inputs.x == 1)",
        "secrets.TOKEN",
        "true",
        "[1, 2.5, 'x', null]",
        "'${{' + '}}'",
    ] {
        assert_eq!(faults(source), [], "{source}");
    }
}

#[test]
fn what_is_wrong_is_said_in_words_and_marked() {
    for (source, code, message, marked) in [
        ("", "RB051", "the expression is empty", ""),
        ("inputs.x ==", "RB051", "the expression ends too early", ""),
        (
            "inputs.x and inputs.y",
            "RB051",
            "`and` is not expected here",
            "and",
        ),
        ("inputs.x = 1", "RB051", "`= ` is not part of an expression", "= "),
        ("'x", "RB051", "`'x` is not part of an expression", "'x"),
        ("if", "RB051", "reserved identifier: if", "i"),
        ("{'a': 1}.a", "RB051", "an expression cannot make a mapping", "{"),
        ("Thing{a: 1}", "RB051", "an expression cannot make a `Thing`", "{"),
        ("imputs.x", "RB053", "there is no variable `imputs`", "imputs"),
        ("steps", "RB053", "`steps` is not a value", "steps"),
        ("has(steps.apply)", "RB053", "`steps` is not a value", "steps"),
        ("jobs.plan", "RB053", "`jobs.plan` is not a value", "jobs.plan"),
        ("secrets", "RB053", "`secrets` is not a value", "secrets"),
        ("steps['a'].b", "RB053", "`steps` is not a value", "steps"),
        (
            "upper(inputs.x)",
            "RB060",
            "there is no function `upper`",
            "upper",
        ),
        (
            "inputs.x.matches('a')",
            "RB060",
            "there is no function `matches`",
            "matches",
        ),
        ("optional.of(1)", "RB060", "there is no function `of`", "of"),
        (
            "secrets.A + 'x'",
            "RB059",
            "the secret `secrets.A` can only be passed on as it is",
            "secrets.A",
        ),
    ] {
        let found = faults(source);
        let expected = (code, message.to_owned(), marked.to_owned());
        assert!(found.contains(&expected), "{source}: {found:?}");
    }
}

#[test]
fn bombs_are_refused_before_they_are_parsed() {
    let deep = format!("{}1{}", "(".repeat(500), ")".repeat(500));
    let sum = "1+".repeat(100) + "1";
    let loops = "inputs.l.all(a, inputs.l.all(b, inputs.l.all(c, a == b)))";
    for source in [
        deep.as_str(),
        sum.as_str(),
        loops,
        &"!".repeat(1000),
        &"x".repeat(3000),
    ] {
        let found = faults(source);
        assert!(
            found.iter().any(|(code, ..)| *code == "RB052"),
            "{source:.40}: {found:?}"
        );
    }
}

#[test]
fn each_variable_is_noted_once() {
    let expression = compile("steps.a.x > 1 && steps.a.x < 9 && has(steps.a.y) && inputs.z").unwrap();
    let keys: Vec<&str> = expression
        .references()
        .iter()
        .map(|reference| reference.key.as_str())
        .collect();
    assert_eq!(keys, ["steps.a.x", "steps.a", "inputs.z"]);
}
