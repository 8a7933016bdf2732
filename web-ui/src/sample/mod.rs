//! One story told on every page: `patch-security` on twelve simulated servers, its canary done, its production wave
//! waiting for votes. The tests render it, and so does the gallery (`cargo run --example gallery -p clawd-web`).

mod approvals;
mod audit;
mod fleet;
mod plan;
mod run;
mod runbooks;
mod runs;
mod step;

use askama::Template;
use clawd_model::{Digest, DurationMs, RunId, SeededEntropy, Timestamp};

use crate::view::error::{BareErrorPage, ErrorPage, ErrorText, Refusal};
use crate::view::run::RunUpdate;
use crate::view::shell::{Notice, Person, Section, Shell, Theme};
use crate::view::sign_in::{SignInLinkPage, SignInPage};

/// 2026-03-01T09:30:00Z.
const NOW: Timestamp = Timestamp(1_772_357_400_000);

fn ago(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 - seconds * 1000)
}

fn after(at: Timestamp, seconds: u64) -> Timestamp {
    at.plus(DurationMs::from_secs(seconds))
}

fn run_id(number: u64) -> String {
    RunId::new(NOW, &SeededEntropy::new(number)).to_string()
}

fn approval_id(number: u64) -> String {
    clawd_model::ApprovalId::new(NOW, &SeededEntropy::new(number)).to_string()
}

fn digest(of: &str) -> Digest {
    Digest::of(of.as_bytes())
}

fn pairs(text: &[(&str, &str)]) -> Vec<(String, String)> {
    text.iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn shell(section: Section, here: &str) -> Shell {
    Shell {
        section,
        tenant: "demo".to_owned(),
        person: Person {
            name: "ben".to_owned(),
            display_name: "Ben Achterberg".to_owned(),
            groups: vec!["operator".to_owned(), "sre".to_owned()],
        },
        theme: Theme::Auto,
        csrf: "b6c1".repeat(8),
        here: here.to_owned(),
        sections: Section::NAVIGATION.to_vec(),
        approvals: 1,
        notice: None,
        now: NOW,
    }
}

/// A page or fragment, rendered.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// Its name, and its path in the gallery.
    pub name: &'static str,
    /// The text.
    pub html: String,
    /// Whether it is a whole page.
    pub whole: bool,
}

/// Every page and fragment with every sample.
///
/// # Errors
/// When a template cannot be rendered.
pub fn rendered() -> Result<Vec<Rendered>, askama::Error> {
    let mut all = Vec::new();
    let mut page = |name: &'static str, html: String| {
        all.push(Rendered {
            name,
            html,
            whole: true,
        });
    };
    for (name, sample) in sign_in_samples() {
        page(name, sample.render()?);
    }
    page("sign-in-link", link_sample().render()?);
    for (name, sample) in fleet::fleets() {
        page(name, sample.render()?);
    }
    for (name, sample) in fleet::servers() {
        page(name, sample.render()?);
    }
    for (name, sample) in runs::lists() {
        page(name, sample.render()?);
    }
    for (name, sample) in runs::forms() {
        page(name, sample.render()?);
    }
    for (name, sample) in plan::plans() {
        page(name, sample.render()?);
    }
    for (name, sample) in run::runs() {
        page(name, sample.render()?);
    }
    for (name, sample) in approvals::inboxes() {
        page(name, sample.render()?);
    }
    for (name, sample) in approvals::requests() {
        page(name, sample.render()?);
    }
    for (name, sample) in audit::lists() {
        page(name, sample.render()?);
    }
    for (name, sample) in audit::records() {
        page(name, sample.render()?);
    }
    page("policies", runbooks::policies().render()?);
    for (name, sample) in runbooks::lists() {
        page(name, sample.render()?);
    }
    page("runbook", runbooks::runbook().render()?);
    for (name, sample) in error_samples() {
        page(name, sample.render()?);
    }
    page("error-signed-out", bare_error_sample().render()?);
    all.extend(fragments()?);
    Ok(all)
}

fn fragments() -> Result<Vec<Rendered>, askama::Error> {
    let whole = run::waiting(None);
    let update = RunUpdate {
        head: Some(whole.head),
        approvals: Some(whole.approvals),
        graph: Some(whole.graph),
        grid: Some(whole.grid),
        feed: Some(whole.feed),
        waiting: Some(whole.shell.count()),
    };
    let mut all = vec![Rendered {
        name: "update",
        html: update.render()?,
        whole: false,
    }];
    for (name, panel) in step::panels() {
        all.push(Rendered {
            name,
            html: panel.render()?,
            whole: false,
        });
    }
    Ok(all)
}

fn sign_in_samples() -> [(&'static str, SignInPage); 2] {
    let plain = SignInPage {
        theme: Theme::Auto,
        problem: None,
        next: "/fleet".to_owned(),
        signed_out: true,
    };
    let refused = SignInPage {
        problem: Some("this token is not known, or no longer valid".to_owned()),
        signed_out: false,
        ..plain.clone()
    };
    [("sign-in", plain), ("sign-in-refused", refused)]
}

fn link_sample() -> SignInLinkPage {
    SignInLinkPage {
        theme: Theme::Auto,
        person: "Ben Achterberg".to_owned(),
        tenant: "demo".to_owned(),
        link: "clawd_lnk_7f2a".to_owned(),
    }
}

fn error_samples() -> [(&'static str, ErrorPage); 3] {
    let of = |status, title: &str, what: &str, hint: &str| ErrorPage {
        shell: Shell {
            notice: None,
            ..shell(Section::Elsewhere, "/")
        },
        error: ErrorText {
            status,
            title: title.to_owned(),
            what: what.to_owned(),
            hint: hint.to_owned(),
            refusal: None,
            trace: None,
        },
    };
    let mut refused = of(
        403,
        "The policies say no",
        "You may not cancel this run.",
        "Somebody of the group `operator` may.",
    );
    refused.error.refusal = Some(Refusal {
        action: "run.cancel".to_owned(),
        reasons: vec!["only operators cancel runs that are not their own".to_owned()],
        policies: vec!["cancel-by-operator".to_owned()],
        bundle: Some(digest("bundle")),
    });
    let mut broken = of(
        500,
        "Something of ours broke",
        "The page could not be made. Nothing was changed.",
        "Try again; if it stays, the log says more.",
    );
    broken.error.trace = Some("9f31c2aa".to_owned());
    [
        ("error-403", refused),
        (
            "error-404",
            of(
                404,
                "There is nothing here",
                "No run `run_01HZ` exists in this tenant.",
                "",
            ),
        ),
        ("error-500", broken),
    ]
}

fn bare_error_sample() -> BareErrorPage {
    BareErrorPage {
        theme: Theme::Auto,
        error: ErrorText {
            status: 403,
            title: "This form came from elsewhere".to_owned(),
            what: "The request did not come from a page of this console.".to_owned(),
            hint: "Open the page again and repeat it there.".to_owned(),
            refusal: None,
            trace: None,
        },
    }
}

fn notice(text: &str) -> Option<Notice> {
    Some(Notice {
        text: text.to_owned(),
    })
}
