//! Output is kept in order up to a limit, and says where it was cut off.

use clawd_model::{AttemptId, RunId, StepRef};
use clawd_store::output::{OUTPUT_MAX, TRUNCATED};
use clawd_store::{Store, Stream};

use crate::fixture::{Fixture, NOW, next_turn, read};

fn attempt(run: RunId, number: u32) -> AttemptId {
    AttemptId::derive(
        &read("demo"),
        run,
        StepRef {
            job: 0,
            lane: 0,
            step: 0,
        },
        number,
    )
}

async fn append(store: &Store, run: RunId, number: u32, stream: Stream, bytes: &[u8]) {
    store
        .append_output(
            &read("demo"),
            run,
            attempt(run, number),
            stream,
            bytes.to_vec(),
            NOW,
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn output_is_kept_in_order_and_read_on_from_any_byte() {
    let fixture = Fixture::new().await;
    let (run, lease) = fixture.begun().await;
    let mut appended = fixture.store.appended();
    append(&fixture.store, run, 1, Stream::Out, b"hello ").await;
    append(&fixture.store, run, 1, Stream::Err, b"").await;
    append(&fixture.store, run, 1, Stream::Err, b"w\xffrld").await;
    append(&fixture.store, run, 2, Stream::Out, b"other").await;
    // What was queued before a turn is durable with it.
    fixture
        .store
        .commit(next_turn("demo", run, &lease, 2, 1))
        .await
        .unwrap();
    assert_eq!(appended.recv().await.unwrap().attempt, attempt(run, 1));
    let chunks = fixture.demo().output(attempt(run, 1), 0, 10).await.unwrap();
    let shown: Vec<_> = chunks
        .iter()
        .map(|chunk| (chunk.position, chunk.stream, &chunk.bytes[..]))
        .collect();
    assert_eq!(
        shown,
        [
            (0, Stream::Out, &b"hello "[..]),
            (6, Stream::Err, &b"w\xffrld"[..])
        ]
    );
    assert_eq!(
        fixture.demo().output(attempt(run, 1), 6, 10).await.unwrap(),
        chunks[1..]
    );
    assert_eq!(fixture.demo().output(attempt(run, 1), 11, 10).await.unwrap(), []);
    assert_eq!(
        fixture.demo().output(attempt(run, 1), 0, 1).await.unwrap(),
        chunks[..1]
    );
}

#[tokio::test]
async fn output_beyond_the_limit_is_cut_off_and_says_so() {
    let fixture = Fixture::new().await;
    let (run, lease) = fixture.begun().await;
    let piece = vec![b'x'; OUTPUT_MAX / 2 + 10];
    for _ in 0..4 {
        append(&fixture.store, run, 1, Stream::Out, &piece).await;
    }
    fixture
        .store
        .commit(next_turn("demo", run, &lease, 2, 1))
        .await
        .unwrap();
    let chunks = fixture.demo().output(attempt(run, 1), 0, 100).await.unwrap();
    let sizes: Vec<_> = chunks
        .iter()
        .map(|chunk| (chunk.stream, chunk.bytes.len()))
        .collect();
    let kept = [piece.len(), OUTPUT_MAX - piece.len()];
    assert_eq!(
        sizes,
        [
            (Stream::Out, kept[0]),
            (Stream::Out, kept[1]),
            (Stream::Mark, TRUNCATED.len())
        ]
    );
}

#[tokio::test]
async fn output_of_exactly_the_limit_is_whole() {
    let fixture = Fixture::new().await;
    let (run, lease) = fixture.begun().await;
    append(&fixture.store, run, 1, Stream::Out, &vec![b'x'; OUTPUT_MAX]).await;
    fixture
        .store
        .commit(next_turn("demo", run, &lease, 2, 1))
        .await
        .unwrap();
    let chunks = fixture.demo().output(attempt(run, 1), 0, 100).await.unwrap();
    assert_eq!((chunks.len(), chunks[0].bytes.len()), (1, OUTPUT_MAX));
}
