//! Templates from the outside: what is refused, and what is written.

use std::time::Duration;

use cfn::cloudwatch::Dashboard;
use cfn::dashboard::{DashboardBody, Widget};
use cfn::lambda::{Code, Function};
use cfn::logs::LogGroup;
use cfn::sns::Topic;
use cfn::sqs::{Queue, RedrivePolicy};
use cfn::stepfunctions::StateMachine;
use cfn::{
    BuiltTemplate, Declare, Missing, Output, Parameter, Removal, Rule, Section, Statement, Template,
    TemplateError, Test, Value,
};
use serde_json::{Value as Json, json};

/// Adds something to a template.
type Declaring<'a> = Box<dyn Fn(&mut Template) + 'a>;

fn build(template: Template) -> BuiltTemplate {
    template.build().expect("a template that CloudFormation accepts")
}

fn refused(template: Template) -> TemplateError {
    template.build().expect_err("a template that CloudFormation refuses")
}

fn parsed(built: &BuiltTemplate) -> Json {
    serde_json::from_str(built.to_json()).expect("JSON")
}

#[test]
fn sections_and_resources_are_in_the_usual_order() {
    let mut template = Template::new("Orders");
    template.output("Url", Output::new("x"));
    template.add("Zebra", Queue::new());
    template.add("Apple", Queue::new().queue_name("apple"));
    let stage = template.parameter("Stage", Parameter::string().default("dev"));
    template.condition("IsProd", Test::equals(&stage, "prod"));
    let built = build(template);
    let yaml = built.to_yaml();
    let keys: Vec<&str> = yaml
        .lines()
        .filter(|line| !line.starts_with(' '))
        .map(|line| line.split(':').next().unwrap())
        .collect();
    assert_eq!(
        keys,
        ["AWSTemplateFormatVersion", "Description", "Parameters", "Conditions", "Resources", "Outputs"]
    );
    assert!(yaml.find("Apple:").unwrap() < yaml.find("Zebra:").unwrap());
}

#[test]
fn suppressed_checks_stand_beside_other_metadata() {
    let mut template = Template::new("");
    let queue = Queue::new()
        .suppress_check("CKV_AWS_9", "Nine")
        .metadata(
            json!({ "owner": "orders", "checkov": { "skip": [{ "id": "CKV_AWS_1", "comment": "One" }] } }),
        )
        .suppress_check("CKV_AWS_27", "Twenty-seven");
    template.add("Queue", queue);
    template.add("Topic", Topic::new().suppress_check("CKV_AWS_26", "None"));
    let built = parsed(&build(template));
    let queue = &built["Resources"]["Queue"]["Metadata"];
    assert_eq!(queue["owner"], "orders");
    assert_eq!(
        queue["checkov"]["skip"],
        json!([
            { "id": "CKV_AWS_1", "comment": "One" },
            { "id": "CKV_AWS_27", "comment": "Twenty-seven" },
            { "id": "CKV_AWS_9", "comment": "Nine" },
        ])
    );
    let topic = &built["Resources"]["Topic"]["Metadata"];
    assert_eq!(topic, &json!({ "checkov": { "skip": [{ "id": "CKV_AWS_26", "comment": "None" }] } }));
}

#[test]
fn suppressed_checks_have_a_reason_and_a_place() {
    let mut template = Template::new("");
    template.add("Queue", Queue::new().suppress_check("CKV_AWS_27", " "));
    let error = refused(template);
    assert!(
        matches!(&error, TemplateError::Unexplained { resource, check } if resource == "Queue" && check == "CKV_AWS_27"),
        "{error}"
    );
    for (metadata, path) in [
        (json!("text"), "Resources.Queue.Metadata"),
        (json!({ "checkov": [] }), "Resources.Queue.Metadata.checkov"),
        (json!({ "checkov": { "skip": {} } }), "Resources.Queue.Metadata.checkov.skip"),
    ] {
        let mut template = Template::new("");
        template.add("Queue", Queue::new().metadata(metadata).suppress_check("CKV_AWS_27", "It is"));
        let error = refused(template);
        assert!(matches!(&error, TemplateError::BadMetadata { at, .. } if at == path), "{error}");
    }
}

