//! The stacks as a whole.

use crate::templates::{app, resources, template};
use stacks::{App, Stage, Trigger, outputs, parameters, synth, synth_sagas};
use std::collections::BTreeSet;

#[test]
fn the_same_sagas_give_the_same_templates() {
    for stage in Stage::ALL {
        let (one, other) = (app(stage), app(stage));
        for (one, other) in one.stacks.iter().zip(&other.stacks) {
            assert_eq!(one.template.to_yaml(), other.template.to_yaml());
        }
        assert_eq!((one.machines, one.functions), (other.machines, other.functions));
    }
}

#[test]
fn both_stages_have_the_same_resources() {
    let ids = |stage| resources(&app(stage)).into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    assert_eq!(ids(Stage::Dev), ids(Stage::Prod));
}

#[test]
fn templates_are_well_within_the_limits() {
    let app = app(Stage::Prod);
    for stack in &app.stacks {
        assert!(stack.template.to_json().len() < 1_000_000, "{}", stack.id);
        assert!(stack.template.resources().count() < 200, "{}", stack.id);
        assert!(stack.template.outputs().count() < 150, "{}", stack.id);
    }
}

#[test]
fn logical_ids_are_readable() {
    for (id, _) in resources(&app(Stage::Prod)) {
        assert!(
            id.starts_with(|c: char| c.is_ascii_uppercase()) && id.chars().all(char::is_alphabetic),
            "{id}"
        );
    }
}

#[test]
fn each_import_is_exported_by_an_earlier_stack() {
    expect_imports_to_be_exported(&app(Stage::Dev));
}

/// Nothing of what only orders need is asked for.
#[test]
fn sagas_alone_make_a_deployment() {
    let orders = sagas::participants().into_iter().filter(|participant| participant.name == "orders");
    let cancels = sagas::all().into_iter().filter(|saga| saga.name == "cancel-order").collect();
    let app = synth_sagas(Stage::Prod, cancels, &orders.collect::<Vec<_>>()).expect("they fit together");
    expect_imports_to_be_exported(&app);
    let stacks: Vec<_> = app.stacks.iter().map(|stack| stack.id).collect();
    let functions: Vec<_> = app.functions.iter().map(|function| function.name).collect();
    assert_eq!((stacks, functions), (vec!["data", "app"], vec!["orders", "rescue"]));
    let stack = template(&app, "app");
    let parameters: Vec<_> =
        stack["Parameters"].as_object().expect("some").keys().map(String::as_str).collect();
    let expected = [
        parameters::DEPLOYMENT,
        parameters::CODE_BUCKET,
        parameters::ARCHITECTURE,
        &parameters::code_key("orders"),
        parameters::LOCAL_EMULATOR,
        parameters::OPERATOR_ROLE_ARN,
        &parameters::code_key("rescue"),
    ];
    assert_eq!(BTreeSet::from_iter(parameters), BTreeSet::from(expected));
    assert!(!stack["Outputs"][outputs::NOTICES_TOPIC_ARN].is_null());
}

fn expect_imports_to_be_exported(app: &App) {
    let mut exported = BTreeSet::new();
    for stack in &app.stacks {
        let template = template(app, stack.id);
        let text = template["Resources"].to_string();
        for import in text.split(r#""Fn::ImportValue":"#).skip(1) {
            let name = import.split(r#""Fn::Sub":""#).nth(1).and_then(|rest| rest.split('"').next());
            let name = name.expect("a name with a substitution");
            assert!(exported.contains(name), "{} imports {name}, which no earlier stack exports", stack.id);
        }
        for (_, output) in stack.template.outputs() {
            if let Some(name) = output["Export"]["Name"]["Fn::Sub"].as_str() {
                assert!(exported.insert(name.to_owned()), "{name} is exported twice");
            }
        }
    }
}

#[test]
fn each_function_has_its_parameter() {
    let app = app(Stage::Prod);
    let names: Vec<_> = app.functions.iter().map(|function| function.name).collect();
    assert_eq!(
        names,
        ["order-intake", "orders", "inventory", "payment", "notification", "rescue", "reconciliation"]
    );
    let template = template(&app, "app");
    for function in &app.functions {
        assert_eq!(function.code_key_parameter, parameters::code_key(function.name));
        let parameter = &template["Parameters"][&function.code_key_parameter];
        assert_eq!(
            (&parameter["MinLength"], parameter.get("Default")),
            (&1.into(), None),
            "{}",
            function.name
        );
    }
}

#[test]
fn parameters_are_secure_unless_said_otherwise() {
    let app = app(Stage::Prod);
    for stack in ["app", "watch"] {
        assert_eq!(template(&app, stack)["Parameters"][parameters::LOCAL_EMULATOR]["Default"], "false");
    }
    assert_eq!(template(&app, "app")["Parameters"][parameters::ARCHITECTURE]["Default"], "arm64");
}

#[test]
fn each_documented_output_is_there() {
    let app = app(Stage::Prod);
    let has = |stack: &str, output: &str| {
        assert!(
            !template(&app, stack)["Outputs"][output]["Value"].is_null(),
            "{stack} has no output {output}"
        );
    };
    for output in [outputs::PARKED_TABLE_NAME, outputs::PARKED_TABLE_ARN] {
        has("data", output);
    }
    for participant in sagas::participants() {
        has("data", &outputs::fence_table_name(participant.name));
        has("data", &outputs::fence_table_arn(participant.name));
        for entity in participant.entities {
            has("data", &outputs::table_name(entity.name));
            has("data", &outputs::table_arn(entity.name));
        }
    }
    for output in
        [outputs::ORDER_TOPIC_ARN, outputs::ORDER_EVENTS_TOPIC_ARN, outputs::REFUSED_ORDERS_QUEUE_URL]
    {
        has("app", output);
    }
    for saga in sagas::all() {
        has("app", &outputs::state_machine_arn(saga.name));
    }
    for function in &app.functions {
        if function.trigger == Trigger::Queue {
            has("app", &outputs::queue_url(function.name));
            has("app", &outputs::queue_name(function.name));
        }
        has("app", &outputs::role_arn(function.name));
        has("app", &outputs::dead_letter_queue_url(function.name));
        has("app", &outputs::dead_letter_queue_name(function.name));
        has("app", &outputs::function_name(function.name));
        has("app", &outputs::log_group_name(function.name));
    }
    has("watch", outputs::OPERATORS_TOPIC_ARN);
    has("watch", outputs::DASHBOARD_NAME);
}

#[test]
fn synth_takes_a_stage_by_name() {
    let stage: Stage = "dev".parse().expect("a stage");
    assert!(synth(stage).is_ok());
}
