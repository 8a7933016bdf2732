//! Against real files of this machine.

use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use super::*;
use crate::testing::Lab;

/// The rights of whoever runs the tests, since only root may give files away.
fn input(lab: &Lab, name: &str, content: &str, mode: Option<&str>) -> Value {
    let me = std::fs::metadata(lab.folder.path()).unwrap();
    let mut input = json!({
        "path": lab.path(name), "content": content, "owner": me.uid().to_string(), "group": me.gid().to_string(),
    });
    if let Some(mode) = mode {
        input["mode"] = json!(mode);
    }
    input
}

async fn check(lab: &Lab, input: &Value) -> Result<Change, StepError> {
    match FileWrite::new(lab.hosts()).check(&lab.context, input).await {
        Ok(Checked::Would(change)) => Ok(change),
        Err(ProviderError::Failed(error)) => Err(error),
        other => panic!("{other:?}"),
    }
}

async fn apply(lab: &Lab, input: &Value) -> Applied {
    let write = FileWrite::new(lab.hosts());
    let applied = write.apply(&lab.context, input).await.unwrap();
    write.verify(&lab.context, input, &applied).await.unwrap();
    applied
}

fn mode(lab: &Lab, name: &str) -> u32 {
    std::fs::metadata(lab.path(name)).unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn a_new_file_is_written_once() {
    let lab = Lab::new();
    let wish = input(&lab, "x.conf", "one\ntwo\n", None);
    let planned = check(&lab, &wish).await.unwrap();
    assert!(
        planned.needed && planned.summary.ends_with("x.conf created"),
        "{planned:?}"
    );
    assert!(
        planned.diff.contains("+one\n+two\n+ mode 0644, owner "),
        "{}",
        planned.diff
    );
    let applied = apply(&lab, &wish).await;
    assert!(applied.changed);
    assert_eq!(applied.output["sha256"], json!(Digest::of(b"one\ntwo\n")));
    assert_eq!(applied.output.get("previous_sha256"), None);
    assert_eq!(
        (lab.read("x.conf").as_str(), mode(&lab, "x.conf")),
        ("one\ntwo\n", 0o644)
    );
    let again = apply(&lab, &wish).await;
    assert!(!again.changed);
    assert!(!check(&lab, &wish).await.unwrap().needed);
    let files: Vec<_> = std::fs::read_dir(lab.folder.path()).unwrap().collect();
    assert_eq!(files.len(), 1, "no temporary file is left: {files:?}");
}

#[tokio::test]
async fn a_change_shows_its_difference_and_keeps_the_rights() {
    let lab = Lab::new();
    open_to_all(&lab);
    std::fs::write(lab.path("x"), "a\nb\n").unwrap();
    crate::testing::set_mode(&lab.path("x"), 0o2754);
    let wish = input(&lab, "x", "a\nc\n", None);
    let planned = check(&lab, &wish).await.unwrap();
    assert!(
        planned.diff.ends_with("@@ -1,2 +1,2 @@\n a\n-b\n+c\n"),
        "{}",
        planned.diff
    );
    let applied = apply(&lab, &wish).await;
    assert_eq!(applied.output["previous_sha256"], json!(Digest::of(b"a\nb\n")));
    assert_eq!((lab.read("x").as_str(), mode(&lab, "x")), ("a\nc\n", 0o2754));
    let wish = input(&lab, "x", "a\nc\n", Some("0600"));
    let planned = check(&lab, &wish).await.unwrap();
    assert_eq!(planned.diff, "~ mode 2754 → 0600\n");
    assert!(apply(&lab, &wish).await.changed);
    assert_eq!(mode(&lab, "x"), 0o600);
}

/// What everybody may read is so only where everybody can go.
fn open_to_all(lab: &Lab) {
    crate::testing::set_mode(lab.folder.path().to_str().unwrap(), 0o755);
}

#[tokio::test]
async fn a_plan_shows_nothing_that_not_everybody_on_the_host_may_read() {
    let (old, new) = (
        "user=app\npassword=hunter2-old\n",
        "user=app\npassword=hunter3-new\nmore\n",
    );
    let show = async |mode: u32, is_open: bool, more: Value, secrets: &[&str]| {
        let mut lab = Lab::new();
        let folder = lab.folder.path().to_str().unwrap().to_owned();
        crate::testing::set_mode(&folder, if is_open { 0o755 } else { 0o700 });
        std::fs::write(lab.path("x"), old).unwrap();
        crate::testing::set_mode(&lab.path("x"), mode);
        let secrets = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        lab.context.redactor = clawd_provider::Redactor::new(secrets);
        let mut wish = input(&lab, "x", new, Some("0644"));
        for (key, value) in more.as_object().unwrap() {
            wish[key] = value.clone();
        }
        check(&lab, &wish).await.unwrap()
    };
    let open = show(0o644, true, json!({}), &[]).await;
    assert!(open.diff.contains("-password=hunter2-old\n"), "{}", open.diff);
    let why_closed = "not everybody on the host may read it";
    for (mode, is_open, more, secrets, why) in [
        (0o600, true, json!({}), &[][..], why_closed),
        (0o640, true, json!({}), &[][..], why_closed),
        (0o644, false, json!({}), &[][..], why_closed),
        (
            0o644,
            true,
            json!({"sensitive": true}),
            &[][..],
            "the content is secret",
        ),
        (
            0o644,
            true,
            json!({}),
            &["hunter3-new"][..],
            "the content is secret",
        ),
        // Too short to be struck out, and a secret all the same.
        (0o644, true, json!({}), &["new"][..], "the content is secret"),
    ] {
        let change = show(mode, is_open, more, secrets).await;
        let shown = format!("{}{}{}", change.summary, change.diff, change.basis);
        assert!(!shown.contains("hunter") && !shown.contains("user="), "{shown}");
        let (before, after) = (Digest::of(old.as_bytes()), Digest::of(new.as_bytes()));
        for part in [
            "30 bytes, 2 lines → 35 bytes, 3 lines",
            why,
            &format!("~ {before} → {after}\n"),
        ] {
            assert!(change.diff.contains(part), "`{part}` in {}", change.diff);
        }
        assert_eq!(change.diff.contains("~ mode"), mode != 0o644, "{}", change.diff);
    }
    // A new file with a secret in it.
    let mut lab = Lab::new();
    lab.context.redactor = clawd_provider::Redactor::new(vec!["hunter3-new".to_owned()]);
    let change = check(&lab, &input(&lab, "x", new, None)).await.unwrap();
    assert!(
        !change.diff.contains("hunter") && change.diff.contains("35 bytes, 3 lines, sha256:"),
        "{}",
        change.diff
    );
}

#[tokio::test]
async fn a_change_under_our_feet_is_another_fingerprint() {
    let lab = Lab::new();
    let wish = input(&lab, "x", "new\n", None);
    let mut prints = vec![check(&lab, &wish).await.unwrap().fingerprint()];
    std::fs::write(lab.path("x"), "old\n").unwrap();
    prints.push(check(&lab, &wish).await.unwrap().fingerprint());
    crate::testing::set_mode(&lab.path("x"), 0o640);
    prints.push(check(&lab, &wish).await.unwrap().fingerprint());
    prints.push(
        check(&lab, &input(&lab, "x", "newer\n", None))
            .await
            .unwrap()
            .fingerprint(),
    );
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(prints.len(), 4);
    assert_eq!(check(&lab, &wish).await, check(&lab, &wish).await);
}

#[tokio::test]
async fn links_and_other_tricks_are_refused() {
    let lab = Lab::new();
    std::fs::write(lab.path("target"), "keep me").unwrap();
    symlink(lab.path("target"), lab.path("link")).unwrap();
    std::fs::create_dir(lab.path("folder")).unwrap();
    symlink(lab.path("folder"), lab.path("linked")).unwrap();
    for (name, part) in [
        ("link", "is a symbolic link"),
        ("linked/x", "goes through a symbolic link"),
        ("folder", "is no regular file"),
        ("missing/x", "its folder does not exist"),
    ] {
        let wish = input(&lab, name, "new", None);
        let error = check(&lab, &wish).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidInput);
        assert!(error.message.contains(part), "{error:?}");
        let applied = FileWrite::new(lab.hosts()).apply(&lab.context, &wish).await;
        assert!(applied.is_err(), "{name}");
    }
    assert_eq!(lab.read("target"), "keep me");
    for path in [
        "relative", "/", "", "/a/../b", "/a//b", "/a/", "/a/.", "/a\nb", "/a\0b",
    ] {
        let wish = json!({"path": path, "content": ""});
        assert_eq!(
            check(&lab, &wish).await.unwrap_err().kind,
            ErrorKind::InvalidInput,
            "{path:?}"
        );
    }
    for (field, value) in [
        ("mode", "9"),
        ("mode", "17777"),
        ("owner", "-x"),
        ("owner", "a:b"),
        ("group", ""),
    ] {
        let mut wish = input(&lab, "x", "", None);
        wish[field] = json!(value);
        assert_eq!(
            check(&lab, &wish).await.unwrap_err().kind,
            ErrorKind::InvalidInput,
            "{field} {value}"
        );
    }
}

