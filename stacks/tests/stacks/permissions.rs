//! What roles may do: what they need, on what is theirs.

use crate::templates::{app, list, of_type, role_statements, template};
use saga::{
    Intake, Startables,
    environment::{QUEUES, queue as queue_variable},
};
use sagas::{
    environment::{NOTIFICATION, REFUSED_ORDERS},
    intakes::OrderIntake,
};
use serde_json::{Value as Json, json};
use stacks::{Stage, Trigger, outputs};
use std::collections::{BTreeMap, BTreeSet};

/// The actions that roles have on everything, and why.
const ON_EVERYTHING: &[(&str, &str)] = &[
    ("xray:GetSamplingRules", "a trace belongs to the account, X-Ray has no resource for it"),
    ("xray:GetSamplingTargets", "as above"),
    ("xray:PutTelemetryRecords", "as above"),
    ("xray:PutTraceSegments", "as above"),
    (
        "logs:CreateLogDelivery",
        "deliveries of vended logs are no resources, Step Functions asks for all of these",
    ),
    ("logs:DeleteLogDelivery", "as above"),
    ("logs:DescribeLogGroups", "as above"),
    ("logs:DescribeResourcePolicies", "as above"),
    ("logs:GetLogDelivery", "as above"),
    ("logs:ListLogDeliveries", "as above"),
    ("logs:PutResourcePolicy", "as above"),
    ("logs:UpdateLogDelivery", "as above"),
    (
        "states:SendTaskFailure",
        "only for emulators, which do not know whose token it is; on AWS it is confined",
    ),
    ("states:SendTaskSuccess", "as above"),
    ("sns:Publish", "a telephone number is no resource; topics are denied beside it"),
    ("ses:SendEmail", "only for emulators, which see no identities; on AWS it is on identities"),
];

#[test]
fn nothing_is_on_everything_but_what_has_no_resource() {
    let allowed: BTreeSet<_> = ON_EVERYTHING.iter().map(|(action, _)| *action).collect();
    let mut found = BTreeSet::new();
    for (id, role) in of_type(&app(Stage::Prod), "AWS::IAM::Role") {
        for statement in role_statements(&role) {
            for action in list(&statement["Action"]).into_iter().filter_map(Json::as_str) {
                assert!(!action.contains('*'), "{id} may do {action}");
                if list(&statement["Resource"]).into_iter().any(|resource| resource == "*") {
                    assert!(allowed.contains(action), "{id} may do {action} on everything");
                    found.insert(action.to_owned());
                }
            }
        }
    }
    assert_eq!(found.len(), allowed.len(), "the list has what nobody needs: {found:?}");
}

/// The outputs of the stack `data` that a role's statements on DynamoDB name.
fn tables(role: &Json) -> BTreeSet<String> {
    role_statements(role)
        .into_iter()
        .filter(|statement| statement["Action"].to_string().contains("dynamodb:"))
        .flat_map(|statement| list(&statement["Resource"]))
        .map(|resource| resource["Ref"].as_str().expect("a parameter").to_owned())
        .collect()
}

#[test]
fn each_role_names_its_own_tables_only() {
    let app = app(Stage::Prod);
    let resources = &template(&app, "app")["Resources"];
    let mut seen = BTreeSet::new();
    for participant in sagas::participants() {
        let entities = participant.entities.iter().map(|entity| outputs::table_arn(entity.name));
        let own: BTreeSet<_> = entities.chain([outputs::fence_table_arn(participant.name)]).collect();
        let role = format!("{}Role", pascal(participant.name));
        assert_eq!(tables(&resources[&role]), own, "{role}");
        seen.insert(role);
    }
    let compared = BTreeSet::from([outputs::fence_table_arn("payment")]);
    assert_eq!(tables(&resources["ReconciliationRole"]), compared, "reconciliation");
    seen.insert("ReconciliationRole".to_owned());
    let claims = BTreeSet::from([outputs::CLAIMS_TABLE_ARN.to_owned()]);
    assert_eq!(tables(&resources["NotificationRole"]), claims, "notification");
    seen.insert("NotificationRole".to_owned());
    let parked = BTreeSet::from([outputs::PARKED_TABLE_ARN.to_owned()]);
    for (id, role) in of_type(&app, "AWS::IAM::Role").into_iter().filter(|(id, _)| !seen.contains(id)) {
        let parks = id.ends_with("StateMachineRole") || id == "RescueRole";
        let expected = if parks { parked.clone() } else { BTreeSet::new() };
        assert_eq!(tables(&role), expected, "{id}");
    }
}

