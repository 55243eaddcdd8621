//! The payment gateway as a process of its own, which is killed and started again. What it had answered it still knows:
//! see the gateway's journal.

use super::{Weather, millis};
use crate::proxy::Proxy;
use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use gateway::Gateway;
use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::{sleep, timeout},
};

/// The argument with which this program serves a gateway instead.
const SERVE: &str = "--serve-gateway";
const START_LIMIT: Duration = Duration::from_secs(20);

/// A running gateway; killed when it is dropped.
#[derive(Debug)]
pub(crate) struct GatewayProcess {
    journal: PathBuf,
    process: Child,
}

impl GatewayProcess {
    /// Starts one that goes on from the journal, behind the proxy.
    pub(crate) async fn start(journal: &Path, proxy: &Proxy) -> Result<Self> {
        let program = std::env::current_exe().context("this program has no file")?;
        let mut process = Command::new(program)
            .arg(SERVE)
            .arg(journal)
            // It ends when this end of the pipe is gone, however this process ends.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start the payment gateway")?;
        let output = process.stdout.take().context("the gateway has no output")?;
        let mut line = String::new();
        timeout(START_LIMIT, BufReader::new(output).read_line(&mut line)).await.context("no gateway")??;
        ensure!(line.starts_with("http://"), "the gateway says {line:?}, not where it listens");
        proxy.pass_on_to(Some(line.trim()))?;
        Ok(Self { journal: journal.to_owned(), process })
    }

    /// Kills it, leaves nobody there for a while, and starts another.
    async fn restart(&mut self, proxy: &Proxy, away: Duration) -> Result<()> {
        self.process.kill().await.context("the gateway cannot be killed")?;
        sleep(away).await;
        *self = Self::start(&self.journal.clone(), proxy).await?;
        Ok(())
    }
}

/// Kills and starts it again every now and then. It runs when this ends.
pub(crate) async fn rage(
    weather: Arc<Weather>,
    gateway: &mut GatewayProcess,
    proxy: &Proxy,
    mut rng: Rng,
) -> Result<()> {
    while weather.still_rages_after(millis(&mut rng, 2_000..9_000)).await {
        let away = millis(&mut rng, 100..1_500);
        gateway.restart(proxy, away).await?;
        weather.count("gateway killed and started again");
    }
    Ok(())
}

/// Serves a gateway if that is what this program was started for: until it is killed, or its standard input ends.
pub(crate) fn serve_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != SERVE {
        return None;
    }
    let served =
        arguments.next().context("a journal is missing").and_then(|journal| serve(Path::new(&journal)));
    Some(match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            crate::say(&format!("the payment gateway: {error:#}"));
            ExitCode::FAILURE
        }
    })
}

fn serve(journal: &Path) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let gateway = runtime.block_on(Gateway::start_with_journal(0, journal))?;
    writeln!(std::io::stdout(), "{}", gateway.url())?;
    // Nothing is ever written to it: it ends with whoever started this.
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
