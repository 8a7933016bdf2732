//! Every status has a colour and a shape, the shapes differ, and the colours can be read.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

const SPRITE: &str = include_str!("../../../templates/layout/sprite.html");
const TOKENS: &str = include_str!("../../../assets/css/tokens.css");

/// The drawing of a symbol: what stands in the sprite under its id.
fn shape(symbol: Symbol) -> &'static str {
    let mark = format!("<symbol id=\"{}\" viewBox=\"0 0 16 16\">", symbol.id());
    let (_, rest) = SPRITE.split_once(&mark).unwrap_or_else(|| panic!("no {mark}"));
    rest.split_once("</symbol>").unwrap().0
}

#[test]
fn every_symbol_has_its_own_shape() {
    let shapes: BTreeSet<&str> = Symbol::ALL.into_iter().map(shape).collect();
    assert_eq!(shapes.len(), Symbol::ALL.len());
    for drawing in shapes {
        assert!(
            drawing.contains("currentColor"),
            "not coloured by its tone: {drawing}"
        );
    }
}

#[test]
fn every_tone_has_a_colour() {
    for tone in Tone::ALL {
        let rule = format!(".{} {{ --tone: var(", tone.class());
        assert!(TOKENS.contains(&rule), "no rule {rule}");
    }
}

/// The statuses of one enum must be told apart by shape alone.
fn assert_told_apart(statuses: &[&dyn Status]) {
    let mut seen = BTreeMap::new();
    for status in statuses {
        assert!(!status.word().is_empty());
        let html = status.badge().to_string();
        assert!(html.contains(status.symbol().tone().class()), "{html}");
        assert!(html.contains(&format!("#{}", status.symbol().id())), "{html}");
        if let Some(other) = seen.insert(status.symbol(), status.word()) {
            panic!("`{other}` and `{}` have the same shape", status.word());
        }
    }
}

#[test]
fn every_status_has_colour_and_shape() {
    use StepStatus as S;
    assert_told_apart(&[
        &S::Pending,
        &S::Checking,
        &S::WaitingForVotes,
        &S::WaitingForRetry,
        &S::Running,
        &S::Changed,
        &S::Succeeded,
        &S::Skipped,
        &S::Failed,
        &S::Denied,
        &S::Unknown,
        &S::Cancelled,
    ]);
    use RunStatus as R;
    assert_told_apart(&[
        &R::Queued,
        &R::Running,
        &R::Waiting,
        &R::Cancelling,
        &R::Succeeded,
        &R::Failed,
        &R::Denied,
        &R::Cancelled,
    ]);
    use ApprovalStatus as A;
    assert_told_apart(&[&A::Open, &A::Granted, &A::Rejected, &A::Void, &A::Closed]);
    let needs = DecisionKind::NeedsApproval {
        missing: vec![],
        ttl_ms: None,
        notify: vec![],
    };
    assert_told_apart(&[&DecisionKind::Allow, &DecisionKind::Deny, &needs]);
    assert_told_apart(&[&Verdict::Approve, &Verdict::Reject]);
}

/// The light and the dark value of a token.
fn token(name: &str) -> (u32, u32) {
    let mark = format!("--{name}: light-dark(#");
    let (_, rest) = TOKENS
        .split_once(&mark)
        .unwrap_or_else(|| panic!("no token {name}"));
    let (light, rest) = rest.split_once(", #").unwrap();
    let dark = rest.split_once(')').unwrap().0;
    (
        u32::from_str_radix(light, 16).unwrap(),
        u32::from_str_radix(dark, 16).unwrap(),
    )
}

fn luminance(colour: u32) -> f64 {
    let channel = |shift: u32| {
        let value = f64::from((colour >> shift) & 0xff) / 255.0;
        if value <= 0.039_28 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * channel(16) + 0.7152 * channel(8) + 0.0722 * channel(0)
}

fn contrast(one: u32, other: u32) -> f64 {
    let (a, b) = (luminance(one), luminance(other));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// WCAG AA: 4.5 for text.
#[test]
fn text_can_be_read_in_both_themes() {
    let tones = ["quiet", "good", "busy", "wait", "bad", "refused", "odd"];
    let mut pairs: Vec<(String, String)> = Vec::new();
    for ground in ["paper", "surface", "sunken", "raised"] {
        for text in tones.iter().chain(&["ink", "ink-2", "accent", "accent-strong"]) {
            pairs.push(((*text).to_owned(), ground.to_owned()));
        }
    }
    for tone in tones {
        pairs.push((tone.to_owned(), format!("{tone}-soft")));
        pairs.push(("ink".to_owned(), format!("{tone}-soft")));
        pairs.push(("ink-2".to_owned(), format!("{tone}-soft")));
    }
    for (text, ground) in [
        ("on-accent", "accent"),
        ("on-accent", "accent-strong"),
        ("accent-strong", "accent-soft"),
        ("surface", "wait"),
        ("surface", "bad"),
        ("surface", "good"),
    ] {
        pairs.push((text.to_owned(), ground.to_owned()));
    }
    for (text, ground) in pairs {
        let ((light_text, dark_text), (light_ground, dark_ground)) = (token(&text), token(&ground));
        for (theme, a, b) in [
            ("light", light_text, light_ground),
            ("dark", dark_text, dark_ground),
        ] {
            let ratio = contrast(a, b);
            assert!(ratio >= 4.5, "{text} on {ground}, {theme}: {ratio:.2}");
        }
    }
}
