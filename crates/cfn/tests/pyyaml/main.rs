//! What PyYAML, a YAML 1.1 reader as CloudFormation's own tools are, makes of templates: of those that are emitted, and of
//! those that are loaded.

mod folder;
mod reader;

use cfn::lambda::{Code, Function};
use cfn::sqs::{Queue, RedrivePolicy};
use cfn::{Output, Parameter, Template, Test, Value};

#[test]
fn pyyaml_reads_what_json_says() {
    let mut template = Template::new("yes: \"all\" of it # and more");
    let stage =
        template.parameter("Stage", Parameter::string().default("no").allowed_values(["no", "on", "1e3"]));
    let prod = template.condition("Prod", Test::equals(&stage, "on"));
    let dead = template.add("Dead", Queue::new());
    let name = Value::when(&prod, "2012-10-17", Value::no_value());
    let queue = Queue::new().queue_name(name).redrive_policy(RedrivePolicy::new(&dead, 5));
    let queue = template.add("Queue", queue.tags([("on", "off"), ("y", "12:30:45"), ("~", "null")]));
    let role = template.add("Role", cfn::iam::Role::for_states());
    template.grant(&role, queue.grant_send_messages());
    let code = Code::new().zip_file("def handler(event, context):\n    return \"yes\"\n\n# end\n");
    let mut function = Function::new(code, &role);
    for (index, text) in
        ["0x1F", "010", "", " x", "a: b", "*", "- d", "<<", "=", "@a", "%x", "!t", "\t", "é\u{2028}"]
            .into_iter()
            .enumerate()
    {
        function = function.environment_variable(format!("V{index}"), text);
    }
    template.add("Function", function);
    template.output("Url", Output::new(queue.url()).export(Value::text("${AWS::StackName}-url")));
    let built = template.build().expect("a template");
    let read = reader::agrees(&[("emitted", built.to_yaml(), built.to_json())]);
    read.unwrap_or_else(|difference| panic!("{difference}\n{}", built.to_yaml()));
}

#[test]
fn pyyaml_and_the_loader_read_short_forms_alike() {
    let text = r#"
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Stage: { Type: String, Default: dev }
Mappings:
  Sizes: { dev: { delay: "5" } }
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsOther: !Not [!Condition IsProd]
Resources:
  Dead: { Type: "AWS::SQS::Queue", Properties: { Tags: [{ Key: a, Value: "010" }] } }
  Orders:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub ["${Stage}-${Name}", { Name: !Select [0, !Split ["-", orders-eu]] }]
      DelaySeconds: !If [IsProd, !FindInMap [Sizes, dev, delay], !Ref "AWS::NoValue"]
      RedrivePolicy:
        deadLetterTargetArn: !GetAtt Dead.Arn
        maxReceiveCount: 5
      Tags:
      - { Key: list, Value: !GetAtt [Dead, Arn] }
      - { Key: joined, Value: !Join ["", [a, !Ref Dead]] }
      - Key: zone
        Value: !Select
        - 0
        - Fn::GetAZs: !Ref AWS::Region
"#;
    let built = Template::load(text).expect("a template").build().expect("a template that builds");
    let alike = reader::agrees(&[("short forms", text, built.to_json())]);
    assert_eq!(alike, Ok(()));
}

#[test]
fn a_difference_is_found() {
    for (yaml, json) in [
        ("a: yes", r#"{"a": "yes"}"#),
        ("a: 2012-10-17", r#"{"a": "2012-10-17"}"#),
        ("a: 1", r#"{"a": true}"#),
        ("a: !GetAtt B.C.D", r#"{"a": {"Fn::GetAtt": ["B", "C", "D"]}}"#),
        ("a: !Ref B", r#"{"a": {"Fn::Ref": "B"}}"#),
        ("a: [1]", r#"{"a": [1, 2]}"#),
    ] {
        let difference = reader::agrees(&[("x", yaml, json)]).expect_err(yaml);
        assert!(difference.contains("PyYAML reads something else: x.a"), "{yaml}: {difference}");
    }
}

#[test]
fn a_template_is_read_as_cloudformation_reads_it() {
    let text =
        "Description: 2012-10-17\nOutputs: {}\nResources: { A: { Type: =, DependsOn: B, Properties: {} } }";
    let written = r#"{
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "2012-10-17",
        "Resources": { "A": { "Type": "=", "DependsOn": ["B"] } }
    }"#;
    assert_eq!(reader::compare("template", &[("x", text, written)]), Ok(()));
    let misread = reader::compare("template", &[("x", text, &written.replace("\"B\"", "false"))]);
    assert!(misread.is_err_and(|difference| difference.contains("x.Resources.A.DependsOn[0] is 'B' (str)")));
}
