//! `clawd demo`: the server with a demo tenant, and a run that waits for votes.

use clap::Args;
use clawd_client::Client;
use clawd_model::TenantName;
use clawd_model::api::{MakePlan, RunSummary};
use clawd_model::product::BINARY;
use clawd_model::{Approval, PrincipalName};
use clawd_provider_sim::Delays;

use crate::cli::Globals;
use crate::commands::serve::{Serve, first_start};
use crate::connect::failure;
use crate::datadir::DataDir;
use crate::exit::{Failure, Outcome};
use crate::profiles::Profiles;
use crate::render::plan::alternatives;
use crate::render::status::paint;
use crate::seed;
use crate::telemetry;

/// Start the server with a demo tenant.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    #[command(flatten)]
    serve: Serve,
}

impl Demo {
    pub(crate) async fn run(self, globals: &Globals) -> Outcome {
        let telemetry = telemetry::start("warn", self.serve.log_format, self.serve.otlp.as_deref())?;
        let dir = DataDir::open(&globals.data_dir)?;
        let listening = self.serve.start(&dir, Delays::watchable()).await?;
        let tenant: TenantName = "demo".parse().map_err(anyhow::Error::from)?;
        first_start(&listening, &dir, &tenant, "admin", &[]).await?;
        let admin = client(&dir, "admin")?;
        seed::people(&admin).await?;
        first_start(&listening, &dir, &tenant, "admin", &["ana", "ben", "cho"]).await?;
        seed::other_tenant(&listening.installation.operator).await?;
        seed::servers(&admin).await?;
        let run = first_run(&client(&dir, "ana")?).await?;
        let ben: PrincipalName = "ben".parse().map_err(anyhow::Error::from)?;
        let link = listening
            .installation
            .operator
            .sign_in_link(&tenant, &ben)
            .await
            .map_err(anyhow::Error::from)?;
        eprintln!("listening on {}", listening.url);
        tell(
            globals,
            &listening.url,
            &link.path,
            &run,
            first_approval(&client(&dir, "ben")?, &run).await?.as_ref(),
        );
        let outcome = listening.until_told().await;
        drop(telemetry);
        outcome
    }
}

fn client(dir: &DataDir, name: &str) -> Result<Client, Failure> {
    let profiles = Profiles::read(&dir.profiles())?;
    let profile = profiles.profiles.get(name).ok_or_else(|| {
        Failure::usage(format!("there is no profile `{name}`"))
            .with_hint("this folder was not made by `clawd demo`; choose another --data-dir")
    })?;
    Client::new(&profile.url, &profile.token).map_err(failure)
}

/// The run that the demo begins with; at a later start, the newest there is.
async fn first_run(ana: &Client) -> Result<RunSummary, Failure> {
    let runs = ana
        .runs(&clawd_client::RunsQuery {
            limit: Some(1),
            ..Default::default()
        })
        .await
        .map_err(failure)?;
    if let Some(run) = runs.items.into_iter().next() {
        return Ok(run);
    }
    let runbook = "patch-security".parse().map_err(anyhow::Error::from)?;
    let what = MakePlan {
        inputs: serde_json::Value::Null,
        on: Some("role=web".to_owned()),
    };
    ana.start(&runbook, &what, None).await.map_err(failure)
}

/// Waits until the run asks for votes, or is over.
async fn first_approval(ben: &Client, run: &RunSummary) -> Result<Option<Approval>, Failure> {
    let mut events = ben.run_events(run.id, 0);
    loop {
        let open = ben.approvals(true).await.map_err(failure)?;
        if let Some(view) = open
            .items
            .into_iter()
            .find(|view| view.approval.subject.run == run.id)
        {
            return Ok(Some(view.approval));
        }
        match events.next().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(failure(error)),
            None => return Ok(None),
        }
    }
}

fn tell(globals: &Globals, url: &str, link: &str, run: &RunSummary, open: Option<&Approval>) {
    let (me, here) = (called(), globals.data_dir_flag());
    let strong = |text: &str| paint(text, "1");
    outln!("\n{}", strong("The demo is running."));
    outln!("  twelve simulated servers, this machine (read-only), and three people: ana, ben, cho\n");
    outln!("  console   {url}{link}");
    outln!("            signs you in as ben, once; another link: {me} console{here} -p cho\n");
    outln!("  run       {} by ana", run.id);
    match open {
        Some(approval) => {
            outln!(
                "            staging is patched; production waits: {}\n",
                alternatives(&approval.missing)
            );
            outln!("{}, in another terminal", strong("What to do next"));
            outln!("  1. look at the plan, and vote in the console as ben");
            outln!("  2. vote as cho on the command line");
            outln!("       {me} approve {}{here} -p cho", approval.id);
            outln!("  3. watch the steps");
            outln!("       {me} run watch {}{here} -p ana", run.id);
            outln!("  4. kill this process in the middle, start it again, and watch the run resume");
            outln!("       kill -9 {}", std::process::id());
            outln!("  5. verify the audit log");
            outln!("       {me} audit export audit.jsonl{here} -p admin");
            outln!("       {me} audit verify audit.jsonl");
        }
        None => outln!("            is over; start another: {me} patch --on role=web{here} -p ana"),
    }
    outln!(
        "\nStop it with ctrl-c. Everything is in {}; remove the folder to begin anew.",
        globals.data_dir.display()
    );
}

/// How this program was called, so that what is printed can be copied.
fn called() -> String {
    let first = std::env::args().next();
    first
        .filter(|path| path.contains('/'))
        .unwrap_or_else(|| BINARY.to_owned())
}
