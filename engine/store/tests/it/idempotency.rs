//! A request that is sent twice is carried out once.

use clawd_model::{Digest, DurationMs};
use clawd_store::Claim;
use futures::future::join_all;

use crate::fixture::{Fixture, read};

const TTL: DurationMs = DurationMs(60_000);

#[tokio::test]
async fn a_key_stands_for_one_request() {
    let fixture = Fixture::new().await;
    let demo = fixture.demo();
    let ana = read("ana");
    let request = Digest::of(b"start run");
    let claim = |request| {
        let demo = demo.clone();
        async move { demo.claim_key(&read("ana"), "key", request, TTL).await.unwrap() }
    };
    assert_eq!(claim(request).await, Claim::New);
    assert_eq!(claim(request).await, Claim::UnderWay);
    assert_eq!(claim(Digest::of(b"another")).await, Claim::Different);
    demo.finish_key(&ana, "key", "{\"run\":1}").await.unwrap();
    assert_eq!(claim(request).await, Claim::Answered("{\"run\":1}".to_owned()));
    assert!(demo.finish_key(&ana, "key", "again").await.is_err());
    // An answered key is not given back, a claimed one is.
    demo.release_key(&ana, "key").await.unwrap();
    assert_eq!(claim(request).await, Claim::Answered("{\"run\":1}".to_owned()));
    assert_eq!(
        demo.claim_key(&ana, "other", request, TTL).await.unwrap(),
        Claim::New
    );
    demo.release_key(&ana, "other").await.unwrap();
    assert_eq!(
        demo.claim_key(&ana, "other", request, TTL).await.unwrap(),
        Claim::New
    );
    // Somebody else's key of the same text is another key.
    assert_eq!(
        demo.claim_key(&read("ben"), "key", request, TTL).await.unwrap(),
        Claim::New
    );
    fixture.clock.advance(TTL);
    assert_eq!(claim(request).await, Claim::New);
}

#[tokio::test]
async fn of_many_who_claim_at_once_one_may_go_on() {
    let fixture = Fixture::new().await;
    let demo = fixture.demo();
    let ana = read("ana");
    let claims = (0..20).map(|_| demo.claim_key(&ana, "key", Digest::of(b"start run"), TTL));
    let claims: Vec<_> = join_all(claims).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(claims.iter().filter(|claim| **claim == Claim::New).count(), 1);
    assert_eq!(
        claims.iter().filter(|claim| **claim == Claim::UnderWay).count(),
        19
    );
}
