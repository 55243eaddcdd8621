//! Templates that exist already: what fits, and at which path something does not.

use cfn::sqs::Queue;
use cfn::{FromTemplate, LoadError, LoadProblem, Output, Template};
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
            queue("DelaySeconds: !If [A, soon, 5]"),
            "Resources.Orders.Properties.DelaySeconds.Fn::If[1] is \"soon\": expected an integer",
        ),
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
    let near = |problem: &LoadProblem| matches!(problem, LoadProblem::Unknown { near: Some(near), .. } if near == "KeyType");
    assert!(error.problems().iter().any(near), "{error}");
    assert!(error.to_string().contains("Properties.KeySchema[0] lacks \"KeyType\""), "{error}");
    let stream = json!({ "KeySchema": [], "StreamSpecification": {} });
    let error = cfn::dynamodb::Table::from_json(stream).expect_err("a required property is missing");
    assert!(error.to_string().contains("Properties.StreamSpecification lacks \"StreamViewType\""), "{error}");
}

/// A template as people write them: short forms, parameters of several types, all sections.
const SERVICE: &str = r#"
AWSTemplateFormatVersion: 2010-09-09
Description: Takes orders
Metadata:
  AWS::CloudFormation::Interface:
    ParameterGroups: [{ Label: { default: Network }, Parameters: [Subnets] }]
Parameters:
  Stage: { Type: String, Default: dev, AllowedValues: [dev, prod], Description: Which stage }
  Delay: { Type: Number, Default: 5, MinValue: 0, MaxValue: 900 }
  Subnets: { Type: "List<AWS::EC2::Subnet::Id>" }
  SecurityGroups: { Type: CommaDelimitedList, Default: "sg-1, sg-2" }
  Image: { Type: "AWS::SSM::Parameter::Value<String>", Default: /service/image, AllowedValues: [sha-1] }
  Token: { Type: String, NoEcho: true, MinLength: 8, ConstraintDescription: at least 8 characters }
Rules:
  ProdIsSlow:
    RuleCondition: !Equals [!Ref Stage, prod]
    Assertions:
    - Assert: !Not [!Equals [!Ref Delay, "0"]]
      AssertDescription: production is never in a hurry
Mappings:
  ByStage:
    dev: { memory: 256, zones: [a] }
    prod: { memory: 1024, zones: [a, b] }
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  InEurope: !Equals [!Select [0, !Split ["-", !Ref "AWS::Region"]], eu]
  ProdInEurope: !And [!Condition IsProd, Condition: InEurope]
Resources:
  Dead:
    Type: AWS::SQS::Queue
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
  Orders:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub
      - "${Stage}-${Suffix}"
      - Suffix: !Join ["-", [orders, !Ref "AWS::Region"]]
      DelaySeconds: !Ref Delay
      RedrivePolicy: !If
      - IsProd
      - { deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 5 }
      - !Ref AWS::NoValue
      Tags: [{ Key: zones, Value: !Join [",", !FindInMap [ByStage, !Ref Stage, zones]] }]
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: [{ Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: "sts:AssumeRole" }]
      Policies:
      - PolicyName: send
        PolicyDocument:
          Version: 2012-10-17
          Statement:
          - Effect: Allow
            Action: sqs:SendMessage
            Resource: !GetAtt Orders.Arn
            Condition: { Bool: { "aws:SecureTransport": "true" } }
  Handler:
    Type: AWS::Lambda::Function
    DependsOn: [Dead]
    Metadata: { build: { queue: !Ref Orders } }
    Properties:
      Runtime: python3.11
      Handler: index.handler
      Role: !GetAtt Role.Arn
      MemorySize: !FindInMap [ByStage, !Ref Stage, memory]
      Code:
        ZipFile: !Sub |
          QUEUE = "${Orders}"  # ${!Literal}
      VpcConfig:
        SubnetIds: !Ref Subnets
        SecurityGroupIds: !If [IsProd, !Ref SecurityGroups, [sg-0]]
      Environment:
        Variables: { QUEUE: !Ref Orders, ZONE: !Select [0, !GetAZs ""], B: !Base64 text }
  Seed:
    Type: Custom::Seed
    Condition: ProdInEurope
    Properties: { ServiceToken: !GetAtt Handler.Arn, Rows: 10 }
