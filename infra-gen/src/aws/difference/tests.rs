use super::*;
use crate::aws::{Data, Fate};
use serde_json::json;

/// The differences between two versions of one resource: path inside of it, and effect as it is printed.
fn of_resource(old: &Json, new: &Json) -> Vec<(String, String)> {
    let template = |resource: &Json| match resource {
        Json::Null => json!({ "Resources": {} }),
        resource => json!({ "Resources": { "It": resource } }),
    };
    differences(&template(old), &template(new))
        .into_iter()
        .map(|found| {
            let path = found.path.trim_start_matches("Resources.It").trim_start_matches('.').to_owned();
            (path, found.effect.map(|effect| effect.to_string()).unwrap_or_default())
        })
        .collect()
}

fn said(path: &str, effect: &str) -> (String, String) {
    (path.to_owned(), effect.to_owned())
}

#[test]
fn differences_name_the_resource_and_the_property() {
    let there = json!({
        "Description": "old",
        "Resources": {
            "Gone": {"Type": "AWS::SNS::Topic"},
            "Same": {"Type": "AWS::SNS::Topic"},
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 30, "Tags": [{"Key": "a", "Value": "b"}]}},
        },
    });
    let here = json!({
        "Description": "new",
        "Resources": {
            "New": {"Type": "AWS::DynamoDB::Table", "Properties": {}},
            "Same": {"Type": "AWS::SNS::Topic"},
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 60, "Tags": [{"Key": "a", "Value": "c"}]}},
        },
    });
    let said: Vec<_> =
        differences(&there, &here).into_iter().map(|found| (found.path, found.side, found.effect)).collect();
    let changed = |old: &str, new: &str| Side::Changed(old.to_owned(), new.to_owned());
    let removed = Effect { fate: Fate::Removed, data: Data::None };
    assert_eq!(
        said,
        [
            ("Description".to_owned(), changed("\"old\"", "\"new\""), None),
            ("Resources.Gone".to_owned(), Side::Removed("AWS::SNS::Topic".to_owned()), Some(removed)),
            ("Resources.New".to_owned(), Side::Added("AWS::DynamoDB::Table".to_owned()), None),
            ("Resources.Queue.Properties.Tags[0].Value".to_owned(), changed("\"b\"", "\"c\""), None),
            ("Resources.Queue.Properties.VisibilityTimeout".to_owned(), changed("30", "60"), None),
        ]
    );
    assert_eq!(differences(&here, &here), []);
}

#[test]
fn what_replaces_a_resource_says_so_and_what_becomes_of_its_data() {
    let queue = |name: &str, policy: &str| json!({ "Type": "AWS::SQS::Queue", "UpdateReplacePolicy": policy, "Properties": { "QueueName": name } });
    let name = "Properties.QueueName";
    for (policy, effect) in [
        ("Delete", "replaces it, and what it holds is lost"),
        ("Snapshot", "replaces it, and a snapshot is kept"),
        ("Retain", "replaces it, and the old one is kept"),
    ] {
        assert_eq!(of_resource(&queue("a", policy), &queue("b", policy)), [said(name, effect)]);
    }
    // A policy that comes or goes with the change does not count.
    let lost = said(name, "replaces it, and what it holds is lost");
    for (old, new) in [("Delete", "Retain"), ("Retain", "Delete")] {
        assert_eq!(
            of_resource(&queue("a", old), &queue("b", new)),
            [lost.clone(), said("UpdateReplacePolicy", "")]
        );
    }
    let topic = |name: &str| json!({ "Type": "AWS::SNS::Topic", "Properties": { "TopicName": name } });
    assert_eq!(of_resource(&topic("a"), &topic("b")), [said("Properties.TopicName", "replaces it")]);
}

