//! `clawd audit`: list, show, export, verify.

use std::io::{BufReader, Write as _};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use clawd_audit::export::Report;
use clawd_client::AuditQuery;
use clawd_model::RunId;
use clawd_model::api::AuditRecordView;
use clawd_model::product::BINARY;
use futures::StreamExt as _;
use serde_json::json;

use crate::cli::Globals;
use crate::connect::{client, failure};
use crate::exit::{Exit, Failure, Outcome};
use crate::files;
use crate::render::{counted, out, print, print_list, printable, table};

/// The audit log: list, show, export, verify.
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// List records, newest first.
    Ls {
        /// Of one run only.
        #[arg(long)]
        run: Option<RunId>,
        /// Of one kind only: `gate.denied`, or a family of them: `gate`.
        #[arg(long)]
        kind: Option<String>,
        /// At most so many.
        #[arg(long, default_value = "50")]
        limit: u32,
    },
    /// Show a record with the proof that it is in the log.
    Show { index: u64 },
    /// Write the whole log as JSON Lines, with signed checkpoints: to a file, or to standard output.
    Export { file: Option<PathBuf> },
    /// Verify an export, offline, from the file alone.
    Verify {
        file: PathBuf,
        /// The key that you trust (`name+hash+key`); without it the key in the file is only shown.
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
}

impl Audit {
    pub(crate) async fn run(self, globals: &Globals) -> Outcome {
        match self {
            Self::Ls { run, kind, limit } => {
                let which = AuditQuery {
                    run,
                    kind,
                    limit: Some(limit),
                    ..AuditQuery::default()
                };
                let page = client(globals)?.audit(&which).await.map_err(failure)?;
                print_list(globals.output, &page.items, list)?;
            }
            Self::Show { index } => {
                let proof = client(globals)?.audit_record(index).await.map_err(failure)?;
                print(globals.output, &proof, |proof| {
                    outln!("{}", printable(&proof.body));
                    outln!("leaf {}", proof.leaf);
                    outln!("tree {} {}", proof.tree.size, proof.tree.root);
                    outln!("proof {}", proof.path.join(" "));
                })?;
            }
            Self::Export { file } => return export(globals, file).await,
            Self::Verify { file, key } => return verify(globals, &file, key.as_deref()),
        }
        Ok(Exit::Ok)
    }
}

async fn export(globals: &Globals, file: Option<PathBuf>) -> Outcome {
    let client = client(globals)?;
    let mut pieces = client.export_audit().await.map_err(failure)?;
    let mut out: Box<dyn std::io::Write> = match &file {
        Some(path) => Box::new(files::create("export", path)?),
        None => Box::new(out::Stdout),
    };
    while let Some(piece) = pieces.next().await {
        out.write_all(&piece.map_err(failure)?)?;
    }
    out.flush()?;
    if let Some(path) = file {
        eprintln!("verify it with: {BINARY} audit verify {}", path.display());
    }
    Ok(Exit::Ok)
}

fn verify(globals: &Globals, file: &Path, key: Option<&str>) -> Outcome {
    let trusted = key
        .map(|key| key.parse::<clawd_audit::VerifierKey>())
        .transpose()
        .map_err(|error| {
            Failure::usage(error.to_string())
                .with_hint(format!("copy the key line as `{BINARY} audit export` wrote it"))
        })?;
    let reader = BufReader::new(files::open("export", file)?);
    match clawd_audit::export::verify(reader, trusted.as_ref()) {
        Ok(report) => {
            let document = json!({
                "tenant": report.tenant, "records": report.records, "checkpoints": report.checkpoints,
                "root": report.root.to_string(), "first_at": report.span.map(|(first, _)| first),
                "last_at": report.span.map(|(_, last)| last), "key": report.key.to_string(),
                "key_is_trusted": report.key_is_trusted,
            });
            print(globals.output, &document, |_| tell(&report))?;
            if !report.key_is_trusted {
                eprintln!("the key is the one in the file; give --key with one that you got another way");
            }
            Ok(Exit::Ok)
        }
        Err(error) => Err(Failure::new(
            Exit::Failed,
            format!("`{}` does not verify: {error}", file.display()),
        )
        .with_hint(
            "the file was changed after it was written, or is not whole; export it again and compare",
        )),
    }
}

fn tell(report: &Report) {
    outln!(
        "verified: {} of tenant `{}`, {}",
        counted(report.records, "record"),
        report.tenant,
        counted(report.checkpoints, "checkpoint")
    );
    outln!("root {}", report.root);
    if let Some((first, last)) = report.span {
        outln!("from {first} to {last}");
    }
    outln!("signed by {}", printable(&report.key.to_string()));
}

fn list(records: &[AuditRecordView]) {
    let rows = records.iter().map(|record| {
        vec![
            record.index.to_string(),
            record.at.to_string(),
            printable(&record.kind),
            printable(&record.actor),
            printable(&record.subject),
        ]
    });
    table::print(&["#", "AT", "KIND", "BY", "ABOUT"], rows.collect(), "no records");
}
