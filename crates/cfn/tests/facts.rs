//! The facts of AWS at run time, and what was generated from them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use cfn::facts::{self, Replacement};
use serde_json::Value as Json;

fn spec() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("spec")
}

fn json(path: &str) -> Json {
    let text = fs::read_to_string(spec().join(path)).expect("a file of facts");
    serde_json::from_str(&text).expect("JSON")
}

/// The facts of every service, by feature.
fn services() -> BTreeMap<String, Json> {
    let files = fs::read_dir(spec().join("services")).expect("the folder of facts");
    let features = files
        .map(|file| file.expect("a file").path().file_stem().expect("a name").to_string_lossy().into_owned());
    features.map(|feature| (feature.clone(), json(&format!("services/{feature}.json")))).collect()
}

#[test]
fn the_files_hold_as_much_as_the_database() {
    let source = json("source.json");
    let (mut resources, mut types, mut properties, mut attributes) = (0, 0, 0, 0);
    let len = |json: &Json| json.as_object().expect("an object").len();
    let services = services();
    for resource in
        services.values().flat_map(|service| service["resources"].as_object().expect("resources").values())
    {
        resources += 1;
        attributes += len(&resource["attributes"]);
        properties += len(&resource["properties"]);
        for nested in resource["types"].as_object().expect("types").values() {
            types += 1;
            properties += len(&nested["properties"]);
        }
    }
    let events = services.values().filter_map(|service| service["events"].as_object());
    let events: usize = events.map(serde_json::Map::len).sum();
    assert_eq!((services.len(), resources, types, events), (311, 1_828, 9_877, 381));
    let counted = [services.len(), resources, types, properties, attributes, events];
    let stated = ["services", "resources", "types", "properties", "attributes", "events"];
    for (name, count) in stated.into_iter().zip(counted) {
        assert_eq!(source[name], count, "{name}");
    }
}

#[test]
fn each_service_has_a_feature_and_each_feature_a_service() {
    let manifest = fs::read_to_string(spec().join("../Cargo.toml")).expect("the manifest");
    let features: BTreeSet<&str> = manifest
        .lines()
        .skip_while(|line| *line != "[features]")
        .filter_map(|line| line.strip_suffix(" = []"))
        .collect();
    let services = services();
    assert_eq!(features, services.keys().map(String::as_str).collect());
    let all = manifest.split("\nall = [").nth(1).and_then(|rest| rest.split(']').next()).expect("`all`");
    assert_eq!(all.matches('"').count() / 2, services.len(), "`all` lists every feature");
}

#[test]
fn the_default_features_are_the_services_of_the_stacks() {
    let root = spec().join("../../..");
    let manifest = fs::read_to_string(root.join("crates/cfn/Cargo.toml")).expect("the manifest");
    let default =
        manifest.split("\ndefault = [").nth(1).and_then(|rest| rest.split(']').next()).expect("`default`");
    let default: BTreeSet<String> = default.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    let mut used = BTreeSet::new();
    for file in fs::read_dir(root.join("stacks/templates/prod")).expect("the templates") {
        let template = fs::read_to_string(file.expect("a file").path()).expect("a template");
        let types = template.lines().filter_map(|line| line.trim().strip_prefix("Type: AWS::"));
        used.extend(types.filter_map(|name| Some(name.split_once("::")?.0.to_lowercase())));
    }
    assert_eq!(default, used);
}

#[test]
fn what_is_compiled_is_all_of_each_enabled_service() {
    let mut expected = (0, 0);
    for (feature, service) in services() {
        let resources = service["resources"].as_object().expect("resources");
        let first = resources.keys().next().expect("a resource type");
        if facts::is_stateful(first).is_none() {
            assert!(!["sqs", "sns", "lambda"].contains(&feature.as_str()), "a default feature is off");
            continue;
        }
        expected.0 += resources.len();
        expected.1 += resources.values().map(|r| r["types"].as_object().expect("types").len()).sum::<usize>();
    }
    let (resources, types, _) = facts::counts();
    assert_eq!((resources, types), expected);
}

#[test]
fn replacement_follows_the_path() {
    use Replacement::{Maybe, No, Yes};
    for (resource_type, path, expected) in [
        ("AWS::SQS::Queue", "QueueName", Some(Yes)),
        ("AWS::SQS::Queue", "DelaySeconds", Some(No)),
        ("AWS::SQS::Queue", "RedrivePolicy.maxReceiveCount", Some(No)),
        ("AWS::SQS::Queue", "Nonsense", None),
        ("AWS::SQS::Nonsense", "QueueName", None),
        ("AWS::DynamoDB::Table", "KeySchema.0.AttributeName", Some(Yes)),
        ("AWS::DynamoDB::Table", "ImportSourceSpecification.S3BucketSource.S3Bucket", Some(Yes)),
        ("AWS::DynamoDB::Table", "TimeToLiveSpecification.Enabled", Some(No)),
    ] {
        assert_eq!(facts::replacement(resource_type, path), expected, "{resource_type} {path}");
    }
    assert!(Yes > Maybe && Maybe > No);
}

#[test]
fn what_holds_data_is_known() {
    for holds in ["AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::Logs::LogGroup"] {
        assert_eq!(facts::is_stateful(holds), Some(true), "{holds}");
    }
    assert_eq!(facts::is_stateful("AWS::SNS::Topic"), Some(false));
    assert_eq!(
        facts::arn_template("AWS::SQS::Queue"),
        Some("arn:${Partition}:sqs:${Region}:${Account}:${QueueName}")
    );
}