Outputs:
  Url:
    Description: Where orders wait
    Value: !Ref Orders
    Export: { Name: !Sub "${AWS::StackName}-url" }
  Zone:
    Condition: IsProd
    Value: !ImportValue network-zone
  Seeded: { Value: !GetAtt Seed.Anything.AtAll }
"#;

#[test]
fn a_template_as_people_write_them_is_read_and_written() {
    let loaded = Template::load(SERVICE).unwrap_or_else(|error| panic!("{error}"));
    let handler: cfn::lambda::Function = loaded.read("Handler").expect("a function");
    assert_eq!(json!(handler)["VpcConfig"]["SubnetIds"], json!({ "Ref": "Subnets" }));
    let built = loaded.build().expect("a template that builds");
    assert!(
        built.dependencies().any(|pair| pair == ("Handler", "Orders")),
        "by its metadata and its environment"
    );
    for text in [built.to_yaml(), built.to_json()] {
        let again = Template::load(text).unwrap_or_else(|error| panic!("{error}"));
        let again = again.build().expect("a template that builds");
        assert_eq!(again.to_yaml(), built.to_yaml());
        assert_eq!(again.to_json(), built.to_json());
    }
}

#[test]
fn values_that_aws_may_have_added_are_accepted() {
    for properties in ["DeduplicationScope: everywhere", "DelaySeconds: '7'"] {
        Template::load(&queue(properties)).unwrap_or_else(|error| panic!("{error}"));
    }
    let function = json!({ "Code": {}, "Role": "r", "Runtime": "python9.99", "Architectures": ["riscv"] });
    let typed = cfn::lambda::Function::from_json(function.clone()).expect("a function");
    assert_eq!(json!(typed), function);
    let group = json!({ "RetentionInDays": 6 });
    cfn::logs::LogGroup::from_json(group).expect("a number of days that AWS may add");
}

