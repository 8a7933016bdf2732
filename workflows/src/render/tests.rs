//! Problems as people read them.

use super::*;

fn problem(span: Option<SourceSpan>) -> Problem {
    Problem {
        code: "RB010".to_owned(),
        severity: Severity::Error,
        message: "`stesp` is not a key of a job".to_owned(),
        file: Some("patch.yaml".to_owned()),
        span,
        hint: Some("did you mean `steps`?".to_owned()),
    }
}

fn at(start: usize, end: usize, line: usize, column: usize) -> Option<SourceSpan> {
    Some(SourceSpan {
        start,
        end,
        line,
        column,
    })
}

#[test]
fn the_place_is_marked_below_its_line() {
    let source = "jobs:\n  plan:\n    stesp: []\n";
    let expected = "\
error[RB010]: `stesp` is not a key of a job
 --> patch.yaml:3:5
  |
2 |   plan:
3 |     stesp: []
  |     ^^^^^
hint: did you mean `steps`?
";
    assert_eq!(render_problem(source, &problem(at(18, 23, 3, 5))), expected);
}

#[test]
fn colours_are_added_only_when_asked_for() {
    let source = "stesp: []\n";
    assert!(!render_problem(source, &problem(at(0, 5, 1, 1))).contains('\u{1b}'));
    assert!(
        render_problem_in_colour(source, &problem(at(0, 5, 1, 1))).contains("\u{1b}[1;31m^^^^^\u{1b}[0m")
    );
}

#[test]
fn a_document_cannot_write_to_the_terminal() {
    let mut hostile = problem(at(0, 4, 1, 1));
    hostile.message = "\u{1b}[2J\u{202e}x".to_owned();
    let text = render_problem("\u{1b}]0;x\u{7}: y\n", &hostile);
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
}

#[test]
fn places_outside_of_the_source_do_no_harm() {
    for span in [
        at(90, 99, 7, 80),
        at(0, 9999, 1, 1),
        at(5, 1, 0, 0),
        at(1, 2, 1, usize::MAX),
        None,
    ] {
        assert!(render_problem("äöü\n", &problem(span)).contains("RB010"));
    }
    let long = "x".repeat(5000);
    assert!(
        render_problem(&long, &problem(at(0, 5000, 1, 1)))
            .lines()
            .all(|line| line.chars().count() < 200)
    );
}