/// The script checks for itself: what was true when we looked may not be so when it writes.
#[tokio::test]
async fn the_writing_script_trusts_nothing() {
    let lab = Lab::new();
    std::fs::write(lab.path("target"), "keep me").unwrap();
    symlink(lab.path("target"), lab.path("link")).unwrap();
    std::fs::create_dir(lab.path("folder")).unwrap();
    symlink(lab.path("folder"), lab.path("linked")).unwrap();
    let me = std::fs::metadata(lab.folder.path()).unwrap();
    let (uid, gid) = (me.uid().to_string(), me.gid().to_string());
    let good = Digest::of(b"new").to_hex();
    let bad = Digest::of(b"cut short").to_hex();
    let (here, linked) = (lab.path(""), lab.path("linked"));
    let here = here.trim_end_matches('/');
    for (folder, name, digest) in [
        (here, "link", &good),
        (&*linked, "x", &good),
        (here, "folder", &good),
        (here, "x", &bad),
    ] {
        let mut request = script(WRITE, &[folder, name, ".x.new", digest, "0644", &uid, &gid]);
        request.stdin = b"new".to_vec();
        let reply = lab.host().call(&request, ANSWER_MAX).await.unwrap();
        assert!(!reply.is_success(), "{folder} {name}");
    }
    assert_eq!(lab.read("target"), "keep me");
    assert_eq!(lab.read("x"), "");
    assert!(!crate::testing::exists(&lab.path(".x.new")));
    // What waits where the new file might be made is not followed.
    symlink(lab.path("folder"), lab.path(".x.new.abcdefgh")).unwrap();
    std::fs::write(lab.path("folder/kept"), "").unwrap();
    let mut request = script(WRITE, &[here, "x", ".x.new", &good, "0644", &uid, &gid]);
    request.stdin = b"new".to_vec();
    assert!(lab.host().call(&request, ANSWER_MAX).await.unwrap().is_success());
    assert_eq!(
        (lab.read("target").as_str(), lab.read("x").as_str()),
        ("keep me", "new")
    );
    assert!(crate::testing::exists(&lab.path("folder/kept")));
}