/// Templates with one thing wrong, and the start of what is said of it.
const WRONG_SECTIONS: [(&str, &str); 38] = [
    ("Transform: AWS::Serverless-2016-10-31", "Transform is not supported: a macro rewrites"),
    ("Hooks: {}", "Hooks is not supported: hooks are for the macro"),
    (
        "AWSTemplateFormatVersion: 2011-01-01",
        "AWSTemplateFormatVersion is \"2011-01-01\": allowed are 2010-09-09",
    ),
    ("Description: [a]", "Description is a list: expected text"),
    ("Metadata: text", "Metadata is \"text\": expected an object"),
    ("Parameter: {}", "the template has an unknown member \"Parameter\" (did you mean \"Parameters\"?)"),
    ("Parameters: [a]", "Parameters is a list: expected an object"),
    ("Parameters: { P: {} }", "Parameters.P lacks \"Type\""),
    ("Parameters: { P: { Type: Text } }", "Parameters.P.Type is \"Text\": allowed are String, Number"),
    (
        "Parameters: { P: { Type: String, Defaults: a } }",
        "Parameters.P has an unknown member \"Defaults\" (did you",
    ),
    (
        "Parameters: { P: { Type: String, Default: [a] } }",
        "Parameters.P.Default is a list: expected text or a number",
    ),
    (
        "Parameters: { P: { Type: String, Default: !Ref Q } }",
        "Parameters.P.Default is an object: expected text or",
    ),
    (
        "Parameters: { P: { Type: String, AllowedValues: a } }",
        "Parameters.P.AllowedValues is \"a\": expected a list",
    ),
    (
        "Parameters: { P: { Type: String, AllowedValues: [{}] } }",
        "Parameters.P.AllowedValues[0] is an object",
    ),
    (
        "Parameters: { P: { Type: String, NoEcho: maybe } }",
        "Parameters.P.NoEcho is \"maybe\": expected true or false",
    ),
    (
        "Parameters: { P: { Type: Number, MinValue: low } }",
        "Parameters.P.MinValue is \"low\": expected a number",
    ),
    (
        "Parameters: { P: { Type: String, Default: c, AllowedValues: [a, b] } }",
        "parameter \"P\" has the default \"c\": allowed are a, b",
    ),
    ("Mappings: { M: { a: b } }", "Mappings.M.a is \"b\": expected an object"),
    ("Mappings: { M: { a: { b: !Ref P } } }", "Mappings.M.a.b is an object: expected text, a number"),
    ("Conditions: { C: true }", "Conditions.C is true: expected a test"),
    (
        "Conditions: { C: !Condition D }",
        "Conditions.C refers to condition \"D\", which is not in the template",
    ),
    (
        "Conditions: { C: !Equals [!Ref P, a] }",
        "Conditions.C.Fn::Equals[0] refers to parameter \"P\", which is not",
    ),
    (
        "Conditions: { C: !Equals [!Ref Q, a] }",
        "Conditions.C.Fn::Equals[0] refers to parameter \"Q\", which is not",
    ),
    (
        "Conditions: { C: !Equals [!GetAtt Q.Arn, a] }",
        "Conditions.C.Fn::Equals[0] has Fn::GetAtt: it has no meaning",
    ),
    (
        "Conditions: { C: !Equals [a] }",
        "Conditions.C has Fn::Equals: it takes a list of 2, but is given a list of 1",
    ),
    (
        "Conditions: { A: !Not [!Condition B], B: !Condition A }",
        "conditions are made of each other in a circle: A -> B -> A",
    ),
    ("Rules: { R: {} }", "Rules.R lacks \"Assertions\""),
    ("Rules: { R: { Assertions: [{}] } }", "Rules.R.Assertions[0] lacks \"Assert\""),
    (
        "Rules: { R: { Assertions: [{ Assert: a }] } }",
        "Rules.R.Assertions[0].Assert is \"a\": expected a test",
    ),
    (
        "Rules: { R: { RuleConditions: a, Assertions: [] } }",
        "Rules.R has an unknown member \"RuleConditions\" (did",
    ),
    ("Outputs: { O: text }", "Outputs.O is \"text\": expected an object"),
    ("Outputs: { O: {} }", "Outputs.O lacks \"Value\""),
    (
        "Outputs: { O: { Value: [a] } }",
        "Outputs.O.Value is a list: expected text, or a function that gives text",
    ),
    ("Outputs: { O: { Value: a, Export: name } }", "Outputs.O.Export is \"name\": expected an object"),
    (
        "Outputs: { O: { Value: a, Condition: C } }",
        "Outputs.O.Condition refers to condition \"C\", which is not in",
    ),
    (
        "Outputs: { O: { Value: !GetAtt Q.Arnn } }",
        "Outputs.O.Value refers to the attribute \"Arnn\" of \"Q\"",
    ),
    (
        "Outputs: { O: { Value: !Sub '${Q.Arn} ${Gone}' } }",
        "Outputs.O.Value refers to resource or parameter \"Gone\"",
    ),
    (
        "Outputs: { 'Fn::ForEach::Each': [] }",
        "Outputs has Fn::ForEach::Each: it is for the transform AWS::Lang",
    ),
];

#[test]
fn what_is_wrong_in_a_section_is_refused_with_its_path() {
    for (section, expected) in WRONG_SECTIONS {
        let text = format!("{section}\nResources: {{ Q: {{ Type: AWS::SQS::Queue }} }}");
        let error = refused(&text);
        let said: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
        assert!(said.iter().any(|problem| problem.starts_with(expected)), "{section}: {said:#?}");
    }
}