#[test]
fn strings_that_yaml_1_1_reads_as_something_else_are_quoted() {
    let mut template = Template::new("yes");
    let texts = [
        "yes",
        "no",
        "on",
        "off",
        "y",
        "N",
        "true",
        "~",
        "null",
        "12",
        "0x1F",
        "1e3",
        "010",
        "2012-10-17",
        "12:30:45",
        "",
        " leading",
        "a: b",
        "# hash",
        "*",
        "- dash",
        "1.0",
        ".inf",
        "=",
        "<<",
        "@at",
        "%x",
        "!tag",
    ];
    let mut function = Function::new(Code::s3("bucket", "key"), "arn:aws:iam::111122223333:role/r");
    for (index, text) in texts.iter().enumerate() {
        function = function.environment_variable(format!("V{index}"), *text);
    }
    template.add("Function", function);
    let built = build(template);
    for (index, text) in texts.iter().enumerate() {
        let key = format!("V{index}: ");
        let line =
            built.to_yaml().lines().find(|line| line.trim_start().starts_with(&key)).expect("the variable");
        let scalar = line.trim_start().trim_start_matches(&key);
        assert!(scalar.starts_with(['"', '\'']), "{text:?} is written as {scalar}");
    }
    assert!(
        built.to_yaml().contains("AWSTemplateFormatVersion: \"2010-09-09\"")
            || built.to_yaml().contains("AWSTemplateFormatVersion: '2010-09-09'")
    );
}

#[test]
fn yaml_and_json_say_the_same() {
    let built = build(everything());
    let from_yaml: Json = serde_saphyr::from_str(built.to_yaml()).expect("YAML");
    assert_eq!(from_yaml, parsed(&built));
}

#[test]
fn text_of_several_lines_is_a_block() {
    let mut template = Template::new("Orders");
    template.add(
        "Function",
        Function::new(Code::new().zip_file("line one\nline two\n"), "arn:aws:iam::1:role/r"),
    );
    let built = build(template);
    assert!(built.to_yaml().contains("ZipFile: |\n"), "{}", built.to_yaml());
}

#[test]
fn long_text_stays_on_its_line() {
    let mut template = Template::new("Orders");
    let long = "word ".repeat(60) + "end";
    template.add("Queue", Queue::new().tags([("note", long.as_str())]));
    let built = build(template);
    assert!(built.to_yaml().lines().any(|line| line.contains(&long)), "{}", built.to_yaml());
}

#[test]
fn output_does_not_depend_on_the_order_of_calls() {
    let forward = {
        let mut template = Template::new("Orders");
        let role = template.add("Role", cfn::iam::Role::for_lambda());
        let (a, b) = (template.add("A", Queue::new()), template.add("B", Queue::new()));
        template.grant(&role, a.grant_send_messages());
        template.grant(&role, b.grant_send_messages());
        build(template)
    };
    let backward = {
        let mut template = Template::new("Orders");
        let (b, a) = (template.add("B", Queue::new()), template.add("A", Queue::new()));
        let role = template.add("Role", cfn::iam::Role::for_lambda());
        template.grant(&role, b.grant_send_messages());
        template.grant(&role, a.grant_send_messages());
        build(template)
    };
    assert_eq!(forward.to_yaml(), backward.to_yaml());
    assert_eq!(forward.to_json(), backward.to_json());
}

#[test]
fn grants_of_a_role_become_one_policy() {
    let mut template = Template::new("Orders");
    let role = template.add("Role", cfn::iam::Role::for_lambda());
    let queue = template.add("Queue", Queue::new());
    template.grant(&role, queue.grant_send_messages());
    template.grant(&role, queue.grant_purge());
    let json = parsed(&build(template));
    let policies = &json["Resources"]["Role"]["Properties"]["Policies"];
    assert_eq!(
        policies,
        &json!([{
            "PolicyName": "grants",
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow",
                    "Action": ["sqs:PurgeQueue", "sqs:SendMessage"],
                    "Resource": { "Fn::GetAtt": ["Queue", "Arn"] },
                }],
            },
        }])
    );
}

