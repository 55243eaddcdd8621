//! Every grant against the service authorization reference, and how the grants of a role are written.

use serde_json::json;

use super::*;
use crate::Template;
use crate::authorization::check;
use crate::declaration::Handle;
use crate::dynamodb::Table;
use crate::events::EventBus;
use crate::facts;
use crate::iam::Role;
use crate::s3::Bucket;
use crate::ses::EmailIdentity;
use crate::sqs::Queue;
use crate::stepfunctions::StateMachine;

#[test]
fn every_grant_acts_on_the_resource_it_is_on() {
    let mut checked = 0;
    for table in tables() {
        for grant in table.grants {
            for part in grant.parts {
                let resource = format!("{}{}", table.arn, part.below);
                for action in part.actions {
                    let named = format!("{} of {}", grant.name, table.resource);
                    check(action, &resource).unwrap_or_else(|error| panic!("{named}: {error}"));
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 80, "only {checked}");
}

#[test]
fn only_what_has_no_resource_is_on_everything() {
    // The reference names a resource type, but it is not what these act on here.
    let named_all_the_same = ["cloudwatch:PutMetricData", "sns:Publish"];
    for action in everything::ALL.concat() {
        let confinable = check(action, "*").is_err();
        assert_eq!(confinable, named_all_the_same.contains(&action), "{action}");
    }
    assert_eq!(
        json!(put_metrics("Flyover"))[0]["Condition"]["StringEquals"]["cloudwatch:namespace"],
        "Flyover"
    );
    let [allow, deny] = &send_text_messages()[..] else { panic!() };
    assert_eq!(json!(allow)["Resource"], "*");
    assert_eq!(json!(deny)["Effect"], "Deny");
}

#[test]
fn actions_and_parts_are_in_alphabetical_order_and_none_is_there_twice() {
    for table in tables() {
        for grant in table.grants {
            assert!(grant.parts.is_sorted_by(|a, b| a.below < b.below), "{}", grant.name);
            for part in grant.parts {
                assert!(part.actions.is_sorted_by(|a, b| a < b), "{}: {:?}", grant.name, part.actions);
            }
        }
    }
}

#[test]
fn the_arns_of_the_table_are_those_of_the_facts() {
    for table in tables().into_iter().filter(|table| table.resource.starts_with("AWS::")) {
        let arn = facts::arn_template(table.resource).unwrap_or_else(|| panic!("{}", table.resource));
        let rest = table.arn.strip_prefix(arn);
        let expected = if table.resource == "AWS::Logs::LogGroup" { ":*" } else { "" };
        assert_eq!(rest, Some(expected), "{}: {arn}", table.resource);
    }
}

#[test]
fn a_grant_names_the_resource_itself() {
    let queue: Handle<Queue> = Handle::new("Orders");
    assert_eq!(
        json!(queue.grant_send_messages()),
        json!([{
            "Effect": "Allow",
            "Action": "sqs:SendMessage",
            "Resource": { "Fn::GetAtt": ["Orders", "Arn"] },
        }])
    );
}

#[test]
fn a_grant_on_what_is_below_names_that() {
    let bucket: Handle<Bucket> = Handle::new("Files");
    let arn = json!({ "Fn::GetAtt": ["Files", "Arn"] });
    assert_eq!(
        json!(bucket.grant_read()),
        json!([
            { "Effect": "Allow", "Action": "s3:ListBucket", "Resource": arn },
            { "Effect": "Allow", "Action": "s3:GetObject", "Resource": { "Fn::Join": ["", [arn, "/*"]] } },
        ])
    );
}

#[test]
fn a_grant_on_an_arn_needs_no_handle() {
    let resource = |statements: Vec<Statement>| json!(statements)[0]["Resource"]["Fn::Sub"].clone();
    for (statements, expected) in [
        (
            StateMachine::arn_of_name("order").grant_send_task_response(),
            "states:${AWS::Region}:${AWS::AccountId}:stateMachine:order",
        ),
        (
            EventBus::arn_of_name("default").grant_put_events(),
            "events:${AWS::Region}:${AWS::AccountId}:event-bus/default",
        ),
        (
            EmailIdentity::arn_of_name("a@b.example").grant_send_email(),
            "ses:${AWS::Region}:${AWS::AccountId}:identity/a@b.example",
        ),
    ] {
        assert_eq!(resource(statements), format!("arn:${{AWS::Partition}}:{expected}"));
    }
}

#[test]
fn executions_have_an_arn_of_their_own() {
    let machine: Handle<StateMachine> = Handle::new("Order");
    let arn = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:${Machine}:*";
    assert_eq!(
        json!(machine.executions().grant_describe()),
        json!([{
            "Effect": "Allow",
            "Action": "states:DescribeExecution",
            "Resource": { "Fn::Sub": [arn, { "Machine": { "Fn::GetAtt": ["Order", "Name"] } }] },
        }])
    );
}

#[test]
fn a_transaction_is_allowed_by_its_parts() {
    let table: Handle<Table> = Handle::new("Stock");
    let statements = table.grant_write_transactions();
    let actions: Vec<&str> = statements[0].actions().collect();
    assert!(actions.contains(&"dynamodb:ConditionCheckItem"));
    assert!(!actions.contains(&"dynamodb:TransactWriteItems"), "there is no such action");
}

/// The policy of a role that is given these grants, in this order.
fn policy(order: [usize; 4]) -> serde_json::Value {
    let mut template = Template::new("Orders");
    let role = template.add("Role", Role::for_lambda());
    let other = template.add("OtherRole", Role::for_lambda());
    let orders = template.add("Orders", Queue::new());
    let refused = template.add("Refused", Queue::new());
    let grants = [
        orders.grant_send_messages(),
        refused.grant_send_messages(),
        orders.grant_consume_messages(),
        refused.grant_consume_messages(),
    ];
    for place in order {
        template.grant(&role, grants[place].clone());
        template.grant(&role, trace());
    }
    template.grant(&other, orders.grant_purge());
    let built = template.build().expect("the template is sound");
    let template: serde_json::Value = serde_json::from_str(built.to_json()).expect("a template is JSON");
    assert_eq!(
        template["Resources"]["OtherRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]["Action"],
        "sqs:PurgeQueue"
    );
    template["Resources"]["Role"]["Properties"]["Policies"].clone()
}

#[test]
fn the_grants_of_a_role_are_merged_and_ordered_whatever_their_order() {
    let first = policy([0, 1, 2, 3]);
    for order in [[3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]] {
        assert_eq!(policy(order), first, "{order:?}");
    }
    assert_eq!(first.as_array().map(Vec::len), Some(1), "one policy");
    assert_eq!(
        first[0]["PolicyDocument"]["Statement"],
        json!([
            {
                "Effect": "Allow",
                "Action": [
                    "sqs:ChangeMessageVisibility",
                    "sqs:DeleteMessage",
                    "sqs:GetQueueAttributes",
                    "sqs:ReceiveMessage",
                    "sqs:SendMessage",
                ],
                "Resource": [{ "Fn::GetAtt": ["Orders", "Arn"] }, { "Fn::GetAtt": ["Refused", "Arn"] }],
            },
            {
                "Effect": "Allow",
                "Action": [
                    "xray:GetSamplingRules",
                    "xray:GetSamplingTargets",
                    "xray:PutTelemetryRecords",
                    "xray:PutTraceSegments",
                ],
                "Resource": "*",
            },
        ])
    );
}