#[test]
fn functions_write_their_own_log_and_read_their_own_queue_only() {
    let app = app(Stage::Prod);
    for function in &app.functions {
        let id = pascal(function.name);
        let role = &template(&app, "app")["Resources"][format!("{id}Role")];
        let on = |action: &str| -> Vec<Json> {
            role_statements(role)
                .into_iter()
                .filter(|statement| list(&statement["Action"]).into_iter().any(|given| given == action))
                .flat_map(|statement| list(&statement["Resource"]))
                .cloned()
                .collect()
        };
        assert_eq!(on("logs:PutLogEvents"), [json!({ "Fn::GetAtt": [format!("{id}LogGroup"), "Arn"] })]);
        let queue = json!({ "Fn::GetAtt": [format!("{id}Queue"), "Arn"] });
        let own = if function.trigger == Trigger::Queue { vec![queue] } else { Vec::new() };
        assert_eq!(on("sqs:ReceiveMessage"), own, "{id}");
        if function.trigger == Trigger::Queue {
            let dead_letters = json!({ "Fn::GetAtt": [format!("{id}DeadLetterQueue"), "Arn"] });
            let sends = on("sqs:SendMessage").contains(&dead_letters);
            assert!(sends, "{id} keeps its dead letters with their reason");
        }
    }
}

/// What the emulator cannot enforce: it does not know which state machine issued a token, so end to end a participant
/// can answer any. On AWS, and that is what stands in the template, it answers the state machines that ask it only.
#[test]
fn participants_answer_the_state_machines_that_ask_them_only() {
    let app = app(Stage::Prod);
    let resources = &template(&app, "app")["Resources"];
    for (id, role) in of_type(&app, "AWS::IAM::Role") {
        let policies = list(&role["Properties"]["Policies"]);
        let all = policies.into_iter().flat_map(|policy| list(&policy["PolicyDocument"]["Statement"]));
        let answering = |statement: &&Json| statement.to_string().contains("states:SendTask");
        let (on_aws, elsewhere): (Vec<_>, Vec<_>) =
            all.filter(answering).partition(|statement| statement["Fn::If"][0] == "OnAws");
        let participant = sagas::participants().into_iter().find(|p| format!("{}Role", pascal(p.name)) == id);
        let Some(participant) = participant else {
            assert!(on_aws.is_empty() && elsewhere.is_empty(), "{id} answers tasks");
            continue;
        };
        let on_emulator: Vec<_> = elsewhere.iter().map(|statement| &statement["Fn::If"][0]).collect();
        assert_eq!(on_emulator, ["OnEmulator"], "{id}");
        let [statement] = on_aws[..] else { panic!("{id}: {on_aws:?}") };
        let named: BTreeSet<_> =
            list(&statement["Fn::If"][1]["Resource"]).into_iter().map(Json::to_string).collect();
        let asking = app
            .machines
            .iter()
            .filter(|machine| machine.definition.steps().any(|step| step.participant == participant.name));
        let expected: BTreeSet<_> = asking
            .map(|machine| {
                let machine = &resources[format!("{}StateMachine", pascal(machine.saga))];
                let arn =
                    "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${Name}";
                let name = &machine["Properties"]["StateMachineName"];
                json!({ "Fn::Sub": [arn, { "Name": name }] }).to_string()
            })
            .collect();
        assert_eq!(named, expected, "{id}");
        assert!(!named.is_empty(), "{id}");
    }
}

/// Each fence is read and put, in transactions too: a participant can neither take one away nor change what it says
/// but by putting the whole.
#[test]
fn participants_read_and_put_fences_and_never_delete_them() {
    let app = app(Stage::Prod);
    let resources = &template(&app, "app")["Resources"];
    for participant in sagas::participants() {
        let fences = json!({ "Ref": outputs::fence_table_arn(participant.name) });
        let statements = role_statements(&resources[format!("{}Role", pascal(participant.name))]);
        let on_fences =
            statements.into_iter().filter(|statement| list(&statement["Resource"]).contains(&&fences));
        let actions: BTreeSet<_> =
            on_fences.flat_map(|statement| list(&statement["Action"])).filter_map(Json::as_str).collect();
        assert_eq!(actions, BTreeSet::from(["dynamodb:GetItem", "dynamodb:PutItem"]), "{}", participant.name);
    }
}

/// It refunds at the gateway, and what a saga knows stays as it is.
#[test]
fn reconciliation_only_reads_fences() {
    let app = app(Stage::Prod);
    let role = &template(&app, "app")["Resources"]["ReconciliationRole"];
    let on_tables: BTreeSet<_> = role_statements(role)
        .into_iter()
        .flat_map(|statement| list(&statement["Action"]))
        .filter_map(Json::as_str)
        .filter(|action| action.starts_with("dynamodb:"))
        .collect();
    assert_eq!(on_tables, BTreeSet::from(["dynamodb:GetItem"]));
}

