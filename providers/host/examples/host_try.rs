//! Tries an operation by hand on a real host:
//!
//! ```text
//! cargo run -p clawd-provider-host --example host_try -- user@host:port KEY probe
//! cargo run -p clawd-provider-host --example host_try -- user@host:port KEY enroll
//! cargo run -p clawd-provider-host --example host_try -- user@host:port KEY check|apply|recover OPERATION JSON [ATTEMPT]
//! ```
//! The host's key is trusted as it comes: this is no way to manage servers.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use clawd_model::{
    AttemptId, DurationMs, FixedClock, RunId, SeededEntropy, Server, ServerId, StepRef, Timestamp,
};
use clawd_provider::{Context, OutputSink, Registry, Stream};
use clawd_provider_host::{Hosts, Keys, SshOptions, enroll, probe_host_key, register};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

type Failure = Box<dyn std::error::Error>;

/// Output goes to standard error, so that the result stands alone.
struct ToStderr;

impl OutputSink for ToStderr {
    fn write(&self, stream: Stream, bytes: &[u8]) {
        let mut stderr = std::io::stderr().lock();
        let _ = write!(stderr, "[{stream:?}] ");
        let _ = stderr.write_all(bytes);
    }
}

fn main() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(std::env::args().skip(1).collect()))
}

async fn run(arguments: Vec<String>) -> Result<(), Failure> {
    let [address, key, verb, rest @ ..] = arguments.as_slice() else {
        return Err(
            "usage: host_try user@host:port KEYS/TENANT/KEY probe|enroll|check|apply|recover [OPERATION JSON [ATTEMPT]]"
                .into(),
        );
    };
    let probed = match probe_host_key(address, Duration::from_secs(20)).await {
        Ok(probed) => probed,
        Err(error) => return Err(format!("{error:#?}").into()),
    };
    println!("{} {}", probed.algorithm, probed.fingerprint);
    let entropy = SeededEntropy::new(1);
    let (folder, key) = key.rsplit_once('/').ok_or("a key is KEYS/TENANT/KEY")?;
    let (folder, tenant) = folder.rsplit_once('/').ok_or("a key is KEYS/TENANT/KEY")?;
    let server: Server = serde_json::from_value(json!({
        "id": ServerId::new(Timestamp(1), &entropy), "tenant": tenant, "name": "tried", "provider": "ssh",
        "address": address, "env": "test", "version": 1, "host_key": probed.line, "identity": key,
    }))?;
    let hosts = Hosts::new(SshOptions::default(), Keys::new(folder));
    match (verb.as_str(), rest) {
        ("probe", _) => Ok(()),
        ("enroll", _) => {
            println!("{:#?}", enroll(&hosts, &server, DurationMs::from_secs(60)).await);
            Ok(())
        }
        (verb, [operation, input, more @ ..]) => {
            let mut registry = Registry::default();
            register(&mut registry, &hosts)?;
            let context = context(server, more.first().map_or(Ok(1), |number| number.parse())?)?;
            call(
                &registry,
                &context,
                verb,
                operation,
                &serde_json::from_str(input)?,
            )
            .await
        }
        _ => Err("an operation and its input are missing".into()),
    }
}

fn context(server: Server, attempt: u32) -> Result<Context, Failure> {
    let run = RunId::new(Timestamp(1), &SeededEntropy::new(1));
    let step = StepRef {
        job: 0,
        lane: 0,
        step: 0,
    };
    Ok(Context {
        tenant: "demo".parse()?,
        server: Some(Arc::new(server)),
        attempt: Some(AttemptId::derive(&"demo".parse()?, run, step, attempt)),
        epoch: 1,
        timeout: DurationMs::from_secs(300),
        clock: Arc::new(FixedClock::at(Timestamp(1))),
        redactor: clawd_provider::Redactor::default(),
        output: Arc::new(ToStderr),
        cancel: CancellationToken::new(),
    })
}

async fn call(
    registry: &Registry,
    context: &Context,
    verb: &str,
    operation: &str,
    input: &Value,
) -> Result<(), Failure> {
    let name = operation.parse()?;
    let operation = registry
        .resolve(&name, context.server.as_deref())
        .ok_or("there is no such operation")?;
    match verb {
        "check" => println!("{:#?}", operation.check(context, input).await),
        "recover" => println!("{:#?}", operation.recover(context, input).await),
        "apply" => {
            let applied = operation.apply(context, input).await;
            println!("{applied:#?}");
            if let Ok(applied) = applied {
                println!(
                    "verified: {:#?}",
                    operation.verify(context, input, &applied).await
                );
            }
        }
        other => return Err(format!("`{other}` is no verb").into()),
    }
    Ok(())
}