#[test]
fn a_name_given_twice_is_refused() {
    let mut template = Template::new("Orders");
    template.add("Queue", Queue::new());
    template.add("Queue", Topic::new());
    let error = refused(template);
    assert!(
        matches!(&error, TemplateError::DuplicateName { section: Section::Resources, name } if name == "Queue")
    );
    assert_eq!(
        error.to_string(),
        "Resources has \"Queue\" twice: a name is allowed once per section; give one of them another name"
    );
}

#[test]
fn a_name_with_other_characters_is_refused() {
    for name in ["order-queue", "", "Größe"] {
        let mut template = Template::new("Orders");
        template.add(name, Queue::new());
        assert!(matches!(refused(template), TemplateError::BadName { .. }), "{name:?}");
    }
}

#[test]
fn a_reference_to_what_is_not_there_is_refused() {
    let mut elsewhere = Template::new("Another");
    let dead = elsewhere.add("Dead", Queue::new());
    let mut template = Template::new("Orders");
    template.add("DeadLetters", Topic::new());
    template.add("Queue", Queue::new().redrive_policy(RedrivePolicy::new(&dead, 3)));
    let error = refused(template);
    let TemplateError::Unresolved { from, kind, name, near } = &error else { panic!("{error}") };
    assert_eq!(
        (from.as_str(), *kind, name.as_str(), near.as_deref()),
        (
            "Resources.Queue.Properties.RedrivePolicy.deadLetterTargetArn",
            Missing::Resource,
            "Dead",
            Some("DeadLetters")
        )
    );
    assert!(error.to_string().contains("did you mean \"DeadLetters\"?"), "{error}");
}

#[test]
fn every_kind_of_missing_thing_is_found() {
    let mut other = Template::new("Another");
    let parameter = other.parameter("Stage", Parameter::string());
    let condition = other.condition("IsProd", Test::equals("a", "b"));
    let mapping = other.mapping("Sizes", [(("dev", "memory"), "128")]);
    let queue = other.add("Elsewhere", Queue::new());
    let cases: [(Missing, Declaring); 8] = [
        (
            Missing::ResourceOrParameter,
            Box::new(|t| {
                t.add("Q", Queue::new().queue_name(&parameter));
            }),
        ),
        (
            Missing::Condition,
            Box::new(|t| {
                t.add("Q", Queue::new().condition(&condition));
            }),
        ),
        (
            Missing::Condition,
            Box::new(|t| {
                t.output("O", Output::new("x").condition(&condition));
            }),
        ),
        (
            Missing::Condition,
            Box::new(|t| {
                t.condition("C", Test::not(&condition));
            }),
        ),
        (
            Missing::Condition,
            Box::new(|t| {
                t.add("Q", Queue::new().queue_name(Value::when(&condition, "a", Value::no_value())));
            }),
        ),
        (
            Missing::Mapping,
            Box::new(|t| {
                t.add("Q", Queue::new().queue_name(Value::find_in_map(&mapping, "dev", "memory")));
            }),
        ),
        (
            Missing::Resource,
            Box::new(|t| {
                t.add("Q", Queue::new().depends_on(&queue));
            }),
        ),
        (
            Missing::Resource,
            Box::new(|t| {
                t.output("O", Output::new(Value::text("${Nowhere.Arn}")));
            }),
        ),
    ];
    for (index, (expected, declare)) in cases.iter().enumerate() {
        let mut template = Template::new("Orders");
        template.add("Present", Queue::new());
        declare(&mut template);
        let error = refused(template);
        assert!(
            matches!(&error, TemplateError::Unresolved { kind, .. } if kind == expected),
            "case {index}: {error}"
        );
    }
}

