//! `infra-gen graph`.

use std::process::ExitCode;

use anyhow::bail;
use stacks::Stage;

use super::args::GraphArgs;
use super::{deployment, output};

pub(crate) fn run(args: &GraphArgs) -> anyhow::Result<ExitCode> {
    // A saga looks the same in every stage.
    let app = (deployment::SYNTH)(Stage::Prod)?;
    let wanted =
        app.sagas().filter(|definition| args.saga.as_deref().is_none_or(|saga| saga == definition.name));
    let pictures: Vec<_> = wanted.map(|definition| args.format.of(definition)).collect();
    if pictures.is_empty() {
        let names: Vec<_> = app.sagas().map(|definition| definition.name).collect();
        bail!(
            "there is no saga `{}`: use one of {}",
            args.saga.as_deref().unwrap_or_default(),
            names.join(", ")
        );
    }
    for picture in pictures {
        output::part(&picture);
    }
    Ok(ExitCode::SUCCESS)
}
