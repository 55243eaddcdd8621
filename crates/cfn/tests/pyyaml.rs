//! What PyYAML, a YAML 1.1 reader as CloudFormation's own tools are, makes of emitted templates.

use std::io::Write as _;
use std::process::{Command, Stdio};

use cfn::lambda::{Code, Function};
use cfn::sqs::{Queue, RedrivePolicy};
use cfn::{BuiltTemplate, Output, Parameter, Template, Test, Value};

/// Reads YAML and JSON, separated by a line, and fails unless both say the same.
const COMPARE: &str = r"
import json, sys, yaml
class Loader(yaml.SafeLoader): pass
Loader.add_multi_constructor('!', lambda loader, tag, node: {'Fn::' + tag: loader.construct_scalar(node)})
text, expected = sys.stdin.read().split('\n=====\n')
given = yaml.load(text, Loader)
sys.exit(0 if given == json.loads(expected) else f'PyYAML reads {given}')
";

/// The Python that has PyYAML: the one of the environment variable `PYTHON`, or `python3`.
fn python() -> Option<String> {
    let name = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let found = Command::new(&name).args(["-c", "import yaml"]).stderr(Stdio::null()).status();
    found.is_ok_and(|status| status.success()).then_some(name)
}

fn agrees(python: &str, built: &BuiltTemplate) {
    let mut child = Command::new(python)
        .args(["-c", COMPARE])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let input = format!("{}\n=====\n{}", built.to_yaml(), built.to_json());
    child.stdin.take().expect("standard input").write_all(input.as_bytes()).expect("Python reads");
    let output = child.wait_with_output().expect("Python ends");
    assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stderr), built.to_yaml());
}

#[test]
fn pyyaml_reads_what_json_says() {
    let Some(python) = python() else {
        assert!(std::env::var_os("CI").is_none(), "PyYAML is needed: set PYTHON to a Python that has it");
        return;
    };
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
    agrees(&python, &template.build().expect("a template"));
}
