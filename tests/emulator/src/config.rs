//! What can be chosen about an emulator.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How to run the emulator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmulatorConfig {
    /// The port on 127.0.0.1; 0, the default, takes any free one.
    pub port: u16,
    /// Whether IAM policies are enforced, so that a function without a permission is denied. Default: no.
    pub iam_enforced: bool,
    /// How many Lambda executions may run at a time before Lambda throttles. Default: what MiniStack finds fit.
    pub lambda_concurrency: Option<u32>,
    /// The region it plays. Default: `us-east-1`.
    pub region: String,
    /// Where its output goes; overwritten at the start. Default: `.flyover/emulator-<port>.log` in the project.
    pub log_file: Option<PathBuf>,
    /// How long it may take to be ready. Default: 30 s.
    pub start_limit: Duration,
    /// More environment variables for MiniStack (its Lambda processes see them too), such as `SFN_WAIT_SCALE`.
    pub environment: BTreeMap<String, String>,
    /// The folder with `.venv` and `.flyover`. Default: the root of the workspace this was compiled in.
    pub project_root: PathBuf,
}

impl Default for EmulatorConfig {
    fn default() -> Self {
        Self {
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

    /// The environment of MiniStack, all of it: its Lambda processes inherit it, so nothing of the caller's
    /// AWS set-up may leak into it. The identity comes back in its health answer.
    pub(crate) fn ministack_environment(
        &self,
        port: u16,
        identity: &str,
        temp_folder: &Path,
    ) -> BTreeMap<String, String> {
        let temp = temp_folder.to_string_lossy();
        let mut environment = sdk_environment(port, &self.region);
        let mut set = |name: &str, value: &str| environment.insert(name.to_owned(), value.to_owned());
        set("GATEWAY_PORT", &port.to_string());
        set("BIND_HOST", "127.0.0.1");
        set("MINISTACK_HOST", "127.0.0.1");
        set("MINISTACK_REGION", &self.region);
        set("MINISTACK_EDITION", identity);
        set("AUTH", if self.iam_enforced { "true" } else { "false" });
        set("LAMBDA_EXECUTOR", "local");
        // Listeners on fixed ports that no saga needs; two emulators could not run side by side with them.
        set("SFTP_ENABLED", "0");
        set("IOT_MTLS_ENABLED", "0");
        set("PYTHONUNBUFFERED", "1");
        set("TMPDIR", &temp);
        set("STATE_DIR", &format!("{temp}/state"));
        set("S3_DATA_DIR", &format!("{temp}/s3"));
        if let Some(limit) = self.lambda_concurrency {
            set("LAMBDA_ACCOUNT_CONCURRENCY", &limit.to_string());
        }
        for name in ["PATH", "HOME", "LANG"] {
            if let Ok(value) = std::env::var(name) {
                set(name, &value);
            }
        }
        environment.extend(self.environment.clone());
        environment
    }
}

/// This package is at `tests/emulator` of the workspace.
fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(Path::to_owned).unwrap_or_default()
}

/// What an AWS SDK or the AWS CLI needs in its environment to talk to an emulator on a port.
pub(crate) fn sdk_environment(port: u16, region: &str) -> BTreeMap<String, String> {
    let endpoint_url = endpoint_url(port);
    let variables = [
        ("AWS_ENDPOINT_URL", endpoint_url.as_str()),
        ("AWS_REGION", region),
        ("AWS_DEFAULT_REGION", region),
        // The credentials of MiniStack's root user, who may do everything even when IAM is enforced.
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

pub(crate) fn endpoint_url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