/// It starts and looks at executions, and takes away what dead ones left parked; it stops none and answers for none.
#[test]
fn rescue_starts_lists_and_describes_executions_and_takes_parked_records_away() {
    let app = app(Stage::Prod);
    let role = &template(&app, "app")["Resources"]["RescueRole"];
    let allowed = resources_by_action(role, &["states:", "dynamodb:"]);
    let expected = [
        "dynamodb:DeleteItem",
        "dynamodb:Query",
        "states:DescribeExecution",
        "states:ListExecutions",
        "states:StartExecution",
    ];
    assert!(allowed.keys().eq(expected.iter()), "{allowed:?}");
    let machines = state_machines(app.machines.iter().map(|machine| machine.saga));
    for action in ["states:ListExecutions", "states:StartExecution"] {
        assert_eq!(allowed[action], machines, "{action}");
    }
}

/// The sagas that it says it starts, and their executions; nobody else but rescue starts any.
#[test]
fn order_intake_starts_and_looks_at_its_own_sagas_only() {
    let app = app(Stage::Prod);
    let roles = of_type(&app, "AWS::IAM::Role");
    let role = &template(&app, "app")["Resources"]["OrderIntakeRole"];
    let allowed = resources_by_action(role, &["states:"]);
    assert!(allowed.keys().eq(&["states:DescribeExecution", "states:StartExecution"]), "{allowed:?}");
    let own = <OrderIntake as Intake>::Sagas::NAMES;
    assert_eq!(allowed["states:StartExecution"], state_machines(own.iter().copied()));
    assert_eq!(allowed["states:DescribeExecution"].len(), own.len());
    for saga in own {
        let machine = format!(r#""{}StateMachine""#, pascal(saga));
        let looks = |resource: &&String| resource.contains(&machine) && resource.contains(":execution:");
        assert_eq!(allowed["states:DescribeExecution"].iter().filter(looks).count(), 1, "{saga}");
    }
    let starting =
        roles.iter().filter(|(_, role)| !resources_by_action(role, &["states:StartExecution"]).is_empty());
    assert_eq!(starting.map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["OrderIntakeRole", "RescueRole"]);
}

#[test]
fn order_intake_counts_what_participants_have_and_puts_back_into_its_own_queue_only() {
    let app = app(Stage::Prod);
    let resources = &template(&app, "app")["Resources"];
    let allowed = resources_by_action(&resources["OrderIntakeRole"], &["sqs:"]);
    let queue = |name: &str| json!({ "Fn::GetAtt": [format!("{name}Queue"), "Arn"] }).to_string();
    let queues = |names: &[&str]| names.iter().map(|name| queue(name)).collect::<BTreeSet<_>>();
    let own = app.sagas().filter(|saga| <OrderIntake as Intake>::Sagas::NAMES.contains(&saga.name));
    let asked: BTreeSet<_> = own.flat_map(saga::Definition::steps).map(|step| step.participant).collect();
    let counted: Vec<_> = asked.iter().copied().chain([OrderIntake::NAME]).map(pascal).collect();
    let counted: Vec<_> = counted.iter().map(String::as_str).collect();
    assert_eq!(allowed["sqs:GetQueueAttributes"], queues(&counted));
    let sent_to = ["OrderIntake", "OrderIntakeDeadLetter", "RefusedOrders", "Notification"];
    assert_eq!(allowed["sqs:SendMessage"], queues(&sent_to));
    assert_eq!(allowed["sqs:ReceiveMessage"], queues(&["OrderIntake"]));
    let stack = template(&app, "app");
    let most = &stack["Parameters"]["MaxBacklog"];
    // Two hours at five a second.
    assert_eq!((&most["Default"], &most["MinValue"]), (&json!("4500"), &json!(1)), "{most}");
    let variables = &resources["OrderIntakeFunction"]["Properties"]["Environment"]["Variables"];
    assert_eq!(variables["FLYOVER_MAX_BACKLOG"], json!({ "Ref": "MaxBacklog" }));
    // It takes every queue that it is told for one to count, but its own and the two that it sends to.
    let told: BTreeSet<_> =
        variables.as_object().unwrap().keys().filter(|name| name.starts_with(QUEUES)).collect();
    let known: BTreeSet<_> = asked
        .iter()
        .copied()
        .chain([OrderIntake::NAME, REFUSED_ORDERS, NOTIFICATION])
        .map(queue_variable)
        .collect();
    assert_eq!(told, known.iter().collect());
}

#[test]
fn notification_claims_letters_and_puts_notices_back_into_its_own_queue_only() {
    let app = app(Stage::Prod);
    let resources = &template(&app, "app")["Resources"];
    let allowed = resources_by_action(&resources["NotificationRole"], &["sqs:", "dynamodb:"]);
    let queue = |name: &str| json!({ "Fn::GetAtt": [format!("{name}Queue"), "Arn"] }).to_string();
    let queues = |names: &[&str]| names.iter().map(|name| queue(name)).collect::<BTreeSet<_>>();
    assert_eq!(allowed["sqs:SendMessage"], queues(&["Notification", "NotificationDeadLetter"]));
    assert_eq!(allowed["sqs:ReceiveMessage"], queues(&["Notification"]));
    let claims = json!({ "Ref": outputs::CLAIMS_TABLE_ARN }).to_string();
    let on_tables: Vec<_> = allowed.iter().filter(|(action, _)| action.starts_with("dynamodb:")).collect();
    assert_eq!(on_tables, [(&"dynamodb:UpdateItem", &BTreeSet::from([claims]))]);
    let variables = &resources["NotificationFunction"]["Properties"]["Environment"]["Variables"];
    let own = json!({ "Fn::GetAtt": ["NotificationQueue", "QueueUrl"] });
    assert_eq!(variables["FLYOVER_QUEUE_NOTIFICATION"], own);
    assert_eq!(variables["FLYOVER_CLAIMS_TABLE"], json!({ "Ref": outputs::CLAIMS_TABLE_NAME }));
}

/// On what a role may do each action that begins so.
fn resources_by_action<'a>(role: &'a Json, begins: &[&str]) -> BTreeMap<&'a str, BTreeSet<String>> {
    let mut allowed: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for statement in role_statements(role) {
        for action in list(&statement["Action"]).into_iter().filter_map(Json::as_str) {
            if begins.iter().any(|begins| action.starts_with(begins)) {
                let on = list(&statement["Resource"]).into_iter().map(Json::to_string);
                allowed.entry(action).or_default().extend(on);
            }
        }
    }
    allowed
}

