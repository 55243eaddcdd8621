//! The stacks as a whole.

use crate::templates::{app, resources, template};
use saga::{Definition, Notice, ParticipantSpec};
use sagas::cancel::{CancellationAccepted, CancellationRefused};
use stacks::{App, Stage, SynthError, Trigger, outputs, parameters, synth, synth_of, synth_sagas};
use std::collections::{BTreeMap, BTreeSet};

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
        assert!(stack.template.parameters().count() < 150, "{}", stack.id);
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

/// What a release can be without: some of its sagas, entities and participants.
fn releases() -> [(&'static str, Vec<Definition>, Vec<ParticipantSpec>); 4] {
    let sagas_but = |name| sagas::all().into_iter().filter(|saga| saga.name != name).collect();
    let bare = |spec: ParticipantSpec| match spec.name {
        "inventory" => ParticipantSpec { entities: &[], ..spec },
        _ => spec,
    };
    let participants = sagas::participants;
    let but_inventory = participants().into_iter().filter(|spec| spec.name != "inventory").collect();
    [
        ("everything", sagas::all(), participants()),
        ("no saga cancel-order", sagas_but("cancel-order"), participants()),
        ("no entity stock", sagas::all(), participants().into_iter().map(bare).collect()),
        ("no participant inventory", sagas_but("order"), but_inventory),
    ]
}

#[test]
fn each_output_that_is_handed_on_is_one_of_an_earlier_stack() {
    for (what, sagas, participants) in releases() {
        let app = synth_of(Stage::Dev, sagas, &participants).expect("it is sound");
        expect_handed_on(what, &app);
    }
}

fn expect_handed_on(what: &str, app: &App) {
    let mut earlier: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for stack in &app.stacks {
        let parameters: BTreeSet<_> = stack.template.parameters().map(|(name, _)| name).collect();
        for (name, from) in &stack.handed {
            assert!(parameters.contains(name.as_str()), "{what}: {} has no parameter {name}", stack.id);
            let outputs = earlier.get(from);
            assert!(
                outputs.is_some_and(|outputs| outputs.contains(name.as_str())),
                "{what}: {from}, before {}, has no output {name}",
                stack.id
            );
        }
        earlier.insert(stack.id, stack.template.outputs().map(|(name, _)| name).collect());
    }
}

/// Nothing of what only orders need is asked for.
#[test]
fn sagas_alone_make_a_deployment() {
    let orders = sagas::participants().into_iter().filter(|participant| participant.name == "orders");
    let cancels = sagas::all().into_iter().filter(|saga| saga.name == "cancel-order").collect();
    let for_others = [CancellationAccepted::NAME, CancellationRefused::NAME];
    let orders: Vec<_> = orders.collect();
    let app = synth_sagas(Stage::Prod, cancels, &orders, &for_others).expect("they fit together");
    expect_handed_on("sagas alone", &app);
    let stacks: Vec<_> = app.stacks.iter().map(|stack| stack.id).collect();
    let functions: Vec<_> = app.functions.iter().map(|function| function.name).collect();
    assert_eq!((stacks, functions), (vec!["data", "app"], vec!["orders", "rescue"]));
    let stack = template(&app, "app");
    // What is handed on from the stack before is given by nobody.
    let handed = &app.stacks[1].handed;
    let parameters = stack["Parameters"].as_object().expect("some").keys().map(String::as_str);
    let parameters: BTreeSet<_> = parameters.filter(|name| !handed.contains_key(*name)).collect();
    let expected = [
        parameters::DEPLOYMENT,
        parameters::CODE_BUCKET,
        parameters::ARCHITECTURE,
        &parameters::code_key("orders"),
        parameters::LOCAL_EMULATOR,
        parameters::OPERATOR_ROLE_ARN,
        &parameters::code_key("rescue"),
    ];
    assert_eq!(parameters, BTreeSet::from(expected));
    assert!(!stack["Outputs"][outputs::NOTICES_TOPIC_ARN].is_null());
}

#[test]
fn a_notice_that_nobody_handles_and_that_is_not_for_others_is_refused() {
    let (mut sagas, participants) = (sagas::all(), sagas::participants());
    sagas[0].on_commit[0].name = "OrderShipped";
    let refused = |synthesised: Result<App, SynthError>| match synthesised {
        Err(SynthError::UnhandledNotice { saga, notice }) => (saga, notice),
        other => panic!("{other:?}"),
    };
    let names = (sagas[0].name, "OrderShipped");
    assert_eq!(refused(synth_of(Stage::Prod, sagas.clone(), &participants)), names);
    let others = ["OrderRejected", "CancellationAccepted", "CancellationRefused"];
    assert_eq!(refused(synth_sagas(Stage::Prod, sagas.clone(), &participants, &others)), names);
    let all = [&others[..], &["OrderShipped"]].concat();
    assert!(synth_sagas(Stage::Prod, sagas, &participants, &all).is_ok());
}

/// What another stack imports can neither change nor go, so that nothing could be taken away from a deployment.
#[test]
fn no_stack_exports_or_imports() {
    for (what, sagas, participants) in releases() {
        let app = synth_of(Stage::Prod, sagas, &participants).expect("it is sound");
        for stack in &app.stacks {
            let text = stack.template.to_json();
            for word in ["\"Export\"", "Fn::ImportValue"] {
                assert!(!text.contains(word), "{what}: {} has {word}", stack.id);
            }
        }
    }
}

#[test]
fn what_is_taken_away_is_in_no_stack() {
    let texts = |(what, sagas, participants): (&'static str, Vec<_>, Vec<_>)| {
        let app = synth_of(Stage::Prod, sagas, &participants).expect("it is sound");
        (what, app.stacks.iter().map(|stack| stack.template.to_json().to_owned()).collect::<String>())
    };
    let [all, rest @ ..] = releases();
    let (_, all) = texts(all);
    for ((what, text), gone) in rest.map(texts).into_iter().zip(["CancelOrder", "StockTable", "Inventory"]) {
        assert!(all.contains(gone) && !text.contains(gone), "{what}: {gone} is there");
    }
}

#[test]
fn each_function_has_its_parameter() {
    let app = app(Stage::Prod);
    let names: Vec<_> = app.functions.iter().map(|function| function.name).collect();
    let mut expected = vec!["order-intake"];
    expected.extend(app.participants.iter().map(|participant| participant.name));
    expected.extend(["notification", "rescue", "reconciliation"]);
    assert_eq!(names, expected);
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
    for output in [
        outputs::PARKED_TABLE_NAME,
        outputs::PARKED_TABLE_ARN,
        outputs::CLAIMS_TABLE_NAME,
        outputs::CLAIMS_TABLE_ARN,
    ] {
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
