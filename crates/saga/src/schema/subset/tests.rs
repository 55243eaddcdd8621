use super::*;
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// What a reader of `New` does not understand of what was valid for `Old`.
fn change<Old: JsonSchema, New: JsonSchema>() -> Vec<String> {
    let (old, new) = (described::<Old>(), described::<New>());
    let told = |Mismatch { path, why }| match why {
        Why::Required => format!("{path} is required"),
        Why::Refused => format!("{path} is refused"),
        Why::Narrowed { written, read } => format!("{path}: {written} -> {read}"),
        Why::Unknown { keyword } => format!("{path}: {keyword}?"),
    };
    mismatches((&old.0, &old.1), (&new.0, &new.1)).into_iter().map(told).collect()
}

fn described<T: JsonSchema>() -> (Json, Definitions) {
    let mut generator: SchemaGenerator = SchemaSettings::draft2020_12().into_generator();
    let schema = generator.subschema_for::<T>().to_value();
    (schema, generator.take_definitions(true).into_iter().collect())
}

/// Declares the deployed type and the new one.
macro_rules! change {
    ($($old:item => $new:item)+) => {{
        mod old {
            #![allow(dead_code, unreachable_pub, unused_imports, reason = "only their schemas are used")]
            use super::*;
            $(#[derive(JsonSchema, Deserialize)] $old)+
        }
        mod new {
            #![allow(dead_code, unreachable_pub, unused_imports, reason = "only their schemas are used")]
            use super::*;
            $(#[derive(JsonSchema, Deserialize)] $new)+
        }
        change::<old::T, new::T>()
    }};
}

/// A list of what is told, as text.
fn told(mismatches: &[String]) -> Vec<&str> {
    mismatches.iter().map(String::as_str).collect()
}

const NOTHING: [&str; 0] = [];

#[test]
fn members_that_need_not_be_there_may_be_added() {
    let optional =
        change! { pub struct T { pub a: u8 } => pub struct T { pub a: u8, pub b: Option<String> } };
    assert_eq!(told(&optional), NOTHING);
    let defaulted =
        change! { pub struct T { pub a: u8 } => pub struct T { pub a: u8, #[serde(default)] pub b: String } };
    assert_eq!(told(&defaulted), NOTHING);
}

#[test]
fn members_that_must_be_there_may_not() {
    let added = change! { pub struct T { pub a: u8 } => pub struct T { pub a: u8, pub b: String } };
    assert_eq!(told(&added), ["$.b is required"]);
    let tightened = change! { pub struct T { pub a: Option<u8> } => pub struct T { pub a: u8 } };
    assert_eq!(told(&tightened), ["$.a is required", "$.a: null -> an integer from 0 to 255"]);
    let renamed = change! { pub struct T { pub a: u8 } => pub struct T { pub b: u8 } };
    assert_eq!(told(&renamed), ["$.b is required"]);
    let undefaulted = change! { pub struct T { #[serde(default)] pub a: u8 } => pub struct T { pub a: u8 } };
    assert_eq!(told(&undefaulted), ["$.a is required"]);
}

#[test]
fn members_may_go_unless_others_are_refused() {
    let gone = change! { pub struct T { pub a: u8, pub b: u8 } => pub struct T { pub a: u8 } };
    assert_eq!(told(&gone), NOTHING);
    let refused = change! {
        pub struct T { pub a: u8, pub b: u8 } => #[serde(deny_unknown_fields)] pub struct T { pub a: u8 }
    };
    assert_eq!(told(&refused), ["$.b is refused", "$.* is refused"]);
    let opened =
        change! { #[serde(deny_unknown_fields)] pub struct T { pub a: u8 } => pub struct T { pub a: u8 } };
    assert_eq!(told(&opened), NOTHING);
}

#[test]
fn numbers_may_only_get_wider() {
    assert_eq!(told(&change::<u32, u64>()), NOTHING);
    assert_eq!(told(&change::<u32, i64>()), NOTHING);
    assert_eq!(told(&change::<u64, f64>()), NOTHING);
    assert_eq!(told(&change::<f32, f64>()), NOTHING);
    assert_eq!(told(&change::<u32, Option<u32>>()), NOTHING);
    assert_eq!(
        told(&change::<u64, u32>()),
        ["$: an integer from 0 to 18446744073709551615 -> an integer from 0 to 4294967295"]
    );
    assert_eq!(
        told(&change::<u64, i64>()),
        [
            "$: an integer from 0 to 18446744073709551615 -> an integer from -9223372036854775808 to 9223372036854775807"
        ]
    );
    assert_eq!(
        told(&change::<i8, u64>()),
        ["$: an integer from -128 to 127 -> an integer from 0 to 18446744073709551615"]
    );
    assert_eq!(
        told(&change::<f64, f32>()),
        ["$: a number with format \"double\" -> a number with format \"float\""]
    );
    assert_eq!(
        told(&change::<f64, i64>()),
        ["$: a number -> an integer from -9223372036854775808 to 9223372036854775807"]
    );
}

#[test]
fn types_may_only_get_wider() {
    assert_eq!(told(&change::<String, Json>()), NOTHING);
    assert_eq!(told(&change::<Json, String>()), ["$: anything -> a string"]);
    assert_eq!(told(&change::<String, u8>()), ["$: a string -> an integer from 0 to 255"]);
    assert_eq!(told(&change::<String, Vec<String>>()), ["$: a string -> an array"]);
    assert_eq!(told(&change::<BTreeMap<String, u8>, BTreeMap<String, u16>>()), NOTHING);
    assert_eq!(
        told(&change::<BTreeMap<String, u16>, BTreeMap<String, u8>>()),
        ["$.*: an integer from 0 to 65535 -> an integer from 0 to 255"]
    );
    assert_eq!(told(&change::<BTreeSet<u8>, Vec<u8>>()), NOTHING);
    assert_eq!(told(&change::<Vec<u8>, BTreeSet<u8>>()), ["$: an array -> an array with uniqueItems true"]);
}

#[test]
fn limits_may_only_get_wider() {
    let text = change! {
        pub struct T { #[schemars(length(min = 1, max = 9))] pub a: String }
        => pub struct T { #[schemars(length(min = 2, max = 8))] pub a: String }
    };
    assert_eq!(
        told(&text),
        [
            "$.a: a string with maxLength 9 -> a string with maxLength 8",
            "$.a: a string with minLength 1 -> a string with minLength 2"
        ]
    );
    let looser = change! {
        pub struct T { #[schemars(length(min = 2, max = 8))] pub a: String }
        => pub struct T { #[schemars(length(min = 1))] pub a: String }
    };
    assert_eq!(told(&looser), NOTHING);
    let range = change! {
        pub struct T { #[schemars(range(min = 0.0, max = 9.5))] pub a: f64 }
        => pub struct T { #[schemars(range(min = 0.5, max = 9.5))] pub a: f64 }
    };
    assert_eq!(told(&range), ["$.a: a number with minimum 0.0 -> a number with minimum 0.5"]);
    let pattern = change! {
        pub struct T { #[schemars(regex(pattern = "^a"))] pub a: String }
        => pub struct T { #[schemars(regex(pattern = "^b"))] pub a: String }
    };
    assert_eq!(told(&pattern), ["$.a: a string with pattern \"^a\" -> a string with pattern \"^b\""]);
}

#[test]
fn variants_may_be_added_and_not_taken_away() {
    let added = change! { pub enum T { Mail, Sms } => pub enum T { Mail, Sms, Letter } };
    assert_eq!(told(&added), NOTHING);
    let gone = change! { pub enum T { Mail, Sms, Letter } => pub enum T { Mail, Letter } };
    assert_eq!(told(&gone), ["$: \"Sms\" -> \"Mail\" or \"Letter\""]);
    let renamed = change! { pub enum T { Mail } => #[serde(rename_all = "lowercase")] pub enum T { Mail } };
    assert_eq!(told(&renamed), ["$: \"Mail\" -> \"mail\""]);
}

#[test]
fn comments_are_no_changes() {
    let documented = change! {
        pub enum T { Mail, Sms } =>
        /// How.
        pub enum T {
            /// By mail.
            Mail,
            /// By SMS.
            Sms,
        }
    };
    assert_eq!(told(&documented), NOTHING);
}

#[test]
fn inside_variants_the_same_holds() {
    let outside = change! {
        pub enum T { Mail { to: String }, Sms(u8), None } => pub enum T { Mail { to: String, cc: String }, Sms(u8), None }
    };
    assert_eq!(told(&outside), ["$.Mail.cc is required"]);
    let inside = change! {
        #[serde(tag = "by")] pub enum T { Mail { to: String }, Sms { n: u16 } } =>
        #[serde(tag = "by")] pub enum T { Mail { to: String }, Sms { n: u8 } }
    };
    assert_eq!(told(&inside), ["$.n: an integer from 0 to 65535 -> an integer from 0 to 255"]);
    let gone = change! {
        #[serde(tag = "by")] pub enum T { Mail { to: String }, Sms { n: u16 } } =>
        #[serde(tag = "by")] pub enum T { Mail { to: String } }
    };
    assert_eq!(told(&gone), ["$: an object with `by`: \"Sms\" -> an object with `by`: \"Mail\""]);
    let untagged = change! {
        #[serde(untagged)] pub enum T { Number(i64), Text(String) } => #[serde(untagged)] pub enum T { Text(String) }
    };
    assert_eq!(
        told(&untagged),
        ["$: an integer from -9223372036854775808 to 9223372036854775807 -> a string"]
    );
}

#[test]
fn the_place_is_told_however_deep() {
    let deep = change! {
        pub struct Line { pub sku: String } => pub struct Line { pub sku: String, pub gift: bool }
        pub struct T { pub lines: Vec<Line>, pub pair: (u8, Line) } => pub struct T { pub lines: Vec<Line>, pub pair: (u8, Line) }
    };
    assert_eq!(told(&deep), ["$.lines[*].gift is required", "$.pair[1].gift is required"]);
}

#[test]
fn a_type_inside_itself_is_compared_once() {
    let tree = change! {
        pub struct T { pub children: Vec<T>, pub size: u16 } => pub struct T { pub children: Vec<T>, pub size: u8 }
    };
    assert_eq!(told(&tree), ["$.size: an integer from 0 to 65535 -> an integer from 0 to 255"]);
    let same = change! { pub struct T { pub left: Option<Box<T>> } => pub struct T { pub left: Option<Box<T>>, pub n: Option<u8> } };
    assert_eq!(told(&same), NOTHING);
}

#[test]
fn a_definition_may_have_another_name() {
    let renamed = change! {
        pub struct Line { pub sku: String } => pub struct Row { pub sku: String }
        pub struct T { pub lines: Vec<Line> } => pub struct T { pub lines: Vec<Row> }
    };
    assert_eq!(told(&renamed), NOTHING);
}

#[test]
fn nothing_can_be_written_for_a_type_without_values() {
    let never = change! { pub enum T {} => pub struct T { pub a: u8 } };
    assert_eq!(told(&never), NOTHING);
    let nothing = change! { pub struct T { pub a: u8 } => pub enum T {} };
    assert_eq!(told(&nothing), ["$: an object -> nothing"]);
}

#[test]
fn what_is_not_understood_is_refused_unless_it_stayed() {
    let none = Definitions::new();
    let intricate = serde_json::json!({ "not": { "type": "string" } });
    let other = serde_json::json!({ "not": { "type": "null" } });
    assert_eq!(mismatches((&intricate, &none), (&intricate, &none)), []);
    let why = Why::Narrowed {
        written: "anything with not {\"type\":\"string\"}".into(),
        read: "anything with not {\"type\":\"null\"}".into(),
    };
    assert_eq!(mismatches((&intricate, &none), (&other, &none)), [Mismatch { path: "$".into(), why }]);
    let lost = serde_json::json!({ "$ref": "#/$defs/Lost" });
    let why = Why::Unknown { keyword: "$ref: \"#/$defs/Lost\"".into() };
    assert_eq!(mismatches((&lost, &none), (&other, &none)), [Mismatch { path: "$".into(), why }]);
}

mod soundness;