#[test]
fn what_is_wrong_with_the_options_of_a_resource_is_refused_with_its_path() {
    for (options, expected) in [
        ("DeletionPolicy: Keep", "Resources.Q.DeletionPolicy is \"Keep\": allowed are Delete, Retain"),
        (
            "UpdateReplacePolicy: RetainExceptOnCreate",
            "Resources.Q.UpdateReplacePolicy is \"RetainExceptOnCreate\"",
        ),
        ("DependsOn: [1]", "Resources.Q.DependsOn is a list: expected a name or a list of names"),
        ("DependsOn: Gone", "Resources.Q.DependsOn refers to resource \"Gone\""),
        ("Condition: Gone", "Resources.Q.Condition refers to condition \"Gone\""),
        ("Metadata: [a]", "Resources.Q.Metadata is a list: expected an object"),
        ("Metadata: { a: !Ref Gone }", "Resources.Q.Metadata.a refers to resource or parameter \"Gone\""),
        (
            "UpdatePolicy: { A: !Ref Gone }",
            "Resources.Q.UpdatePolicy.A refers to resource or parameter \"Gone\"",
        ),
        (
            "CreationPolicy: { A: !Ref Gone }",
            "Resources.Q.CreationPolicy.A refers to resource or parameter \"Gone\"",
        ),
        ("CreationPolicy: 1", "Resources.Q.CreationPolicy is 1: expected an object"),
        ("Properties: !Transform { Name: a }", "Resources.Q.Properties has Fn::Transform: it is for a macro"),
        (
            "Properties: { QueueName: !Length [a] }",
            "Resources.Q.Properties.QueueName has Fn::Length: it is for",
        ),
        ("Properties: { QueueName: null }", "Resources.Q.Properties.QueueName is null: expected a string"),
        ("Properties: { QueueName: !GetAtt Q.Arn }", "resources depend on each other in a circle: Q -> Q"),
    ] {
        let error = refused(&format!("Resources: {{ Q: {{ Type: AWS::SQS::Queue, {options} }} }}"));
        let said: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
        assert!(said.iter().any(|problem| problem.starts_with(expected)), "{options}: {said:#?}");
        assert_eq!(said.len(), 1, "{options}: {said:#?}");
    }
    let error = refused("Resources: { C: { Type: Custom::Seed, Properties: { Rows: 1 } } }").to_string();
    assert_eq!(error, "Resources.C.Properties lacks \"ServiceToken\", which is required");
}

#[test]
fn all_problems_are_said_at_once_in_the_order_of_their_paths() {
    let text = "
Outputs: { Url: { Value: !Ref Ordres } }
Parameters: { Stage: { Default: dev } }
Resources:
  Orders: { Type: AWS::SQS::Queue, Properties: { DelaySeconds: soon, FifoQueues: true } }
  Other: { Type: AWS::SQS::Que, DependsOn: Orders, Propertys: {} }
";
    let error = refused(text);
    let paths: Vec<&str> = error.problems().iter().map(LoadProblem::at).collect();
    assert_eq!(
        paths,
        [
            "Outputs.Url.Value",
            "Parameters.Stage",
            "Resources.Orders.Properties",
            "Resources.Orders.Properties.DelaySeconds",
            "Resources.Other",
            "Resources.Other",
        ]
    );
    assert!(error.to_string().starts_with("6 problems:\n- Outputs.Url.Value refers to"), "{error}");
}

#[test]
fn a_key_that_is_there_twice_is_refused_in_both_languages() {
    for text in [
        "Resources:\n  Q: { Type: AWS::SQS::Queue }\n  Q: { Type: AWS::SNS::Topic }\n",
        "{\"Resources\": {\"Q\": {\"Type\": \"AWS::SQS::Queue\"},\n \"Q\": {\"Type\": \"AWS::SNS::Topic\"}}}",
        "{ Resources: { Q: { Type: AWS::SQS::Queue, Type: AWS::SNS::Topic } } }",
    ] {
        let error = refused(text);
        assert!(matches!(error.problems(), [LoadProblem::Syntax { .. }]), "{text}: {error}");
        let said = error.to_string();
        assert!(said.contains("uplicate") || said.contains("twice"), "{text}: {said}");
    }
}

#[test]
fn a_text_that_is_nested_without_end_is_refused() {
    for (open, text) in
        [("[", "Resources: "), ("{\"a\":", ""), ("{a: ", "Resources: "), ("!Not [", "Conditions: ")]
    {
        let error = refused(&(text.to_owned() + &open.repeat(100_000)));
        assert!(matches!(error.problems(), [LoadProblem::Syntax { .. }]), "{open}");
    }
}

#[test]
fn yaml_in_one_line_is_no_json() {
    let loaded = Template::load("{ Resources: { Q: { Type: AWS::SQS::Queue } } }").expect("a template");
    assert!(loaded.handle::<Queue>("Q").is_some());
}

