//! A file is opened with durable settings, or not at all; what is corrupt in it is named.

use std::path::Path;
use std::sync::Arc;

use clawd_audit::Draft;
use clawd_model::{AttemptId, Digest, Event, FixedClock, PrincipalName, RunId, ServerId, StepRef, TokenId};
use clawd_store::{OpenError, Options, ReadError, Store};
use serde_json::json;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqliteConnection};

use crate::fixture::{Fixture, NOW, key, read};

async fn try_open(path: &Path) -> Result<Store, OpenError> {
    Store::open(Options {
        path: path.to_owned(),
        clock: Arc::new(FixedClock::at(NOW)),
        audit_key: key(),
        readers: 1,
        watch: None,
    })
    .await
}

pub(crate) async fn meddle(path: &Path, script: &'static str) {
    let mut connection = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
    sqlx::raw_sql(script).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn the_journal_is_a_wal() {
    let fixture = Fixture::new().await;
    let mut other = SqliteConnection::connect(fixture.path().to_str().unwrap())
        .await
        .unwrap();
    let mode = sqlx::query("PRAGMA journal_mode")
        .fetch_one(&mut other)
        .await
        .unwrap();
    assert_eq!(mode.get::<String, _>(0), "wal");
}

/// A database in memory cannot have a write-ahead log: the setting is read back, not assumed.
#[tokio::test]
async fn a_file_that_does_not_keep_the_settings_is_refused() {
    let refused = try_open(Path::new(":memory:")).await.unwrap_err();
    let OpenError::Setting {
        setting: "journal_mode",
        wanted: "wal",
        found,
        ..
    } = &refused
    else {
        panic!("{refused}")
    };
    assert_eq!(found, "memory");
}

#[tokio::test]
async fn files_of_others_and_of_the_future_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    std::fs::File::create(&path).unwrap();
    meddle(&path, "CREATE TABLE theirs (a)").await;
    let refused = try_open(&path).await.unwrap_err();
    assert!(matches!(refused, OpenError::Foreign { .. }), "{refused}");

    let garbage = folder.path().join("garbage.db");
    std::fs::write(&garbage, vec![b'x'; 5000]).unwrap();
    let refused = try_open(&garbage).await.unwrap_err();
    assert!(matches!(refused, OpenError::Open { .. }), "{refused}");

    let refused = try_open(&folder.path().join("no/such/folder.db"))
        .await
        .unwrap_err();
    assert!(matches!(refused, OpenError::Open { .. }), "{refused}");

    let fixture = Fixture::new().await;
    fixture.store.close().await;
    meddle(&fixture.path(), "PRAGMA user_version = 99").await;
    let refused = try_open(&fixture.path()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Newer { found: 99, .. }), "{refused}");
}

#[tokio::test]
async fn opening_again_migrates_nothing_and_keeps_all() {
    let fixture = Fixture::new().await;
    fixture.store.close().await;
    for _ in 0..2 {
        let store = try_open(&fixture.path()).await.unwrap();
        assert_eq!(store.tenants().await.unwrap(), [read("acme"), read("demo")]);
        store.close().await;
    }
}

/// A file of the first schema with one tenant, one person, and these rows.
async fn first_schema(path: &Path, rows: &str) {
    let mut connection = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .connect()
        .await
        .unwrap();
    let script = format!(
        "{}; PRAGMA application_id = {}; PRAGMA user_version = 1;
         INSERT INTO tenants VALUES (1, 'demo', 0);
         INSERT INTO principals VALUES ('demo', 'ben', 'User', '', '[]', NULL, 0);
         {rows}",
        include_str!("../../src/migrations/0001_initial.sql"),
        0x636c_6177,
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(script))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

/// The allow stood before its attempt, in an event of its own.
#[tokio::test]
async fn attempts_of_the_first_schema_learn_what_allowed_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clawd.db");
    let run = RunId::derive(NOW, &Digest::of(b"run"));
    let step = json!({"job": 0, "lane": 0, "step": 0});
    let bundle = Digest::of(b"bundle");
    let (asks, allow) = (
        json!({"is": "deny", "bundle": bundle}),
        json!({"is": "allow", "bundle": bundle}),
    );
    let events = [
        json!({"type": "gate_decided", "step": step, "decision": asks}),
        json!({"type": "gate_decided", "step": step, "decision": allow}),
        json!({"type": "attempt_started", "step": step, "attempt": 1, "input": bundle,
               "id": AttemptId::derive(&read("demo"), run, StepRef { job: 0, lane: 0, step: 0 }, 1)}),
        json!({"type": "wave_started", "job": 0, "wave": 0}),
    ];
    let mut rows = format!(
        "INSERT INTO plans VALUES ('demo', 'c', 'd', 0, '{{}}');
         INSERT INTO runs VALUES (1, '{run}', 'demo', 0, 'r', 'w', 'd', 'c', 'ben', 'running', 0, 0, NULL);"
    );
    for (seq, event) in (1..).zip(&events) {
        rows += &format!("INSERT INTO journal VALUES (1, {seq}, 0, NULL, '{event}');");
    }
    first_schema(&path, &rows).await;
    let store = try_open(&path).await.unwrap();
    let journal = store.journal(run).await.unwrap();
    assert_eq!(journal.len(), events.len());
    let Event::AttemptStarted { decision, .. } = &journal[2].event else {
        panic!("{journal:?}")
    };
    assert!(decision.is_allow());
    assert_eq!(decision.bundle, bundle);
    store.close().await;
}

