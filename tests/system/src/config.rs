//! What can be chosen about a running deployment.

use emulator::Kind;
use infra_gen::package::Profile;
use stacks::Synth;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Where and how to run.
#[derive(Debug, Clone)]
pub struct SystemConfig {
    /// An AWS, usually an emulator, that runs already. Default: none, so an emulator of our own is started.
    pub endpoint: Option<String>,
    /// Which emulator of our own is started. Default: MiniStack.
    pub emulator: Kind,
    /// The port of our own emulator; 0, the default, takes any free one.
    pub port: u16,
    /// Whether our own emulator enforces IAM policies, if it can. Default: yes.
    pub iam_enforced: bool,
    /// How many functions our own emulator runs at a time before it throttles. Default: what it finds fit.
    pub lambda_concurrency: Option<u32>,
    /// More environment variables for our own emulator; the functions that it runs inherit them. Default: none.
    pub emulator_environment: BTreeMap<String, String>,
    /// What is deployed. Default: the stacks of this project.
    pub synth: Synth,
    /// The deployment's name, part of every stack's name. Default: `flyover`.
    pub deployment: String,
    /// More parameters of the stacks, by name. Default: none.
    pub parameters: BTreeMap<String, String>,
    /// Where the functions' archives come from. Default: they are built.
    pub package: Packaging,
    /// How functions that are built are compiled. Default: quickly.
    pub profile: Profile,
    /// The port of our own payment gateway; 0, the default, takes any free one.
    pub gateway_port: u16,
    /// The URL of a payment gateway that runs already. Default: none, so one is started in this process.
    pub gateway_url: Option<String>,
    /// Where logs go. Default: `.flyover` in the project.
    pub log_folder: PathBuf,
}

/// Where the functions' archives come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packaging {
    /// Built now; what has not changed is not built again.
    Build,
    /// Taken as they lie there from `make package`.
    Reuse,
}

impl Default for SystemConfig {
    fn default() -> Self {
        Self {
            endpoint: None,
            emulator: Kind::default(),
            port: 0,
            iam_enforced: true,
            lambda_concurrency: None,
            emulator_environment: BTreeMap::new(),
            synth: stacks::synth,
            deployment: "flyover".to_owned(),
            parameters: BTreeMap::new(),
            package: Packaging::Build,
            profile: Profile::Quick,
            gateway_port: 0,
            gateway_url: None,
            log_folder: project_root().join(".flyover"),
        }
    }
}

impl SystemConfig {
    /// The defaults, changed by the environment: `AWS_ENDPOINT_URL` is an AWS that runs already,
    /// `FLYOVER_SKIP_PACKAGE=1` takes the archives as they are, `FLYOVER_PROFILE=release` builds them as they are shipped,
    /// `FLYOVER_GATEWAY_URL` is a gateway that runs already.
    ///
    /// # Panics
    /// When `FLYOVER_PROFILE` is no profile: it says which there are.
    #[must_use]
    pub fn from_env() -> Self {
        let given = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let reuse = given("FLYOVER_SKIP_PACKAGE").is_some_and(|value| value != "0");
        Self {
            endpoint: given("AWS_ENDPOINT_URL"),
            gateway_url: given("FLYOVER_GATEWAY_URL"),
            profile: given("FLYOVER_PROFILE").map_or(Profile::Quick, profile),
            package: if reuse { Packaging::Reuse } else { Packaging::Build },
            ..Self::default()
        }
    }
}

fn profile(name: impl AsRef<str>) -> Profile {
    name.as_ref().parse().unwrap_or_else(|error| panic!("FLYOVER_PROFILE: {error}"))
}

/// The root of the workspace: this package is at `tests/system` in it.
pub(crate) fn project_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(Path::to_owned).unwrap_or_default()
}
