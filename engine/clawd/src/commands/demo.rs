//! `clawd demo`: the server with a demo tenant, and a run that waits for votes.

use clap::Args;
use clawd_client::Client;
use clawd_model::api::{MakePlan, RunSummary, RunView};
use clawd_model::product::BINARY;
use clawd_model::{Approval, PrincipalName, RunStatus, StepStatus, TenantName};
use clawd_provider_sim::Delays;

use crate::cli::Globals;
use crate::commands::serve::{Serve, Told, first_start};
use crate::connect::failure;
use crate::datadir::DataDir;
use crate::exit::{Failure, Outcome};
use crate::profiles::Profiles;
use crate::render::plan::alternatives;
use crate::render::printable;
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
        let telemetry = telemetry::start("warn", self.serve.log_format, &self.serve.traces)?;
        let dir = DataDir::open(&globals.data_dir)?;
        let listening = self.serve.start(&dir, Delays::watchable()).await?;
        let tenant: TenantName = "demo".parse().map_err(anyhow::Error::from)?;
        first_start(&listening, &dir, &tenant, "admin", &[]).await?;
        let admin = client(&dir, "admin")?;
        seed::people(&admin).await?;
        first_start(&listening, &dir, &tenant, "admin", &["ana", "ben", "cho"]).await?;
        seed::other_tenant(&listening.installation.operator).await?;
        let name: PrincipalName = "ben".parse().map_err(anyhow::Error::from)?;
        let link = listening
            .installation
            .operator
            .sign_in_link(&tenant, &name)
            .await
            .map_err(anyhow::Error::from)?;
        let told = Told::listen()?;
        listening.announce(&telemetry);
        greet(globals, listening.console(), &link.path);
        let (ana, ben) = (client(&dir, "ana")?, client(&dir, "ben")?);
        let serving = listening.until(told, telemetry);
        tokio::pin!(serving);
        // What is known at once is told at once; the votes that a run will need are told when it asks for them.
        let begun = async {
            seed::servers(&admin).await?;
            tell(globals, &ben, &first_run(&ana).await?).await
        };
        tokio::select! {
            outcome = &mut serving => outcome,
            begun = begun => match begun {
                Ok(()) => serving.await,
                Err(failure) => Err(failure),
            }
        }
    }
}

fn client(dir: &DataDir, name: &str) -> Result<Client, Failure> {
    let profiles = Profiles::read(&dir.profiles())?;
    let profile = profiles.profiles.get(name).ok_or_else(|| {
        Failure::usage(format!("there is no profile `{name}`")).with_hint(format!(
            "this folder was not made by `{BINARY} demo`; choose another --data-dir"
        ))
    })?;
    Client::new(&profile.url, &profile.token).map_err(failure)
}

/// The run that the demo is about.
enum First {
    /// This process started it.
    Started(RunSummary),
    /// It was there already: the newest there is.
    Found(RunSummary),
}

async fn first_run(ana: &Client) -> Result<First, Failure> {
    let runs = ana
        .runs(&clawd_client::RunsQuery {
            limit: Some(1),
            ..Default::default()
        })
        .await
        .map_err(failure)?;
    if let Some(run) = runs.items.into_iter().next() {
        return Ok(First::Found(run));
    }
    let runbook = "patch-security".parse().map_err(anyhow::Error::from)?;
    let what = MakePlan {
        inputs: serde_json::Value::Null,
        on: Some("role=web".to_owned()),
    };
    Ok(First::Started(
        ana.start(&runbook, &what, None).await.map_err(failure)?,
    ))
}

fn greet(globals: &Globals, url: &str, link: &str) {
    let (me, here) = (called(), globals.data_dir_flag());
    outln!("\n{}", strong("The demo is running."));
    outln!("  twelve simulated servers, this machine (read-only), and three people: ana, ben, cho\n");
    outln!("  console   {url}{link}");
    outln!("            signs you in as ben, once; another link: {me} console{here} -p cho\n");
}

/// Says where the run stands, and what to do next.
async fn tell(globals: &Globals, ben: &Client, first: &First) -> Result<(), Failure> {
    let (me, here) = (called(), globals.data_dir_flag());
    let run = match first {
        First::Started(run) => {
            outln!(
                "  run       {} by {}, on its way to staging",
                run.id,
                run.requester
            );
            run
        }
        First::Found(run) => {
            let view = ben.run(run.id).await.map_err(failure)?;
            outln!("  run       {}", found(&view));
            run
        }
    };
    match approval(ben, first).await? {
        Some(approval) => next(globals, run, &approval),
        None if matches!(first, First::Found(run) if !run.status.is_final()) => {
            outln!("            watch it: {me} run watch {}{here} -p ana", run.id);
        }
        None => outln!("            start another: {me} patch --on role=web{here} -p ana"),
    }
    outln!(
        "\nStop it with ctrl-c. Everything is in {}; remove the folder to begin anew.",
        globals.data_dir.display()
    );
    Ok(())
}

/// Where a run stands that was there before this process.
fn found(view: &RunView) -> String {
    let lanes = view.jobs.iter().flat_map(|job| &job.lanes);
    let steps: Vec<StepStatus> = lanes
        .flat_map(|lane| &lane.steps)
        .map(|step| step.status)
        .collect();
    let done = steps.iter().filter(|status| is_done(**status)).count();
    let run = &view.summary;
    match run.status {
        RunStatus::Running | RunStatus::Cancelling => {
            format!("{} resumes: {done} of {} steps done", run.id, steps.len())
        }
        RunStatus::Waiting => format!(
            "{} by {} waits: {done} of {} steps done",
            run.id,
            run.requester,
            steps.len()
        ),
        over => format!("{} by {} is over: {}", run.id, run.requester, over.as_str()),
    }
}

/// Nothing more will happen to it.
fn is_done(status: StepStatus) -> bool {
    match status {
        StepStatus::Changed
        | StepStatus::Succeeded
        | StepStatus::Skipped
        | StepStatus::Failed
        | StepStatus::Denied
        | StepStatus::Cancelled => true,
        StepStatus::Pending
        | StepStatus::Checking
        | StepStatus::WaitingForVotes
        | StepStatus::WaitingForRetry
        | StepStatus::Running
        | StepStatus::Unknown => false,
    }
}

/// The votes that the run asks for. A run that this process started will ask; one that was there is asked once, since it
/// may be past that.
async fn approval(ben: &Client, first: &First) -> Result<Option<Approval>, Failure> {
    let (run, will_ask) = match first {
        First::Started(run) => (run, true),
        First::Found(run) => (run, false),
    };
    let mut events = ben.run_events(run.id, 0);
    loop {
        let open = ben.approvals(true).await.map_err(failure)?.items;
        let mut open = open.into_iter().map(|view| view.approval);
        if let Some(approval) = open.find(|approval| approval.subject.run == run.id) {
            return Ok(Some(approval));
        }
        if !will_ask {
            return Ok(None);
        }
        match events.next().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(failure(error)),
            None => return Ok(None),
        }
    }
}

fn next(globals: &Globals, run: &RunSummary, approval: &Approval) {
    let (me, here) = (called(), globals.data_dir_flag());
    outln!(
        "            staging is patched; production waits: {}\n",
        printable(&alternatives(&approval.missing))
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

fn strong(text: &str) -> String {
    paint(text, "1")
}

/// How this program was called, so that what is printed can be copied.
fn called() -> String {
    let first = std::env::args().next();
    first
        .filter(|path| path.contains('/'))
        .unwrap_or_else(|| BINARY.to_owned())
}
