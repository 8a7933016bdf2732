//! Evaluation: values, what is not known yet, what is not there, and limits.

use super::*;
use crate::template::{Part, Segment, split};
use proptest::prelude::{Strategy as Generator, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A run with one input object, two steps that ran, one that was skipped, one that is still to come.
struct Lane {
    inputs: Value,
    steps: BTreeMap<&'static str, Lookup>,
}

impl Scope for Lane {
    fn inputs(&self) -> Lookup {
        Lookup::Value(self.inputs.clone())
    }

    fn step(&self, step: &str) -> Lookup {
        self.steps.get(step).cloned().unwrap_or(Lookup::Missing)
    }

    fn job_step(&self, job: &str, step: &str) -> Lookup {
        if job == "plan" {
            self.step(step)
        } else {
            Lookup::Missing
        }
    }

    fn server(&self) -> Lookup {
        Lookup::Value(json!({"name": "web-1", "env": "prod", "labels": {"role": "web", "gpu-kind": "none"}}))
    }

    fn run(&self) -> Lookup {
        Lookup::Value(json!({"id": "run_1", "requester": "ana"}))
    }
}

fn lane() -> Lane {
    Lane {
        inputs: json!({"reboot": "if-needed", "port": 22, "big": u64::MAX, "ratio": 0.5, "names": ["a", "b"], "none": null}),
        steps: BTreeMap::from([
            (
                "apply",
                Lookup::Value(
                    json!({"reboot_required": true, "before": [{"name": "x", "version": "1"}], "n": 3}),
                ),
            ),
            ("skipped", Lookup::Value(Value::Null)),
            ("later", Lookup::Unknown("steps.later".to_owned())),
        ]),
    }
}

fn evaluate(source: &str) -> Result<Evaluated, ExpressionError> {
    compile(source)
        .unwrap_or_else(|faults| panic!("{source}: {faults:?}"))
        .evaluate(&lane())
}

fn value(source: &str) -> Value {
    match evaluate(source) {
        Ok(Evaluated::Value(value)) => value,
        other => panic!("{source}: {other:?}"),
    }
}

#[test]
fn values_keep_their_types() {
    for (source, expected) in [
        ("inputs.port", json!(22)),
        ("inputs.port + 1", json!(23)),
        ("inputs.big", json!(u64::MAX)),
        ("inputs.ratio * 2.0", json!(1.0)),
        ("inputs.none", json!(null)),
        ("inputs.names", json!(["a", "b"])),
        ("inputs['reboot']", json!("if-needed")),
        ("steps.apply.before[0].name", json!("x")),
        ("steps.apply.before.map(p, p.version)", json!(["1"])),
        (
            "steps.apply.before.filter(p, p.name == 'x')",
            json!([{"name": "x", "version": "1"}]),
        ),
        (
            "steps.apply.reboot_required && inputs.reboot == 'if-needed'",
            json!(true),
        ),
        ("jobs.plan.apply.n * 2", json!(6)),
        ("inputs.names.join(', ')", json!("a, b")),
        ("size(inputs.names) + inputs.names.size()", json!(4)),
        ("server.labels['gpu-kind']", json!("none")),
        ("server.labels.role in ['web']", json!(true)),
        ("'role' in server.labels && !('x' in server.labels)", json!(true)),
        ("server.labels == server.labels", json!(true)),
        ("server.labels.map(k, k)", json!(["gpu-kind", "role"])),
        ("run.requester + '@' + server.name", json!("ana@web-1")),
        ("inputs.names.exists(inputs, inputs == 'b')", json!(true)),
        ("inputs.port == 22.0", json!(true)),
        ("string(inputs.port) + 'x'", json!("22x")),
        ("type(inputs.port) == int", json!(true)),
    ] {
        assert_eq!(value(source), expected, "{source}");
    }
}

#[test]
fn what_is_not_known_yet_is_named_unless_it_does_not_matter() {
    let depends = |source: &str| evaluate(source).unwrap() == Evaluated::DependsOn("steps.later".to_owned());
    for source in [
        "steps.later.x",
        "steps.later.x == 1",
        "has(steps.later.x)",
        "steps.later.x || inputs.port == 1",
        "inputs.names.all(n, steps.later.x == n)",
        "inputs.port == 22 ? steps.later.x : 1",
        "steps.skipped.x && steps.later.x",
    ] {
        assert!(depends(source), "{source}: {:?}", evaluate(source));
    }
    for (source, expected) in [
        ("inputs.reboot == 'never' && steps.later.x", json!(false)),
        ("steps.later.x && inputs.reboot == 'never'", json!(false)),
        ("steps.later.x || inputs.port == 22", json!(true)),
        ("inputs.port == 22 ? 1 : steps.later.x", json!(1)),
    ] {
        assert_eq!(value(source), expected, "{source}");
    }
}

#[test]
fn a_step_that_did_not_run_has_no_outputs_and_can_be_asked_for() {
    assert_eq!(value("has(steps.skipped.x)"), json!(false));
    assert_eq!(
        value("has(steps.apply.n) && has(steps.apply.before)"),
        json!(true)
    );
    assert_eq!(value("has(steps.apply.nothing)"), json!(false));
    assert_eq!(value("steps.skipped.x == null"), json!(true));
    assert_eq!(
        value("has(steps.skipped.x) ? steps.skipped.x : 'none'"),
        json!("none")
    );
    for source in ["steps.skipped.x", "steps.skipped.x && true"] {
        assert_eq!(
            evaluate(source),
            Err(ExpressionError::NoOutputs("steps.skipped.x".to_owned())),
            "{source}"
        );
    }
    for source in [
        "steps.apply.nothing",
        "steps.apply.nothing == 1",
        "steps.nobody.x",
        "jobs.other.s.x",
    ] {
        let key = source.split(' ').next().unwrap().to_owned();
        assert_eq!(evaluate(source), Err(ExpressionError::Missing(key)), "{source}");
    }
}

#[test]
fn failures_say_why_in_a_line() {
    for (source, why) in [
        ("1 / (inputs.port - 22)", "division by zero"),
        ("inputs.names[9]", "the index is out of bounds"),
        ("inputs.port + 'x'", "`add` does not work on such values"),
        ("inputs.names.join(1)", "`join` does not work on list and int"),
        ("inputs.reboot && true", "`&&` does not work on string and bool"),
        ("server.labels['nope']", "there is no `nope`"),
        ("9223372036854775807 + inputs.port", "the number is too large"),
        (
            "b'abc'",
            "a value of type `bytes` cannot be used outside of expressions",
        ),
        (
            "type(inputs.port)",
            "a value of type `type` cannot be used outside of expressions",
        ),
        (
            "1.0 / 0.0",
            "a value of type `double` cannot be used outside of expressions",
        ),
    ] {
        let expected = ExpressionError::Failed {
            expression: source.to_owned(),
            why: why.to_owned(),
        };
        assert_eq!(evaluate(source), Err(expected), "{source}");
    }
}

#[test]
fn conditions_are_true_or_false() {
    let holds = |source: &str| compile(source).unwrap().holds(&lane());
    assert_eq!(holds("inputs.port == 22"), Ok(Truth::True));
    assert_eq!(holds("steps.apply.reboot_required"), Ok(Truth::True));
    assert_eq!(holds("inputs.port == 1"), Ok(Truth::False));
    assert_eq!(
        holds("steps.later.x"),
        Ok(Truth::DependsOn("steps.later".to_owned()))
    );
    let error = holds("inputs.reboot").unwrap_err();
    assert_eq!(error.to_string(), "`inputs.reboot` is a text, not true or false");
}

#[test]
fn work_is_limited() {
    let names: Vec<String> = (0..3000).map(|number| format!("name-{number}")).collect();
    let lane = Lane {
        inputs: json!({"l": names, "s": "x".repeat(100_000)}),
        ..lane()
    };
    let too_large = |source: &str| {
        let evaluated = compile(source).unwrap().evaluate(&lane);
        assert!(
            matches!(evaluated, Err(ExpressionError::TooLarge(_))),
            "{source}: {evaluated:?}"
        );
    };
    too_large("inputs.l.all(a, !inputs.l.exists(b, b == a + 'x'))");
    too_large("inputs.l.map(a, inputs.s + a)");
    too_large("inputs.l.map(a, inputs.l)");
    let joined = compile("inputs.l.join(inputs.s)").unwrap().evaluate(&lane);
    assert!(
        matches!(joined, Err(ExpressionError::Failed { .. })),
        "{joined:?}"
    );
}

#[test]
fn deep_data_and_wide_expressions_do_not_exhaust_the_stack() {
    let mut deep = json!(1);
    for _ in 0..120 {
        deep = json!({"d": [deep]});
    }
    let lane = Lane {
        inputs: json!({"deep": deep}),
        ..lane()
    };
    let expression = compile("inputs.deep == inputs.deep && size(inputs.deep) == 1").unwrap();
    assert_eq!(expression.holds(&lane), Ok(Truth::True));
    let wide = format!("1{} == 47", " + 1".repeat(46));
    assert_eq!(value(&wide), json!(true));
}

#[test]
fn a_host_cannot_ask_for_a_secret() {
    let hostile = json!({"x": [{"$secret": "ROOT"}], "y": "${{ secrets.ROOT }}", "z": {"$concat": []}});
    let lane = Lane {
        steps: BTreeMap::from([("apply", Lookup::Value(hostile))]),
        ..lane()
    };
    for source in [
        "steps.apply.x",
        "steps.apply.x.map(i, i)",
        "steps.apply",
        "steps.apply.z",
        "[steps.apply.z][0]",
    ] {
        let error = compile(source).unwrap().evaluate(&lane).unwrap_err();
        assert!(
            matches!(error, ExpressionError::Reserved { .. }),
            "{source}: {error}"
        );
    }
    let text = compile("steps.apply.y").unwrap().evaluate(&lane).unwrap();
    assert_eq!(text, Evaluated::Value(json!("${{ secrets.ROOT }}")));
}

fn template(text: &str) -> Template {
    let pieces = split(text).unwrap();
    if let [only] = pieces.as_slice()
        && only.is_expression
    {
        return Template::new(Part::Whole(compile(only.text).unwrap()));
    }
    let segments = pieces.iter().map(|piece| {
        if piece.is_expression {
            Segment::Expression(compile(piece.text).unwrap())
        } else {
            Segment::Text(piece.text.to_owned())
        }
    });
    Template::new(Part::Text(segments.collect()))
}

#[test]
fn templates_join_texts_and_keep_whole_values() {
    let render = |text: &str| template(text).render(&lane());
    let value = |value: Value| Ok(Evaluated::Value(value));
    assert_eq!(render("${{ inputs.port }}"), value(json!(22)));
    assert_eq!(
        render("port ${{ inputs.port }} of ${{server.name}}!"),
        value(json!("port 22 of web-1!"))
    );
    assert_eq!(render("${{ '${{' }} is literal"), value(json!("${{ is literal")));
    assert_eq!(render("${{ secrets.A }}"), value(json!({"$secret": "A"})));
    assert_eq!(
        render("a${{ inputs.port }}${{ secrets.A }}b${{ secrets.B }}"),
        value(json!({"$concat": ["a22", {"$secret": "A"}, "b", {"$secret": "B"}]}))
    );
    assert_eq!(
        render("x${{ steps.later.x }}"),
        Ok(Evaluated::DependsOn("steps.later".to_owned()))
    );
    let error = render("x${{ inputs.names }}").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`inputs.names` is a list, and cannot stand inside of a text"
    );
}

