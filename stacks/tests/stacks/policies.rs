//! What queues and topics accept: over TLS, from those who are to send.

use crate::templates::{app, list, of_type, referred, statements, template};
use serde_json::{Value as Json, json};
use stacks::{App, Stage, outputs};

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
    assert_eq!((queues.len(), topics.len()), (13, 3));
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
    for participant in sagas::participants() {
        let id = outputs::queue_url(participant.name).trim_end_matches("Url").to_owned();
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
