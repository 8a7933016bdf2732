//! Against a host whose apt is a few rules.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use clawd_provider::Stream;

use super::*;
use crate::apt::Installed;
use crate::transport::{Exit, Receive, Request, Transport, TransportError};

/// `blocked` cannot be installed, `kernel` and `plain-kernel` need a new package each, `tool` brings `libtool` along, `eater` removes
/// `victim`, `fire` and `water` do not go together, `needy` needs `held`.
#[derive(Default)]
struct Apt(AtomicUsize);

#[async_trait]
impl Transport for Apt {
    async fn exec(&self, request: &Request, receive: &mut dyn Receive) -> Result<Exit, TransportError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let after = request.argv.iter().skip_while(|word| *word != "--").skip(1);
        let names: Vec<&str> = after
            .filter_map(|word| word.split_once('='))
            .map(|(name, _)| name)
            .collect();
        let fails = |why: &str| format!("The following packages have unmet dependencies:\n {why}\n");
        if names.contains(&"blocked") {
            receive.take(Stream::Stdout, fails("blocked : Depends: missing").as_bytes());
            return Ok(Exit::Code(100));
        }
        if names.contains(&"fire") && names.contains(&"water") {
            receive.take(Stream::Stdout, fails("fire : Breaks: water").as_bytes());
            return Ok(Exit::Code(100));
        }
        let mut text = String::new();
        let mut all = names.clone();
        for (name, brings) in [("tool", "libtool"), ("needy", "held")] {
            if names.contains(&name) && !names.contains(&brings) {
                all.push(brings);
            }
        }
        for name in &all {
            text.push_str(&format!("Inst {name} [1.0] (1.1 Lab:1/lab [all])\n"));
        }
        for kernel in ["kernel", "plain-kernel"] {
            if names.contains(&kernel) {
                text.push_str(&format!("Inst {kernel}-image-2 (2.0 Lab:1/lab [all])\n"));
            }
        }
        if names.contains(&"eater") {
            text.push_str("Remv victim [1.0]\n");
        }
        receive.take(Stream::Stdout, text.as_bytes());
        Ok(Exit::Code(0))
    }
}

fn survey(names: &[&str]) -> Survey {
    let mut survey = Survey::default();
    for name in names {
        survey.packages.insert(
            (*name).to_owned(),
            Installed {
                version: "1.0".to_owned(),
                held: *name == "held",
                whole: true,
            },
        );
        survey.updates.push(Update {
            name: (*name).to_owned(),
            from: "1.0".to_owned(),
            to: "1.1".to_owned(),
            security: !matches!(*name, "libtool" | "plain" | "plain-kernel"),
            phased: (*name == "slow" || *name == "plain").then(|| "10%".to_owned()),
        });
    }
    survey
}

async fn choose(
    names: &[&str],
    class: Class,
    exclude: &[&str],
) -> (Vec<String>, Vec<(String, String)>, usize) {
    let apt = Arc::new(Apt::default());
    let host = Host {
        transport: apt.clone(),
        place: "web-1".to_owned(),
        jobs_dir: "/nowhere".to_owned(),
        redactor: clawd_provider::Redactor::default(),
    };
    let input = Input {
        classes: vec![class],
        exclude: exclude.iter().map(|word| (*word).to_owned()).collect(),
    };
    let output = select(&host, &survey(names), &input).await.unwrap();
    let packages = output
        .packages
        .iter()
        .map(|package| package.name.clone())
        .collect();
    let kept = output
        .kept_back
        .iter()
        .map(|kept| (kept.name.clone(), kept.reason.clone()));
    (packages, kept.collect(), apt.0.load(Ordering::SeqCst))
}