#[test]
fn plain_scalars_mean_what_they_mean_to_cloudformation() {
    for (given, expected) in [
        ("yes", json!(true)),
        ("Off", json!(false)),
        ("'yes'", json!("yes")),
        ("012345678901", json!("012345678901")),
        ("'010'", json!("010")),
        ("2012-10-17", json!("2012-10-17")),
        ("1_000", json!(1000)),
        ("0x1F", json!(31)),
        ("N", json!("N")),
        ("y", json!("y")),
        ("010", json!(8)),
        ("12:30:45", json!(45_045)),
        ("1.30", json!(1.3)),
        ("1e5", json!("1e5")),
        ("!Base64 5", json!({ "Fn::Base64": "5" })),
        ("!GetAZs", json!({ "Fn::GetAZs": "" })),
        ("!Sub 010", json!({ "Fn::Sub": "010" })),
    ] {
        let loaded = Template::load(&queue(&format!("RedriveAllowPolicy: {{ a: {given} }}")));
        let typed: Queue =
            loaded.and_then(|loaded| loaded.read("Orders")).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(json!(typed)["RedriveAllowPolicy"]["a"], expected, "{given}");
    }
    for lost in ["123456789012345678901234567890", "-99999999999999999999"] {
        for text in [queue(&format!("QueueName: {lost}")), format!("{{\"Description\": {lost}}}")] {
            let error = refused(&text).to_string();
            assert!(error.contains("more digits than can be kept: put it in quotes"), "{text}: {error}");
        }
    }
}

#[test]
fn words_of_two_letter_cases_and_marks_in_names_of_conditions_are_accepted() {
    for word in ["true", "True", "FALSE"] {
        Template::load(&queue(&format!("FifoQueue: '{word}'"))).unwrap_or_else(|error| panic!("{error}"));
    }
    assert!(refused(&queue("FifoQueue: 'tRUE'")).to_string().contains("is \"tRUE\": expected a boolean"));
    for (name, accepted) in
        [("is_prod", true), ("a-b&3", true), ("100%", true), ("is prod", false), ("é", false)]
    {
        let text = format!("Conditions: {{ '{name}': !Equals [a, b] }}\n{}", queue("DelaySeconds: 5"));
        let error = Template::load(&text).err().map(|error| error.to_string());
        assert_eq!(error.is_none(), accepted, "{name}: {error:?}");
        let expected = "allowed are 1 to 255 letters, digits and marks, without blanks";
        assert!(error.is_none_or(|error| error.contains(expected)), "{name}");
    }
}

#[test]
fn what_may_have_been_meant_otherwise_is_told_with_its_path() {
    let text = "
Parameters: { Zone: { Type: String, NoEcho: yes, Default: yes } }
Resources:
  Orders:
    Type: AWS::SQS::Queue
    Properties:
      FifoQueue: Yes
      DelaySeconds: 0x1F
      QueueName: \"1.30\"
      Tags: [{ Key: version, Value: 1.30 }, { Key: account, Value: 012345678901 }, { Key: date, Value: 2026-11-27 }]
  Handler:
    Type: AWS::Lambda::Function
    Properties:
      Role: arn:aws:iam::123456789012:role/handler
      Code: { ZipFile: a }
      Environment: { Variables: { AT: 12:30:45 } }
      LoggingConfig: { LogGroup: NO }
";
    let mut loaded = Template::load(text).expect("a template");
    let told: Vec<String> = loaded.remarks().iter().map(ToString::to_string).collect();
    let read = |at: &str, given: &str, read: &str| {
        format!(
            "{at} is {given} without quotes, which CloudFormation reads as {read}, and so it is written: put it in \
             quotes if the text is meant"
        )
    };
    assert_eq!(
        told,
        [
            read("Parameters.Zone.Default", "yes", "true"),
            read("Resources.Orders.Properties.Tags[0].Value", "1.30", "1.3"),
            "Resources.Orders.Properties.Tags[1].Value is 012345678901 without quotes, which is text in YAML 1.1, and so \
             it is written, but CloudFormation has been seen to read such text as a number: put it in quotes"
                .to_owned(),
            read("Resources.Handler.Properties.Environment.Variables.AT", "12:30:45", "45045"),
            read("Resources.Handler.Properties.LoggingConfig.LogGroup", "NO", "false"),
        ]
    );
    assert_eq!(loaded.remarks().first().map(cfn::LoadRemark::given), Some("yes"));
    loaded.add("Dead", Queue::new());
    let written = loaded.build().expect("a template that builds");
    assert_eq!(Template::load(written.to_yaml()).expect("a template").remarks(), []);
}