/// Nothing that waits is ever opened: opening a pipe waits for its reader, and a device may do anything.
#[tokio::test]
async fn what_is_no_file_is_never_opened() {
    let lab = Lab::new();
    let pipe = lab.path("pipe");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    symlink(&pipe, lab.path("to-pipe")).unwrap();
    symlink("/dev/full", lab.path("to-device")).unwrap();
    for name in ["pipe", "to-pipe", "to-device"] {
        let reply = write_by_hand(&lab, "sh", name).wait_with_output().unwrap();
        assert!(!reply.status.success(), "{name}");
        let said = String::from_utf8_lossy(&reply.stderr).into_owned();
        assert!(said.contains("no regular file"), "{said}");
    }
}

#[tokio::test]
async fn a_folder_may_hand_its_group_down() {
    let lab = Lab::new();
    crate::testing::set_mode(&lab.path(""), 0o2775);
    for shell in ["dash", "bash"] {
        let reply = write_by_hand(&lab, shell, "x").wait_with_output().unwrap();
        assert!(reply.status.success(), "{shell}: {reply:?}");
        assert_eq!(
            (lab.read("x").as_str(), mode(&lab, "x")),
            ("the whole content", 0o644)
        );
        std::fs::remove_file(lab.path("x")).unwrap();
    }
}