#[tokio::test]
async fn what_cannot_be_installed_is_kept_back_with_its_reason() {
    let names = [
        "blocked",
        "bash",
        "docker-ce",
        "eater",
        "held",
        "needy",
        "openssl",
        "victim",
    ];
    let (packages, kept, _) = choose(&names, Class::Security, &["docker-ce*"]).await;
    assert_eq!(packages, ["bash", "openssl", "victim"]);
    let expected = [
        ("blocked", "blocked : Depends: missing"),
        ("docker-ce", "excluded by `docker-ce*`"),
        ("eater", "would remove victim"),
        ("held", "held on the host (`apt-mark hold`)"),
        ("needy", "needs held, which is held on the host (`apt-mark hold`)"),
    ];
    let expected: Vec<(String, String)> = expected
        .map(|(name, why)| (name.to_owned(), why.to_owned()))
        .to_vec();
    assert_eq!(kept, expected);
}

#[tokio::test]
async fn what_has_to_come_along_is_frozen_too() {
    let (packages, kept, _) = choose(&["libtool", "tool"], Class::Security, &[]).await;
    assert_eq!(packages, ["libtool", "tool"]);
    assert!(kept.is_empty(), "{kept:?}");
}

#[tokio::test]
async fn a_new_package_that_a_security_update_needs_is_frozen_with_it() {
    let (packages, kept, _) = choose(&["bash", "kernel"], Class::Security, &[]).await;
    assert_eq!(packages, ["bash", "kernel", "kernel-image-2"]);
    assert!(kept.is_empty(), "{kept:?}");
    // Beside updates that are none for security, which bring nothing new along.
    let names = ["bash", "kernel", "libtool", "plain-kernel"];
    let (packages, kept, _) = choose(&names, Class::All, &[]).await;
    assert_eq!(packages, ["bash", "kernel", "kernel-image-2", "libtool"]);
    let why = "would install new packages: plain-kernel-image-2".to_owned();
    assert_eq!(kept, [("plain-kernel".to_owned(), why)]);
    let (packages, kept, _) = choose(&["bash", "kernel"], Class::Security, &["*-image-*"]).await;
    assert_eq!(packages, ["bash"]);
    assert_eq!(
        kept[0].1,
        "needs kernel-image-2, which is excluded by `*-image-*`"
    );
}

#[tokio::test]
async fn what_does_not_go_together_is_decided_one_by_one() {
    let (packages, kept, _) = choose(&["fire", "bash", "water"], Class::Security, &[]).await;
    assert_eq!(packages.len(), 2, "{packages:?}");
    assert!(packages.contains(&"bash".to_owned()));
    assert_eq!(kept.len(), 1);
}

#[tokio::test]
async fn classes_and_phases() {
    let (packages, kept, _) = choose(&["plain", "slow"], Class::All, &[]).await;
    assert_eq!(packages, ["slow"], "security updates are not phased");
    assert_eq!(kept[0].1, "phased: so far for 10% of all machines");
    let (_, _, trials) = choose(&["bash", "openssl"], Class::Security, &[]).await;
    assert_eq!(trials, 1, "what fits is asked once");
    let (packages, kept, trials) = choose(&["plain"], Class::Security, &[]).await;
    assert!(packages.is_empty() && kept.is_empty());
    assert_eq!(trials, 0, "nothing to ask");
}

#[tokio::test]
async fn one_bad_package_among_many_takes_few_questions() {
    let names: Vec<String> = (0..200)
        .map(|n| format!("package-{n:03}"))
        .chain(["blocked".to_owned()])
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (packages, kept, trials) = choose(&names, Class::Security, &[]).await;
    assert_eq!((packages.len(), kept.len()), (200, 1));
    assert!(trials < 25, "{trials}");
}

#[test]
fn patterns() {
    for (pattern, name, expected) in [
        ("docker-ce*", "docker-ce-cli", true),
        ("docker-ce", "docker-ce-cli", false),
        ("*ssl*", "libssl3", true),
        ("*ssl", "libssl3", false),
        ("lib*3", "libssl3", true),
        ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "acb", false),
        ("*", "anything", true),
        ("", "x", false),
    ] {
        assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
    }
}