#[test]
fn a_circle_is_refused_and_an_arn_by_name_cuts_it() {
    let machine = |template: &mut Template| {
        let role = template.add("Role", cfn::iam::Role::for_states());
        let machine = template
            .add("Machine", StateMachine::new(&role).state_machine_name("order").definition(json!({})));
        (role, machine)
    };
    let mut circle = Template::new("Orders");
    let (role, handle) = machine(&mut circle);
    circle.grant(&role, handle.grant_start_execution());
    let error = refused(circle);
    let TemplateError::Cycle { path } = &error else { panic!("{error}") };
    assert_eq!(path, &["Machine", "Role", "Machine"]);

    let mut cut = Template::new("Orders");
    let (role, _) = machine(&mut cut);
    cut.grant(&role, StateMachine::arn_of_name("order").grant_start_execution());
    build(cut);
}

#[test]
fn a_duration_that_is_no_whole_number_of_the_unit_is_refused() {
    let mut template = Template::new("Orders");
    template.add("Queue", Queue::new().visibility_timeout(Duration::from_millis(1_500)));
    assert_eq!(
        refused(template).to_string(),
        "Resources.Queue.Properties.VisibilityTimeout has 1.5s, which is no whole number of seconds: allowed are whole \
         seconds; round it up or down"
    );
    let mut template = Template::new("Orders");
    let queue = template.add("Queue", Queue::new().visibility_timeout(Duration::from_millis(2_000)));
    let slow = queue.metric_number_of_messages_sent().period(Duration::from_millis(500));
    let body = DashboardBody::new().row([Widget::graph("Orders", [slow])]);
    template.add("Dashboard", Dashboard::new(body));
    let error = refused(template).to_string();
    assert!(error.starts_with("Resources.Dashboard.Properties.DashboardBody"), "{error}");
    assert!(error.contains(" has 500ms, "), "{error}");
}

#[test]
fn limits_are_refused() {
    let many = |count: usize, add: &dyn Fn(&mut Template, usize)| {
        let mut template = Template::new("Orders");
        template.add("First", Queue::new());
        (0..count).for_each(|index| add(&mut template, index));
        template
    };
    let resources: &dyn Fn(&mut Template, usize) = &|t, i| {
        t.add(format!("Q{i}"), Queue::new());
    };
    let outputs: &dyn Fn(&mut Template, usize) = &|t, i| t.output(format!("O{i}"), Output::new("x"));
    let parameters: &dyn Fn(&mut Template, usize) = &|t, i| {
        t.parameter(format!("P{i}"), Parameter::string());
    };
    for (section, allowed, add) in [
        (Section::Resources, 499, resources),
        (Section::Outputs, 200, outputs),
        (Section::Parameters, 200, parameters),
    ] {
        build(many(allowed, add));
        let error = refused(many(allowed + 1, add));
        assert!(
            matches!(error, TemplateError::TooMany { section: given, .. } if given == section),
            "{error}"
        );
    }
    let text = "x".repeat(100_000);
    let large = many(10, &|t, i| {
        t.add(format!("L{i}"), LogGroup::new().tags([("t", text.as_str())]));
    });
    assert!(matches!(refused(large), TemplateError::TooLarge { .. }));
    assert!(matches!(refused(Template::new("Orders")), TemplateError::Empty));
    let mut wordy = Template::new("x".repeat(1_025));
    wordy.add("Q", Queue::new());
    assert!(matches!(refused(wordy), TemplateError::LongDescription { given: 1_025, .. }));
}

#[test]
fn a_null_is_refused_with_its_place() {
    let mut template = Template::new("Orders");
    template.add(
        "M",
        StateMachine::new("arn:aws:iam::1:role/r").definition(json!({ "States": [{ "A": null }] })),
    );
    let error = refused(template);
    assert!(
        matches!(&error, TemplateError::Null { at } if at == "Resources.M.Properties.Definition.States[0].A")
    );
}

#[test]
fn a_name_in_a_definition_without_a_substitution_is_refused() {
    let machine = StateMachine::new("arn:aws:iam::1:role/r").definition(json!({ "QueueUrl": "${Orders}" }));
    let mut template = Template::new("Orders");
    template.add("M", machine.clone());
    let error = refused(template);
    assert!(matches!(&error, TemplateError::Unsubstituted { name, .. } if name == "Orders"));
    assert!(error.to_string().contains("has ${Orders}"), "{error}");

    let mut template = Template::new("Orders");
    template.add("M", machine.substitute("Orders", "https://example.com"));
    build(template);
}

