//! Releases that have less than the one before: what is taken away goes, and can be put back.

use crate::{
    cases::{Case, cases},
    world::World,
};
use anyhow::{Context, Result, ensure};
use aws_sdk_cloudformation::{client::Waiters, types::Stack};
use aws_sdk_sfn::types::ExecutionStatus;
use infra_gen::aws::{self, AwsError, DeployOptions, DestroyOptions, Silent, Target};
use saga::{Definition, ParticipantSpec};
use serde_json::{Value as Json, json};
use stacks::{Stage, outputs, parameters::SENDER_IDENTITY};
use std::collections::BTreeSet;
use system::Peer;

pub(crate) fn cases() -> Vec<Case> {
    cases!["releases":
        a_saga_can_be_taken_away_and_put_back,
        an_entity_can_be_taken_away_and_put_back,
        a_participant_can_be_taken_away_and_put_back,
        a_release_that_exported_and_imported_is_followed_by_one_that_does_not,
        nothing_is_destroyed_or_taken_away_from_under_an_execution,
        two_deployments_can_have_one_sender,
    ]
}

/// What a release is made of.
type Release = (Vec<Definition>, Vec<ParticipantSpec>);

async fn a_saga_can_be_taken_away_and_put_back(world: &World) -> Result<()> {
    let without = (all_sagas_but("cancel-order"), sagas::participants());
    there_and_back(world, "sa", without, &[outputs::state_machine_arn("cancel-order")]).await
}

async fn an_entity_can_be_taken_away_and_put_back(world: &World) -> Result<()> {
    let without_stock = |spec: ParticipantSpec| match spec.name {
        "inventory" => ParticipantSpec { entities: &[], ..spec },
        _ => spec,
    };
    let without = (sagas::all(), sagas::participants().into_iter().map(without_stock).collect());
    there_and_back(world, "en", without, &[outputs::table_name("stock"), outputs::table_arn("stock")]).await
}

async fn a_participant_can_be_taken_away_and_put_back(world: &World) -> Result<()> {
    let participants = sagas::participants().into_iter().filter(|spec| spec.name != "inventory");
    // The saga that asks it goes with it.
    let without = (all_sagas_but("order"), participants.collect());
    let gone = [
        outputs::fence_table_name("inventory"),
        outputs::table_name("stock"),
        outputs::queue_url("inventory"),
        outputs::function_name("inventory"),
        outputs::state_machine_arn("order"),
    ];
    there_and_back(world, "pa", without, &gone).await
}

fn all_sagas_but(name: &str) -> Vec<Definition> {
    sagas::all().into_iter().filter(|saga| saga.name != name).collect()
}

/// Deploys everything, then the release with less, then everything again, each from the outputs of the one before.
async fn there_and_back(world: &World, name: &str, less: Release, gone: &[String]) -> Result<()> {
    let options = options(world, name).await;
    let everything = || (sagas::all(), sagas::participants());
    for (what, (sagas, participants), has) in
        [("everything", everything(), true), ("less", less, false), ("everything again", everything(), true)]
    {
        let app = stacks::synth_of(options.target.stage, sagas, &participants)?;
        let deployed = aws::deploy_app(&app, &options, &mut Silent).await.context(what)?;
        let names: BTreeSet<&String> = deployed.outputs.values().flat_map(|outputs| outputs.keys()).collect();
        for output in gone {
            ensure!(names.contains(output) == has, "{what}: {output} in {names:?}");
        }
    }
    destroy(options).await
}

/// Before outputs were handed on as parameters, the stack `data` exported them and `app` imported them. As long as it
/// does, no export can go.
async fn a_release_that_exported_and_imported_is_followed_by_one_that_does_not(world: &World) -> Result<()> {
    let options = options(world, "ex").await;
    let name = |stack: &str| format!("{}-{stack}", options.target.name());
    let config = options.config.as_ref().context("it has one")?;
    let cloudformation = aws_sdk_cloudformation::Client::new(config);
    let data = stacks::synth(Stage::Dev)?.stacks.into_iter().find(|stack| stack.id == "data");
    let mut data: Json = serde_json::from_str(data.context("there is a stack `data`")?.template.to_json())?;
    let export = name("data-StockTableName");
    data["Outputs"]["StockTableName"]["Export"] = json!({ "Name": export });
    let imported = json!({ "Fn::ImportValue": export });
    let queue = json!({
        "Type": "AWS::SQS::Queue", "Properties": { "Tags": [{ "Key": "table", "Value": imported }] }
    });
    let app = json!({ "Resources": { "Before": queue } });
    for (stack, template) in [("data", data), ("app", app)] {
        let stack = name(stack);
        cloudformation.create_stack().stack_name(&stack).template_body(template.to_string()).send().await?;
        cloudformation.wait_until_stack_create_complete().stack_name(&stack).wait(world.soon()).await?;
    }
    aws::deploy(&options, &mut Silent).await?;
    for stack in ["data", "app"] {
        let template = cloudformation.get_template().stack_name(name(stack)).send().await?;
        let template = template.template_body.unwrap_or_default();
        for word in ["Export", "ImportValue", "Before"] {
            // To MiniStack an update of nothing but outputs is none.
            let unseen = word == "Export" && world.system.peer() == Peer::MiniStack;
            ensure!(unseen || !template.contains(word), "{stack} has {word}");
        }
    }
    destroy(options).await
}

