//! Templates that exist already: what fits, and at which path something does not.

use cfn::sqs::Queue;
use cfn::{FromTemplate, LoadError, Output, Template};
use serde_json::json;

fn refused(text: &str) -> LoadError {
    Template::load(text).err().unwrap_or_else(|| panic!("accepted: {text}"))
}

fn queue(properties: &str) -> String {
    format!("Resources:\n  Orders:\n    Type: AWS::SQS::Queue\n    Properties:\n      {properties}\n")
}

#[test]
fn what_was_written_is_read_and_written_the_same() {
    let mut template = Template::new("Orders");
    let dead = template.add("Dead", Queue::new());
    let policy = cfn::sqs::RedrivePolicy::new(&dead, 3);
    let orders = template.add("Orders", Queue::new().redrive_policy(policy).tags([("a", "b")]));
    let role = template.add("Role", cfn::iam::Role::for_lambda());
    template.grant(&role, orders.grant_consume_messages());
    template.output("Url", Output::new(orders.url()));
    let built = template.build().expect("a template");
    for text in [built.to_yaml(), built.to_json()] {
        let again = Template::load(text).and_then(|loaded| {
            let typed: Queue = loaded.read("Orders")?;
            assert!(json!(typed)["RedrivePolicy"]["maxReceiveCount"] == 3);
            Ok(loaded.build().expect("a template"))
        });
        let again = again.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(again.to_yaml(), built.to_yaml());
        assert_eq!(again.to_json(), built.to_json());
    }
}

#[test]
fn short_forms_are_written_out() {
    let text = "
Parameters: { Stage: { Type: String } }
Conditions: { IsProd: !Equals [!Ref Stage, prod] }
Resources:
  Dead: { Type: 'AWS::SQS::Queue' }
  Orders:
    Type: AWS::SQS::Queue
    DependsOn: Dead
    Properties:
      QueueName: !Sub '${Stage}-orders'
      DelaySeconds: !If [IsProd, 5, !Ref 'AWS::NoValue']
      RedrivePolicy:
        deadLetterTargetArn: !GetAtt Dead.Arn
        maxReceiveCount: 5
";
    let built = Template::load(text).expect("a template").build().expect("a template that builds");
    let (_, _, properties) = built.resources().find(|(id, ..)| *id == "Orders").expect("the queue");
    assert_eq!(
        properties,
        &json!({
            "QueueName": { "Fn::Sub": "${Stage}-orders" },
            "DelaySeconds": { "Fn::If": ["IsProd", 5, { "Ref": "AWS::NoValue" }] },
            "RedrivePolicy": { "deadLetterTargetArn": { "Fn::GetAtt": ["Dead", "Arn"] }, "maxReceiveCount": 5 },
        })
    );
    assert!(built.dependencies().any(|pair| pair == ("Orders", "Dead")));
}

#[test]
fn a_loaded_template_can_be_added_to() {
    let mut template = Template::load(&queue("DelaySeconds: 5")).expect("a template");
    let orders = template.handle::<Queue>("Orders").expect("the queue");
    assert!(template.handle::<cfn::sns::Topic>("Orders").is_none(), "a queue is no topic");
    template.output("Arn", Output::new(orders.arn()));
    assert!(template.build().expect("a template").to_yaml().contains("Fn::GetAtt"));
}

#[test]
fn what_does_not_fit_is_refused_with_its_path() {
    let cases = [
        (
            queue("DelaySecond: 5"),
            "Resources.Orders.Properties has an unknown member \"DelaySecond\" (did you mean \"DelaySeconds\"?)",
        ),
        (
            queue("DelaySeconds: soon"),
            "Resources.Orders.Properties.DelaySeconds is \"soon\": expected an integer",
        ),
        (queue("FifoQueue: [true]"), "Resources.Orders.Properties.FifoQueue is a list: expected a boolean"),
        (queue("Tags: [{Key: a}]"), "Resources.Orders.Properties.Tags[0] is an object: expected a tag"),
        (
            queue("DeduplicationScope: everywhere"),
            "Resources.Orders.Properties.DeduplicationScope is \"everywhere\": allowed are",
        ),
        (queue("DelaySeconds: !If [A, soon, 5]"), "Resources.Orders.Properties.DelaySeconds is \"soon\""),
        (
            "Resources: { A: { Type: AWS::SQS::Que } }".to_owned(),
            "Resources.A is of the type \"AWS::SQS::Que\"",
        ),
        (
            "Resources: { A: { Type: AWS::SQS::Queue, Propertys: {} } }".to_owned(),
            "(did you mean \"Properties\"?)",
        ),
        ("Resources: { A: { Properties: {} } }".to_owned(), "Resources.A lacks \"Type\""),
        (
            "Resources: { A: { Type: AWS::DynamoDB::Table } }".to_owned(),
            "Resources.A.Properties lacks \"KeySchema\"",
        ),
        ("Resource: {}".to_owned(), "the template has an unknown member \"Resource\""),
        ("Resources: []".to_owned(), "Resources is a list: expected an object"),
        ("Resources: [".to_owned(), "the template cannot be read"),
        ("{".to_owned(), "the template cannot be read"),
    ];
    for (text, expected) in cases {
        let error = refused(&text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn nested_types_are_checked() {
    let table = json!({ "KeySchema": [{ "AttributeName": "pk", "KeyTyp": "HASH" }] });
    let error = cfn::dynamodb::Table::from_json(table).expect_err("a property that does not exist");
    assert!(matches!(&error, LoadError::Unknown { near: Some(near), .. } if near == "KeyType"), "{error}");
    let stream = json!({ "KeySchema": [], "StreamSpecification": {} });
    let error = cfn::dynamodb::Table::from_json(stream).expect_err("a required property is missing");
    assert!(error.to_string().contains("Properties.StreamSpecification lacks \"StreamViewType\""), "{error}");
}