#[test]
fn a_property_that_comes_or_goes_replaces_like_one_that_changes() {
    let bare = json!({ "Type": "AWS::SNS::Topic" });
    let named = json!({ "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "a", "DisplayName": "b" } });
    let expected = [said("Properties.DisplayName", ""), said("Properties.TopicName", "replaces it")];
    assert_eq!(of_resource(&bare, &named), expected);
    assert_eq!(of_resource(&named, &bare), expected);
}

#[test]
fn a_resource_that_goes_says_what_becomes_of_its_data() {
    let table =
        |policy: Json| json!({ "Type": "AWS::DynamoDB::Table", "DeletionPolicy": policy, "Properties": {} });
    for (resource, effect) in [
        (table(json!("Delete")), "removes it, and what it holds is lost"),
        (table(json!({ "Fn::If": ["A", "Retain", "Delete"] })), "removes it, and what it holds is lost"),
        (table(json!("Retain")), "removes it, and the old one is kept"),
        (table(json!("RetainExceptOnCreate")), "removes it, and the old one is kept"),
        (json!({ "Type": "AWS::IAM::Role" }), "removes it"),
        (json!({ "Type": "Custom::Thing" }), "removes it, and what it holds, if anything, is lost"),
    ] {
        assert_eq!(of_resource(&resource, &Json::Null), [said("", effect)]);
        assert_eq!(of_resource(&Json::Null, &resource), [said("", "")], "what is added harms nothing");
    }
}

#[test]
fn parts_of_lists_and_values_of_functions_are_looked_up_as_their_property() {
    let table = |keys: Json| json!({ "Type": "AWS::DynamoDB::Table", "Properties": { "KeySchema": keys } });
    let (one, other) = (json!({ "AttributeName": "a" }), json!({ "AttributeName": "b" }));
    assert_eq!(
        of_resource(&table(json!([one])), &table(json!([other]))),
        [said("Properties.KeySchema[0].AttributeName", "replaces it, and what it holds is lost")]
    );
    let topic = |name: &str| {
        let name = json!({ "Fn::If": ["A", name, "c"] });
        json!({ "Type": "AWS::SNS::Topic", "Properties": { "TopicName": name } })
    };
    assert_eq!(
        of_resource(&topic("a"), &topic("b")),
        [said("Properties.TopicName.Fn::If[1]", "replaces it")]
    );
}

#[test]
fn what_comes_with_a_part_that_replaces_may_replace() {
    let rule = |fields: Json| json!({ "Type": "AWS::SES::ReceiptRule", "Properties": fields });
    let (bare, whole) = (rule(json!({})), rule(json!({ "Rule": { "Name": "a", "Enabled": true } })));
    assert_eq!(of_resource(&bare, &whole), [said("Properties.Rule", "may replace it")]);
    let renamed = rule(json!({ "Rule": { "Name": "b", "Enabled": true } }));
    assert_eq!(of_resource(&whole, &renamed), [said("Properties.Rule.Name", "replaces it")]);
    let disabled = rule(json!({ "Rule": { "Name": "a", "Enabled": false } }));
    assert_eq!(of_resource(&whole, &disabled), [said("Properties.Rule.Enabled", "")]);
}

#[test]
fn another_type_is_refused_and_unknown_ones_are_said_to_be_unknown() {
    let topic = json!({ "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "a" } });
    let queue = json!({ "Type": "AWS::SQS::Queue", "Properties": { "QueueName": "a" } });
    let found = of_resource(&topic, &queue);
    assert_eq!(found.iter().filter(|(_, effect)| effect.contains("refuses")).count(), 1, "{found:?}");
    assert_eq!(found.last().map(|(path, _)| path.as_str()), Some("Type"));

    let custom = |value: u8| json!({ "Type": "Custom::Thing", "Properties": { "Value": value } });
    assert_eq!(
        of_resource(&custom(1), &custom(2)),
        [said("Properties.Value", "it is not known whether this replaces it")]
    );
}

#[test]
fn what_may_lose_data_is_told_apart() {
    let effect = |fate, data| Effect { fate, data };
    for lost in [Fate::Removed, Fate::Replaced, Fate::MaybeReplaced] {
        assert!(effect(lost, Data::Lost).may_lose_data());
        assert!(effect(lost, Data::Unknown).may_lose_data());
        assert!(!effect(lost, Data::Kept).may_lose_data());
        assert!(!effect(lost, Data::Snapshot).may_lose_data());
        assert!(!effect(lost, Data::None).may_lose_data());
    }
    assert!(!effect(Fate::Refused, Data::Lost).may_lose_data());
}