/// A state machine goes only when its last execution has ended, and nothing takes its name until then.
async fn nothing_is_destroyed_or_taken_away_from_under_an_execution(world: &World) -> Result<()> {
    let options = options(world, "ru").await;
    let deployed = aws::deploy(&options, &mut Silent).await?;
    let config = options.config.clone();
    let sfn = aws_sdk_sfn::Client::new(config.as_ref().context("it has one")?);
    let machine = &deployed.outputs["app"][&outputs::state_machine_arn("cancel-order")];
    let waits = r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":3600,"End":true}}}"#;
    sfn.update_state_machine().state_machine_arn(machine).definition(waits).send().await?;
    let started = sfn.start_execution().state_machine_arn(machine).name("c-1").send().await?;

    let less = stacks::synth_of(Stage::Dev, all_sagas_but("cancel-order"), &sagas::participants())?;
    let refused = aws::deploy_app(&less, &options, &mut Silent).await;
    let Err(AwsError::SagaUnderWay { running }) = refused else { anyhow::bail!("{refused:?}") };
    ensure!(running[0].count == 1 && running[0].examples == ["c-1"], "{running:?}");

    let destroy = DestroyOptions {
        confirmed: true,
        config: config.clone(),
        ..DestroyOptions::new(options.target.clone())
    };
    let refused = aws::destroy(&destroy, &mut Silent).await;
    let Err(AwsError::ExecutionsRunning { running, .. }) = refused else { anyhow::bail!("{refused:?}") };
    ensure!(running.len() == 1 && running[0].machine.ends_with("-cancel-order"), "{running:?}");
    let status = sfn.describe_execution().execution_arn(&started.execution_arn).send().await?.status;
    ensure!(status == ExecutionStatus::Running, "{status:?}");

    // No emulator keeps a machine for its executions.
    let destroyed = aws::destroy(&DestroyOptions { stop_executions: true, ..destroy }, &mut Silent).await?;
    ensure!(destroyed.stacks.len() == 3, "{destroyed:?}");
    Ok(())
}

/// An identity of SES belongs to the account, so to whoever comes first.
async fn two_deployments_can_have_one_sender(world: &World) -> Result<()> {
    if world.system.peer() != Peer::MiniStack {
        // LocalStack has no identities, and on AWS somebody would have to confirm them.
        return Ok(());
    }
    let first = options(world, "s1").await;
    let sender = first.email_from.clone();
    let second = DeployOptions { email_from: sender.clone(), ..options(world, "s2").await };
    let third = DeployOptions { email_from: sender, ..options(world, "s3").await };
    for (options, expected) in
        [(&first, "create"), (&second, "existing"), (&second, "existing"), (&first, "create")]
    {
        deploy_and_ask_for_identity(options, expected).await?;
    }
    destroy(first).await?;
    // It is still there.
    deploy_and_ask_for_identity(&third, "existing").await?;
    destroy(second).await?;
    destroy(third).await
}

async fn deploy_and_ask_for_identity(options: &DeployOptions, expected: &str) -> Result<()> {
    aws::deploy(options, &mut Silent).await?;
    let cloudformation = aws_sdk_cloudformation::Client::new(options.config.as_ref().context("it has one")?);
    let name = format!("{}-app", options.target.name());
    let stacks = cloudformation.describe_stacks().stack_name(&name).send().await?;
    let mut parameters = stacks.stacks().iter().flat_map(Stack::parameters);
    let choice = parameters.find(|parameter| parameter.parameter_key() == Some(SENDER_IDENTITY));
    let choice = choice.and_then(|choice| choice.parameter_value());
    ensure!(choice == Some(expected), "{name}: {choice:?}");
    Ok(())
}

/// A deployment of its own, under a name of this run.
pub(crate) async fn options(world: &World, name: &str) -> DeployOptions {
    let target = Target::new(world.id(name), Stage::Dev, stacks::synth);
    DeployOptions {
        // Nothing is charged.
        gateway_url: Some("http://127.0.0.1:9".to_owned()),
        email_from: Some(format!("{}@flyover.example", target.deployment)),
        package: false,
        allow_incompatible: true,
        parameters: world.system.peer().parameters(),
        config: Some(world.system.sdk_config().await),
        ..DeployOptions::new(target)
    }
}

pub(crate) async fn destroy(options: DeployOptions) -> Result<()> {
    let DeployOptions { target, config, .. } = options;
    aws::destroy(&DestroyOptions { confirmed: true, config, ..DestroyOptions::new(target) }, &mut Silent)
        .await?;
    Ok(())
}
