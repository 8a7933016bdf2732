//! Text of strangers: of authors of runbooks and policies, and of whoever made a name. It is shown, never obeyed.

use crate::support::Site;

const RUNBOOK: &str = r#"apiVersion: clawd.dev/v1
kind: Runbook
metadata: {name: wild, description: "so \e[2Jwild"}
targets: {selector: "role=web"}
jobs:
  work:
    steps:
      - {id: file, uses: file.write@v1, with: {path: "/etc/motd", content: "a\e[31mb\n"}}
"#;

const POLICY: &str = "@id(\"wild\")\n@reason(\"not \u{1b}[2J here\")\n\
                      forbid(principal, action == Action::\"pkg.apply\", resource is Server);\n";

#[tokio::test]
async fn what_strangers_wrote_does_not_drive_the_terminal() {
    let site = Site::start().await.unwrap();
    site.add_server("web-1", "staging").await.unwrap();
    let file = site.clawd.data_dir().join("wild.yaml");
    std::fs::write(&file, RUNBOOK).unwrap();
    site.cli("ana", &["runbook", "publish", &file.to_string_lossy()])
        .await
        .unwrap()
        .ok()
        .unwrap();
    site.publish(|files| drop(files.insert("wild.cedar".to_owned(), POLICY.to_owned())))
        .await
        .unwrap();

    let commands: [(&[&str], &str); 4] = [
        (&["runbook", "ls"], "wild"),
        (&["plan", "wild"], "b"),
        (&["plan", "patch-security"], "here"),
        (
            &["policy", "explain", "pkg.apply@v1", "--server", "web-1"],
            "here",
        ),
    ];
    for (args, says) in commands {
        let ran = site.cli("ana", args).await.unwrap();
        let all = format!("{}{}", ran.stdout, ran.stderr);
        assert!(all.contains(says) && all.contains('\u{fffd}'), "{args:?}: {ran}");
        assert!(!all.contains('\u{1b}'), "{args:?}: {ran:?}");
    }
    let document = site
        .cli("ana", &["runbook", "ls", "-o", "json"])
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert!(
        !document.stdout.contains('\u{1b}') && document.stdout.contains("\\u001b[2Jwild"),
        "{document}"
    );
}
