//! What can be chosen about an emulator.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::kind::Kind;

/// How to run the emulator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmulatorConfig {
    /// Which emulator. Default: MiniStack.
    pub kind: Kind,
    /// The port on 127.0.0.1; 0, the default, takes any free one.
    pub port: u16,
    /// Whether IAM policies are enforced, so that a function without a permission is denied; only MiniStack can.
    /// Default: no.
    pub iam_enforced: bool,
    /// How many Lambda executions may run at a time before Lambda throttles. Default: what the emulator finds fit.
    pub lambda_concurrency: Option<u32>,
    /// The region it plays. Default: `us-east-1`.
    pub region: String,
    /// Where its output goes; overwritten at the start. Default: `.flyover/emulator-<port>.log` in the project.
    pub log_file: Option<PathBuf>,
    /// How long it may take to be ready. Default: 30 s.
    pub start_limit: Duration,
    /// More environment variables for the emulator, such as `SFN_WAIT_SCALE` for MiniStack, whose Lambda processes see
    /// them too.
    pub environment: BTreeMap<String, String>,
    /// The folder with `.venv`, `.venv-localstack` and `.flyover`. Default: the root of the workspace this was compiled in.
    pub project_root: PathBuf,
}

impl Default for EmulatorConfig {
    fn default() -> Self {
        Self {
            kind: Kind::default(),
            port: 0,
            iam_enforced: false,
            lambda_concurrency: None,
            region: "us-east-1".to_owned(),
            log_file: None,
            start_limit: Duration::from_secs(30),
            environment: BTreeMap::new(),
            project_root: workspace_root(),
        }
    }
}

impl EmulatorConfig {
    /// Where the emulator keeps its logs, its pid file and its scratch folders.
    pub(crate) fn state_folder(&self) -> PathBuf {
        self.project_root.join(".flyover")
    }

    pub(crate) fn log_file(&self, port: u16) -> PathBuf {
        let default = || self.state_folder().join(format!("emulator-{port}.log"));
        self.log_file.clone().unwrap_or_else(default)
    }
}

/// This package is at `tests/emulator` of the workspace.
fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(Path::to_owned).unwrap_or_default()
}

/// What an AWS SDK or the AWS CLI needs in its environment to talk to an emulator on a port.
pub(crate) fn sdk_environment(port: u16, region: &str) -> BTreeMap<String, String> {
    let endpoint_url = endpoint_url(port);
    // No proxy reaches an emulator on this machine.
    let others = std::env::var("NO_PROXY").or_else(|_| std::env::var("no_proxy")).ok();
    let others = others.filter(|others| !others.is_empty()).map(|others| format!("{others},"));
    let no_proxy = format!("{}127.0.0.1,localhost", others.unwrap_or_default());
    let variables = [
        ("NO_PROXY", no_proxy.as_str()),
        ("no_proxy", no_proxy.as_str()),
        ("AWS_ENDPOINT_URL", endpoint_url.as_str()),
        ("AWS_REGION", region),
        ("AWS_DEFAULT_REGION", region),
        // The credentials of the emulator's root user, who may do everything even when IAM is enforced.
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

pub(crate) fn endpoint_url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
