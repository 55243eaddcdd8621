//! Intrinsic functions, list parameters, mappings and custom resources: what is written, and what is refused.

use std::time::Duration;

use cfn::cloudwatch::{Alarm, ComparisonOperator};
use cfn::dynamodb::Table;
use cfn::dynamodb::table::{AttributeDefinition, KeySchema, KeyType, TimeToLiveSpecification};
use cfn::lambda::function::{Environment, VpcConfig};
use cfn::lambda::{Code, Function};
use cfn::sns::Topic;
use cfn::sqs::Queue;
use cfn::{
    Condition, Custom, CustomType, Declare, List, ListParameter, Map, Output, Parameter, Tag, Template,
    TemplateError, Test, Value, pseudo,
};
use serde::Serialize;
use serde_json::{Value as Json, json};

/// A template with a queue, so that it is not empty.
fn template() -> Template {
    let mut template = Template::new("Orders");
    template.add("Present", Queue::new());
    template
}

/// The properties of the resource `Subject`.
fn properties(template: Template) -> Json {
    let built = template.build().unwrap_or_else(|error| panic!("{error}"));
    let subject = built.resources().find(|(id, ..)| *id == "Subject").expect("the subject");
    subject.2.clone()
}

fn is_prod(template: &mut Template) -> Condition {
    let stage = template.parameter("Stage", Parameter::string());
    template.condition("IsProd", Test::equals(&stage, "prod"))
}

fn function() -> Function {
    Function::new(Code::new().zip_file("pass"), "arn:aws:iam::1:role/r")
}

#[test]
fn lists_and_maps_can_depend_on_a_condition() {
    let mut template = template();
    let is_prod = is_prod(&mut template);
    let groups = template.parameter("Groups", Parameter::string_list().default(["sg-1", "sg-2"]));
    let variables = Map::when(&is_prod, [("LEVEL", "warn")], Map::no_value());
    let network = VpcConfig::new()
        .security_group_ids(List::when(&is_prod, &groups, ["sg-0"]))
        .subnet_ids(List::when(&is_prod, List::when(&is_prod, ["a"], ["b"]), List::no_value()));
    let tags =
        [Tag::new("a", "b"), Tag::from(Value::when(&is_prod, Tag::new("stage", "prod"), Value::no_value()))];
    let environment = Environment::new().variables(variables);
    let subject = function().vpc_config(network).tags(tags).environment(environment);
    template.add("Subject", subject);
    let properties = properties(template);
    let no_value = json!({ "Ref": "AWS::NoValue" });
    assert_eq!(
        properties["VpcConfig"],
        json!({
            "SecurityGroupIds": { "Fn::If": ["IsProd", { "Ref": "Groups" }, ["sg-0"]] },
            "SubnetIds": { "Fn::If": ["IsProd", { "Fn::If": ["IsProd", ["a"], ["b"]] }, no_value] },
        })
    );
    assert_eq!(
        properties["Environment"]["Variables"],
        json!({ "Fn::If": ["IsProd", { "LEVEL": "warn" }, no_value] })
    );
    assert_eq!(
        properties["Tags"],
        json!([
            { "Key": "a", "Value": "b" },
            { "Fn::If": ["IsProd", { "Key": "stage", "Value": "prod" }, no_value] },
        ])
    );
}

#[test]
fn structures_can_depend_on_a_condition() {
    let mut template = template();
    let is_prod = is_prod(&mut template);
    let key = |name: &str| KeySchema::new(name, KeyType::Hash);
    let time_to_live = Value::when(&is_prod, TimeToLiveSpecification::new(true), Value::no_value());
    let table = Table::new([key("pk")])
        .attribute_definitions(List::when(
            &is_prod,
            [AttributeDefinition::new("pk", cfn::dynamodb::table::AttributeType::String)],
            List::no_value(),
        ))
        .time_to_live(time_to_live);
    template.add("Subject", table);
    let properties = properties(template);
    assert_eq!(properties["TimeToLiveSpecification"]["Fn::If"][1], json!({ "Enabled": true }));
    let attributes = &properties["AttributeDefinitions"]["Fn::If"];
    assert_eq!(attributes[1], json!([{ "AttributeName": "pk", "AttributeType": "S" }]));
}

