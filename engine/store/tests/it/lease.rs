//! Leases: one holder at a time, a new epoch for each claim.

use clawd_model::DurationMs;

use crate::fixture::Fixture;

const TTL: DurationMs = DurationMs(10_000);

#[tokio::test]
async fn a_claim_lasts_until_its_time_is_up() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let first = store.acquire("a", 3, TTL, false).await.unwrap().unwrap();
    assert_eq!((first.shard, first.epoch), (3, 1));
    assert_eq!(store.acquire("b", 3, TTL, false).await.unwrap(), None);
    fixture.clock.advance(DurationMs(9_000));
    let renewed = store.renew(&first, TTL).await.unwrap().unwrap();
    assert!(renewed.expires_at > first.expires_at);
    fixture.clock.advance(DurationMs(9_999));
    assert_eq!(store.acquire("b", 3, TTL, false).await.unwrap(), None);
    fixture.clock.advance(DurationMs(1));
    let second = store.acquire("b", 3, TTL, false).await.unwrap().unwrap();
    assert_eq!(second.epoch, 2);
    assert_eq!(store.renew(&renewed, TTL).await.unwrap(), None);
    // The first holder's release comes too late to free the shard.
    store.release(renewed).await.unwrap();
    assert_eq!(store.leases().await.unwrap()[0].holder.as_deref(), Some("b"));
    store.release(second).await.unwrap();
    let third = store.acquire("a", 3, TTL, false).await.unwrap().unwrap();
    assert_eq!(third.epoch, 3);
}

#[tokio::test]
async fn a_holder_that_is_gone_is_replaced_at_once() {
    let fixture = Fixture::new().await;
    let first = fixture.store.acquire("a", 0, TTL, false).await.unwrap().unwrap();
    let second = fixture.store.acquire("b", 0, TTL, true).await.unwrap().unwrap();
    assert_eq!(second.epoch, first.epoch + 1);
}
