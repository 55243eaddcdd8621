//! Package, upload, and apply every stack.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use aws_config::SdkConfig;
use stacks::{App, parameters};

use super::apply::{self, Release};
use super::bucket::Bucket;
use super::connection::Connection;
use super::error::AwsError;
use super::hotswap;
use super::progress::{Progress, Update};
use super::stack::{self, Before, Deployment, before_deploy};
use super::{Target, sender, upgrade};
use crate::package::{self, Arch, Manifest, PackageError, PackageOptions, Profile};
use crate::project;

/// What to deploy.
#[derive(Debug, Clone)]
pub struct DeployOptions {
    /// Which deployment.
    pub target: Target,
    /// For which processors. Default: this machine's for a local emulator, arm64 for AWS.
    pub arch: Option<Arch>,
    /// The payment gateway. Default: as deployed before; the first deployment needs it.
    pub gateway_url: Option<String>,
    /// The sender of e-mails to customers. Default: as deployed before; the first deployment needs it.
    pub email_from: Option<String>,
    /// Who is told of alarms. Default: as deployed before, at first nobody.
    pub operator_email: Option<String>,
    /// Other parameters of the stacks. Default: as deployed before, at first those of the templates.
    pub parameters: BTreeMap<String, String>,
    /// Whether its functions are packaged first; otherwise what was packaged before is deployed, as it is of a deployment
    /// whose functions have no crates of their own: see [`Programs`](crate::package::Programs).
    pub package: bool,
    /// Whether a release is deployed that would not understand what the deployed one has in flight or stored, or lose it.
    pub allow_incompatible: bool,
    /// Whether code and state machines are swapped without a stack update, if nothing else changed. Not on production.
    pub hotswap: bool,
    /// Whether cargo's messages are left out.
    pub quiet_build: bool,
    /// How functions that are packaged are compiled. Default: as they are shipped.
    pub profile: Profile,
    /// How AWS is reached. Default: [`sdk_config`](super::sdk_config).
    pub config: Option<SdkConfig>,
}

impl DeployOptions {
    /// All defaults.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self {
            target,
            arch: None,
            gateway_url: None,
            email_from: None,
            operator_email: None,
            parameters: BTreeMap::new(),
            package: true,
            allow_incompatible: false,
            hotswap: false,
            quiet_build: false,
            profile: Profile::default(),
            config: None,
        }
    }

    /// What the caller gives, by parameter.
    fn given(&self) -> BTreeMap<String, String> {
        let options = [
            (parameters::GATEWAY_URL, &self.gateway_url),
            (parameters::EMAIL_FROM, &self.email_from),
            (parameters::OPERATOR_EMAIL, &self.operator_email),
        ];
        let options = options.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
        self.parameters.clone().into_iter().chain(options).collect()
    }
}

/// What is deployed now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deployed {
    /// The outputs of every stack, by stack id and name.
    pub outputs: BTreeMap<String, BTreeMap<String, String>>,
    /// The ids of the stacks that this changed.
    pub changed: BTreeSet<String>,
    /// The functions and state machines that were changed without their stack.
    pub swapped: BTreeSet<String>,
}

/// Brings the deployment to what the sagas and stacks say: packages, uploads what is new, applies every stack by
/// change set, in order, with the outputs of those before it. What a stack loses goes when those behind it do without.
///
/// What can be checked is checked before anything is touched. When this is dropped before it is done, CloudFormation
/// goes on with the stack it works on; calling this again waits for that first.
///
/// # Errors
/// When a parameter is missing, the release would not understand what the deployed one has in flight or stored, or lose it,
/// the functions cannot be packaged, AWS refuses something, or a stack fails: then with the first resource that failed, and why.
pub async fn deploy(options: &DeployOptions, progress: &mut dyn Progress) -> Result<Deployed, AwsError> {
    deploy_app(&options.target.app()?, options, progress).await
}

