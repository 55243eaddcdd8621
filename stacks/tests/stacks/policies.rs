//! What queues and topics accept: over TLS, from those who are to send.

use crate::templates::{app, list, of_type, queue_id, referred, statements, template};
use serde_json::{Value as Json, json};
use stacks::{App, Stage, Trigger, outputs};
use std::collections::BTreeMap;

/// The policy document of a queue or topic.
fn policy_of(app: &App, resource: &str) -> Json {
    let stack = if resource == "OperatorsTopic" { "watch" } else { "app" };
    template(app, stack)["Resources"][format!("{resource}Policy")]["Properties"]["PolicyDocument"].clone()
}

#[test]
fn each_queue_and_topic_denies_what_does_not_come_over_tls() {
    let app = app(Stage::Prod);
    let queues = of_type(&app, "AWS::SQS::Queue");
    let topics = of_type(&app, "AWS::SNS::Topic");
    let of_functions = app.functions.iter().map(|function| match function.trigger {
        Trigger::Queue => 2,
        Trigger::Schedule => 1,
    });
    assert_eq!(queues.len(), of_functions.sum::<usize>() + app.refused.len());
    assert_eq!(topics.len(), 3, "orders, their outcomes, operators");
    for (id, _) in queues.iter().chain(&topics) {
        let policy = policy_of(&app, id);
        let denied = statements(&policy).into_iter().any(|statement| {
            statement["Effect"] == "Deny"
                && statement["Principal"] == "*"
                && statement["Condition"] == json!({ "Bool": { "aws:SecureTransport": "false" } })
        });
        assert!(denied, "{id} takes what does not come over TLS");
    }
}

#[test]
fn policies_of_queues_and_topics_are_about_them_alone() {
    let app = app(Stage::Prod);
    for (kind, about) in [("AWS::SQS::QueuePolicy", "Queues"), ("AWS::SNS::TopicPolicy", "Topics")] {
        for (id, policy) in of_type(&app, kind) {
            let mut targets = Vec::new();
            referred(&policy["Properties"][about], &mut targets);
            assert_eq!(format!("{}Policy", targets[0]), id);
            for statement in statements(&policy["Properties"]["PolicyDocument"]) {
                let mut resources = Vec::new();
                referred(&statement["Resource"], &mut resources);
                assert_eq!(resources, targets, "{id}");
            }
        }
    }
}

#[test]
fn participants_take_messages_from_the_state_machines_that_ask_them_only() {
    let app = app(Stage::Prod);
    for participant in &app.participants {
        let id = queue_id(&outputs::queue_url(participant.name));
        let policy = policy_of(&app, &id);
        let deny = statements(&policy)
            .into_iter()
            .find(|statement| statement["Sid"] == "DenyOtherSenders")
            .unwrap_or_else(|| panic!("{id} takes messages of everyone"));
        assert_eq!((&deny["Effect"], &deny["Action"]), (&json!("Deny"), &json!("sqs:SendMessage")));
        let mut senders = Vec::new();
        referred(&deny["Condition"]["ArnNotEquals"]["aws:PrincipalArn"], &mut senders);
        let mut asking: Vec<_> = app
            .machines
            .iter()
            .filter(|machine| machine.definition.steps().any(|step| step.participant == participant.name))
            .map(|machine| outputs::state_machine_arn(machine.saga).replace("Arn", "Role"))
            .chain(["AWS::NoValue".to_owned(), "OperatorRoleArn".to_owned()])
            .collect();
        senders.sort_unstable();
        asking.sort_unstable();
        assert_eq!(senders, asking, "{id}");
    }
}

/// Whom the policy of a queue lets send, beside principals of the account with a permission of their own: no service
/// but the one meant, and that on behalf of one resource only.
#[test]
fn services_send_on_behalf_of_one_resource_only() {
    let app = app(Stage::Prod);
    let mut allowed: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
    for (id, policy) in of_type(&app, "AWS::SQS::QueuePolicy") {
        for statement in statements(&policy["Properties"]["PolicyDocument"]) {
            if statement["Effect"] != "Allow" {
                continue;
            }
            assert_eq!(statement["Action"], "sqs:SendMessage", "{id}");
            let mut sources = Vec::new();
            referred(&statement["Condition"]["ArnEquals"]["aws:SourceArn"], &mut sources);
            let service =
                statement["Principal"]["Service"].as_str().unwrap_or_else(|| panic!("{id}: {statement}"));
            assert_eq!(sources.len(), 1, "{id}: {statement}");
            let (known, all) = allowed.entry(id.clone()).or_insert_with(|| (service.to_owned(), Vec::new()));
            assert_eq!(known, service, "{id} lets two services send");
            all.extend(sources);
        }
    }
    let sns = |topic: &str| ("sns.amazonaws.com".to_owned(), vec![topic.to_owned()]);
    let rules = |rules: &[&str]| {
        ("events.amazonaws.com".to_owned(), rules.iter().map(|rule| (*rule).to_owned()).collect::<Vec<_>>())
    };
    let expected = [
        ("OrderIntakeQueuePolicy", sns("OrderTopic")),
        ("OrderIntakeDeadLetterQueuePolicy", sns("OrderTopic")),
        ("NotificationQueuePolicy", sns("OrderEventsTopic")),
        ("NotificationDeadLetterQueuePolicy", sns("OrderEventsTopic")),
        ("ReconciliationDeadLetterQueuePolicy", rules(&["ReconciliationSchedule"])),
        ("RescueQueuePolicy", rules(&["RescueRule", "RescueSchedule"])),
        ("RescueDeadLetterQueuePolicy", rules(&["RescueRule", "RescueSchedule"])),
    ];
    assert_eq!(allowed, expected.map(|(id, from)| (id.to_owned(), from)).into());
}

#[test]
fn only_its_schedule_calls_a_scheduled_function() {
    let app = app(Stage::Prod);
    let permissions = of_type(&app, "AWS::Lambda::Permission");
    let scheduled = app.functions.iter().filter(|function| function.trigger == Trigger::Schedule);
    assert_eq!(permissions.len(), scheduled.count());
    for (id, permission) in permissions {
        let properties = &permission["Properties"];
        assert_eq!(
            (&properties["Action"], &properties["Principal"]),
            (&json!("lambda:InvokeFunction"), &json!("events.amazonaws.com")),
            "{id}"
        );
        let mut source = Vec::new();
        referred(&properties["SourceArn"], &mut source);
        assert_eq!(source, [id.trim_end_matches("Permission")]);
    }
}

#[test]
fn outcomes_are_announced_by_state_machines_only() {
    let app = app(Stage::Prod);
    let policy = policy_of(&app, "OrderEventsTopic");
    let deny = statements(&policy).into_iter().find(|statement| statement["Sid"] == "DenyOtherSenders");
    let roles = deny.map(|statement| list(&statement["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]).len());
    assert_eq!(roles, Some(app.machines.len()));
}

#[test]
fn an_emulator_is_asked_for_none_of_it() {
    let app = app(Stage::Prod);
    for kind in ["AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"] {
        for (id, policy) in of_type(&app, kind) {
            if policy["Condition"] == "OnAws" {
                continue;
            }
            for statement in list(&policy["Properties"]["PolicyDocument"]["Statement"]) {
                let conditional = statement["Fn::If"][0] == "OnAws";
                assert!(conditional || statement["Effect"] == "Allow", "{id}: {statement}");
            }
        }
    }
}