#[test]
fn a_statement_can_depend_on_a_parameter() {
    let mut template = Template::new("Orders");
    let tls = template.parameter("Tls", Parameter::string().default("on"));
    let tls_only = template.condition("TlsOnly", Test::equals(&tls, "on"));
    let queue = template.add("Queue", Queue::new());
    let topic = template.add("Topic", Topic::new());
    let policy = cfn::PolicyDocument::new([
        cfn::sqs::queue_policy::allow_topic_to_send(&queue, &topic),
        cfn::sqs::queue_policy::deny_insecure_transport(&queue).only_if(&tls_only),
    ]);
    template.add("Policy", cfn::sqs::QueuePolicy::new(policy, [&queue]));
    let json = parsed(&build(template));
    let statements = &json["Resources"]["Policy"]["Properties"]["PolicyDocument"]["Statement"];
    assert_eq!(
        statements[0]["Condition"]["ArnEquals"]["aws:SourceArn"],
        json!({ "Fn::GetAtt": ["Topic", "TopicArn"] })
    );
    assert_eq!(statements[1]["Fn::If"][0], "TlsOnly");
    assert_eq!(
        statements[1]["Fn::If"][1]["Condition"],
        json!({ "Bool": { "aws:SecureTransport": "false" } })
    );
    assert_eq!(statements[1]["Fn::If"][2], json!({ "Ref": "AWS::NoValue" }));
}

#[test]
fn options_are_beside_the_properties() {
    let json = parsed(&build(everything()));
    let queue = &json["Resources"]["Queue"];
    assert_eq!(queue["DeletionPolicy"], "Retain");
    assert_eq!(queue["UpdateReplacePolicy"], "Snapshot");
    assert_eq!(queue["DependsOn"], json!(["Topic"]));
    assert_eq!(queue["Condition"], "IsProd");
    assert_eq!(queue["Metadata"], json!({ "owner": "orders" }));
    assert_eq!(queue["Properties"]["VisibilityTimeout"], 90);
}

#[test]
fn dependencies_can_be_read() {
    let built = build(everything());
    assert!(built.dependencies().any(|pair| pair == ("Queue", "Topic")));
    assert_eq!(built.resources().map(|(id, ..)| id).collect::<Vec<_>>(), ["Queue", "Role", "Topic"]);
}

/// A template with something of everything.
fn everything() -> Template {
    let mut template = Template::new("Everything: \"all\" of it");
    let stage =
        template.parameter("Stage", Parameter::string().default("dev").allowed_values(["dev", "prod"]));
    let is_prod = template.condition("IsProd", Test::equals(&stage, "prod"));
    let sizes = template.mapping("Sizes", [(("dev", "name"), "small"), (("prod", "name"), "large")]);
    template.rule(
        "Known",
        Rule::assert(Test::equals(&stage, "dev"), "only dev").when(Test::not(Test::equals("a", "b"))),
    );
    let topic = template.add("Topic", Topic::new().topic_name(Value::find_in_map(&sizes, &stage, "name")));
    let queue = template.add(
        "Queue",
        Queue::new()
            .visibility_timeout(Duration::from_secs(90))
            .deletion_policy(Removal::Retain)
            .update_replace_policy(Removal::Snapshot)
            .depends_on(&topic)
            .condition(&is_prod)
            .metadata(json!({ "owner": "orders" })),
    );
    let role = template.add("Role", cfn::iam::Role::for_states());
    template.grant(&role, queue.grant_send_messages());
    template.grant(&role, [Statement::allow(["xray:PutTraceSegments"]).on_everything()]);
    template.output(
        "Url",
        Output::new(queue.url()).description("Where").export(Value::text("${AWS::StackName}-url")),
    );
    template.metadata("Generator", json!({ "version": "1" }));
    template
}