/// The same for stacks that the caller has synthesised, for the stage of the target.
///
/// # Errors
/// As [`deploy`].
pub async fn deploy_app(
    app: &App,
    options: &DeployOptions,
    progress: &mut dyn Progress,
) -> Result<Deployed, AwsError> {
    let can_drift = hotswap::is_possible(app.stage);
    if options.hotswap && !can_drift {
        return Err(AwsError::HotswapOnProduction { stage: app.stage });
    }
    let aws = Connection::open(options.config.as_ref()).await?;
    let local = aws.endpoint.is_local_emulator();
    let arch = options.arch.unwrap_or_else(|| aws.endpoint.usual_arch());
    let mut given = options.given();
    given.insert(parameters::DEPLOYMENT.to_owned(), options.target.deployment.clone());
    given.insert(parameters::ARCHITECTURE.to_owned(), arch.lambda_name()?.to_owned());
    given.insert(parameters::LOCAL_EMULATOR.to_owned(), local.to_string());
    check_parameters(&aws, app, options, &given).await?;
    sender::decide(&aws, app, &options.target, &mut given, progress).await?;
    upgrade::check(&aws, app, &options.target, options.allow_incompatible, progress).await?;
    if local && !options.hotswap {
        let note = format!("AWS_ENDPOINT_URL is plain http: {} = true", parameters::LOCAL_EMULATOR);
        progress.update(Update::Note(&note));
    }

    let zips = zips(app, options, arch, progress).await?;
    let bucket = Bucket::of(&aws, &options.target);
    upload(&aws, &bucket, &zips, progress).await?;
    given.insert(parameters::CODE_BUCKET.to_owned(), bucket.name().to_owned());
    for function in &app.functions {
        if let Some(zip) = zips.get(function.name) {
            given.insert(function.code_key_parameter.clone(), zip.clone());
        }
    }
    let release = Release { aws: &aws, app, target: &options.target, bucket: &bucket, given };
    if options.hotswap
        && let Some(deployed) = hotswap::swap(&release, &zips, progress).await?
    {
        return Ok(deployed);
    }
    let mut deployed = apply::all(&release, progress).await?;
    if can_drift {
        deployed.swapped = hotswap::straighten(&release, &zips, &deployed.outputs, progress).await?;
    }
    Ok(deployed)
}

async fn check_parameters(
    aws: &Connection,
    app: &App,
    options: &DeployOptions,
    given: &BTreeMap<String, String>,
) -> Result<(), AwsError> {
    let mut previous = BTreeMap::new();
    for stack in &app.stacks {
        let deployed = stack::describe(aws, &options.target.stack_name(stack)).await?;
        // A stack that must be deleted first keeps nothing.
        if before_deploy(deployed.as_ref()) != Before::DeleteFirst {
            previous.insert(stack.id, deployed.as_ref().map(Deployment::parameter_names).unwrap_or_default());
        }
    }
    super::parameters::check(app, given, &previous)
}

/// The file name of every function's zip, packaged now or before.
async fn zips(
    app: &App,
    options: &DeployOptions,
    arch: Arch,
    progress: &mut dyn Progress,
) -> Result<BTreeMap<String, String>, AwsError> {
    if options.package {
        let (synth, profile, quiet) = (options.target.synth, options.profile, options.quiet_build);
        let options = PackageOptions { arch, profile, quiet, ..PackageOptions::default() };
        let packages = tokio::task::spawn_blocking(move || package::package(synth, &options))
            .await
            .map_err(|_| AwsError::PackageCutShort)??;
        progress.update(Update::Packaged(&packages));
    }
    let folder = package::folder(&project::root()?);
    let manifest = Manifest::load(&folder, arch)?;
    let mut zips = BTreeMap::new();
    for function in &app.functions {
        let bundle = manifest.as_ref().and_then(|manifest| manifest.functions.get(function.name));
        let not_packaged =
            || AwsError::NotPackaged { function: function.name.to_string(), arch: arch.name() };
        zips.insert(function.name.to_string(), bundle.ok_or_else(not_packaged)?.zip.clone());
    }
    Ok(zips)
}

/// Uploads the zips that the bucket lacks, so that no stack is given a key without an object: not every
/// CloudFormation notices.
async fn upload(
    aws: &Connection,
    bucket: &Bucket,
    zips: &BTreeMap<String, String>,
    progress: &mut dyn Progress,
) -> Result<(), AwsError> {
    let folder = package::folder(&project::root()?);
    if bucket.ensure(aws).await? {
        progress.update(Update::Note(&format!("created the artifact bucket {}", bucket.name())));
    }
    for zip in zips.values() {
        if bucket.has(aws, zip).await? {
            continue;
        }
        let path = folder.join(zip);
        let bytes = read_zip(&path, bucket)?;
        let size = bytes.len() as u64;
        bucket.put(aws, zip, bytes).await?;
        progress.update(Update::Uploaded { key: zip, bytes: size });
    }
    Ok(())
}

fn read_zip(path: &Path, bucket: &Bucket) -> Result<Vec<u8>, AwsError> {
    std::fs::read(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => {
            AwsError::NoCode { zip: path.to_owned(), bucket: bucket.name().to_owned() }
        }
        _ => AwsError::Package(PackageError::Io { what: "read", path: path.to_owned(), source }),
    })
}