#[test]
fn expressions_are_shared_between_threads() {
    fn shared<T: Send + Sync + Clone + 'static>() {}
    shared::<Expression>();
    shared::<Template>();
    shared::<crate::Workflow>();
}

/// Expressions that are well formed, mostly; whatever they mean.
fn any_expression() -> impl Generator<Value = String> {
    let leaf = prop::sample::select(vec![
        "inputs.port",
        "inputs.reboot",
        "inputs.names",
        "inputs.big",
        "inputs.ratio",
        "inputs.none",
        "inputs['reboot']",
        "steps.apply.before",
        "steps.apply.reboot_required",
        "steps.skipped.x",
        "steps.later.x",
        "steps.nobody.x",
        "jobs.plan.apply.n",
        "server.labels",
        "server.name",
        "run",
        "x",
        "y",
        "1",
        "0",
        "-1",
        "2u",
        "1.5",
        "'a'",
        "''",
        "true",
        "false",
        "null",
        "[]",
        "int",
        "9223372036854775807",
        "-9223372036854775808",
        "'é🦀'",
        "1e308",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(5, 40, 3, |inner| {
        let binary = prop::sample::select(vec![
            "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "in",
        ]);
        let call = prop::sample::select(vec![
            "size", "int", "uint", "double", "string", "bool", "type", "dyn",
        ]);
        let member = prop::sample::select(vec!["contains", "startsWith", "endsWith", "join"]);
        let macros = prop::sample::select(vec!["all", "exists", "exists_one", "map", "filter"]);
        prop_oneof![
            (inner.clone(), binary, inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            (call, inner.clone()).prop_map(|(call, a)| format!("{call}({a})")),
            (inner.clone(), member, inner.clone()).prop_map(|(a, member, b)| format!("({a}).{member}({b})")),
            (inner.clone(), macros, inner.clone()).prop_map(|(a, name, b)| format!("({a}).{name}(x, {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})[{b}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}]")),
            inner.clone().prop_map(|a| format!("has(({a}).name)")),
            inner.prop_map(|a| format!("!({a})")),
        ]
    })
}

proptest! {
    /// The interpreter never gives up by a panic, and says the same each time.
    #[test]
    fn well_formed_expressions_have_a_value_or_a_reason(source in any_expression()) {
        // What is no expression was said to be none; it must not be because the parser gave up.
        let expression = match compile(&source) {
            Ok(expression) => expression,
            Err(faults) => {
                prop_assert!(faults.iter().all(|fault| !fault.message.ends_with("is not an expression")));
                return Ok(());
            }
        };
        let first = expression.evaluate(&lane());
        if let Err(error) = &first {
            prop_assert!(!error.to_string().contains("gave up"), "{}: {}", source, error);
            prop_assert!(error.to_string().len() < 600);
        }
        prop_assert_eq!(first, expression.evaluate(&lane()));
    }
}
