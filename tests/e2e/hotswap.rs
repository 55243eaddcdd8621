//! Code and state machines that are changed without a stack update, and the next deployment, which straightens that.

use crate::{
    cases::{Case, cases},
    releases::{destroy, options},
    world::World,
};
use anyhow::{Context, Result, ensure};
use aws_sdk_lambda::client::Waiters;
use infra_gen::aws::{self, DeployOptions, Deployed, Silent};
use serde_json::Value as Json;
use stacks::{App, Stage, outputs};

pub(crate) fn cases() -> Vec<Case> {
    cases!["hotswap":
        a_changed_state_machine_is_swapped_and_a_deployment_straightens_it,
        changed_code_is_swapped_and_a_deployment_straightens_it,
        what_needs_a_stack_update_gets_one,
    ]
}

async fn a_changed_state_machine_is_swapped_and_a_deployment_straightens_it(world: &World) -> Result<()> {
    let options = options(world, "hm").await;
    let first = aws::deploy(&options, &mut Silent).await?;
    ensure!(first.swapped.is_empty(), "what was just deployed is what runs: {first:?}");
    let machine = &first.outputs["app"][&outputs::state_machine_arn("cancel-order")];
    let before = definition(world, machine).await?;

    let swapped = hotswap(&without_notices()?, &options).await?;
    let name = machine.rsplit(':').next().context("an ARN has parts")?;
    ensure!(swapped.swapped == [format!("state machine {name}")].into(), "{swapped:?}");
    ensure!(swapped.changed.is_empty() && swapped.outputs == first.outputs, "{swapped:?}");
    let after = definition(world, machine).await?;
    ensure!(after != before && !after.to_string().contains("${"), "{after}");
    let again = hotswap(&without_notices()?, &options).await?;
    ensure!(again.swapped.is_empty(), "there is nothing left to swap: {again:?}");

    // To CloudFormation nothing has changed.
    let straightened = aws::deploy(&options, &mut Silent).await?;
    ensure!(straightened.swapped == swapped.swapped, "{straightened:?}");
    ensure!(definition(world, machine).await? == before, "the machine is not as the template says");
    destroy(options).await
}

async fn changed_code_is_swapped_and_a_deployment_straightens_it(world: &World) -> Result<()> {
    let options = options(world, "hc").await;
    let first = aws::deploy(&options, &mut Silent).await?;
    let (inventory, orders) = (
        &first.outputs["app"][&outputs::function_name("inventory")],
        &first.outputs["app"][&outputs::function_name("orders")],
    );
    let lambda = aws_sdk_lambda::Client::new(options.config.as_ref().context("it has one")?);
    let code = async |function: &str| -> Result<Option<String>> {
        let found = lambda.get_function_configuration().function_name(function).send().await?;
        Ok(found.code_sha256)
    };
    let (right, other) = (code(inventory).await?, code(orders).await?);
    ensure!(right.is_some() && right != other, "{right:?} and {other:?}");
    let (bucket, key) = zip_of("orders", &options).await?;

    for hotswapped in [true, false] {
        let wrong = lambda.update_function_code().function_name(inventory).s3_bucket(&bucket).s3_key(&key);
        wrong.send().await?;
        lambda.wait_until_function_updated_v2().function_name(inventory).wait(world.soon()).await?;
        ensure!(code(inventory).await? == other, "the wrong code was not taken");
        let options = DeployOptions { hotswap: hotswapped, ..options.clone() };
        let deployed = aws::deploy(&options, &mut Silent).await?;
        ensure!(deployed.swapped == ["function inventory".to_owned()].into(), "{hotswapped}: {deployed:?}");
        ensure!(deployed.changed.is_empty(), "{hotswapped}: {deployed:?}");
        ensure!(code(inventory).await? == right, "{hotswapped}: it is not the right code");
    }
    destroy(options).await
}

async fn what_needs_a_stack_update_gets_one(world: &World) -> Result<()> {
    let options = options(world, "hu").await;
    aws::deploy(&options, &mut Silent).await?;
    let participants = sagas::participants();
    let sagas = sagas::all().into_iter().filter(|saga| saga.name != "cancel-order").collect();
    let less = stacks::synth_of(Stage::Dev, sagas, &participants)?;
    let deployed = hotswap(&less, &options).await?;
    ensure!(deployed.changed.contains("app"), "{deployed:?}");
    let gone = outputs::state_machine_arn("cancel-order");
    ensure!(!deployed.outputs["app"].contains_key(&gone), "{deployed:?}");
    destroy(options).await
}

/// A release whose customers are not told that a cancellation was refused. How long a saga can take at the most, which functions
/// are told, stays: the other saga takes longer.
fn without_notices() -> Result<App> {
    let mut sagas = sagas::all();
    for saga in &mut sagas {
        if saga.name == "cancel-order" {
            saga.on_compensate.clear();
        }
    }
    Ok(stacks::synth_of(Stage::Dev, sagas, &sagas::participants())?)
}

async fn hotswap(app: &App, options: &DeployOptions) -> Result<Deployed> {
    let options = DeployOptions { hotswap: true, ..options.clone() };
    Ok(aws::deploy_app(app, &options, &mut Silent).await?)
}

async fn definition(world: &World, machine: &str) -> Result<Json> {
    let sfn = &world.system.clients().sfn;
    let found = sfn.describe_state_machine().state_machine_arn(machine).send().await?;
    Ok(serde_json::from_str(found.definition())?)
}

/// Where the code of a function is: bucket and key.
async fn zip_of(function: &str, options: &DeployOptions) -> Result<(String, String)> {
    let cloudformation = aws_sdk_cloudformation::Client::new(options.config.as_ref().context("it has one")?);
    let stack = format!("{}-app", options.target.name());
    let found = cloudformation.describe_stacks().stack_name(stack).send().await?;
    let given = found.stacks().first().context("it is deployed")?.parameters();
    let value = |name: &str| {
        let found = given.iter().find(|one| one.parameter_key() == Some(name));
        found.and_then(|one| one.parameter_value()).map(ToOwned::to_owned).context("it is given")
    };
    let app = stacks::synth(Stage::Dev)?;
    let asset = app.functions.iter().find(|asset| asset.name == function).context("there is one")?;
    Ok((value(stacks::parameters::CODE_BUCKET)?, value(&asset.code_key_parameter)?))
}
