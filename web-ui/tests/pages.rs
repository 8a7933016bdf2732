//! Every page with every sample: its snapshot, its well-formedness, and what the content security policy demands.

mod html;

use clawd_web::sample::{Rendered, rendered};

fn all() -> Vec<Rendered> {
    rendered().expect("templates render")
}

#[test]
fn pages_are_as_reviewed() {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"/assets/([a-z-]+)\.[0-9a-f]{12}\.", "/assets/$1.HASH.");
    settings.add_filter(r"(?s)<svg class=.sprite.*?\n</svg>", "<!-- sprite -->");
    settings.add_filter(r"\n\s*\n+", "\n");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for page in all() {
            insta::assert_snapshot!(page.name, page.html);
        }
    });
}

#[test]
fn pages_are_well_formed() {
    let mut problems = Vec::new();
    for page in all() {
        for problem in html::problems(&page.html, page.whole) {
            problems.push(format!("{}: {problem}", page.name));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn pages_keep_to_the_content_security_policy() {
    for page in all() {
        for tag in html::tags(&page.html) {
            let at = format!("{}: <{} {:?}>", page.name, tag.name, tag.attributes);
            assert_ne!(tag.name, "style", "inline style: {at}");
            if tag.name == "script" {
                let source = tag.attribute("src").unwrap_or_default();
                assert!(source.starts_with("/assets/"), "inline or foreign script: {at}");
            }
            for (name, value) in &tag.attributes {
                // It would put a form's token into the address.
                assert_ne!(name, "formmethod", "{at}");
                assert_ne!(name, "style", "inline style: {at}");
                assert!(!name.starts_with("on"), "inline handler: {at}");
                assert!(!name.starts_with("hx-on"), "evaluated handler: {at}");
                assert!(!value.contains("javascript:"), "script address: {at}");
                assert!(!value.trim_start().starts_with("js:"), "evaluated value: {at}");
            }
        }
    }
}

#[test]
fn forms_that_change_something_carry_the_token() {
    for page in all() {
        for form in html::forms(&page.html) {
            let action = form.action.as_str();
            let before_session = action.starts_with("/sign-in");
            if form.method == "post" && !before_session {
                assert!(
                    form.fields.contains(&"csrf".to_owned()),
                    "{}: {action} without a token",
                    page.name
                );
            } else {
                assert!(
                    !form.fields.contains(&"csrf".to_owned()),
                    "{}: {action} would put the token into an address",
                    page.name
                );
            }
        }
    }
}

#[test]
fn templates_escape_everything() {
    let mut folders = vec![std::path::PathBuf::from("templates")];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            seen += 1;
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(!text.contains("|safe"), "{}", path.display());
            assert!(!text.contains("| safe"), "{}", path.display());
            assert!(!text.contains("autoescape"), "{}", path.display());
        }
    }
    assert!(seen > 30, "only {seen} templates");
}
