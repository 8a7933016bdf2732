//! SQLite may give up a whole transaction because of one statement: on a full disk, or out of memory. The group's other
//! jobs are committed all the same, each once, with its audit record; the one that cannot be is the only one to fail.

use clawd_store::{AuditFilter, WriteError};
use futures::future::join_all;

use crate::fixture::{Fixture, draft};
use crate::open::meddle;

#[tokio::test]
async fn of_a_group_that_sqlite_rolls_back_the_culprit_alone_fails() {
    let fixture = Fixture::new().await;
    let demo = fixture.demo();
    // What a full disk does: the statement fails, and the transaction around it is gone.
    meddle(
        &fixture.path(),
        "CREATE TRIGGER full BEFORE INSERT ON servers WHEN NEW.name = 'culprit'
         BEGIN SELECT RAISE(ROLLBACK, 'the disk is full'); END",
    )
    .await;
    let names = ["first", "culprit", "second", "third"];
    let servers = names.map(|name| fixture.server("demo", name));
    let audits = names.map(|name| [draft("server.added", name)]);
    let before = fixture.store.counts().commits;
    // All of them wait before the writer gets to run: one group.
    let all = servers
        .iter()
        .zip(&audits)
        .map(|(server, audit)| demo.put_server(server, audit));
    let answers = join_all(all).await;
    for (name, answer) in names.iter().zip(&answers) {
        match answer {
            Ok(()) => assert_ne!(*name, "culprit"),
            Err(WriteError::Database(error)) => {
                assert_eq!(*name, "culprit");
                assert!(error.to_string().contains("the disk is full"), "{error}");
            }
            Err(error) => panic!("{name}: {error:?}"),
        }
    }
    assert_eq!(fixture.store.counts().commits - before, 3, "each by itself");
    let kept: Vec<String> = demo
        .servers()
        .await
        .unwrap()
        .into_iter()
        .map(|server| format!("{} {}", server.name, server.version))
        .collect();
    assert_eq!(kept, ["first 1", "second 1", "third 1"]);
    let mut recorded: Vec<String> = demo
        .audit(&AuditFilter::default())
        .await
        .unwrap()
        .into_iter()
        .filter(|record| record.kind == "server.added")
        .map(|record| record.subject)
        .collect();
    recorded.sort();
    assert_eq!(recorded, ["first", "second", "third"]);
    // The log is whole, and goes on.
    demo.put_server(
        &fixture.server("demo", "fourth"),
        &[draft("server.added", "fourth")],
    )
    .await
    .unwrap();
    demo.checkpoint().await.unwrap();
}