#[test]
fn a_list_parameter_stands_for_a_list() {
    let mut template = template();
    let subnets = template.parameter("Subnets", ListParameter::of_type("List<AWS::EC2::Subnet::Id>"));
    let ports = template.parameter(
        "Ports",
        Parameter::number_list().default([80, 443]).allowed_values([80, 443, 8080]).description("Open"),
    );
    template.add("Subject", function().vpc_config(VpcConfig::new().subnet_ids(&subnets)));
    template.output("Ports", Output::new(Value::join_list::<i64>("+", &ports)));
    template.output("First", Output::new(Value::<String>::select(0, &Value::from(&subnets))));
    let built = template.build().expect("a template");
    let json: Json = serde_json::from_str(built.to_json()).expect("JSON");
    assert_eq!(json["Parameters"]["Ports"]["Default"], "80,443");
    assert_eq!(json["Parameters"]["Ports"]["Type"], "List<Number>");
    assert_eq!(
        json["Resources"]["Subject"]["Properties"]["VpcConfig"]["SubnetIds"],
        json!({ "Ref": "Subnets" })
    );
    assert_eq!(json["Outputs"]["Ports"]["Value"], json!({ "Fn::Join": ["+", { "Ref": "Ports" }] }));
    assert_eq!(json["Outputs"]["First"]["Value"], json!({ "Fn::Select": [0, { "Ref": "Subnets" }] }));
    cfn::Template::load(built.to_yaml()).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn each_function_is_written_as_aws_writes_it() {
    let zones = Value::availability_zones(pseudo::region());
    for (value, expected) in [
        (Value::select(1, &zones), json!({ "Fn::Select": [1, { "Fn::GetAZs": { "Ref": "AWS::Region" } }] })),
        (
            Value::select(0, &Value::split(",", Value::<String>::import("ids"))),
            json!({ "Fn::Select": [0, { "Fn::Split": [",", { "Fn::ImportValue": "ids" }] }] }),
        ),
        (
            Value::join_list(" ", Value::cidr("10.0.0.0/16", 4, 8)),
            json!({ "Fn::Join": [" ", { "Fn::Cidr": ["10.0.0.0/16", 4, 8] }] }),
        ),
        (
            Value::base64(Value::text("${AWS::Region}")),
            json!({ "Fn::Base64": { "Fn::Sub": "${AWS::Region}" } }),
        ),
    ] {
        let mut template = template();
        template.add("Subject", Queue::new().tags([("value", value)]));
        assert_eq!(properties(template)["Tags"][0]["Value"], expected);
    }
}

#[test]
fn the_topics_of_the_stack_are_a_list_of_arns() {
    let mut template = template();
    let alarm = Alarm::new(ComparisonOperator::GreaterThanThreshold, 1);
    template.add("Subject", alarm.alarm_actions(pseudo::notification_arns()));
    assert_eq!(properties(template)["AlarmActions"], json!({ "Ref": "AWS::NotificationARNs" }));
}

#[test]
fn a_mapping_holds_lists() {
    let mut template = template();
    let stage = template.parameter("Stage", Parameter::string());
    let subnets =
        template.mapping("Subnets", [(("dev", "ids"), vec!["a"]), (("prod", "ids"), vec!["a", "b"])]);
    let sizes = template.mapping("Sizes", [(("dev", "memory"), 128)]);
    let ids = Value::<Vec<String>>::find_in_map(&subnets, &stage, "ids");
    let memory = Value::find_in_map(&sizes, "dev", "memory");
    template.add("Subject", function().vpc_config(VpcConfig::new().subnet_ids(ids)).memory_size(memory));
    let built = template.build().expect("a template");
    let json: Json = serde_json::from_str(built.to_json()).expect("JSON");
    assert_eq!(json["Mappings"]["Subnets"]["prod"]["ids"], json!(["a", "b"]));
    assert_eq!(json["Mappings"]["Sizes"]["dev"]["memory"], 128);
    let subnets = &json["Resources"]["Subject"]["Properties"]["VpcConfig"]["SubnetIds"];
    assert_eq!(subnets, &json!({ "Fn::FindInMap": ["Subnets", { "Ref": "Stage" }, "ids"] }));
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Seed {
    table: Value<String>,
    rows: u32,
}

impl CustomType for Seed {
    const TYPE: &'static str = "Custom::Seed";
}

#[test]
fn a_custom_resource_has_properties_and_attributes_of_its_own() {
    let mut template = template();
    let provider = template.add("Provider", function());
    let topic = template.add("Topic", Topic::new());
    let seed = Seed { table: Value::text("${Present.QueueName}"), rows: 10 };
    let seed = template
        .add("Subject", Custom::new(&provider, seed).service_timeout(Duration::from_secs(60)).retain());
    let free = serde_json::Map::from_iter([("Anything".to_owned(), json!([1]))]);
    let other = template.add("Other", Custom::new(&topic, free));
    template.output("Sum", Output::new(seed.attribute::<String>("Check.Sum")));
    template.output("Id", Output::new(other.reference()));
    let built = template.build().expect("a template");
    let json: Json = serde_json::from_str(built.to_json()).expect("JSON");
    assert_eq!(json["Resources"]["Subject"]["Type"], "Custom::Seed");
    assert_eq!(
        json["Resources"]["Subject"]["Properties"],
        json!({
            "Rows": 10,
            "ServiceTimeout": 60,
            "ServiceToken": { "Fn::GetAtt": ["Provider", "Arn"] },
            "Table": { "Fn::Sub": "${Present.QueueName}" },
        })
    );
    assert_eq!(json["Resources"]["Other"]["Type"], "AWS::CloudFormation::CustomResource");
    assert_eq!(
        json["Resources"]["Other"]["Properties"],
        json!({ "Anything": [1], "ServiceToken": { "Fn::GetAtt": ["Topic", "TopicArn"] } })
    );
    assert!(built.dependencies().any(|pair| pair == ("Subject", "Provider")));
    Template::load(built.to_yaml()).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn references_in_policies_and_metadata_count() {
    let options: [fn(Queue, Json) -> cfn::Declaration<Queue>; 3] = [
        |queue, json| queue.creation_policy(json),
        |queue, json| queue.update_policy(json),
        |queue, json| queue.metadata(json),
    ];
    for declare in options {
        let mut sound = template();
        sound.add("Subject", declare(Queue::new(), json!({ "A": { "Ref": "Present" } })));
        let built = sound.build().expect("a template");
        assert!(built.dependencies().any(|pair| pair == ("Subject", "Present")));

        let mut lost = template();
        lost.add("Subject", declare(Queue::new(), json!({ "A": { "Ref": "Gone" } })));
        let error = lost.build().expect_err("a reference to nothing");
        assert!(matches!(&error, TemplateError::Unresolved { name, .. } if name == "Gone"), "{error}");

        let mut circle = template();
        circle.add("Subject", declare(Queue::new(), json!({ "A": { "Fn::GetAtt": ["Subject", "Arn"] } })));
        let error = circle.build().expect_err("a circle");
        assert!(matches!(&error, TemplateError::Cycle { .. }), "{error}");
    }
}

#[test]
fn conditions_are_no_circle_and_know_no_resources() {
    let mut other = Template::new("Another");
    let (a, b) = (other.condition("A", Test::equals("a", "b")), other.condition("B", Test::equals("a", "b")));
    let mut circle = template();
    circle.condition("A", Test::not(&b));
    circle.condition("B", Test::or([Test::from(&a), Test::equals("a", "b")]));
    let error = circle.build().expect_err("a circle");
    assert!(matches!(&error, TemplateError::ConditionCycle { path } if path == &["A", "B", "A"]), "{error}");

    let mut early = template();
    let queue = early.add("Subject", Queue::new());
    early.condition("C", Test::equals(queue.reference(), "a"));
    let error = early.build().expect_err("a resource before there is one");
    assert!(
        error.to_string().contains("refers to parameter \"Subject\", which is not in the template"),
        "{error}"
    );

    let mut lonely = template();
    lonely.condition("C", Test::and([Test::equals("a", "b")]));
    let error = lonely.build().expect_err("one test is no `Fn::And`");
    assert!(
        error.to_string().contains("Fn::And: it takes a list of 2 to 10, but is given a list of 1"),
        "{error}"
    );
}

#[test]
fn a_handle_of_a_resource_of_another_type_and_template_is_refused() {
    let mut other = Template::new("Another");
    let queue = other.add("Subject", Queue::new());
    let role = other.add("Present", cfn::iam::Role::for_lambda());

    let mut template = template();
    template.add("Subject", Topic::new());
    let mut with_output = template.clone();
    with_output.output("Arn", Output::new(queue.arn()));
    let error = with_output.build().expect_err("a topic has no `Arn`");
    assert_eq!(
        error.to_string(),
        "Outputs.Arn.Value refers to the attribute \"Arn\" of \"Subject\", which is of the type AWS::SNS::Topic: \
         allowed are TopicArn, TopicName; correct the name, or use the handle that `add` of this template returned"
    );

    template.grant(&role, [cfn::Statement::allow(["sqs:SendMessage"]).on_everything()]);
    let error = template.build().expect_err("a queue is no role");
    assert!(
        matches!(&error, TemplateError::OtherType { given, .. } if given == "AWS::SQS::Queue"),
        "{error}"
    );
}

#[test]
fn a_default_that_is_not_allowed_is_refused() {
    let mut template = template();
    template.parameter("Stage", Parameter::string().default("test").allowed_values(["dev", "prod"]));
    let error = template.build().expect_err("a default that is not allowed");
    assert_eq!(
        error.to_string(),
        "parameter \"Stage\" has the default \"test\": allowed are dev, prod; change the default or the constraint"
    );
}

#[test]
fn the_limit_of_size_holds_for_json_too() {
    let mut template = template();
    for index in 0..400 {
        let tags: Vec<(String, &str)> = (0..45).map(|tag| (format!("k{tag}"), "v")).collect();
        template.add(format!("Q{index}"), Queue::new().tags(tags));
    }
    let error = template.build().expect_err("too much JSON");
    assert!(matches!(&error, TemplateError::TooLarge { form: "JSON", .. }), "{error}");
}