/// The script, called for one attempt; its input is still open. `sync` waits until there is a file `go` if there is a
/// file `slow`.
fn start_by_hand(lab: &Lab, shell: &str, name: &str) -> std::process::Child {
    let tools = lab.path(".tools");
    std::fs::create_dir_all(&tools).unwrap();
    let sync = format!("{tools}/sync");
    let slow = "#!/bin/sh\n[ ! -e \"$LAB/slow\" ] || until [ -e \"$LAB/go\" ]; do echo >\"$LAB/waits\"; sleep 0.05; done\n";
    std::fs::write(&sync, slow).unwrap();
    crate::testing::set_mode(&sync, 0o755);
    let me = std::fs::metadata(lab.folder.path()).unwrap();
    let digest = Digest::of(b"the whole content").to_hex();
    let here = lab.path("");
    std::process::Command::new(shell)
        .args([
            "-c",
            WRITE,
            "sh",
            here.trim_end_matches('/'),
            name,
            ".att_1.new",
            &digest,
            "0644",
        ])
        .args([me.uid().to_string(), me.gid().to_string()])
        .env("PATH", format!("{tools}:{}", crate::local::PATH))
        .env("LAB", here.trim_end_matches('/'))
        .stdin(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap()
}

fn write_by_hand(lab: &Lab, shell: &str, name: &str) -> std::process::Child {
    let mut child = start_by_hand(lab, shell, name);
    let mut stdin = child.stdin.take().unwrap();
    let _ = stdin.write_all(b"the whole content");
    child
}

/// Whether half of the content stands somewhere beside the file.
fn half_is_there(lab: &Lab) -> bool {
    let mut folders = vec![lab.folder.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else if std::fs::read(entry.path()).is_ok_and(|content| content == b"the whole") {
                return true;
            }
        }
    }
    false
}

#[tokio::test]
async fn a_call_that_hangs_never_puts_half_of_the_next_one_into_place() {
    let lab = Lab::new();
    std::fs::write(lab.path("x"), "old").unwrap();
    std::fs::write(lab.path("slow"), "").unwrap();
    // The connection was lost while the first one waited for the disk.
    let mut first = write_by_hand(&lab, "sh", "x");
    crate::testing::until("the first call waits", || {
        crate::testing::exists(&lab.path("waits"))
    })
    .await;
    let mut second = start_by_hand(&lab, "sh", "x");
    let mut input = second.stdin.take().unwrap();
    input.write_all(b"the whole").unwrap();
    crate::testing::until("the second call has half of it", || half_is_there(&lab)).await;
    std::fs::write(lab.path("go"), "").unwrap();
    first.wait().unwrap();
    let between = lab.read("x");
    assert!(["old", "the whole content"].contains(&&*between), "{between}");
    input.write_all(b" content").unwrap();
    drop(input);
    assert!(second.wait().unwrap().success());
    assert_eq!(lab.read("x"), "the whole content");
    for name in ["go", "slow", "waits", "x", ".tools/sync"] {
        std::fs::remove_file(lab.path(name)).unwrap();
    }
    std::fs::remove_dir(lab.path(".tools")).unwrap();
    let left: Vec<_> = std::fs::read_dir(lab.folder.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_lost_connection_is_tried_again() {
    let lab = Lab::new();
    // Calls: 0 look, 1 write, 2 write again.
    *lab.transport.cuts.lock().unwrap() = vec![(1, None)];
    assert!(apply(&lab, &input(&lab, "x", "new", None)).await.changed);
    assert_eq!(lab.read("x"), "new");
}

#[tokio::test]
async fn a_file_that_something_else_writes_is_not_verified() {
    let lab = Lab::new();
    let wish = input(&lab, "x", "ours", None);
    let applied = apply(&lab, &wish).await;
    std::fs::write(lab.path("x"), "theirs").unwrap();
    let verified = FileWrite::new(lab.hosts())
        .verify(&lab.context, &wish, &applied)
        .await;
    assert!(matches!(verified, Err(ProviderError::Failed(error)) if error.kind == ErrorKind::NotVerified));
}

#[tokio::test]
async fn long_and_binary_contents() {
    let lab = Lab::new();
    open_to_all(&lab);
    std::fs::write(lab.path("x"), vec![0xff; CONTENT_MAX + 1]).unwrap();
    let wish = input(&lab, "x", "short", None);
    assert!(check(&lab, &wish).await.unwrap().diff.contains("too long"));
    std::fs::write(lab.path("x"), [0xff; 10]).unwrap();
    assert!(check(&lab, &wish).await.unwrap().diff.contains("no text"));
    assert!(apply(&lab, &wish).await.changed);
    let long = input(&lab, "x", &"x".repeat(CONTENT_MAX + 1), None);
    assert_eq!(
        check(&lab, &long).await.unwrap_err().kind,
        ErrorKind::InvalidInput
    );
    let most = input(&lab, "x", &"y".repeat(CONTENT_MAX), None);
    assert!(apply(&lab, &most).await.changed);
}
