//! What selectors select, and what is none.

use super::*;
use crate::testing::server;

#[test]
fn conditions_are_joined_by_and() {
    let web = server("web-1", "prod", &[("role", "web"), ("gpu", "yes")]);
    for (selector, expected) in [
        ("*", true),
        ("role=web", true),
        ("role==web", true),
        ("role=web,env=prod", true),
        (" role = web , env != staging ", true),
        ("role=web,env=staging", false),
        ("env!=prod", false),
        ("tier!=gold", true),
        ("name=web-1", true),
        ("provider=sim", true),
        ("role in (web, api)", true),
        ("role in (db)", false),
        ("role notin (db, cache),gpu", true),
        ("role not in (web)", false),
        ("tier notin (gold)", true),
        ("tier in (gold)", false),
        ("gpu", true),
        ("!gpu", false),
        ("!tier", true),
    ] {
        assert_eq!(
            Selector::parse(selector).unwrap().matches(&web),
            expected,
            "{selector}"
        );
    }
}

#[test]
fn what_is_no_selector_says_why() {
    for (text, message) in [
        ("", "the selector is empty"),
        ("role=web,", "the selector `role=web,` has an empty condition"),
        ("role=", "`` in the selector is not a value of a label"),
        ("=web", "`` in the selector is not a label"),
        ("role=we b", "`we b` in the selector is not a value of a label"),
        (
            "role in (web",
            "the list of values in `role in (web` is not complete",
        ),
        (
            "role in web)",
            "the list of values in `role in web)` is not complete",
        ),
        ("role in ()", "the list of values in `role in ()` is not complete"),
        (
            "role within (a)",
            "the list of values in `role within (a)` is not complete",
        ),
        ("rôle=web", "`rôle` in the selector is not a label"),
        (
            "role=web; rm -rf",
            "`web; rm -rf` in the selector is not a value of a label",
        ),
    ] {
        let error = Selector::parse(text).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert!(error.hint().is_some());
    }
}

#[test]
fn the_text_of_a_selector_is_that_selector() {
    for text in ["*", "a=b,c!=d", "a in (b, c),!d,e", "a not in (b)"] {
        let selector = Selector::parse(text).unwrap();
        assert_eq!(Selector::parse(&selector.to_string()).unwrap(), selector);
    }
}