fn state_machines<'a>(sagas: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let arn = |saga| json!({ "Fn::GetAtt": [format!("{}StateMachine", pascal(saga)), "Arn"] }).to_string();
    sagas.map(arn).collect()
}

#[test]
fn state_machines_send_to_the_queues_of_their_own_steps_only() {
    let app = app(Stage::Prod);
    for machine in &app.machines {
        let role = &template(&app, "app")["Resources"][format!("{}StateMachineRole", pascal(machine.saga))];
        let queues: BTreeSet<_> = role_statements(role)
            .into_iter()
            .filter(|statement| statement["Action"] == "sqs:SendMessage")
            .flat_map(|statement| list(&statement["Resource"]))
            .map(|resource| resource["Fn::GetAtt"][0].as_str().expect("a queue of the stack").to_owned())
            .collect();
        let own: BTreeSet<_> =
            machine.definition.steps().map(|step| format!("{}Queue", pascal(step.participant))).collect();
        assert_eq!(queues, own, "{}", machine.saga);
    }
}

#[test]
fn only_step_functions_for_this_saga_assumes_the_role_of_a_state_machine() {
    let app = app(Stage::Prod);
    for machine in &app.machines {
        let role = &template(&app, "app")["Resources"][format!("{}StateMachineRole", pascal(machine.saga))];
        let trust = &role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0];
        assert_eq!(trust["Principal"], json!({ "Service": "states.amazonaws.com" }));
        assert_eq!(
            trust["Condition"]["StringEquals"]["aws:SourceAccount"],
            json!({ "Ref": "AWS::AccountId" })
        );
        let source = trust["Condition"]["ArnEquals"]["aws:SourceArn"].to_string();
        assert!(
            source.contains(":stateMachine:") && source.contains(&format!("-prod-{}", machine.saga)),
            "{source}"
        );
    }
}

#[test]
fn text_messages_are_allowed_and_topics_are_not() {
    let app = app(Stage::Prod);
    let role = &template(&app, "app")["Resources"]["NotificationRole"];
    let effects: BTreeSet<_> = role_statements(role)
        .into_iter()
        .filter(|statement| list(&statement["Action"]).into_iter().any(|action| action == "sns:Publish"))
        .map(|statement| (statement["Effect"].to_string(), statement["Resource"].to_string()))
        .collect();
    let expected = [
        (r#""Allow""#.to_owned(), r#""*""#.to_owned()),
        (r#""Deny""#.to_owned(), r#"{"Fn::Sub":"arn:${AWS::Partition}:sns:*:*:*"}"#.to_owned()),
    ];
    assert_eq!(effects, BTreeSet::from(expected));
}

fn pascal(name: &str) -> String {
    outputs::function_name(name).trim_end_matches("FunctionName").to_owned()
}
