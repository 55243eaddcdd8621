//! `infra-gen package`.

use std::process::ExitCode;

use infra_gen::package::{self, PackageOptions, Packaged};

use super::args::PackageArgs;
use super::{deployment, output};

pub(crate) fn run(args: &PackageArgs) -> anyhow::Result<ExitCode> {
    let (arch, profile, only) = (args.arch, args.profile, args.only.clone());
    let options = PackageOptions { arch, profile, only, ..PackageOptions::default() };
    report(&package::package(deployment::SYNTH, &options)?);
    Ok(ExitCode::SUCCESS)
}

/// A line per function.
pub(crate) fn report(packages: &[Packaged]) {
    let width = packages.iter().map(|package| package.function.len()).max().unwrap_or_default();
    for Packaged { function, bundle, built } in packages {
        let state = if *built { "built" } else { "unchanged" };
        output::line(format_args!(
            "{function:<width$}  binary {}  zip {}  {}  {state}",
            megabytes(bundle.binary_bytes),
            megabytes(bundle.zip_bytes),
            &bundle.sha256[..16],
        ));
    }
}

fn megabytes(bytes: u64) -> String {
    let hundredths = bytes / 10_000;
    format!("{}.{:02} MB", hundredths / 100, hundredths % 100)
}
