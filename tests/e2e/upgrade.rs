//! A release that would not understand what the deployed one has in flight is not deployed.

use crate::{
    cases::{Case, cases},
    world::World,
};
use anyhow::{Context, Result, ensure};
use aws_sdk_cloudformation::client::Waiters;
use infra_gen::aws::{self, AwsError, DeployOptions, DestroyOptions, Silent, StackDifference, Target};
use serde_json::{Value as Json, json};
use stacks::Stage;
use system::SystemConfig;

pub(crate) fn cases() -> Vec<Case> {
    cases!["upgrade": what_is_deployed_keeps_its_schemas, an_incompatible_release_is_refused_unless_it_is_allowed]
}

async fn diff(world: &World, target: &Target) -> Result<StackDifference> {
    let stacks = aws::diff(target, Some(&world.system.sdk_config().await)).await?;
    stacks.into_iter().find(|stack| stack.stack.ends_with("-app")).context("there is a stack `app`")
}

async fn what_is_deployed_keeps_its_schemas(world: &World) -> Result<()> {
    let target = Target::new(SystemConfig::from_env().deployment, Stage::Dev, stacks::synth);
    let app = diff(world, &target).await?;
    ensure!(app.deployed && app.differences.is_empty(), "{app:?}");
    ensure!(app.incompatibilities.as_deref() == Some(&[]), "{app:?}");
    Ok(())
}

/// The template of a release before, without most of it: in it a quantity could be anything.
fn release_before() -> Result<String> {
    let app = stacks::synth(Stage::Dev)?;
    let stack = app.stacks.iter().find(|stack| stack.id == "app").context("there is a stack `app`")?;
    let template: Json = serde_json::from_str(stack.template.to_json())?;
    let mut metadata = template["Metadata"].clone();
    let order = metadata.pointer_mut("/MessageSchemas/Sagas/order").context("there are schemas")?;
    let mut schemas: Json = serde_json::from_str(order.as_str().context("they are text")?)?;
    *schemas.pointer_mut("/$defs/Line/properties/quantity").context("a line has a quantity")? = json!({});
    *order = schemas.to_string().into();
    Ok(json!({ "Metadata": metadata, "Resources": { "Before": { "Type": "AWS::SQS::Queue" } } }).to_string())
}

async fn an_incompatible_release_is_refused_unless_it_is_allowed(world: &World) -> Result<()> {
    let target = Target::new(world.id("up"), Stage::Dev, stacks::synth);
    let config = world.system.sdk_config().await;
    let cloudformation = aws_sdk_cloudformation::Client::new(&config);
    let name = format!("{}-app", target.name());
    cloudformation.create_stack().stack_name(&name).template_body(release_before()?).send().await?;
    cloudformation.wait_until_stack_create_complete().stack_name(&name).wait(world.soon()).await?;

    let field = "at `$.lines[*].quantity`: messages in flight can have anything";
    let mut options = DeployOptions {
        // Nothing is charged.
        gateway_url: Some("http://127.0.0.1:9".to_owned()),
        email_from: Some(format!("{}@flyover.example", target.deployment)),
        package: false,
        parameters: world.system.peer().parameters(),
        config: Some(config.clone()),
        ..DeployOptions::new(target.clone())
    };
    let refused = aws::deploy(&options, &mut Silent).await;
    let Err(AwsError::Incompatible { stack, found }) = refused else { anyhow::bail!("{refused:?}") };
    ensure!(stack == name && found.len() == 1, "{stack}: {found:?}");
    ensure!(found[0].to_string().contains(field), "{}", found[0]);
    let differs = diff(world, &target).await?;
    ensure!(differs.incompatibilities == Some(found), "{differs:?}");

    options.allow_incompatible = true;
    let deployed = aws::deploy(&options, &mut Silent).await?;
    ensure!(deployed.changed.contains("app"), "{deployed:?}");
    let differs = diff(world, &target).await?;
    ensure!(differs.incompatibilities.as_deref() == Some(&[]), "{differs:?}");
    let destroy = DestroyOptions { confirmed: true, config: Some(config), ..DestroyOptions::new(target) };
    aws::destroy(&destroy, &mut Silent).await?;
    Ok(())
}
