//! One start of a function, watched from the Runtime API's side.

use anyhow::{Context, Result, bail, ensure};
use std::{
    collections::BTreeMap,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::timeout,
};

/// A function that has not asked for work by then never will.
const LIMIT: Duration = Duration::from_secs(10);
const FIRST_LINE: &[u8] = b"GET /2018-06-01/runtime/invocation/next ";

/// What one start showed.
pub(crate) struct Start {
    /// From the start of the process to its first request for work.
    pub(crate) took: Duration,
    /// Its resident memory then.
    pub(crate) resident_bytes: u64,
}

/// Starts a function, waits until it asks for work, and kills it.
pub(crate) async fn start(binary: &Path) -> Result<Start> {
    let api = TcpListener::bind(("127.0.0.1", 0)).await.context("no port for the Runtime API")?;
    let address = api.local_addr()?.to_string();
    let mut command = Command::new(binary);
    command.env_clear().envs(variables()).env("AWS_LAMBDA_RUNTIME_API", address).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let begun = Instant::now();
    let mut function = command.spawn().with_context(|| format!("cannot run {}", binary.display()))?;
    let asked = tokio::select! {
        asked = timeout(LIMIT, asks_for_work(&api)) => asked.context("it never asked for work")?,
        ended = function.wait() => bail!("it ended before it asked for work: {}", ended?),
    };
    // Kept open until the function is dead, so that it waits for work and does not try again.
    let _connection = asked?;
    let took = begun.elapsed();
    let resident_bytes = resident(&function)?;
    function.kill().await?;
    Ok(Start { took, resident_bytes })
}

async fn asks_for_work(api: &TcpListener) -> Result<TcpStream> {
    let (mut connection, _) = api.accept().await?;
    let mut request = vec![0; FIRST_LINE.len()];
    connection.read_exact(&mut request).await?;
    ensure!(request == FIRST_LINE, "it asked for {:?} first", String::from_utf8_lossy(&request));
    Ok(connection)
}

fn resident(function: &Child) -> Result<u64> {
    let process = function.id().context("it has ended")?;
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS line")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<u64>()? * 1024)
}

/// Those that Lambda and the stacks set, for all functions at once.
fn variables() -> BTreeMap<String, String> {
    let fixed = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("AWS_LAMBDA_FUNCTION_NAME", "measured"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "measured"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "measured"),
        (saga::environment::FENCE_TABLE, "fences"),
        (saga::environment::FENCE_TTL_SECONDS, "60"),
        (saga::environment::MAX_RECEIVE_COUNT, "5"),
        (sagas::environment::CLAIMS_TABLE, "claims"),
        (sagas::environment::CLAIM_TTL_SECONDS, "60"),
        (sagas::environment::EMAIL_FROM, "orders@example.com"),
        (sagas::environment::GATEWAY_URL, "http://127.0.0.1:9"),
    ];
    let mut variables: BTreeMap<String, String> =
        fixed.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    for participant in sagas::participants() {
        for entity in participant.entities {
            variables.insert(saga::environment::table(entity.name), entity.name.to_owned());
        }
    }
    for definition in sagas::all() {
        let arn = format!("arn:aws:states:us-east-1:000000000000:stateMachine:{}", definition.name);
        variables.insert(saga::environment::state_machine(definition.name), arn);
    }
    let refused = sagas::environment::REFUSED_ORDERS;
    variables.insert(saga::environment::queue(refused), "http://127.0.0.1:9/q".to_owned());
    variables
}
