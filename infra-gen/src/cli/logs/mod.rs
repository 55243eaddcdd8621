//! `infra-gen logs`.

mod paint;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use infra_gen::aws::AwsError;
use infra_gen::logs::{LogLine, Logs, Selection};

use super::args::{LinesArgs, LogsArgs};
use super::aws::{target, until_interrupted};

/// How long to wait before asking AWS again when it could not be asked.
const AGAIN: Duration = Duration::from_secs(5);

pub(crate) fn run(args: LogsArgs) -> anyhow::Result<ExitCode> {
    let LogsArgs { target: wanted, lines, since, follow, json, platform } = args;
    let selection = Selection { since, platform, ..selection(lines) };
    let target = target(wanted);
    let work = async {
        let mut logs = Logs::open(&target, None, selection).await?;
        print(&logs.news().await?, json);
        if follow {
            go_on(&mut logs, json).await;
        }
        Ok::<(), AwsError>(())
    };
    // Ctrl-C is how following ends.
    until_interrupted(work)?.transpose()?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn selection(LinesArgs { saga_id, functions }: LinesArgs) -> Selection {
    Selection { saga_id, functions: functions.into_iter().collect(), ..Selection::default() }
}

/// Prints what is written from now on, for ever. That AWS cannot be asked for a while is said once.
pub(super) async fn go_on(logs: &mut Logs, json: bool) {
    let mut said = String::new();
    loop {
        tokio::time::sleep(if said.is_empty() { logs.pause() } else { AGAIN }).await;
        match logs.news().await {
            Ok(lines) => {
                said.clear();
                print(&lines, json);
            }
            Err(error) => {
                let why = format!("{:#}", anyhow::Error::from(error));
                if why != said {
                    eprintln!("{why}; trying on");
                    said = why;
                }
            }
        }
    }
}

fn print(lines: &[LogLine], json: bool) {
    let mut out = anstream::stdout().lock();
    for line in lines {
        let text = if json { line.text.clone() } else { paint::painted(line) };
        // Nobody reads any more: see `output::line`.
        let _ = writeln!(out, "{text}");
    }
    let _ = out.flush();
}