#[test]
fn line_ends_of_another_system_change_nothing() {
    let built = |text: &str| {
        let loaded = Template::load(text).unwrap_or_else(|error| panic!("{error}"));
        loaded.build().expect("a template that builds").to_yaml().to_owned()
    };
    assert_eq!(built(&SERVICE.replace('\n', "\r\n")), built(SERVICE));
    let tags = queue("Tags: [{ Key: version, Value: 1.30 }]\n      QueueName: 010");
    assert_eq!(built(&tags.replace('\n', "\r\n")), built(&tags));
}

#[test]
fn what_others_know_is_not_held_against_the_facts() {
    let text = "
Resources:
  Analytics: { Type: AWS::CDK::Metadata, Properties: { Analytics: 'v2:deflate64:H4sI' } }
  Lookup: { Type: 'Custom::Lookup', Version: '1.0', Properties: { ServiceToken: a, Of: [b] } }
  Part: { Type: 'Initech::Net::Vpc::MODULE', Properties: { Size: small } }
  Report: { Type: 'Initech::TPS::Report', Properties: { Title: { Cover: 1 } } }
";
    let built = Template::load(text).expect("a template").build().expect("a template that builds");
    let again = Template::load(built.to_yaml()).expect("a template").build().expect("a template that builds");
    assert_eq!(again.to_json(), built.to_json());
    assert!(built.to_yaml().contains("Type: Custom::Lookup\n    Version: \"1.0\"\n"), "{}", built.to_yaml());
    for (resource, expected) in [
        (
            "{ Type: AWS::SQS::Queue, Version: '1.0' }",
            "Resources.R.Version is \"1.0\": allowed are versions of custom resources only",
        ),
        (
            "{ Type: 'Custom::R', Version: [1], Properties: { ServiceToken: a } }",
            "Resources.R.Version is a list",
        ),
        (
            "{ Type: 'Initech::TPS::Report', Properties: [] }",
            "Resources.R.Properties is a list: expected an object",
        ),
        ("{ Type: AWS::CDK::Metadata, Properties: { Analytic: a } }", "(did you mean \"Analytics\"?)"),
        ("{ Type: 'Initech::Report' }", "types of others are `Organization::Service::Type`"),
    ] {
        let error = refused(&format!("Resources: {{ R: {resource} }}")).to_string();
        assert!(error.contains(expected), "{resource}: {error}");
    }
}

#[test]
fn a_reference_within_blanks_or_a_module_is_a_dependency() {
    let text = "
Resources:
  Net: { Type: 'Initech::Net::Vpc::MODULE' }
  Dead: { Type: AWS::SQS::Queue, Properties: { QueueName: !Sub '${ Net.Vpc }-${ AWS::Region }' } }
  Orders: { Type: AWS::SQS::Queue, DependsOn: NetGateway, Properties: { QueueName: !Sub '${ Dead.QueueName}s' } }
";
    let built = Template::load(text).expect("a template").build().expect("a template that builds");
    let pairs: Vec<(&str, &str)> = built.dependencies().collect();
    assert_eq!(pairs, [("Dead", "Net"), ("Orders", "Dead"), ("Orders", "Net")]);
}

#[test]
fn a_list_and_one_value_are_not_mistaken_for_each_other() {
    for (property, expected) in [
        ("SubnetIds: !Ref One", "VpcConfig.SubnetIds is a function that gives one value: expected a list"),
        ("SubnetIds: !Sub a", "VpcConfig.SubnetIds is a function that gives one value: expected a list"),
        (
            "SubnetIds: [!Ref Many]",
            "VpcConfig.SubnetIds[0] is a function that gives a list: expected a string",
        ),
        (
            "SubnetIds: !If [C, !Ref Many, !Ref One]",
            "VpcConfig.SubnetIds.Fn::If[2] is a function that gives one value: expected a list",
        ),
    ] {
        let text = format!(
            "
Parameters: {{ One: {{ Type: String }}, Many: {{ Type: CommaDelimitedList }} }}
Conditions: {{ C: !Equals [!Ref One, a] }}
Outputs: {{ O: {{ Value: !Ref Many }} }}
Resources:
  F:
    Type: AWS::Lambda::Function
    Properties: {{ Role: !Ref One, Code: {{ ZipFile: a }}, VpcConfig: {{ {property} }} }}
"
        );
        let error = refused(&text);
        let said: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
        let expected = format!("Resources.F.Properties.{expected}");
        assert_eq!(said, ["Outputs.O.Value is a function that gives a list: expected text", &expected]);
    }
}
