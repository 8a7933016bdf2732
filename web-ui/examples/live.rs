//! The console over the small world of the tests (a real store, the real gate, servers that answer as told), on
//! 127.0.0.1, with a run that waits for votes: `cargo run --example live -p clawd-web -- 8770`. Prints sign-in links.

use std::sync::Arc;

use clawd_control::testing::{PEOPLE, TENANT, World};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(8770);
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let world = World::new().await;
    let run = world.start_patch().await;
    println!("http://{}/runs/{}", listener.local_addr()?, run.id);
    for (person, _) in PEOPLE {
        let link = world
            .operator
            .sign_in_link(&TENANT.parse()?, &person.parse()?)
            .await?;
        println!("{person} http://{}{}", listener.local_addr()?, link.path);
    }
    let router = clawd_web::router(
        world.app.clone(),
        Arc::clone(&world.clock) as _,
        clawd_web::Front::default(),
    );
    axum::serve(listener, router).await?;
    Ok(())
}