/// A file of the first schema: what was made by somebody else is told by the audit log, sessions end, and paths of keys
/// are forgotten.
#[tokio::test]
async fn tokens_of_the_first_schema_learn_who_issued_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clawd.db");
    let (own, of_admin) = (
        TokenId::derive(NOW, &Digest::of(b"1")),
        TokenId::derive(NOW, &Digest::of(b"2")),
    );
    let record = |actor: &str, token: TokenId, position: u64| {
        let draft = Draft {
            kind: "token.created",
            actor: actor.to_owned(),
            run: None,
            subject: "principal/ben".to_owned(),
            data: json!({"token": token}),
        };
        draft.prepare(&read("demo"), NOW).body(position)
    };
    let rows = format!(
        "INSERT INTO tokens VALUES ('{own}', 'demo', 'ben', 'a', '[]', 'h1', 0, {later}, NULL),
                                   ('{of_admin}', 'demo', 'ben', 'b', '[]', 'h2', 0, {later}, NULL);
         INSERT INTO sessions VALUES ('h3', 'demo', 'ben', 0, {later});
         INSERT INTO servers VALUES ('{server}', 'demo', 'web-1', 'ssh', 'root@h', 'prod', '{{}}', 0, NULL,
                                     '/home/ops/.ssh/id_ed25519', NULL, NULL, 1);
         INSERT INTO audit VALUES (1, 0, '{}'), (1, 1, '{}');",
        record("local-operator", own, 0),
        record("user:admin", of_admin, 1),
        later = NOW.0 * 2,
        server = ServerId::derive(NOW, &Digest::of(b"3")),
    );
    first_schema(&path, &rows).await;
    let store = try_open(&path).await.unwrap();
    let demo = store.tenant(read("demo"));
    let issued: Vec<(TokenId, Vec<PrincipalName>)> = demo
        .tokens()
        .await
        .unwrap()
        .into_iter()
        .map(|token| (token.id, token.origin.issued_by.into_iter().collect()))
        .collect();
    assert_eq!(issued.len(), 2);
    assert!(issued.contains(&(own, Vec::new())), "{issued:?}");
    assert!(issued.contains(&(of_admin, vec![read("admin")])), "{issued:?}");
    let server = demo.server_by_name(&read("web-1")).await.unwrap().unwrap();
    assert_eq!((server.identity, server.version), (None, 2));
    store.close().await;
}

#[tokio::test]
async fn a_corrupt_row_is_named() {
    let fixture = Fixture::new().await;
    let demo = fixture.demo();
    let server = fixture.server("demo", "web-1");
    demo.put_server(&server, &[]).await.unwrap();
    meddle(&fixture.path(), "UPDATE servers SET provider = 'carrier pigeon'").await;
    let error = demo.servers().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "corrupt database: table `servers`, column `provider`, row `{}`",
            server.id
        )
    );
    let (run, _) = fixture.begun().await;
    meddle(&fixture.path(), "UPDATE journal SET event = '{}'").await;
    let error = fixture.store.journal(run).await.unwrap_err();
    assert!(
        matches!(
            error,
            ReadError::Corrupt {
                table: "journal",
                column: "event",
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(
        error.to_string(),
        format!("corrupt database: table `journal`, column `event`, row `{run}/1`")
    );
}
